"""Nothing that became known after a date, and no later value of a snapshot, moves anything computed as of that date."""

import ast
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import columns as c
from features import schema
from features.asof import data_as_of, known
from features.bank import TextBank
from features.creators import creator_features
from features.fraud import fraud_features
from features.graph.creators import graph_features
from features.lexical import BUCKETS
from features.pairs import pair_features
from features.queries import build_query
from features.schema import CONTRACT, Kind, Table, Tables
from features.state import UPSTREAM, build_state, engagements, known_brief
from features.tables import read_tables
from models.accounts import account_models, judge_of
from models.credit import credit_scores, load_policy
from models.fraud import walk_forward
from models.fraud_rows import feature_frame
from tests.features.encoders import CountingEncoder

ROOT = Path(__file__).parents[2]
READS_TRUTH = {
    "training/benchmarks/candidates.py",
    "training/benchmarks/credit.py",
    "training/benchmarks/fraud.py",
    "training/benchmarks/fraud_adapted.py",
    "training/benchmarks/fraud_attacks.py",
    "training/benchmarks/graph.py",
    "training/benchmarks/marketplace.py",
    "training/benchmarks/markets.py",
    "training/benchmarks/tuning.py",
    "training/benchmarks/wishes.py",
    *(f"training/evaluation/{path.name}" for path in (ROOT / "training" / "evaluation").glob("*.py")),
    *(f"training/simulate/{path.name}" for path in (ROOT / "training" / "simulate").glob("*.py")),
}
DAY = pd.Timedelta(days=1)
IDF = np.ones(BUCKETS, np.float32)
# The moment from which a video's own words are known; its numbers wait for an observation.
BEGINS = {"videos": c.CREATE_TIME}
Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tables(dataset: Path) -> Frames:
    return read_tables(dataset)


@pytest.fixture(scope="module")
def bank() -> TextBank:
    return TextBank(CountingEncoder())


def told(tables: Tables, as_of: pd.Timestamp, end: pd.Timestamp, brief_id: str, bank: TextBank) -> Frames:
    """Everything that models are told as of a date, by what it is."""
    seen = known(tables, as_of, end)
    ids = pd.Index(seen["creators"][c.CREATOR_ID].unique(), name=c.CREATOR_ID)
    credit = credit_scores(tables["collaboration_events"], load_policy(), as_of, ids)
    upstream = pd.DataFrame({UPSTREAM[0]: credit["score"], UPSTREAM[1]: 0.5}, index=ids)
    state = build_state(seen, as_of, bank, IDF, upstream)
    brief = known_brief(tables, brief_id, "b", as_of)
    query = build_query(brief, state, bank, IDF, engagements(tables), as_of)
    return {
        "creator features": creator_features(seen, ids, as_of),
        "fraud features": fraud_features(seen, as_of),
        "graph features": graph_features(seen, as_of),
        "credit": credit,
        "tower inputs": pd.DataFrame(state.inputs),
        "terms": pd.DataFrame(state.terms.data),
        "brief terms": pd.DataFrame(state.world.briefs.data),
        "pairs": pair_features(query, state, np.arange(len(ids))),
        "outcomes": seen["impressions"][[c.BRIEF_ID, c.CREATOR_ID, c.OUTCOME, c.OUTCOME_AT]],
    }


def with_another_future(tables: Tables, as_of: pd.Timestamp, deleted: set[str], rng: np.random.Generator) -> Frames:
    """What is known after ``as_of`` deleted from the tables in ``deleted`` and made something else in the others."""
    changed = {}
    for name, table in CONTRACT.items():
        frame, later = tables[name], known_at(tables[name], table) > as_of
        begun = later & (frame[BEGINS[name]] <= as_of) if name in BEGINS else later & False
        frame = garbled(frame, table, later & ~begun, list(Kind), rng)
        frame = garbled(frame, table, begun, [Kind.NUMBER], rng)
        changed[name] = frame[begun | ~later].reset_index(drop=True) if name in deleted else frame
    return changed | {"impressions": with_other_outcomes(changed["impressions"], as_of)}


def known_at(frame: pd.DataFrame, table: Table) -> pd.Series:
    """When each row became known, an undated one at the end of time."""
    moment = frame[table.known[0]]
    for name in table.known[1:]:
        moment = moment.fillna(frame[name])
    return moment.fillna(pd.Timestamp.max) + (DAY if table is schema.DAILY_STATS else pd.Timedelta(0))


def garbled(
    frame: pd.DataFrame, table: Table, rows: "pd.Series[bool]", kinds: list[Kind], rng: np.random.Generator
) -> pd.DataFrame:
    """Other values in ``rows``: numbers grow, words and lists change places; keys and times stay."""
    frame = frame.copy()
    fixed = {*table.key, *table.known, c.DURATION_S, c.CREATE_TIME}
    for column in table.columns:
        if column.name in fixed or column.kind not in kinds or column.kind is Kind.TIME:
            continue
        theirs = frame.loc[rows, column.name]
        new = theirs.fillna(3.0) * 2 + 1 if column.kind is Kind.NUMBER else theirs.iloc[rng.permutation(len(theirs))]
        frame[column.name] = frame[column.name].mask(
            rows, pd.Series(new.to_numpy(), theirs.index, frame[column.name].dtype)
        )
    return frame


def with_other_outcomes(impressions: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    later = impressions[c.OUTCOME_AT] > as_of
    return impressions.assign(**{c.OUTCOME: impressions[c.OUTCOME].mask(later, "FAILED")})


def assert_same(told_one: Mapping[str, pd.DataFrame], told_other: Mapping[str, pd.DataFrame]) -> None:
    for what, frame in told_one.items():
        pd.testing.assert_frame_equal(told_other[what], frame, check_exact=True, obj=what)


slow = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slow
@given(
    days=st.integers(20, 140), hours=st.integers(0, 23), deleted=st.sets(st.sampled_from(list(CONTRACT))),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_another_future_leaves_the_present_as_it_is(tables, bank, days, hours, deleted, seed):
    rng, end = np.random.default_rng(seed), data_as_of(tables)
    as_of = end - pd.Timedelta(days=days, hours=hours)
    brief_id = rng.choice(tables["briefs"][c.BRIEF_ID])
    other = with_another_future(tables, as_of, deleted, rng)
    assert_same(told(tables, as_of, end, brief_id, bank), told(other, as_of, end, brief_id, bank))


def test_the_other_future_is_another_one(tables, bank):
    """Or else the test above could not fail: seen from its end, everything has moved."""
    end = data_as_of(tables)
    as_of = end - 60 * DAY
    brief_id = tables["briefs"][c.BRIEF_ID].iloc[-1]
    other = with_another_future(tables, as_of, set(), np.random.default_rng(0))
    now, then = (told(one, end, end, brief_id, bank) for one in (tables, other))
    for what, frame in now.items():
        assert not frame.equals(then[what]), what


@slow
@given(days=st.integers(1, 140), factor=st.floats(0.1, 9))
def test_undated_snapshots_say_nothing_of_an_earlier_date(tables, bank, days, factor):
    """Numbers of creators and videos, prices and audiences of a static dataset are those of its last day."""
    end = data_as_of(tables)
    as_of, brief_id = end - days * DAY, tables["briefs"][c.BRIEF_ID].iloc[0]
    static = {
        name: frame.drop_duplicates(list(table.entity), keep="last").assign(**{c.OBSERVED_AT: pd.NaT})
        if (table := CONTRACT[name]).entity
        else frame
        for name, frame in tables.items()
    }
    numbers = [c.FOLLOWERS_COUNT, c.FOLLOWING_COUNT, c.VIDEOS_COUNT, c.MEDIAN_VIEWS, c.ENGAGEMENT_RATE, c.CREATOR_PRICE]
    views = [c.VIDEO_VIEWS, c.LIKES, c.COMMENTS]
    later = static | {
        "creators": static["creators"].assign(**(static["creators"][numbers] * factor + 1)),
        "videos": static["videos"].assign(**(static["videos"][views] * factor + 1)),
        "audience": static["audience"].iloc[::2],
        "creator_prices": static["creator_prices"].iloc[::2],
    }
    assert_same(told(static, as_of, end, brief_id, bank), told(later, as_of, end, brief_id, bank))


def test_a_label_known_later_leaves_fraud_scores_as_they_are(tables):
    as_of = data_as_of(tables) - 55 * DAY
    labels = tables["fraud_labels"]
    flipped = labels[c.IS_FAKE].mask(labels[c.KNOWN_AT] > as_of, 1 - labels[c.IS_FAKE])
    assert (flipped != labels[c.IS_FAKE]).any()
    other = dict(tables) | {"fraud_labels": labels.assign(**{c.IS_FAKE: flipped})}
    scores, others = (walk_forward(one, [as_of], np.random.default_rng(0)) for one in (tables, other))
    assert len(scores), "too few labels by then to say anything"
    pd.testing.assert_frame_equal(others, scores, check_exact=True)


def test_a_label_known_by_then_moves_fraud_scores(tables):
    as_of = data_as_of(tables) - 55 * DAY
    labels = tables["fraud_labels"]
    first = labels[labels[c.CREATOR_ID].notna()][c.KNOWN_AT].idxmin()
    flipped = labels[c.IS_FAKE].mask(labels.index == first, 1 - labels[c.IS_FAKE])
    other = dict(tables) | {"fraud_labels": labels.assign(**{c.IS_FAKE: flipped})}
    scores, others = (walk_forward(one, [as_of], np.random.default_rng(0)) for one in (tables, other))
    assert not others.equals(scores)


def test_an_accounts_label_known_later_leaves_what_training_reads_as_it_is(tables):
    as_of = data_as_of(tables) - 55 * DAY
    labels = tables["fraud_labels"]
    accounts = labels[c.ACCOUNT_ID].notna()

    def read(flipped: "pd.Series[bool]") -> pd.DataFrame:
        other = labels.assign(**{c.IS_FAKE: labels[c.IS_FAKE].mask(flipped, 1 - labels[c.IS_FAKE])})
        judge = judge_of(account_models(dict(tables) | {"fraud_labels": other}, seed=0)(as_of))
        return feature_frame(tables, labels, as_of, data_as_of(tables), judge)

    later = accounts & (labels[c.KNOWN_AT] > as_of)
    assert later.any()
    before = read(later & False)
    assert before["fake_surge"].notna().any(), "too few labels by then to say anything"
    pd.testing.assert_frame_equal(read(later), before, check_exact=True)
    assert not read(accounts & ~later)["fake_surge"].equals(before["fake_surge"])


def test_tables_are_read_without_the_truth(tables, dataset, tmp_path):
    bare = shutil.copytree(dataset, tmp_path / "bare", ignore=shutil.ignore_patterns("truth"))
    assert (dataset / "truth").is_dir()
    assert not (bare / "truth").exists()
    without = read_tables(bare)
    assert list(without) == list(tables)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(without[name], frame, check_exact=True)


def test_only_the_simulator_and_evaluation_speak_of_the_truth():
    modules = [path for room in ("features", "models", "serving", "training") for path in (ROOT / room).rglob("*.py")]
    assert {path.relative_to(ROOT).as_posix() for path in modules if "truth" in code_of(path)} <= READS_TRUTH


def code_of(path: Path) -> str:
    """A module's code without its docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.unparse(tree)
