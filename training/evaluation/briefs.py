"""All briefs measured: each method's lists, its slices, and what the models said of those invited and shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.bank import TextBank
from features.collaborations import collaborations
from features.schema import Tables
from models.bundle import Bundle
from models.catalogue import Catalogue, build_catalogue
from models.exploration import FEW_JOBS
from models.measures import ndcg
from training.evaluation.cases import Case, weekly
from training.evaluation.fraud import tiers
from training.evaluation.offpolicy import SCORE
from training.evaluation.reading import (
    DEPTH,
    ORACLE,
    PLACES,
    Reading,
    Served,
    creator_words,
    descending,
    read,
)

UNKNOWN = "unknown"
Record = dict[str, Any]


@dataclass
class Found:
    """What was measured, as records: ``lists`` one a brief and method, ``slices`` one a brief, method and group of
    creators, ``retrieved`` one a brief, method and k, ``invited`` one an invitation, ``shown`` one a logged
    impression. ``candidates`` are all who could have been offered to any brief; ``exposure`` is by method what each
    creator got of the first ten places, 1 / log2(place + 1) each."""

    lists: list[Record] = field(default_factory=list)
    slices: list[Record] = field(default_factory=list)
    retrieved: list[Record] = field(default_factory=list)
    invited: list[Record] = field(default_factory=list)
    shown: list[Record] = field(default_factory=list)
    candidates: set[str] = field(default_factory=set)
    exposure: dict[str, dict[str, float]] = field(default_factory=dict)


def readings(
    tables: Tables, cases: Sequence[Case], bundle: Bundle, bank: TextBank, rival: Bundle | None = None
) -> Iterator[Reading]:
    """Every case as ``bundle`` and its ``rival`` would have met it in its week."""
    others = _concerned(tables)
    for catalogue, group in weekly(tables, [(case.as_of, case) for case in cases], bundle, bank):
        served, words = Served(bundle, bank, catalogue), creator_words(catalogue, bank)
        against = None if rival is None else Served(rival, bank, _same(catalogue, rival, bank))
        for case in group:
            yield read(served, against, words, case, others.get(case.brief[c.BRIEF_ID], pd.Series(dtype="str")))


def measured(
    tables: Tables, cases: Sequence[Case], bundle: Bundle, bank: TextBank, rival: Bundle | None = None
) -> Found:
    """What ``bundle``, the baselines and a ``rival`` release make of ``cases``."""
    found = Found()
    done = collaborations(tables["collaboration_events"])
    done = done[done["invited_at"].notna()]
    bar = tqdm(readings(tables, cases, bundle, bank, rival), "measuring", len(cases), unit="brief")
    for reading in bar:
        _add_lists(found, reading)
        found.invited += _invited(reading, done)
        found.shown += _shown(reading, tables["impressions"])
    return found


def _same(catalogue: Catalogue, bundle: Bundle, bank: TextBank) -> Catalogue:
    return build_catalogue(bundle, catalogue.tables, catalogue.as_of, bank)


def _concerned(tables: Tables) -> "dict[str, pd.Series[str]]":
    """brief_id → the creators whom it invited or was shown."""
    both = [tables[name][[c.BRIEF_ID, c.CREATOR_ID]] for name in ("collaboration_events", "impressions")]
    return {str(brief_id): ids for brief_id, ids in pd.concat(both).groupby(c.BRIEF_ID)[c.CREATOR_ID]}


def _add_lists(found: Found, reading: Reading) -> None:
    brief = reading.case.brief
    about = {c.BRIEF_ID: brief[c.BRIEF_ID]}
    traits: Record = {"objective": _word(brief[c.OBJECTIVE]), "brief_language": _word(brief[c.LANGUAGE])}
    traits["wanted"] = bool((reading.grades[reading.judged] > 0).any())
    traits["eligible"] = len(reading.rows)
    orders = reading.orders(reading.judged, PLACES)
    if reading.utility is not None:
        orders[ORACLE] = descending(reading.judged, reading.utility[reading.judged])
    found.lists += [about | traits | {"method": name} | reading.measures(order) for name, order in orders.items()]
    found.retrieved += [about | {"method": name, "k": k, "recall": r} for (name, k), r in reading.recalls().items()]
    found.slices += [about | record for record in _slices(reading, orders)]
    found.candidates.update(reading.ids[reading.rows])
    everyone = orders if len(reading.judged) == len(reading.rows) else reading.orders(reading.rows, DEPTH)
    for name, order in everyone.items():
        _expose(found.exposure.setdefault(name, {}), reading.ids[order[:DEPTH]])


def _expose(got: dict[str, float], creators: pd.Index) -> None:
    for place, creator in enumerate(creators, 1):
        got[creator] = got.get(creator, 0.0) + 1 / np.log2(place + 1)


def groups(reading: Reading) -> dict[str, "pd.Series[str]"]:
    """Family → the group of each judged creator."""
    state, asked = reading.served.catalogue.state, _word(reading.case.brief[c.LANGUAGE])
    ids = reading.ids[reading.judged]
    frame, language = state.frame.loc[ids], state.languages.series(state.ids).loc[ids].fillna(UNKNOWN)
    return {
        "experience": (frame["jobs"] < FEW_JOBS).map({True: "new", False: "experienced"}),
        "tier": tiers(frame["followers_count"]),
        "language_match": (language == asked).map({True: "same language", False: "other language"}),
        "languages": asked + " → " + language,
    }


def _slices(reading: Reading, orders: dict[str, np.typing.NDArray[np.int64]]) -> Iterator[Record]:
    """Each group's NDCG@10 among its own, and how many of the first ten places and of the candidates it has."""
    for family, labels in groups(reading).items():
        for group in labels.unique():
            rows = reading.judged[(labels == group).to_numpy()]
            wanted = bool((reading.grades[rows] > 0).any())
            for method, order in orders.items():
                inside = np.isin(order, rows)
                score = ndcg(reading.gains[order[inside]], reading.gains[rows], DEPTH)
                yield {
                    "family": family, "group": group, "method": method, "wanted": wanted, "ndcg10": score,
                    "places": int(inside[:DEPTH].sum()), "candidates": len(rows), "all": len(reading.judged),
                }  # fmt: skip


def _invited(reading: Reading, done: pd.DataFrame) -> list[Record]:
    """What the success model says of those invited for the brief, and what came of it."""
    success, brief = reading.served.bundle.success, reading.case.brief
    theirs = done[(done[c.BRIEF_ID] == brief[c.BRIEF_ID]) & done[c.CREATOR_ID].isin(reading.pairs.index)]
    if success is None or theirs.empty:
        return []
    pairs = reading.pairs.loc[theirs[c.CREATOR_ID]]
    return theirs.assign(
        probability=success.predict(pairs)["success"].to_numpy(),
        objective=_word(brief[c.OBJECTIVE]),
        tier=tiers(pairs["followers_count"]).to_numpy(),
    ).to_dict("records")


def _shown(reading: Reading, impressions: pd.DataFrame) -> list[Record]:
    """The brief's logged impressions with what each method thinks of their creators."""
    theirs = impressions[impressions[c.BRIEF_ID] == reading.case.brief[c.BRIEF_ID]]
    theirs = theirs[theirs[c.PROPENSITY].notna() & theirs[c.CREATOR_ID].isin(reading.pairs.index)]
    if theirs.empty:
        return []
    brief, creators = reading.case.brief, pd.Index(theirs[c.CREATOR_ID])
    scores = {name: release.scores(brief, creators) for name, release in reading.releases.items()}
    scores |= reading.scores(reading.ids.get_indexer(creators).astype(np.int64))
    worst = {name: np.nan_to_num(values, nan=-np.inf, neginf=-1e9) for name, values in scores.items()}
    return theirs.assign(**{SCORE + name: values for name, values in worst.items()}).to_dict("records")


def _word(value: object) -> str:
    return value if isinstance(value, str) else UNKNOWN
