"""Success within 90 days: its target by hand, and what every model promises."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features.collaborations import collaborations
from models.measures import brier
from models.success import (
    LEFT_OUT,
    MINIMUM_ROWS,
    MONOTONE,
    SuccessModel,
    boosted,
    fit_success,
    out_of_fold,
    success_targets,
)
from tests.features.market import AS_OF, DAY, events

ROWS = 400


def test_targets_by_hand():
    """Done in time, done too late, done and rated 2, accepted and open, declined, defaulted."""
    late = AS_OF + 91 * DAY
    steps = [
        ("in time", "ACCEPTED", AS_OF + DAY), ("in time", "PUBLISHED", AS_OF + 90 * DAY),
        ("late", "ACCEPTED", AS_OF + DAY), ("late", "PUBLISHED", late),
        ("poor", "ACCEPTED", AS_OF + DAY), ("poor", "PUBLISHED", AS_OF + 9 * DAY), ("poor", "RATED", AS_OF + 10 * DAY),
        ("open", "ACCEPTED", AS_OF + DAY),
        ("declined", "DECLINED", AS_OF + DAY),
        ("default", "ACCEPTED", AS_OF + DAY), ("default", "CONTRACTED", AS_OF + DAY), ("default", "DEFAULTED", late),
    ]  # fmt: skip
    names = list(dict.fromkeys(name for name, _, _ in steps))
    ledger = events(
        *((name, "ann", "INVITED", AS_OF) for name in names), *((n, "ann", kind, at) for n, kind, at in steps)
    )
    done = collaborations(ledger.assign(**{c.RATING: ledger[c.EVENT_TYPE].map({"RATED": 2.0})}))
    targets = success_targets(done).set_axis(done[c.COLLABORATION_ID])
    assert targets["accepted"].to_dict() == dict.fromkeys(names, 1.0) | {"declined": 0.0}
    assert targets["succeeded"].to_dict() == dict.fromkeys(names, 0.0) | {"in time": 1.0}


def invitations(rows: int = ROWS) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Acceptance follows the price, completion the record and, against all sense, fraud; ``noise`` is neither."""
    rng = np.random.default_rng(0)
    names = [*MONOTONE, "noise", *LEFT_OUT]
    pairs = pd.DataFrame(rng.random((rows, len(names))), columns=names)
    accepted = rng.random(rows) < 0.9 - 0.7 * pairs["price_to_budget"]
    succeeded = accepted & (rng.random(rows) < 0.7 * pairs["completion_rate"] + 0.3 * pairs["fraud_probability"])
    targets = pd.DataFrame({"accepted": accepted.astype(float), "succeeded": succeeded.astype(float)})
    return pairs, targets, np.array([f"q{i // 4}" for i in range(rows)])


@pytest.fixture(scope="module")
def model() -> SuccessModel:
    return fit_success(*invitations(), seed=1)


def test_probabilities_are_probabilities_and_follow_their_causes(model):
    pairs, targets, _ = invitations()
    told = model.predict(pairs)
    assert ((told >= 0) & (told <= 1)).all(axis=None)
    assert told.index.equals(pairs.index)
    usual = pd.DataFrame(0.5, index=range(3), columns=pairs.columns)
    three = usual.assign(price_to_budget=[0.1, 0.9, 0.1], completion_rate=[0.9, 0.9, 0.1])
    cheap, dear, careless = model.predict(three).itertuples(index=False)
    assert cheap.success > max(dear.success, careless.success)
    assert cheap.acceptance > dear.acceptance
    assert cheap.completion > careless.completion
    base = np.full(len(pairs), targets["succeeded"].mean())
    assert brier(told["success"].to_numpy(), targets["succeeded"].to_numpy()) < brier(
        base, targets["succeeded"].to_numpy()
    )


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(MONOTONE)), ends=st.tuples(st.floats(-1, 2), st.floats(-1, 2)).map(sorted))
def test_probabilities_move_only_in_the_direction_that_the_world_allows(model, name, ends):
    pairs, _, _ = invitations(20)
    low, high = (model.predict(pairs.assign(**{name: value})) for value in ends)
    assert (MONOTONE[name] * (high - low) >= 0).all(axis=None)


def test_what_the_towers_learned_from_these_outcomes_is_not_read(model):
    pairs, _, _ = invitations()
    pd.testing.assert_frame_equal(model.predict(pairs.assign(tower_score=9.0)), model.predict(pairs), check_exact=True)


def test_unknown_values_are_answered_too(model):
    pairs, _, _ = invitations(3)
    assert model.predict(pairs * np.nan).notna().all(axis=None)


def test_the_same_seed_gives_the_same_bits(model):
    pairs, targets, briefs = invitations()
    again = fit_success(pairs, targets, briefs, seed=1)
    pd.testing.assert_frame_equal(again.predict(pairs), model.predict(pairs), check_exact=True)
    assert again.metrics == model.metrics


def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    pairs, _, _ = invitations()
    model.save(tmp_path / "success")
    loaded = SuccessModel.load(tmp_path / "success")
    pd.testing.assert_frame_equal(loaded.predict(pairs), model.predict(pairs), check_exact=True)
    assert loaded.metrics == model.metrics


def test_a_row_alone_is_told_what_it_is_told_among_others(model):
    pairs, _, _ = invitations()
    alone = pd.concat([model.predict(pairs.iloc[[i]]) for i in range(5)])
    pd.testing.assert_frame_equal(alone, model.predict(pairs).iloc[:5], check_exact=True)


def test_too_few_or_one_sided_invitations_are_refused_in_words():
    pairs, targets, briefs = invitations(MINIMUM_ROWS)
    with pytest.raises(ValueError, match=f"{MINIMUM_ROWS - 1} invitations .* {MINIMUM_ROWS} are needed"):
        fit_success(pairs.iloc[1:], targets.iloc[1:], briefs[1:], seed=0)
    with pytest.raises(ValueError, match="both outcomes"):
        fit_success(pairs, targets.assign(accepted=1.0), briefs, seed=0)


def test_what_is_told_out_of_fold_does_not_know_the_briefs_own_outcomes():
    """Turning round what happened to one brief moves what others are told, never what its own invitations are."""
    pairs, targets, briefs = invitations()
    own = briefs == briefs[7]
    turned = targets.assign(succeeded=np.where(own, 1 - targets["succeeded"], targets["succeeded"]))
    turned["accepted"] = np.where(own, 1.0, targets["accepted"])
    model = partial(boosted, seed=1)
    (raw, told), (raw_turned, told_turned) = (out_of_fold(model, pairs, each, briefs) for each in (targets, turned))
    np.testing.assert_array_equal(raw[own], raw_turned[own])
    assert (raw != raw_turned).any()
    assert (told != told_turned).any()
    assert ((told > 0) & (told < 1)).all()
