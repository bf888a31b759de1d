"""That the picture is drawn and changes with what it shows; how it looks, a person must see."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from features import columns as c
from features.errors import InputError
from features.fraud.history import History
from features.schema import complete
from tests.features.histories import AS_OF, DATES, SPIKE, histories, market
from training.history_plot import GUILTY, INNOCENT, LONGEST, _days, _marks, _title, history_plot

PAST = pd.Series([np.nan, 0.2, 0.8], index=pd.to_datetime(["2026-05-01", "2026-06-01", "2026-07-01"]))
PEAK = {"peak_date": "2026-06-01", "from": "2026-04-02", "to": "2026-07-01"}


def answer(creator: str, *codes: str) -> dict:
    reasons = [{"code": code, "text": "", "evidence": PEAK} for code in codes]
    verdict = {"fraud_probability": 0.8, "risk_level": "HIGH", "insufficient_data": False, "data_as_of": str(AS_OF)}
    return {"creator_id": creator, "reason_codes": reasons, "innocent_explanations": []} | verdict


def marks(history: History, *codes: str) -> list[tuple[str, str, float]]:
    """Edge, face and height of the marks among the followers."""
    axes = Figure().add_subplot()
    _marks(axes, _days(history), history, answer(history.creator_id, *codes), ("followers",))
    return [(line.get_color(), line.get_markerfacecolor(), line.get_ydata()[0]) for line in axes.lines]


def test_marks_say_whether_a_reason_speaks_of_a_day_and_whether_something_explains_it() -> None:
    found = histories(market())
    assert marks(found["bought"], "FOLLOWER_SPIKE") == [(GUILTY, GUILTY, 20_100)]
    assert marks(found["bought"], "VIEW_INFLATION") == [(GUILTY, "white", 20_100)]
    assert marks(found["viral"], "FOLLOWER_SPIKE") == [(INNOCENT, INNOCENT, 1_000)]
    assert marks(found["calm"], "FOLLOWER_SPIKE") == []


def test_the_days_are_those_of_the_statistics() -> None:
    tables = dict(market())
    older = tables["daily_stats"].assign(**{c.DATE: lambda rows: rows[c.DATE] - pd.Timedelta(days=len(DATES) + 60)})
    tables["daily_stats"] = pd.concat([older, tables["daily_stats"]])
    days = _days(histories(tables)["paid"])
    assert len(days) == LONGEST
    assert days.index[-1] == DATES[-1]
    spike = days.loc[DATES[SPIKE]]
    assert spike[["followers", "views", "paid", "likes"]].tolist() == [200, 10_000, 10_000, 5]
    assert days.loc[DATES[0] - pd.Timedelta(days=1)].drop("paid").isna().all()  # sixty days without statistics


def test_whatever_is_missing_is_left_out(tmp_path: Path) -> None:
    """Statistics of a day each with a time of day, without counts; a creator of whom two days are known."""
    tables = dict(market())
    stats = tables["daily_stats"]
    bare = stats.assign(**{c.DATE: stats[c.DATE] + pd.Timedelta(hours=9)})[[c.CREATOR_ID, c.DATE, c.FOLLOWERS_COUNT]]
    few = bare[(bare[c.CREATOR_ID] != "calm") | (bare[c.DATE] > DATES[-2])]
    found = histories(complete(tables | {"daily_stats": few}))
    for name in ("bought", "calm"):
        (tmp_path / name).write_bytes(history_plot(found[name], PAST * np.nan, answer(name, "FOLLOWER_SPIKE")))
    assert len(_days(found["calm"])) == 2
    assert _days(found["bought"]).index.equals(DATES.rename(c.DATE))


def test_the_same_history_gives_the_same_file_and_another_another() -> None:
    found = histories(market())
    first, again, other = (
        history_plot(found[name], PAST, answer(name, "FOLLOWER_SPIKE")) for name in ("bought", "bought", "calm")
    )
    assert first == again != other
    height, width, _ = imread(BytesIO(first)).shape
    assert height > 1000 < width


@pytest.mark.parametrize(("probability", "told"), [(0.9958, ">0.99"), (0.8, "0.80"), (0.002, "<0.01")])
def test_no_probability_is_told_as_certain(probability: float, told: str) -> None:
    title = _title(answer("bought") | {"fraud_probability": probability})
    assert title == f"bought: fraud probability {told}, HIGH, as of 2026-07-01"


def test_of_a_creator_without_statistics_there_is_nothing_to_draw() -> None:
    tables = dict(market())
    tables["daily_stats"] = tables["daily_stats"][tables["daily_stats"][c.CREATOR_ID] != "calm"]
    with pytest.raises(InputError, match="--plot: no daily statistics"):
        history_plot(histories(tables)["calm"], PAST, answer("calm"))
    insufficient = answer("paid") | {"insufficient_data": True, "fraud_probability": None, "risk_level": None}
    assert history_plot(histories(tables)["paid"], PAST[:0], insufficient)
