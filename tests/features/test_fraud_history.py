import numpy as np
import pandas as pd

from features.fraud.history import SPIKE as SPIKE_Z
from features.fraud.history import Dossier, Row, anomalies
from features.fraud.series import excess, peak, total, unexplained
from features.fraud.window import Window
from features.schema import complete
from tests.features.histories import AS_OF, CREATORS, DATES, SPIKE, histories, market


def test_days_that_stand_out_beside_what_is_usual_and_what_views_explain() -> None:
    found = histories(market())
    (day,) = found["bought"].anomalies
    assert (day["metric"], day["date"], day["value"], day["usual"]) == ("followers", DATES[SPIKE], 20_100, 100)
    assert day["expected"] == 100
    assert 0 < day["excess"] < day["value"] - 2 * day["expected"]
    assert {(one["metric"], one["excess"]) for one in found["viral"].anomalies} == {("followers", 0), ("views", 0)}
    assert found["calm"].anomalies == found["hired"].anomalies == []


def test_the_measures_are_those_of_the_features() -> None:
    window = Window(market(), pd.Index(CREATORS), AS_OF)
    won = np.clip(window.gain, 0, None)
    rows = pd.DataFrame(anomalies(window))
    followers = rows[rows["metric"] == "followers"]
    sums = followers.groupby("row")["excess"].sum().reindex(range(len(CREATORS)), fill_value=0.0)
    assert np.allclose(sums / total(won), unexplained(won, window.reach))
    assert np.allclose(sums, total(excess(won, window.reach)))
    spiked = np.flatnonzero(peak(window.gain) >= SPIKE_Z)
    assert sorted(followers["row"].unique()) == spiked.tolist() == [0, 1, 2]


def test_a_creator_alone_is_what_it_is_among_others_and_order_does_not_matter() -> None:
    tables = market()
    together = histories({name: table.sample(frac=1, random_state=1) for name, table in tables.items()})
    for creator in CREATORS:
        (alone,) = Dossier.of(tables, AS_OF).histories([creator])
        for name in ("anomalies", "videos", "acts"):
            assert _without_row(getattr(alone, name)) == _without_row(getattr(together[creator], name))


def _without_row(records: list[Row]) -> list[Row]:
    return [{name: str(value) for name, value in record.items() if name != "row"} for record in records]


def test_of_creators_alone_there_is_nothing_to_tell() -> None:
    (history,) = Dossier.of(complete({"creators": market()["creators"]}), AS_OF).histories(["calm"])
    assert history.anomalies == history.videos == history.acts == history.stated == []
    assert np.isnan(history.of("gain")).all()
    assert np.isnan(history.times_usual("gain", 0))
