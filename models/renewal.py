"""The catalogue after a write: only those who changed are computed anew, and what was read stays where it holds."""

from dataclasses import replace

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.queries import History
from features.recent import Recent
from features.schema import Tables
from features.state import spliced
from models.bundle import Bundle
from models.catalogue import SHARED, Catalogue, scored
from models.index import VectorIndex

LAID_OUT = {
    "creators": (
        c.CREATOR_ID, c.COUNTRY_CODE, c.LANGUAGE, c.ONBOARDING_STATUS, c.MAX_OPEN_ORDERS, c.CREATOR_PRICE, c.CURRENCY,
        c.CONTENT_LABELS, c.CONTENT_STYLES, c.CONTENT_FORMATS,
    ),
    "audience": (c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE),
    "creator_prices": (c.CREATOR_ID, c.CONTENT_FORMAT, c.AMOUNT, c.CURRENCY),
    "impressions": (c.BRIEF_ID, c.CREATOR_ID, c.POSITION, c.OUTCOME),
}  # fmt: skip
"""What is laid out over all recent creators at once when some of them change: the columns that are kept for it."""
# From what no write changes: of a million it takes a tenth of a second.
DERIVED = ("closed_bits", "listing", "standing", "readings")


def renewed(
    catalogue: Catalogue, bundle: Bundle, own: Tables, ids: pd.Index, latest: pd.Timestamp, bank: TextBank
) -> Catalogue:
    """The ``served`` catalogue after rows about the creators ``ids`` became ``own`` (:func:`features.source.about`),
    known at ``latest``; who has no row in its ``creators`` is gone.

    Only these are computed anew, as they would be among all creators with the same ``as_of``, ``latest`` and world;
    whom others' engagements tell of has to be among them. Of the others, credit does not age.
    """
    own = {**own, "briefs": catalogue.tables["briefs"]}
    fresh = scored(bundle, own, catalogue.as_of, latest, bank, catalogue.state.world)
    theirs = catalogue.engaged[c.CREATOR_ID].isin(ids)
    there = catalogue.engaged[~theirs]
    moved = catalogue.moved.union(catalogue.engaged[c.BRAND_ID][theirs], fresh.engaged[c.BRAND_ID])
    engaged = pd.concat([there, fresh.engaged]).sort_values("engaged_at", kind="stable", ignore_index=True)
    rivals = catalogue.rivals.renewed(fresh.rivals, ids, latest)
    recent = _spliced(catalogue.recent, fresh, ids, engaged) if catalogue.recent else fresh
    recent = replace(recent, rivals=rivals, tables={name: recent.tables[name][[*LAID_OUT[name]]] for name in LAID_OUT})
    gone, rows = catalogue.gone.copy(), catalogue.state.ids.get_indexer(ids)
    gone[rows[rows >= 0]] = True
    edition = catalogue.edition + 1
    after = replace(
        catalogue, latest=latest, engaged=engaged, rivals=rivals, gone=gone,
        recent=recent if len(recent.state.ids) else None, edition=edition,
        changes={**catalogue.changes, **dict.fromkeys(ids, edition)}, moved=moved,
    )  # fmt: skip
    after.__dict__.update({name: catalogue.__dict__[name] for name in DERIVED if name in catalogue.__dict__})
    after.__dict__["histories"] = _lasting(catalogue, moved)
    return after


def _lasting(catalogue: Catalogue, moved: frozenset[str]) -> Recent[list[History]]:
    """The histories of the brands that have not ``moved``, and have not done anything at exactly ``latest``, which is
    past as soon as that moves."""
    new = (catalogue.engaged[["engaged_at", "failed_at"]] >= catalogue.latest).any(axis=1)
    out = moved.union(catalogue.engaged[c.BRAND_ID][new])
    return catalogue.histories.only(lambda brand: brand not in out)


def _spliced(recent: Catalogue, fresh: Catalogue, ids: pd.Index, engaged: pd.DataFrame) -> Catalogue:
    """The ``recent`` creators with the ``fresh`` ones in the place of ``ids``."""
    tables = {
        name: _with(recent.tables[name], fresh.tables[name][[*columns]], ids) for name, columns in LAID_OUT.items()
    }
    shared = {name: fresh.tables[name] for name in SHARED}
    state = spliced(recent.state, fresh.state, tables | shared, engaged)
    fraud, credit, dealt = (
        _replaced(old, new, state.ids)
        for old, new in (
            (recent.fraud, fresh.fraud),
            (recent.credit, fresh.credit),
            (recent.dealings, fresh.dealings),
        )
    )
    return replace(
        recent, latest=fresh.latest, tables=tables, state=state, index=VectorIndex(state.ids, state.vectors),
        engaged=engaged, fraud=fraud, credit=credit, dealings=dealt, gone=np.zeros(len(state.ids), bool),
    )  # fmt: skip


def _with(stored: pd.DataFrame, rows: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    return pd.concat([stored[~stored[c.CREATOR_ID].isin(ids)], rows], ignore_index=True)


def _replaced(old: pd.DataFrame, fresh: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    return pd.concat([old[~old.index.isin(fresh.index)], fresh]).loc[ids]
