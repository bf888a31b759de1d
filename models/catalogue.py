"""The creators being served: their state, vectors in FAISS, and what filters read. Rebuilt aside and swapped whole."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from features import columns as c
from features.asof import data_as_of, known
from features.bank import TextBank
from features.collaborations import collaborations, workload
from features.fraud import fraud_features
from features.schema import Tables
from features.state import State, build_state, engagements
from models.bundle import Bundle
from models.credit import credit_scores
from models.index import VectorIndex

FILTERED = (
    c.COUNTRY_CODE, c.LANGUAGE, c.CONTENT_LABELS, c.CONTENT_STYLES, c.CONTENT_FORMATS, c.CREATOR_PRICE, c.CURRENCY,
    c.ONBOARDING_STATUS,
)  # fmt: skip
MEASURED = (c.FOLLOWERS_COUNT, c.MEDIAN_VIEWS, c.ENGAGEMENT_RATE, "credit_score", "fraud_probability")


@dataclass(frozen=True)
class Catalogue:
    """State, index, ``engaged`` (who worked for whom) and the models' scores of every creator, built at ``as_of``.

    ``tables``, credit and open orders also know the events that came since, until ``latest``.
    """

    as_of: pd.Timestamp
    latest: pd.Timestamp
    tables: Tables
    state: State
    index: VectorIndex
    engaged: pd.DataFrame
    fraud: pd.DataFrame
    credit: pd.DataFrame

    @cached_property
    def filtered(self) -> pd.DataFrame:
        """What filters and sorts read, indexed by creator_id."""
        measured = self.state.frame[[*MEASURED, "price_usd"]].rename(columns={"price_usd": "creator_price_usd"})
        return self.state.creators[list(FILTERED)].join(measured)


def build_catalogue(bundle: Bundle, tables: Tables, as_of: pd.Timestamp, bank: TextBank) -> Catalogue:
    """Everything the release's models say of the creators in ``tables`` at ``as_of``."""
    seen = known(tables, as_of)
    ids = pd.Index(seen["creators"][c.CREATOR_ID].unique())
    fraud = fraud_features(seen, as_of)
    credit = credit_scores(seen["collaboration_events"], bundle.policy, as_of, ids)
    probability = bundle.fraud.predict(fraud) if bundle.fraud else np.full(len(ids), np.nan)
    upstream = pd.DataFrame({"credit_score": credit["score"], "fraud_probability": probability}, index=ids)
    state = build_state(seen, as_of, bank, bundle.idf, upstream)
    state = replace(state, vectors=bundle.towers.creators(state.inputs))
    index = VectorIndex(state.ids, state.vectors)
    return Catalogue(as_of, as_of, seen, state, index, engagements(seen), fraud, credit)


def with_events(catalogue: Catalogue, bundle: Bundle, events: pd.DataFrame, added: pd.DataFrame) -> Catalogue:
    """The catalogue after ``added`` joined the ledger (now ``events``): the creators concerned have credit and open
    orders anew, so that order caps hold at once.

    Whatever else ranks (response rates, who worked for whom) follows with the next build, as ``as_of`` says.
    """
    ids = catalogue.state.ids.intersection(added[c.CREATOR_ID].unique())
    theirs = events[events[c.CREATOR_ID].isin(ids)]
    latest = max(catalogue.latest, data_as_of({"collaboration_events": added}))
    fresh = credit_scores(theirs, bundle.policy, latest, ids)
    credit, frame = catalogue.credit.copy(), catalogue.state.frame.copy()
    credit.loc[ids] = fresh
    frame.loc[ids, "credit_score"] = fresh["score"]
    frame.loc[ids, "open_orders"] = workload(collaborations(theirs)).reindex(ids, fill_value=0).astype(float)
    tables = dict(catalogue.tables) | {"collaboration_events": events}
    state = replace(catalogue.state, frame=frame)
    return replace(catalogue, latest=latest, tables=tables, credit=credit, state=state)
