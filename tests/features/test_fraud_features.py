import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features import schema
from features.fraud import CONTEXT, EVIDENCE, FRAUD_FEATURES, fraud_features

AS_OF = pd.Timestamp("2026-07-01")
DATES = pd.date_range("2026-04-02", "2026-06-30")
CREATORS = ("honest", "bought", "silent")
SPIKE = 60  # position of the day on which "bought" buys followers


def daily(creator: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    views = np.floor(10_000 * np.exp(rng.normal(0, 0.4, len(DATES))))
    gain = np.floor(views * 0.01)
    if creator == "bought":
        gain[SPIKE] += 20_000
    return pd.DataFrame(
        {
            c.CREATOR_ID: creator, c.DATE: DATES, c.FOLLOWERS_COUNT: 50_000 + np.cumsum(gain), c.VIDEO_VIEWS: views,
            c.PAID_VIDEO_VIEWS: 0.0, c.LIKES: np.floor(views * 0.05), c.COMMENTS: np.floor(views * 0.005),
            c.SHARES: np.floor(views * 0.004),
        }
    )  # fmt: skip


def engagements(creator: str, accounts: list[str], minutes: int, text: str) -> pd.DataFrame:
    times = pd.Timestamp("2026-06-10 09:00") + pd.to_timedelta(np.arange(len(accounts)) * minutes, unit="min")
    return pd.DataFrame(
        {c.CREATOR_ID: creator, c.ACCOUNT_ID: accounts, c.ACTION: "COMMENT", c.EVENT_TIME: times, c.COMMENT_TEXT: text}
    )


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    real, bots = [f"real{i}" for i in range(10)], [f"bot{i}" for i in range(10)]
    return schema.complete(
        {
            "creators": pd.DataFrame({c.CREATOR_ID: CREATORS, c.COUNTRY_CODE: "BR"}),
            "audience": pd.DataFrame(
                {c.CREATOR_ID: ["honest", "bought"], c.DIMENSION: "country", c.BUCKET: "BR", c.SHARE: 1.0}
            ),
            "videos": pd.DataFrame(
                {
                    c.VIDEO_ID: ["v1", "v2", "v3"], c.CREATOR_ID: "bought",
                    c.CREATE_TIME: pd.to_datetime(["2026-06-01", "2026-06-02", "2026-06-03"]),
                    c.VIDEO_VIEWS: [100.0, 200.0, 1_000.0], c.PAID_VIDEO_VIEWS: [0.0, 0.0, 400.0],
                    c.LIKES: [10, 20, 30],
                }
            ),
            "daily_stats": pd.concat([daily("honest", 0), daily("bought", 1)]),
            "accounts": pd.DataFrame(
                {
                    c.ACCOUNT_ID: real + bots, c.HAS_AVATAR: [1] * 10 + [0] * 10,
                    c.COUNTRY_CODE: ["BR"] * 10 + ["IN"] * 10,
                    c.CREATED_AT: [pd.Timestamp("2020-01-01") + pd.Timedelta(days=40 * i) for i in range(10)]
                    + [pd.Timestamp("2026-06-01")] * 10,
                }
            ),
            "engagements": pd.concat(
                [
                    engagements("honest", real, 300, "que receita boa, vou tentar hoje"),
                    engagements("bought", bots, 1, "nice!"),
                    engagements("silent", bots[:3], 1, "nice!"),
                ]
            ),
        }
    )  # fmt: skip


def test_columns_are_the_features_the_evidence_and_the_context(tables: dict[str, pd.DataFrame]) -> None:
    frame = fraud_features(tables, AS_OF)
    assert tuple(frame.columns) == FRAUD_FEATURES + EVIDENCE + CONTEXT
    assert list(frame.index) == list(CREATORS)
    assert (frame[[*FRAUD_FEATURES, *EVIDENCE]].dtypes == "float64").all()


def test_the_context_is_what_the_profile_says_or_the_statistics_show(tables: dict[str, pd.DataFrame]) -> None:
    formats = [["LIVE", "IMAGE"], [], ["IMAGE"]]
    profiles = tables["creators"].assign(**{c.FOLLOWERS_COUNT: [9.0, np.nan, np.nan], c.CONTENT_FORMATS: formats})
    context = fraud_features(tables | {"creators": profiles}, AS_OF)[[*CONTEXT]]
    most = tables["daily_stats"].loc[tables["daily_stats"][c.CREATOR_ID] == "bought", c.FOLLOWERS_COUNT].max()
    assert context["log_followers"].to_numpy() == pytest.approx([np.log(10), np.log1p(most), np.nan], nan_ok=True)
    assert list(context["home_country"]) == ["BR"] * 3
    assert list(context["main_format"].fillna("none")) == ["LIVE", "none", "IMAGE"]


def test_values_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    frame = fraud_features(tables, AS_OF)
    expected = {
        "engagers_without_avatar": (0, 1), "engagers_abroad": (0, 1), "young_engagers": (0, 1),
        "engagers_born_together": (0.1, 1), "busiest_hour": (0.1, 1), "repeat_engagers": (1, 1), "lockstep": (0, 0.3),
        "shared_engagers": (0, 0.3), "comment_duplicates": (1, 1), "comment_short": (0, 1), "paid_share": (0, 0),
        "days_known": (90, 90), "engagements_known": (10, 10),
    }  # fmt: skip
    assert {name: tuple(frame.loc[["honest", "bought"], name]) for name in expected} == expected
    assert frame.loc["bought", "video_views_peak"] == 600 / 200
    assert frame.loc["bought", "gain_peak_age"] == len(DATES) - SPIKE
    assert frame.loc["honest", "likes_per_view"] == pytest.approx(0.05, abs=0.001)


def test_bought_followers_show_and_earned_ones_do_not(tables: dict[str, pd.DataFrame]) -> None:
    frame = fraud_features(tables, AS_OF)
    assert frame.loc["honest", "gain_unexplained"] == 0
    assert frame.loc["bought", "gain_unexplained"] > 0.5
    assert frame.loc["honest", "gain_view_correlation"] > 0.99 > 0.5 > frame.loc["bought", "gain_view_correlation"]


def test_openly_paid_views_explain_their_likes(tables: dict[str, pd.DataFrame]) -> None:
    stats = tables["daily_stats"]
    day = (stats[c.CREATOR_ID] == "honest") & (stats[c.DATE] == DATES[30])
    stats.loc[day, [c.VIDEO_VIEWS, c.PAID_VIDEO_VIEWS, c.LIKES]] = [500_000.0, 490_000.0, 25_000.0]
    frame = fraud_features(tables, AS_OF)
    assert frame.loc["honest", "likes_unexplained"] == 0
    assert frame.loc["honest", "paid_share"] > 0.3


def promoted(tables: dict[str, pd.DataFrame], followers: float) -> pd.DataFrame:
    """The features after four weeks of twice the views, half of them paid for openly, of whom nobody likes anything,
    and with so many followers more on the third day."""
    stats = tables["daily_stats"].copy()
    days = (stats[c.CREATOR_ID] == "honest") & stats[c.DATE].isin(DATES[30:58])
    stats.loc[days, c.PAID_VIDEO_VIEWS] = stats.loc[days, c.VIDEO_VIEWS]
    stats.loc[days, c.VIDEO_VIEWS] *= 2
    after = (stats[c.CREATOR_ID] == "honest") & (stats[c.DATE] >= DATES[32])
    stats.loc[after, c.FOLLOWERS_COUNT] += followers
    return fraud_features({**tables, "daily_stats": stats}, AS_OF)


def test_days_explained_by_open_promotion_are_held_for_nothing(tables: dict[str, pd.DataFrame]) -> None:
    plain = fraud_features(tables, AS_OF).loc["honest"]
    found = promoted(tables, followers=0).loc["honest"]
    assert found["paid_share"] > 0 == plain["paid_share"]
    assert found["days_known"] == plain["days_known"]
    rates = ["likes_per_view", "comments_per_view", "likes_shift", "likes_peak"]
    assert found[rates].to_numpy(float) == pytest.approx(plain[rates].to_numpy(float), rel=0.1)


def test_who_buys_behind_a_promotion_is_seen(tables: dict[str, pd.DataFrame]) -> None:
    found = promoted(tables, followers=50_000).loc["honest"]
    assert found["spike_share"] > 0.5
    assert found["gain_unexplained"] > 0.5


def test_columns_beside_the_contract_change_nothing(tables: dict[str, pd.DataFrame]) -> None:
    extra = {c.CREATED_AT: pd.Timestamp("2026-06-30"), c.HAS_AVATAR: 1.0, c.COUNTRY_CODE: "BR", "row": 7, "hour": 3}
    more = tables | {name: tables[name].assign(**extra) for name in ("engagements", "videos", "daily_stats")}
    more["accounts"] = tables["accounts"].assign(hour=3, row=7, **{c.EVENT_TIME: pd.NaT, c.CREATOR_ID: "honest"})
    pd.testing.assert_frame_equal(fraud_features(more, AS_OF), fraud_features(tables, AS_OF))


def test_a_video_of_which_likes_or_views_are_unknown_is_not_hollow(tables: dict[str, pd.DataFrame]) -> None:
    tables["videos"].loc[[0, 1], c.LIKES] = [np.nan, 0.0]
    tables["videos"].loc[1, c.VIDEO_VIEWS] = 200.0
    assert fraud_features(tables, AS_OF).loc["bought", "hollow_videos"] == 0.5
    tables["videos"][c.LIKES] = np.nan
    assert np.isnan(fraud_features(tables, AS_OF).loc["bought", "hollow_videos"])


def test_a_share_of_three_engagements_is_unknown(tables: dict[str, pd.DataFrame]) -> None:
    silent = fraud_features(tables, AS_OF).loc["silent"]
    assert silent[list(FRAUD_FEATURES)].isna().all()
    assert silent["engagements_known"] == 3


def test_a_creator_alone_is_what_it_is_among_others(tables: dict[str, pd.DataFrame]) -> None:
    together = fraud_features(tables, AS_OF)
    for creator in CREATORS:
        alone = fraud_features(tables, AS_OF, pd.Index([creator], name=c.CREATOR_ID))
        pd.testing.assert_frame_equal(alone, together.loc[[creator]])


def test_the_order_of_rows_does_not_matter_and_no_table_changes(tables: dict[str, pd.DataFrame]) -> None:
    before = {name: table.copy() for name, table in tables.items()}
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in tables.items()}
    pd.testing.assert_frame_equal(
        fraud_features(shuffled, AS_OF).loc[list(CREATORS)], fraud_features(tables, AS_OF), check_exact=False
    )
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_ninety_days_and_no_more(tables: dict[str, pd.DataFrame]) -> None:
    older = daily("honest", 7).assign(**{c.DATE: DATES - pd.Timedelta(days=len(DATES)), c.LIKES: 9e6})
    tables["daily_stats"] = schema.conform(pd.concat([older, tables["daily_stats"]]), schema.DAILY_STATS)
    old = engagements("honest", ["bot1"] * 50, 1, "x").assign(**{c.EVENT_TIME: AS_OF - pd.Timedelta(days=91)})
    tables["engagements"] = schema.conform(pd.concat([old, tables["engagements"]]), schema.ENGAGEMENTS)
    honest = fraud_features(tables, AS_OF).loc["honest"]
    assert honest["likes_per_view"] < 0.06
    assert honest["engagements_known"] == 10


def test_credit_ranking_people_and_labels_are_not_read(tables: dict[str, pd.DataFrame]) -> None:
    """Fraud reads neither credit nor ranking nor labels, and of creators their id, size, country and formats."""
    frame = fraud_features(tables, AS_OF)
    needed = ("creators", "audience", "videos", "daily_stats", "accounts", "engagements")
    read = [c.CREATOR_ID, c.FOLLOWERS_COUNT, c.COUNTRY_CODE, c.CONTENT_FORMATS]
    bare = {name: tables[name] for name in needed} | {"creators": tables["creators"][read]}
    pd.testing.assert_frame_equal(fraud_features(bare, AS_OF), frame)


@pytest.mark.parametrize("missing", ["audience", "videos", "daily_stats", "accounts", "engagements"])
def test_a_missing_table_leaves_nulls(tables: dict[str, pd.DataFrame], missing: str) -> None:
    tables[missing] = schema.empty(schema.CONTRACT[missing])
    assert len(fraud_features(tables, AS_OF)) == len(CREATORS)


def test_creators_alone_are_all_null() -> None:
    frame = fraud_features(schema.complete({"creators": pd.DataFrame({c.CREATOR_ID: ["a"]})}), AS_OF)
    assert frame[list(FRAUD_FEATURES)].isna().all(axis=None)
    assert frame.loc["a", ["days_known", "engagements_known"]].tolist() == [0, 0]


def test_no_creators() -> None:
    assert fraud_features(schema.complete({}), AS_OF).shape == (0, len(FRAUD_FEATURES + EVIDENCE + CONTEXT))
