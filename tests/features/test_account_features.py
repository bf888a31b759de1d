"""What is seen of one account: hand-made values, and gaps that stay gaps."""

import numpy as np
import pandas as pd
import pytest

from features.accounts import ACCOUNT_FEATURES, account_features
from features.schema import ACCOUNTS, conform

NOW = pd.Timestamp("2025-06-11")
ROWS = pd.DataFrame(
    {
        "account_id": ["a", "b"],
        "followers_count": [9, np.nan],
        "following_count": [99, 5],
        "videos_count": [0, 2],
        "handle_length": [8, 0],
        "handle_digits": [2, 0],
        "created_at": ["2025-06-01", "2025-06-01"],
        "observed_at": [None, "2025-06-02"],
    }
)


def test_values_by_hand() -> None:
    first, second = account_features(conform(ROWS, ACCOUNTS), NOW).to_dict("records")
    assert first["following_per_follower"] == pytest.approx(np.log(10))
    assert first["videos_per_follower"] == pytest.approx(-np.log(10))
    assert (first["connections"], first["digit_share"], first["account_age"]) == (108, 0.25, 10)
    assert (second["digit_share"], second["account_age"]) == (0, 1)
    assert second["videos_per_following"] == pytest.approx(np.log(3 / 6))
    assert np.isnan([second[name] for name in ("followers_count", "following_per_follower", "connections")]).all()


def test_an_account_seen_before_it_was_made_has_no_age() -> None:
    rows = conform(ROWS.assign(created_at="2025-06-12"), ACCOUNTS)
    assert account_features(rows, NOW)["account_age"].isna().all()


def test_only_the_id_is_needed_and_nothing_is_changed() -> None:
    rows = conform(ROWS[["account_id"]], ACCOUNTS)
    before = rows.copy()
    features = account_features(rows, NOW)
    pd.testing.assert_frame_equal(rows, before)
    assert list(features) == list(ACCOUNT_FEATURES)
    assert features.isna().all(axis=None)
    assert not {"country_code", "account_id"} & set(features)
