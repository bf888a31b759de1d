import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.audience import Shares, shares, target_share

AUDIENCE = pd.DataFrame(
    [
        ("a", "age", "18-24", 0.7),
        ("a", "age", "13-17", 0.1),
        ("a", "age", "25-34", 0.2),
        ("b", "age", "25-34", 1.0),
        ("b", "country", "US", 0.6),
        ("gone", "age", "55+", 1.0),
    ],
    columns=[c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE],
)
IDS = pd.Index(["b", "nobody", "a"])


def assert_same(left: Shares, right: Shares) -> None:
    assert left.buckets == right.buckets
    np.testing.assert_array_equal(left.matrix.toarray(), right.matrix.toarray())
    np.testing.assert_array_equal(left.known, right.known)


def test_shares_by_hand() -> None:
    ages = shares(AUDIENCE, IDS, "age")
    assert ages.buckets == ("13-17", "18-24", "25-34")
    np.testing.assert_array_equal(ages.matrix.toarray(), [[0.0, 0.0, 1.0], [0.0] * 3, [0.1, 0.7, 0.2]])
    np.testing.assert_array_equal(ages.known, [True, False, True])


def test_who_lists_a_bucket_with_nobody_in_it_is_known() -> None:
    none_there = AUDIENCE.assign(**{c.SHARE: 0.0})
    np.testing.assert_array_equal(shares(none_there, IDS, "age").known, [True, False, True])


def test_rows_in_any_order_give_the_same_and_stay_as_they_are() -> None:
    shuffled = AUDIENCE.sample(frac=1, random_state=2)
    before = shuffled.copy()
    assert_same(shares(shuffled, IDS, "age"), shares(AUDIENCE, IDS, "age"))
    pd.testing.assert_frame_equal(shuffled, before)


def test_a_dimension_that_nobody_has_is_unknown_for_all() -> None:
    known = shares(AUDIENCE, IDS, "device")
    assert known.matrix.shape == (3, 0)
    assert np.isnan(target_share(known, ["IOS"])).all()


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["18-24", "25-34"], [1.0, np.nan, 0.9]),
        (["18-24", "18-24"], [0.0, np.nan, 0.7]),  # named twice, counted once
        (["55+"], [0.0, np.nan, 0.0]),  # listed by nobody, so nobody's
        ([], [np.nan] * 3),
    ],
)
def test_target_share_by_hand(targets: list[str], expected: list[float]) -> None:
    known = shares(AUDIENCE, IDS, "age")
    np.testing.assert_allclose(target_share(known, targets), expected)
    some = np.array([2, 0, 2])
    np.testing.assert_array_equal(target_share(known, targets, some), target_share(known, targets)[some])


def test_no_creators_and_no_audience() -> None:
    none = pd.Index([], dtype="str")
    assert shares(AUDIENCE, none, "age").matrix.shape[0] == 0
    assert len(target_share(shares(AUDIENCE, none, "age"), ["18-24"])) == 0
    assert shares(AUDIENCE.iloc[:0], IDS, "age").matrix.shape == (3, 0)
