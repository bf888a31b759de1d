import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from models.fraud_innocence import INNOCENCE, ON_THE_DAY, explanations, on_days
from tests.features.histories import CREATORS, DATES, SPIKE, histories, market, risen

FOUND = {
    "bought": set(),
    "viral": {"VIRAL_VIDEO", "WIDE_ATTENTION"},
    "paid": {"PAID_PROMOTION"},
    "hired": {"COLLABORATION"},
    "calm": set(),
}


@pytest.mark.parametrize("creator", CREATORS)
def test_only_what_happened_on_the_day_is_said(creator: str) -> None:
    history = histories(market())[creator]
    assert set(on_days(history, {SPIKE: ["FOLLOWER_SPIKE"]})) == FOUND[creator]
    assert on_days(history, {SPIKE - 20: ["FOLLOWER_SPIKE"]}) == {}
    assert on_days(history, {}) == {}


def test_the_evidence_is_what_a_person_can_look_up() -> None:
    found = {name: on_days(one, {SPIKE: ["FOLLOWER_SPIKE"]}) for name, one in histories(market()).items()}
    day = {"date": "2026-06-01", "beside": ["FOLLOWER_SPIKE"]}
    video = {"video_id": "viral-6", "published": "2026-05-31", "views": 100_000, "likes": 5_000}
    assert found["viral"]["VIRAL_VIDEO"] == video | {"usual_views": 10_000, "ratio": 10.0} | day
    times = {"video_views": 10.0, "followers_won": 10.0, "likes": 10.0}
    assert found["viral"]["WIDE_ATTENTION"] == {"times_the_usual": times} | day
    paid = {"paid_video_views": 10_000, "video_views": 20_000, "share": 0.5}
    assert found["paid"]["PAID_PROMOTION"] == paid | day
    made = {"collaboration_id": "k1", "video_id": "hired-6", "published": "2026-06-01", "views": 9_000}
    assert found["hired"]["COLLABORATION"] == made | day


@pytest.mark.parametrize(("day", "viral"), [(-2, False), (-1, True), (2, True), (3, False)])
def test_a_viral_video_speaks_for_its_day_and_three_more(day: int, viral: bool) -> None:
    tables = _watched_twice_as_often("viral", SPIKE + day)
    assert ("VIRAL_VIDEO" in on_days(histories(tables)["viral"], {SPIKE + day: ["VIEW_INFLATION"]})) == viral


def test_a_video_or_a_promotion_on_a_day_of_few_views_explains_nothing() -> None:
    found = histories(market())
    assert on_days(found["viral"], {SPIKE + 1: ["FOLLOWER_SPIKE"]}) == {}
    tables = dict(market())
    stats = tables["daily_stats"]
    tables["daily_stats"] = stats.assign(**{c.PAID_VIDEO_VIEWS: stats[c.VIDEO_VIEWS] / 2})
    assert on_days(histories(tables)["calm"], {SPIKE: ["FOLLOWER_SPIKE"]}) == {}


def test_a_video_that_hardly_anyone_liked_is_not_viral() -> None:
    tables = dict(market())
    videos = tables["videos"]
    for likes, found in ((2_500, True), (2_499, False), (np.nan, False)):
        of_it = videos[c.LIKES].mask(videos[c.VIDEO_ID] == "viral-6", likes)
        history = histories(tables | {"videos": videos.assign(**{c.LIKES: of_it})})["viral"]
        assert ("VIRAL_VIDEO" in on_days(history, {SPIKE: ["VIEW_INFLATION"]})) == found


def _watched_twice_as_often(creator: str, day: int) -> dict[str, pd.DataFrame]:
    tables = dict(market())
    stats = tables["daily_stats"]
    that_day = (stats[c.CREATOR_ID] == creator) & (stats[c.DATE] == DATES[day])
    tables["daily_stats"] = stats.assign(**{c.VIDEO_VIEWS: stats[c.VIDEO_VIEWS].where(~that_day, 20_000)})
    return tables


def test_the_strongest_day_is_shown_and_every_reason_it_stands_beside() -> None:
    tables = _watched_twice_as_often("paid", SPIKE + 1)
    stats = tables["daily_stats"]
    more = (stats[c.CREATOR_ID] == "paid") & (stats[c.DATE] == DATES[SPIKE + 1])
    tables["daily_stats"] = stats.assign(**{c.PAID_VIDEO_VIEWS: stats[c.PAID_VIDEO_VIEWS].mask(more, 15_000)})
    days = {SPIKE: ["FOLLOWER_SPIKE", "VIEW_INFLATION"], SPIKE + 1: ["VIEW_INFLATION"], 3: ["LIKE_COMMENT_RATIO"]}
    found = on_days(histories(tables)["paid"], days)["PAID_PROMOTION"]
    assert (found["paid_video_views"], found["date"]) == (15_000, "2026-06-02")
    assert found["beside"] == ["FOLLOWER_SPIKE", "VIEW_INFLATION"]


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(1, 12)] * 3))
def test_what_rises_alone_is_no_wide_attention(times: tuple[int, int, int]) -> None:
    found = on_days(risen(*times), {SPIKE: ["FOLLOWER_SPIKE"]})
    assert ("WIDE_ATTENTION" in found) == (min(times) >= 3 and max(times) <= 3 * min(times))


def test_what_was_seen_is_told_rather_than_what_the_model_says_of_the_same() -> None:
    said = {"PAID_PROMOTION": {"paid_share": 0.3}, "COMMENTS_SAY_SOMETHING": {"comment_length": 4.0}}
    seen = {"PAID_PROMOTION": {"share": 0.5}}
    told = {one["code"]: (one["text"], one["evidence"]) for one in explanations(said, seen)}
    assert told["PAID_PROMOTION"] == (ON_THE_DAY["PAID_PROMOTION"][0], {"share": 0.5})
    assert told["COMMENTS_SAY_SOMETHING"] == (INNOCENCE["COMMENTS_SAY_SOMETHING"][0], {"comment_length": 4.0})
    assert INNOCENCE["PAID_PROMOTION"][0] in {one["text"] for one in explanations(said, {})}
