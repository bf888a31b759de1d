import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.audience import shares, target_share

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


def test_shares_by_hand() -> None:
    expected = pd.DataFrame(
        [[0.0, 0.0, 1.0], [np.nan] * 3, [0.1, 0.7, 0.2]], index=IDS, columns=["13-17", "18-24", "25-34"]
    )
    pd.testing.assert_frame_equal(shares(AUDIENCE, IDS, "age"), expected, check_column_type=False)


def test_rows_in_any_order_give_the_same_and_stay_as_they_are() -> None:
    shuffled = AUDIENCE.sample(frac=1, random_state=2)
    before = shuffled.copy()
    pd.testing.assert_frame_equal(shares(shuffled, IDS, "age"), shares(AUDIENCE, IDS, "age"))
    pd.testing.assert_frame_equal(shuffled, before)


def test_a_dimension_that_nobody_has_is_unknown_for_all() -> None:
    known = shares(AUDIENCE, IDS, "device")
    assert known.shape == (3, 0)
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
    np.testing.assert_allclose(target_share(shares(AUDIENCE, IDS, "age"), targets), expected)


def test_no_creators_and_no_audience() -> None:
    none = pd.Index([], dtype="str")
    assert shares(AUDIENCE, none, "age").shape[0] == 0
    assert len(target_share(shares(AUDIENCE, none, "age"), ["18-24"])) == 0
    assert shares(AUDIENCE.iloc[:0], IDS, "age").shape == (3, 0)
