import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.tables import read_tables
from features.trace import tracing
from models.drift import LEAST, Inputs, drawn, psi
from models.registry import local_champion
from training.inputs import latest

FLOATS = st.floats(-1e6, 1e6) | st.just(np.nan)


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype=np.float64)


def test_psi_by_hand():
    assert psi(np.array([0.5, 0.5]), np.array([0.25, 0.75])) == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5))
    assert psi(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0
    assert psi(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(2 * (1 - LEAST) * np.log(1 / LEAST))


def test_bins_are_tenths_where_values_differ_and_fewer_where_they_tie():
    inputs = Inputs.of(frame(hundred=np.arange(100), flag=[0.0] * 95 + [1.0] * 5, unknown=[np.nan] * 100))
    assert inputs.edges["hundred"].tolist() == [9, 19, 29, 39, 49, 59, 69, 79, 89]
    assert inputs.shares["hundred"].tolist() == [0.1] * 10 + [0]
    assert (inputs.edges["flag"].tolist(), inputs.shares["flag"].tolist()) == ([0], [0.95, 0.05, 0])
    assert (inputs.edges["unknown"].tolist(), inputs.shares["unknown"].tolist()) == ([], [0, 1])


def test_what_moved_is_told_and_what_did_not_is_not():
    rng = np.random.default_rng(0)
    then = frame(same=rng.normal(size=4000), moved=rng.normal(size=4000), lost=rng.normal(size=4000))
    now = frame(same=rng.normal(size=2000), moved=rng.normal(1, size=2000), lost=rng.normal(size=2000), new=0.0)
    now.loc[rng.random(2000) < 0.3, "lost"] = np.nan
    told = Inputs.of(then).stability(now)
    assert told["same"] < 0.03
    assert min(told["moved"], told["lost"]) > 0.25
    assert told.keys() == {"same", "moved", "lost"}


@given(arrays(np.float64, st.integers(1, 60), elements=FLOATS), arrays(np.float64, st.integers(1, 60), elements=FLOATS))
def test_it_is_never_negative_and_nothing_for_the_same_rows(then, now):
    inputs = Inputs.of(frame(one=then))
    assert inputs.stability(frame(one=now))["one"] >= 0
    assert inputs.stability(frame(one=then))["one"] == 0


def test_it_is_kept_beside_the_model_and_old_models_have_none(tmp_path):
    pairs = frame(one=np.arange(30), unknown=[np.nan] * 30)
    assert Inputs.load(tmp_path) is None
    Inputs.of(pairs).save(tmp_path)
    loaded = Inputs.load(tmp_path)
    assert loaded is not None
    assert loaded.stability(pairs) == {"one": 0, "unknown": 0}


def test_a_release_keeps_what_rankings_read(home, dataset, engine):
    """The same briefs ranked anew, other candidates drawn: nothing has changed but what the request changes."""
    inputs, rng = Inputs.load(local_champion(home) / "ranker"), np.random.default_rng(1)
    assert inputs is not None

    def stability(**changes: object) -> dict[str, float]:
        seen = []
        for brief in latest(read_tables(dataset)["briefs"]):
            with tracing() as trace:
                engine.rank({"brief": brief | changes})
            pairs = trace.values["pairs"]
            seen.append(pd.DataFrame(drawn(pairs, rng), columns=pairs.columns))
        return inputs.stability(pd.concat(seen))

    assert max(stability().values()) < 0.15
    changed = stability(budget=5, currency="USD")
    assert [name for name, index in changed.items() if index > 0.25] == ["price_to_budget"]
