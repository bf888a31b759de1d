"""From examples to what the matching models train on. States are built one date after another, so memory holds one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby, pairwise
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.asof import known
from features.bank import Floats, TextBank
from features.errors import InputError, bad
from features.memory import return_holes
from features.pairs import Rows, pair_features
from features.queries import Query, build_query
from features.schema import Tables
from features.state import State, build_state, engagements, known_brief
from models.bitmaps import Subset
from models.index import VectorIndex
from models.retriever import DEPTH, retrieve
from models.towers import Towers, fit_towers
from training.examples import POSITIVE, Example

STATES = 16  # at most so many dates: features are at most a sixteenth of the history old
SEGMENTS = 4
NEGATIVES = 50  # beside those who were shown
HIRE_NEGATIVES = 600  # where none was shown: all there is to tell a hire from the rest of the catalogue
POOL = 2_500  # creators among whom a brief's negatives are drawn where the retriever would cut
Upstream = Callable[[Tables, pd.Timestamp], pd.DataFrame]
Lookup = Callable[[str], pd.DataFrame]


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

    @cached_property
    def jobs_of(self) -> Lookup:
        """brand_id → whom it has worked with at any time (features.state.engagements)."""
        return lookup(engagements(self.tables), c.BRAND_ID)

    @cached_property
    def briefs_of(self) -> Lookup:
        """brief_id → its rows of ``briefs``."""
        return lookup(self.tables["briefs"], c.BRIEF_ID)

    @cached_property
    def notes_of(self) -> Lookup:
        """brief_id → its rows of ``collaboration_events`` that have a note."""
        events = self.tables["collaboration_events"]
        return lookup(events[events[c.NOTE].notna()], c.BRIEF_ID)

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


def lookup(frame: pd.DataFrame, key: str) -> Lookup:
    """The rows of ``frame`` by ``key``, in their order: slices of a sorted copy, for picking rows of a long column of
    text costs as much as the column is long."""
    codes, keys = pd.factorize(frame[key])
    ordered, ends = frame.iloc[np.argsort(codes, kind="stable")], np.cumsum(np.bincount(codes + 1))  # first: no key
    places = dict(zip(keys, pairwise(ends), strict=True))
    return lambda value: ordered.iloc[slice(*places.get(value, (0, 0)))]


def query_of(matching: Matching, state: State, example: Example, towers: Towers | None) -> Query:
    """The example's brief as it could be read at its ``as_of``, against ``state``."""
    rows = {
        "briefs": matching.briefs_of(example.brief_id),
        "collaboration_events": matching.notes_of(example.brief_id),
    }
    brief = known_brief(rows, example.brief_id, example.brand_id, example.as_of)
    jobs = matching.jobs_of(brief[c.BRAND_ID])
    query = build_query(brief, state, matching.bank, matching.idf, jobs, example.as_of)
    return query if towers is None else replace(query, vector=towers.briefs(query.inputs[None])[0])


def schedule(examples: Sequence[Example]) -> list[tuple[pd.Timestamp, Example]]:
    """The examples (sorted by time), each with the date of the state it is read against."""
    return list(zip(state_dates(pd.Series([example.as_of for example in examples])), examples, strict=True))


def by_date(
    matching: Matching, scheduled: Sequence[tuple[pd.Timestamp, Example]]
) -> Iterator[tuple[pd.Timestamp, Iterator[Example]]]:
    """The dates of states in order, each with its examples. Of a large catalogue a state takes a gigabyte: let go of
    it before the next one is built."""
    bar = tqdm(scheduled, "matching", disable=not matching.progress)
    for date, part in groupby(bar, itemgetter(0)):
        return_holes()
        yield date, (example for _, example in part)


def queries(
    matching: Matching, state: State, examples: Iterable[Example], towers: Towers | None
) -> Iterator[tuple[Example, Query]]:
    """The examples with their queries against ``state``; briefs that have no words yet are left out."""
    for example in examples:
        query = query_of(matching, state, example, towers)
        if query.terms.any():
            yield example, query


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
        self.inputs.append(query.inputs)  # not the query, whose terms alone are a megabyte

    def fit(self, state: State, rng: np.random.Generator) -> Towers | None:
        """The towers over the creators who may be ranked in ``state``; None where none of them was wanted yet."""
        offered = np.flatnonzero(state.rankable)
        left = np.array([brief for brief, _ in self.pairs], np.int64)
        right = state.ids[offered].get_indexer([creator for _, creator in self.pairs])
        known, width = right >= 0, state.text.shape[1]
        if not known.any():
            return None
        pairs, weights = np.stack([left, right], axis=1)[known], np.array(self.weights)[known]
        briefs = np.stack(self.inputs)
        return fit_towers(briefs, state.inputs[offered], pairs, weights, text_width=width, rng=rng)


def fit_towers_and_rows(
    matching: Matching, examples: Sequence[Example], rng: np.random.Generator
) -> tuple[Towers, RankingRows]:
    """The towers, learned from all ``examples``, and what the ranker learns from: graded creators and negatives drawn
    from what the retriever would have offered at the time.

    The ranker reads the towers' score, so each of SEGMENTS parts of the history is scored by towers that learned from
    the parts before it alone; in the first the score is null. Raises InputError where nobody known was ever wanted.
    """
    wishes, rows = Wishes(), _Rows(sum(len(example.creator_ids) + _negatives(example) for example in examples))
    towers: Towers | None = None
    scheduled = schedule(examples)
    for segment in np.array_split(np.arange(len(scheduled)), SEGMENTS):
        state: State | None = None
        for date, part in by_date(matching, [scheduled[i] for i in segment]):
            state = None
            state = matching.state(date, towers)
            index = None if towers is None else VectorIndex(state.ids, state.vectors)
            for example, query in queries(matching, state, part, towers):
                wishes.add(example, query)
                rows.add(*_candidates(example, state, query, index, rng), query, state)
        towers = towers if state is None else wishes.fit(state, rng)
    if towers is None or not rows.groups:
        raise _nothing_to_learn(len(examples))
    return towers, rows.joined()


@dataclass
class _Rows:
    """At most ``capacity`` rows, written in place: parts that are joined at the end would be there twice."""

    capacity: int
    values: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    ids: list[pd.Index] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    grades: list[npt.NDArray[np.int64]] = field(default_factory=list)
    positions: list[npt.NDArray[np.float64]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    count: int = 0

    def add(
        self, rows: Rows, grades: npt.NDArray[np.int64], positions: npt.NDArray[np.float64], query: Query, state: State
    ) -> None:
        if grades.any():  # a brief that wanted nobody who was known by then teaches nothing
            pairs = pair_features(query, state, rows)
            if not self.groups:
                self.columns = list(pairs.columns)
                self.values = np.empty((self.capacity, len(self.columns)), np.float32)
            self.values[self.count : self.count + len(rows)] = pairs.to_numpy(np.float32)
            self.count += len(rows)
            self.ids.append(pairs.index)
            self.grades.append(grades)
            self.positions.append(positions)
            self.groups.append(len(rows))

    def joined(self) -> RankingRows:
        ids = self.ids[0].append(self.ids[1:])
        pairs = pd.DataFrame(self.values[: self.count], index=ids, columns=self.columns, copy=False)
        return RankingRows(pairs, np.concatenate(self.grades), np.concatenate(self.positions), self.groups)


def _nothing_to_learn(examples: int) -> InputError:
    problem = (
        "have no words, or no known creator was ever wanted for one; give briefs a title or description, and "
        "impressions outcomes, or add collaboration_events"
    )
    return bad("briefs", f"of {examples} all {problem}", examples)


def _candidates(
    example: Example, state: State, query: Query, index: VectorIndex | None, rng: np.random.Generator
) -> tuple[Rows, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    rows = state.ids.get_indexer(list(example.creator_ids))
    retrieved = offered(query, state, index, rows, rng)
    shown = ~np.isnan(example.positions)
    keep = (rows >= 0) & (shown | np.isin(rows, retrieved))  # an unshown positive counts only where it would be offered
    others = np.setdiff1d(retrieved, np.concatenate([rows, query.past if not shown.any() else rows]))
    others = rng.permutation(others)[: _negatives(example)]
    # A negative gets the position of some shown creator, so that the position does not tell who was shown.
    places = rng.choice(example.positions, len(others))
    return (
        np.concatenate([rows[keep], others]),
        np.concatenate([example.grades[keep], np.zeros(len(others), np.int64)]),
        np.concatenate([example.positions[keep], places]),
    )


def _negatives(example: Example) -> int:
    """How many creators at most stand beside those of the example."""
    return HIRE_NEGATIVES if np.isnan(example.positions).all() else NEGATIVES


def offered(
    query: Query, state: State, index: VectorIndex | None, rows: Rows, rng: np.random.Generator, *,
    depth: int = DEPTH, pool: int = POOL,
) -> Rows:  # fmt: skip
    """Whom the retriever would have offered, at most ``depth``. Where more may be ranked: those whom it would have
    offered of ``rows`` (-1: nobody) and a random ``pool``, at the same share, so that a brief costs no more in a larger
    catalogue."""
    rankable = np.flatnonzero(state.rankable)
    if len(rankable) <= depth:
        return retrieve(query, state, index, Subset.of(state.rankable), depth)
    drawn = np.zeros(len(state.ids), np.bool_)
    drawn[rng.choice(rankable, pool, replace=False)] = True
    drawn[rows[rows >= 0]] = True
    drawn &= state.rankable
    return retrieve(query, state, index, Subset.of(drawn), max(1, int(drawn.sum() * depth / len(rankable))))


def success_rows(matching: Matching, invited: pd.DataFrame) -> pd.DataFrame:
    """(r, p) pairs of ``invited`` collaborations, each as of its invitation, indexed like it."""
    ungraded = np.zeros(1, np.int64), np.array([np.nan])
    examples = {
        Example(row.brief_id, row.brand_id, row.invited_at, (row.creator_id,), *ungraded): row.Index
        for row in invited.itertuples()
    }
    rows, columns = {}, None
    for date, part in by_date(matching, schedule(list(examples))):
        state = matching.state(date, None)
        for example, query in queries(matching, state, part, None):
            row = state.ids.get_indexer(list(example.creator_ids))
            if row[0] >= 0:
                pairs = pair_features(query, state, row)
                rows[examples[example]], columns = pairs.to_numpy()[0], list(pairs.columns)
        del state
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)
