import json

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.fraud import EVIDENCE, FRAUD_FEATURES
from features.fraud.history import Dossier
from features.schema import complete
from models.fraud_evidence import EXAMPLES, MAKERS, MOST, evidence
from models.fraud_reasons import REASONS
from tests.features.graph.worlds import START, crowd, ring
from tests.features.graph.worlds import engagements as world_of
from tests.features.histories import DATES, SPIKE, engagements, histories, market

TIMES = [f"2026-06-0{day} 09:0{minute}" for day in (1, 2) for minute in range(5)]


def test_every_reason_has_evidence_that_is_json_even_of_nothing() -> None:
    assert set(MAKERS) == set(REASONS)
    (nobody,) = Dossier.of(complete({"creators": pd.DataFrame({c.CREATOR_ID: ["a"]})}), DATES[-1]).histories(["a"])
    for code in REASONS:
        for history in (nobody, *histories(market()).values()):
            found = evidence(code, history)
            assert json.loads(json.dumps(found, allow_nan=False)) == found
            assert not set(found) & {*FRAUD_FEATURES, *EVIDENCE, "usual", "from", "to", "peak_date"}


def test_the_days_of_a_spike() -> None:
    found = evidence("FOLLOWER_SPIKE", histories(market())["bought"])
    assert found == {
        "days": [{"date": "2026-06-01", "metric": "followers", "value": 20_100, "expected": 100, "usual": 100}],
        "days_total": 1,
    }


def test_days_are_listed_up_to_ten_and_counted() -> None:
    tables = dict(market())
    stats = tables["daily_stats"]
    odd = (stats[c.CREATOR_ID] == "calm") & stats[c.DATE].isin(DATES[10:40:2])
    tables["daily_stats"] = stats.assign(**{c.LIKES: stats[c.LIKES].mask(odd, 3_000 + stats[c.DATE].dt.day_of_year)})
    found = evidence("LIKE_COMMENT_RATIO", histories(tables)["calm"])
    assert (len(found["days"]), found["days_total"]) == (MOST, 15)
    assert found["days"][0]["date"] == str(DATES[38].date())
    assert {day["metric"] for day in found["days"]} == {"likes"}


def test_best_and_poorest_week_of_a_drip() -> None:
    found = evidence("FOLLOWER_DRIP", histories(market())["bought"])
    first, last = pd.Timestamp(found["best_week"]["from"]), DATES[SPIKE]
    assert 0 <= (last - first).days < 7
    assert found["best_week"]["followers_won"] > 20_000 > found["poorest_week"]["followers_won"]


def test_videos_with_few_likes_for_their_views() -> None:
    tables = dict(market())
    videos = tables["videos"]
    tables["videos"] = videos.assign(**{c.LIKES: videos[c.LIKES].mask(videos[c.VIDEO_ID] == "calm-3", 20)})
    found = evidence("VIEW_INFLATION", histories(tables)["calm"])
    video = {"video_id": "calm-3", "published": str(DATES[21].date()), "views": 10_000, "likes": 20}
    assert (found["videos"], found["videos_total"]) == ([video | {"usual_likes": 500}], 1)


@pytest.fixture
def watched() -> dict[str, pd.DataFrame]:
    """Ten comments on calm: four bots of which b0 comes back, from IN, and five people, one abroad."""
    accounts = ["b0", "b0", "b1", "b2", "b3", "p0", "p1", "p2", "p3", "p4"]
    texts = ["Nice!!", "nice", "NICE", "wow www.x.com", None, "Que receita boa", "una idea", "una idea", "ok", "adorei"]
    rows = [(account, "calm", time, text) for account, time, text in zip(accounts, TIMES, texts, strict=True)]
    elsewhere = ("b1", "paid", "2026-06-01 09:50", None)
    who = sorted(set(accounts))
    bots = [name.startswith("b") for name in who]
    profiles = pd.DataFrame(
        {
            c.ACCOUNT_ID: who,
            c.HAS_AVATAR: [0.0 if bot else 1.0 for bot in bots],
            c.FOLLOWING_COUNT: [3000.0 if bot else 100.0 for bot in bots[:-1]] + [float("nan")],
            c.COUNTRY_CODE: ["IN" if bot else "BR" for bot in bots[:-1]] + ["US"],
            c.CREATED_AT: [pd.Timestamp("2026-05-20") if bot else pd.Timestamp("2020-01-01") for bot in bots[:-1]]
            + [pd.NaT],
        }
    )
    audience = pd.DataFrame(
        [("calm", "country", "BR", 0.9), ("calm", "country", "US", 0.04), ("calm", "gender", "FEMALE", 1.0)],
        columns=[c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE],
    )
    return dict(market(engagements=engagements([*rows, elsewhere]), accounts=profiles, audience=audience))


def test_shares_of_accounts_come_with_their_counts(watched: dict[str, pd.DataFrame]) -> None:
    calm = histories(watched)["calm"]
    credible = evidence("LOW_AUDIENCE_CREDIBILITY", calm)
    assert credible["without_avatar"] == {"count": 5, "of": 10, "share": 0.5}
    assert credible["without_bio"] == {"count": 0, "of": 0, "share": None}
    assert credible["younger_than_60_days"] == {"count": 5, "of": 9, "share": 0.5556}
    week = credible["made_in_the_same_week"]
    assert (week["count"], week["of"]) == (5, 9)
    assert pd.Timestamp(week["week_from"]) <= pd.Timestamp("2026-05-20")
    mass = {"count": 4, "of": 8, "share": 0.5, "following_at_least": 1500}
    assert evidence("MASS_FOLLOWER_SHARE", calm) == {"mass_followers": mass}


def test_stated_countries_beside_engaging_ones(watched: dict[str, pd.DataFrame]) -> None:
    found = evidence("AUDIENCE_COUNTRY_MISMATCH", histories(watched)["calm"])
    assert found["stated"] == [{"country_code": "BR", "share": 0.9}, {"country_code": "US", "share": 0.04}]
    assert found["engaging"] == [
        {"country_code": "IN", "engagements": 5, "share": 0.5, "abroad": True},
        {"country_code": "BR", "engagements": 4, "share": 0.4, "abroad": False},
        {"country_code": "US", "engagements": 1, "share": 0.1, "abroad": True},
    ]


def test_comments_that_stand_there_most_often_as_they_were_written(watched: dict[str, pd.DataFrame]) -> None:
    found = evidence("COMMENT_DUPLICATION", histories(watched)["calm"])
    assert (found["comments"], found["repeated"], found["at_most_four_letters"], found["with_link"]) == (9, 5, 4, 1)
    assert found["examples"][:2] == [{"comment_text": "Nice!!", "count": 3}, {"comment_text": "una idea", "count": 2}]
    assert len(found["examples"]) == EXAMPLES


def test_who_acts_at_the_same_hours_and_who_comes_back(watched: dict[str, pd.DataFrame]) -> None:
    calm = histories(watched)["calm"]
    step = evidence("LOCKSTEP_ACTIVITY", calm)
    assert step["fullest_hour"] == {"from": "2026-06-01T09:00:00", "engagements": 5, "of": 10}
    assert step["same_hour"] == [{"account_id": "b1", "hour": "2026-06-01T09:00:00", "creators": 2}]
    assert (step["groups"], step["groups_total"]) == ([], 0)
    assert evidence("ENGAGEMENT_POD", calm)["returning_accounts"] == [{"account_id": "b0", "engagements": 2}]


@pytest.mark.parametrize("code", ["LOCKSTEP_ACTIVITY", "ENGAGEMENT_POD"])
def test_a_group_is_shown_with_its_accounts_creators_and_windows(code: str) -> None:
    events = world_of([*crowd(np.random.default_rng(4)), *ring(accounts=12)])
    creators = pd.DataFrame({c.CREATOR_ID: events[c.CREATOR_ID].unique()})
    dossier = Dossier.of(complete({"creators": creators, "engagements": events}), START + pd.Timedelta(days=60))
    (history,) = dossier.histories(["buyer0"])
    found = evidence(code, history)
    group = found["groups"][0]
    assert found["groups_total"] >= 1
    assert "buyer0" in group["creators"]
    assert (len(group["accounts"]), group["accounts_total"]) == (MOST, 12)
    assert all(account.startswith("bot") for account in group["accounts"])
    assert group["windows"][0]["from"] <= group["windows"][0]["to"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
