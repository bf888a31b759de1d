"""From examples to what the matching models train on. States are built one date after another, so memory holds one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features.asof import known
from features.bank import Floats, TextBank
from features.errors import InputError, bad
from features.pairs import Query, Rows, build_query, pair_features, query_inputs
from features.schema import Tables
from features.state import State, build_state, engagements, known_brief
from models.index import VectorIndex
from models.retriever import retrieve
from models.towers import Towers, fit_towers
from training.examples import POSITIVE, Example

STATES = 16  # at most so many dates: features are at most a sixteenth of the history old
SEGMENTS = 4
NEGATIVES = 50  # beside those who were shown
HIRE_NEGATIVES = 600  # where none was shown: all there is to tell a hire from the rest of the catalogue
Upstream = Callable[[Tables, pd.Timestamp], pd.DataFrame]


@dataclass(frozen=True)
class Matching:
    """What every step needs: the tables with their ``end``, embedded texts, IDF, and the upstream scores as of a
    date."""

    tables: Tables
    end: pd.Timestamp
    bank: TextBank
    idf: Floats
    upstream: Upstream
    progress: bool = False

    def state(self, as_of: pd.Timestamp, towers: Towers | None) -> State:
        """The catalogue as of ``as_of``, with the towers' vectors where they are trained."""
        tables = known(self.tables, as_of, self.end)
        state = build_state(tables, as_of, self.bank, self.idf, self.upstream(tables, as_of))
        return state if towers is None else replace(state, vectors=towers.creators(state.inputs))


@dataclass(frozen=True)
class RankingRows:
    """(r, p) pairs in consecutive ``groups``; see :func:`models.ranker.fit_ranker`."""

    pairs: pd.DataFrame
    grades: npt.NDArray[np.int64]
    positions: npt.NDArray[np.float64]
    groups: list[int]

    def briefs(self, first: int, last: int) -> "RankingRows":
        """The groups from ``first`` to before ``last``."""
        rows = slice(sum(self.groups[:first]), sum(self.groups[:last]))
        return RankingRows(self.pairs[rows], self.grades[rows], self.positions[rows], self.groups[first:last])


def state_dates(times: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    """For each time the date of its state, at most STATES of them, whole days apart, and strictly before the time: a
    state knows what happened at its very moment, and that may be what is to be predicted."""
    start = times.min().floor("D")
    step = max(pd.Timedelta(days=1), ((times.max() - start) / STATES).ceil("D"))
    return start + (times - start) // step * step - pd.Timedelta(microseconds=1)


def query_of(matching: Matching, state: State, engaged: pd.DataFrame, example: Example, towers: Towers | None) -> Query:
    """The example's brief as it could be read at its ``as_of``, against ``state``."""
    brief = known_brief(matching.tables, example.brief_id, example.brand_id, example.as_of)
    query = build_query(brief, state, matching.bank, matching.idf, engaged, example.as_of)
    return query if towers is None else replace(query, vector=towers.briefs(query_inputs([query]))[0])


def schedule(examples: Sequence[Example]) -> list[tuple[pd.Timestamp, Example]]:
    """The examples (sorted by time), each with the date of the state it is read against."""
    return list(zip(state_dates(pd.Series([example.as_of for example in examples])), examples, strict=True))


def walk(
    matching: Matching, scheduled: Sequence[tuple[pd.Timestamp, Example]], towers: Towers | None
) -> Iterator[tuple[Example, State, Query]]:
    """The examples with state and query, state by state; briefs that have no words yet are left out."""
    engaged = engagements(matching.tables)
    state = None
    for date, example in tqdm(scheduled, "matching", disable=not matching.progress):
        if state is None or state.as_of != date:
            state = matching.state(date, towers)
        query = query_of(matching, state, engaged, example, towers)
        if query.terms.any():
            yield example, state, query


@dataclass
class Wishes:
    """Whom briefs wanted so far, as the towers learn it: a row of ``inputs`` a brief, ``pairs`` of such a row and a
    creator_id with ``weights``."""

    inputs: list[Floats] = field(default_factory=list)
    pairs: list[tuple[int, str]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, example: Example, query: Query) -> None:
        """One more brief."""
        wanted = example.grades >= POSITIVE
        self.pairs += [(len(self.inputs), one) for one in np.array(example.creator_ids, dtype=object)[wanted]]
        self.weights += list(example.grades[wanted].astype(float))
        self.inputs.append(query_inputs([query]))  # not the query, whose terms alone are a megabyte

    def fit(self, state: State, rng: np.random.Generator) -> Towers | None:
        """The towers over the creators who may be ranked in ``state``; None where none of them was wanted yet."""
        offered = np.flatnonzero(state.rankable)
        left = np.array([brief for brief, _ in self.pairs], np.int64)
        right = state.ids[offered].get_indexer([creator for _, creator in self.pairs])
        known, width = right >= 0, state.text.shape[1]
        if not known.any():
            return None
        pairs, weights = np.stack([left, right], axis=1)[known], np.array(self.weights)[known]
        briefs = np.concatenate(self.inputs)
        return fit_towers(briefs, state.inputs[offered], pairs, weights, text_width=width, rng=rng)


def fit_towers_and_rows(
    matching: Matching, examples: Sequence[Example], rng: np.random.Generator
) -> tuple[Towers, RankingRows]:
    """The towers, learned from all ``examples``, and what the ranker learns from: graded creators and negatives drawn
    from what the retriever would have offered at the time.

    The ranker reads the towers' score, so each of SEGMENTS parts of the history is scored by towers that learned from
    the parts before it alone; in the first the score is null. Raises InputError where nobody known was ever wanted.
    """
    wishes, rows = Wishes(), _Rows()
    towers: Towers | None = None
    scheduled = schedule(examples)
    for segment in np.array_split(np.arange(len(scheduled)), SEGMENTS):
        state: State | None = None
        index: VectorIndex | None = None
        for example, now, query in walk(matching, [scheduled[i] for i in segment], towers):
            if now is not state:
                state, index = now, None if towers is None else VectorIndex(now.ids, now.vectors)
            wishes.add(example, query)
            rows.add(*_candidates(example, state, query, index, rng), query, state)
        towers = towers if state is None else wishes.fit(state, rng)
    if towers is None or not rows.groups:
        raise _nothing_to_learn(len(examples))
    return towers, rows.joined()


@dataclass
class _Rows:
    pairs: list[pd.DataFrame] = field(default_factory=list)
    grades: list[npt.NDArray[np.int64]] = field(default_factory=list)
    positions: list[npt.NDArray[np.float64]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    def add(
        self, rows: Rows, grades: npt.NDArray[np.int64], positions: npt.NDArray[np.float64], query: Query, state: State
    ) -> None:
        if grades.any():  # a brief that wanted nobody who was known by then teaches nothing
            self.pairs.append(pair_features(query, state, rows).astype(np.float32))
            self.grades.append(grades)
            self.positions.append(positions)
            self.groups.append(len(rows))

    def joined(self) -> RankingRows:
        return RankingRows(
            pd.concat(self.pairs), np.concatenate(self.grades), np.concatenate(self.positions), self.groups
        )


def _nothing_to_learn(examples: int) -> InputError:
    problem = (
        "have no words, or no known creator was ever wanted for one; give briefs a title or description, and "
        "impressions outcomes, or add collaboration_events"
    )
    return bad("briefs", f"of {examples} all {problem}", examples)


def _candidates(
    example: Example, state: State, query: Query, index: VectorIndex | None, rng: np.random.Generator
) -> tuple[Rows, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    retrieved = retrieve(query, state, index, state.rankable)
    rows = state.ids.get_indexer(list(example.creator_ids))
    shown = ~np.isnan(example.positions)
    keep = (rows >= 0) & (shown | np.isin(rows, retrieved))  # an unshown positive counts only where it would be offered
    others = np.setdiff1d(retrieved, np.concatenate([rows, query.past if not shown.any() else rows]))
    others = rng.permutation(others)[: NEGATIVES if shown.any() else HIRE_NEGATIVES]
    # A negative gets the position of some shown creator, so that the position does not tell who was shown.
    places = rng.choice(example.positions, len(others))
    return (
        np.concatenate([rows[keep], others]),
        np.concatenate([example.grades[keep], np.zeros(len(others), np.int64)]),
        np.concatenate([example.positions[keep], places]),
    )


def success_rows(matching: Matching, invited: pd.DataFrame) -> pd.DataFrame:
    """(r, p) pairs of ``invited`` collaborations, each as of its invitation, indexed like it."""
    ungraded = np.zeros(1, np.int64), np.array([np.nan])
    examples = {
        Example(row.brief_id, row.brand_id, row.invited_at, (row.creator_id,), *ungraded): row.Index
        for row in invited.itertuples()
    }
    rows = {}
    for example, state, query in walk(matching, schedule(list(examples)), None):
        row = state.ids.get_indexer(list(example.creator_ids))
        if row[0] >= 0:
            rows[examples[example]] = pair_features(query, state, row).iloc[0]
    return pd.DataFrame.from_dict(rows, orient="index")
