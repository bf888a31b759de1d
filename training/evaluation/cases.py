"""What an evaluation measures on: the briefs that came after the models' past, each with what is known of its creators.

A case's relevance comes from the best source there is: the simulator's ``truth/``; else what brands did with those they
were shown; else whom they hired.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from features import columns as c
from features.asof import data_as_of, exported, is_static, known
from features.bank import TextBank
from features.schema import Tables
from features.state import known_brief
from models.bundle import Bundle
from models.catalogue import Catalogue, build_catalogue
from training.examples import Example, ranking_examples

TRUTH, IMPRESSIONS, COLLABORATIONS = "truth", "impressions", "collaborations"
TRAINED_UNTIL = 0.7  # of the briefs, by time
REFRESH = "7D"  # the catalogue is rebuilt weekly, as a service would at least
# The label delay of a ranking: a brand looks, shortlists and invites within days and a creator answers within a week;
# whoever has accepted by then counts as open, grade 3, until the work is done.
ANSWERED = pd.Timedelta(days=14)
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Case:
    """A brief with the ``grades`` (creator_id → 0 to 4) of its candidates; whoever has none is no candidate, or with
    ``everyone`` counts as 0. ``utility`` (creator_id → true utility) only where the truth is known."""

    brief: pd.Series
    as_of: pd.Timestamp
    grades: "pd.Series[int]"
    everyone: bool = False
    utility: "pd.Series[float] | None" = None


@dataclass(frozen=True)
class Evidence:
    """The ``cases`` by time, where their relevance comes from (TRUTH, IMPRESSIONS or COLLABORATIONS), and how many
    briefs were too ``young``: less than ANSWERED old where the data end, so that nobody knows yet what they wanted."""

    source: str
    cases: list[Case]
    young: int = 0

    def after(self, moment: pd.Timestamp) -> list[Case]:
        """The cases that came later than ``moment``."""
        return [case for case in self.cases if case.as_of > moment]

    @property
    def cut(self) -> pd.Timestamp:
        """When TRAINED_UNTIL of the cases had come."""
        return pd.Series([case.as_of for case in self.cases]).quantile(TRAINED_UNTIL)


def evidence(tables: Tables, utility: pd.DataFrame | None) -> Evidence:
    """What there is to measure on; ``utility`` is the simulator's (brief_id, creator_id, utility, grade)."""
    if utility is not None:
        return Evidence(TRUTH, truth_cases(tables["briefs"], utility))
    found: dict[str, list[Example]] = {}
    for example in ranking_examples(tables):
        found.setdefault(example.brief_id, []).append(example)
    shown = any(pd.notna(example.positions).any() for group in found.values() for example in group)
    logged = [_logged(tables, group, everyone=not shown) for group in found.values()]
    last = data_as_of(tables) - ANSWERED
    old = [case for case in logged if case.as_of <= last]
    return Evidence(IMPRESSIONS if shown else COLLABORATIONS, old, len(logged) - len(old))


def truth_cases(briefs: pd.DataFrame, utility: pd.DataFrame) -> list[Case]:
    """A case for each of ``briefs`` of which the truth is known, by time."""
    truth = {str(brief_id): rows.set_index(c.CREATOR_ID) for brief_id, rows in utility.groupby(c.BRIEF_ID)}
    ordered = briefs[briefs[c.BRIEF_ID].isin(list(truth))].sort_values([c.CREATED_AT, c.BRIEF_ID])
    found = [(brief, truth[brief[c.BRIEF_ID]]) for _, brief in ordered.iterrows()]
    return [Case(brief, brief[c.CREATED_AT], rows["grade"], utility=rows["utility"]) for brief, rows in found]


def _logged(tables: Tables, examples: Sequence[Example], everyone: bool) -> Case:
    """One brief's examples, sorted by time, as a case at the time of the first."""
    first = examples[0]
    pairs = [pair for one in examples for pair in zip(one.creator_ids, one.grades, strict=True)]
    grades = pd.DataFrame(pairs, columns=["creator", "grade"]).groupby("creator")["grade"].max()
    brief = known_brief(tables, first.brief_id, first.brand_id, first.as_of)
    return Case(brief, first.as_of, grades, everyone)


def read_truth(source: str | Path) -> dict[str, pd.DataFrame] | None:
    """The tables below ``truth/`` in a simulated marketplace's folder; None where there is none."""
    folder = Path(source) / "truth"
    return {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))} or None


def past(tables: Tables, cut: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The tables as an export at ``cut``; where no snapshot is dated, with what undated rows still say of then."""
    return known(tables, cut) if is_static(tables) else exported(tables, cut)


def weekly(
    tables: Tables, items: Sequence[tuple[pd.Timestamp, T]], bundle: Bundle, bank: TextBank
) -> Iterator[tuple[Catalogue, list[T]]]:
    """The items of each week with the catalogue as of its start."""
    end = data_as_of(tables)
    weeks: dict[pd.Timestamp, list[T]] = {}
    for moment, item in items:
        weeks.setdefault(moment.floor(REFRESH), []).append(item)
    for week in sorted(weeks):
        yield build_catalogue(bundle, known(tables, week, end), week, bank), weeks[week]
