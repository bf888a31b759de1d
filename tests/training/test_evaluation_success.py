"""Calibration of the success probability by hand, and which invitations may speak."""

import numpy as np
import pandas as pd
import pytest

from training.evaluation.success import later_rows, success_figures

END = pd.Timestamp("2026-06-30")
DAY = pd.Timedelta(days=1)


def invited(days_ago: int, rows: int) -> list[dict[str, object]]:
    at = END - days_ago * DAY
    return [
        {
            "invited_at": at, "accepted_at": at + DAY, "completed_at": at + (30 if row % 2 else 95) * DAY,
            "failed_at": pd.NaT, "brief_id": f"b{row}", "probability": 0.5, "objective": "AWARENESS", "tier": "nano",
        }
        for row in range(rows)
    ]  # fmt: skip


def test_only_invitations_of_90_days_speak_and_late_work_is_no_success() -> None:
    rows = later_rows(invited(100, 120) + invited(89, 40), END)
    assert len(rows) == 120
    assert rows["succeeded"].tolist() == [0.0, 1.0] * 60


@pytest.mark.parametrize("records", [[], invited(89, 200), invited(90, 99)], ids=["none", "young", "few"])
def test_too_few_are_refused(records: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError, match=r"90 days old when the data end; 100 are needed"):
        later_rows(records, END)


def test_figures_by_hand() -> None:
    """Conversion is told .8 and comes true in .5, awareness .2 and .2; three macro rows are too few."""
    kinds = [("CONVERSION", 0.8, [1, 0]), ("AWARENESS", 0.2, [1, 0, 0, 0, 0])]
    rows = pd.DataFrame(
        [
            {"brief_id": f"{objective}{i // 10}", "objective": objective, "tier": "nano", "probability": told,
             "succeeded": float(came[i % len(came)])}
            for objective, told, came in kinds
            for i in range(100)
        ]
    )  # fmt: skip
    rows.loc[:2, "tier"] = "macro"
    found = success_figures(rows, np.random.default_rng(0))
    assert (found["invitations"], found["briefs"]) == (200, 20)
    assert found["told"]["mean"] == pytest.approx(0.5)
    assert found["came_true"]["mean"] == pytest.approx(0.35)
    assert found["objective"]["CONVERSION"]["ece"] == pytest.approx(0.3)
    assert found["objective"]["CONVERSION"]["log_loss"]["mean"] == pytest.approx(-(np.log(0.8) + np.log(0.2)) / 2)
    assert found["objective"]["CONVERSION"]["log_loss_of_the_mean"] == pytest.approx(np.log(2))
    assert found["objective"]["CONVERSION"]["log_loss_lead"]["mean"] < 0
    assert found["objective"]["CONVERSION"]["ece_by_chance"] < 0.2 < found["objective"]["CONVERSION"]["ece"]
    assert set(found["tier"]) == {"nano"}
