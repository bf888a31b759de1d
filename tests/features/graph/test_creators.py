import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.asof import known
from features.graph.creators import GRAPH_FEATURES, graph_features
from features.schema import Tables, complete
from tests.features.graph.worlds import START, crowd, engagements, ring

AS_OF = START + pd.Timedelta(days=60)
HALF = START + pd.Timedelta(days=30)


@pytest.fixture
def tables() -> Tables:
    rng = np.random.default_rng(4)
    fans = [(f"fan{a}", "buyer0", 40.0 + a) for a in range(8)]
    events = engagements([*crowd(rng), *ring(), *fans, *[(f"friend{a}", "small", 40.0 + a) for a in range(3)]])
    creators = pd.DataFrame({c.CREATOR_ID: [*events[c.CREATOR_ID].unique(), "silent"]})
    return complete({"creators": creators, "engagements": events})


def test_values_by_hand(tables: Tables) -> None:
    found = graph_features(known(tables, AS_OF), AS_OF)
    assert tuple(found.columns) == GRAPH_FEATURES
    assert (found.dtypes == "float64").all()
    buyer = found.loc["buyer0"]
    assert buyer[["lockstep_share", "lockstep_accounts", "dense_share"]].tolist() == [0.5, 8, 0.5]
    assert buyer["dense_excess"] > 1.5
    assert found.loc["buyer1", ["circle_size", "circle_share"]].tolist() == [6, 1]
    assert found["shared_accounts_surprise"].idxmax().startswith("buyer")
    honest = found[found.index.str.startswith("creator")]
    assert (honest.drop(columns="shared_accounts_surprise").fillna(0) == 0).all(axis=None)


def test_of_few_engagements_nothing_is_said(tables: Tables) -> None:
    found = graph_features(known(tables, AS_OF), AS_OF)
    assert found.loc[["small", "silent"]].isna().all(axis=None)


def test_nothing_after_the_date_counts(tables: Tables) -> None:
    before = graph_features(known(tables, HALF, AS_OF), HALF)
    events = tables["engagements"]
    later = events[c.EVENT_TIME] > HALF
    assert later.any()
    assert before["lockstep_share"].max() == 1
    gone = {**tables, "engagements": events[~later]}
    other = {**tables, "engagements": events.assign(**{c.CREATOR_ID: events[c.CREATOR_ID].mask(later, "buyer0")})}
    for changed in (gone, other):
        pd.testing.assert_frame_equal(graph_features(known(changed, HALF, AS_OF), HALF), before)


def test_the_ring_of_last_quarter_is_forgotten(tables: Tables) -> None:
    later = AS_OF + pd.Timedelta(days=60)
    assert graph_features(known(tables, later), later)["lockstep_share"].max() == 0


def test_a_creator_alone_is_what_it_is_among_others(tables: Tables) -> None:
    seen = known(tables, AS_OF)
    alone = graph_features(seen, AS_OF, pd.Index(["buyer0"], name=c.CREATOR_ID))
    pd.testing.assert_frame_equal(alone, graph_features(seen, AS_OF).loc[["buyer0"]])


def test_the_order_of_rows_does_not_matter_and_no_table_changes(tables: Tables) -> None:
    seen = known(tables, AS_OF)
    before = {name: table.copy() for name, table in seen.items()}
    shuffled = seen | {"engagements": seen["engagements"].sample(frac=1, random_state=5)}
    pd.testing.assert_frame_equal(graph_features(shuffled, AS_OF), graph_features(seen, AS_OF))
    for name, table in seen.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_without_engagements_all_is_unknown() -> None:
    nobody = complete({"creators": pd.DataFrame({c.CREATOR_ID: ["a", "b"]})})
    assert graph_features(known(nobody, AS_OF), AS_OF).isna().all(axis=None)
