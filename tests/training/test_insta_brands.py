"""The protocol and the sums of the insta-brands benchmark, by hand; the data themselves are not in the project."""

import pandas as pd
import pytest

from features import columns as c
from features.schema import Tables, complete
from tests.features.market import AS_OF, DAY, events
from training.benchmarks.insta_brands import RANKED, measure, protocol, relevant, summary


@pytest.fixture
def tables() -> Tables:
    """Brief q1 hired Ann and Bob long ago, q2 Eve yesterday; Eve has no caption."""
    ledger = events(
        ("k0", "ann", "PUBLISHED", AS_OF - 90 * DAY),
        ("k1", "bob", "PUBLISHED", AS_OF - 80 * DAY),
        ("k2", "eve", "PUBLISHED", AS_OF - DAY),
    )
    return complete(
        {
            "creators": pd.DataFrame({c.CREATOR_ID: ["ann", "bob", "eve"]}),
            "briefs": pd.DataFrame({c.BRIEF_ID: ["q1", "q2"], c.DESCRIPTION: ["tea", "tyres"]}),
            "videos": pd.DataFrame({c.VIDEO_ID: ["v1", "v2"], c.CREATOR_ID: ["ann", "bob"], c.CREATE_TIME: AS_OF}),
            "collaboration_events": ledger.assign(**{c.BRIEF_ID: ["q1", "q1", "q2"]}),
        }
    )


def test_every_brand_has_its_own_clock_and_the_silent_are_no_candidates(tables):
    aligned = protocol(tables)
    start, end = AS_OF - 90 * DAY, AS_OF - DAY
    assert list(aligned["collaboration_events"][c.EVENT_TIME]) == [start + (end - start) / 2, end, end]
    assert (aligned["videos"][c.CREATE_TIME] == start).all()
    assert (aligned["briefs"][c.CREATED_AT] == end).all()
    assert list(aligned["creators"][c.ONBOARDING_STATUS].fillna("")) == ["", "", "NOT_IN"]


def test_relevant_are_new_partners_who_speak_where_there_are_enough(tables, tmp_path, monkeypatch):
    monkeypatch.setattr("training.benchmarks.insta_brands.FEWEST", 1)
    (tmp_path / "test").mkdir()
    later = pd.DataFrame({c.BRIEF_ID: ["q1", "q1", "q2", "q2"], c.CREATOR_ID: ["ann", "eve", "bob", "eve"]})
    later.to_parquet(tmp_path / "test" / "future_collaborations.parquet")
    assert relevant(tmp_path, tables) == {"q2": {"bob"}}


def test_measures_and_their_differences():
    lists = {RANKED: {"q1": ["a", "b"], "q2": ["c"]}, "other": {"q1": ["x", "b"], "q2": ["y"]}}
    found = measure(lists, {"q1": {"a", "z"}, "q2": {"c"}})
    assert list(found["recall@100"][RANKED]) == [0.5, 1.0]
    assert found["ndcg@10"][RANKED].iloc[0] == pytest.approx(1 / (1 + 1 / 1.584962500721156))
    assert found["ndcg@10"]["other"].sum() == 0
    answer = summary([found, found])
    assert answer["recall@100"][RANKED]["mean"] == 0.75
    assert answer[f"recall@100, {RANKED} minus"]["other"]["mean"] == 0.75
    assert answer["recall@100 by seed"] == [0.75, 0.75]
