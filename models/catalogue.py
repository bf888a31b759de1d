"""The creators being served: their state, vectors in FAISS, and what filters read. Rebuilt aside and swapped whole."""

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from features import columns as c
from features.asof import data_as_of, known
from features.bank import TextBank
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
    """``tables`` as known at ``as_of``; state, index and the models' scores of every creator in them."""

    as_of: pd.Timestamp
    tables: Tables
    state: State
    index: VectorIndex
    fraud: pd.DataFrame
    credit: pd.DataFrame

    @cached_property
    def engaged(self) -> pd.DataFrame:
        """Who worked for whom (features.state.engagements)."""
        return engagements(self.tables)

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
    probability = bundle.fraud.predict(fraud) if bundle.fraud else None
    upstream = pd.DataFrame({"credit_score": credit["score"], "fraud_probability": probability}, index=ids)
    state = build_state(seen, as_of, bank, bundle.idf, upstream)
    state = replace(state, vectors=bundle.towers.creators(state.inputs))
    return Catalogue(as_of, seen, state, VectorIndex(state.ids, state.vectors), fraud, credit)


def with_events(catalogue: Catalogue, bundle: Bundle, events: pd.DataFrame, added: pd.DataFrame) -> Catalogue:
    """The catalogue after ``added`` joined the ledger (now ``events``): the creators concerned have their credit anew.

    Features that rank (response rates, open orders) follow with the next build, as their ``data_as_of`` says.
    """
    ids = catalogue.state.ids.intersection(added[c.CREATOR_ID].unique())
    theirs = events[events[c.CREATOR_ID].isin(ids)]
    now = max(catalogue.as_of, data_as_of({"collaboration_events": events}))
    fresh = credit_scores(theirs, bundle.policy, now, ids)
    credit, frame = catalogue.credit.copy(), catalogue.state.frame.copy()
    credit.loc[ids] = fresh
    frame.loc[ids, "credit_score"] = fresh["score"]
    tables = dict(catalogue.tables) | {"collaboration_events": events}
    state = replace(catalogue.state, frame=frame)
    return replace(catalogue, as_of=now, tables=tables, credit=credit, state=state)
