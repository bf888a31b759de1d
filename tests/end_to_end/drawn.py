"""What anybody may ask, right or wrong, drawn by Hypothesis."""

from typing import Any

from hypothesis import strategies as st

texts = st.text(max_size=30) | st.sampled_from(["\u202eabc", "😀" * 50, "a\u0000", "ﷺ", "' OR 1=1 --", "../../etc"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
FILTERS = (
    "min_followers", "max_creator_price", "languages", "content_labels", "audience", "min_credit_score",
    "max_fraud_probability",
)  # fmt: skip
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
brief = st.fixed_dictionaries(
    {},
    optional={
        "title": texts | scalars,
        "reference_captions": texts,
        "language": texts,
        "content_labels": st.lists(texts, max_size=3),
        "target_interests": st.lists(texts, max_size=3),
        "target_ages": st.lists(st.sampled_from(["18-24", "55+", "99+"]), max_size=3),
        "budget": st.floats() | st.integers(),
        "currency": st.sampled_from(["USD", "KPW", "XXX"]),
        "min_followers": st.integers(-5, 10**16),
        "created_at": st.datetimes().map(str) | texts,
    },
)
RANKING = st.fixed_dictionaries(
    {"brief": brief | values},
    optional={
        "limit": st.integers(-1, 201),
        "filters": st.dictionaries(st.sampled_from(FILTERS), values | st.floats(0, 1)),
        "exclude_creator_ids": st.lists(texts, max_size=3),
        "pin_creator_ids": st.lists(texts, max_size=3),
        "diversity": scalars,
        "explore": scalars,
        "seed": st.integers(),
        "explain": st.booleans(),
    },
)
days = st.sampled_from(["2026-04-01", "2026-05-01", "2026-06-30T23:59:59.999999Z", "1970-01-01"]) | st.sampled_from(
    ["2200-12-31", "2199-01-01", "x"]
)
amounts = st.sampled_from([0, 1, 7, 1e15, None]) | st.sampled_from([-1, 0.5]) | st.integers(0, 10**7)
accounts = st.sampled_from(["a000001", "a", "", "ﷺ"])
row = st.fixed_dictionaries(
    {},
    optional={
        "creator_id": st.sampled_from(["c000001", "new", "😀"]),
        "account_id": accounts,
        "action": st.sampled_from(["LIKE", "COMMENT", "X"]),
        "comment_text": texts,
        "event_time": days,
        "date": days,
        "observed_at": days,
        "created_at": days,
        "create_time": days,
        "known_at": days,
        "period_start": days,
        "video_id": texts,
        "is_fake": amounts,
        "followers_count": amounts,
        "video_views": amounts,
        "likes": amounts,
    },
)
FITTING = {
    "creator": {"creator_id", "observed_at", "followers_count"},
    "videos": {"creator_id", "video_id", "create_time", "observed_at", "video_views", "likes"},
    "daily_stats": {"creator_id", "date", "followers_count", "video_views", "likes"},
    "engagements": {"creator_id", "account_id", "action", "event_time", "comment_text"},
    "accounts": {"account_id", "observed_at", "created_at", "followers_count"},
    "labels": {"creator_id", "account_id", "is_fake", "known_at", "period_start"},
}


def fitting(table: str) -> st.SearchStrategy[dict[str, Any]]:
    """Rows of a table with its own columns, in which anything may stand."""
    return row.map(lambda values: {name: value for name, value in values.items() if name in FITTING[table]})


record = st.fixed_dictionaries(
    {"creator": fitting("creator").map(lambda values: {"creator_id": "new"} | values)},
    optional={
        name: st.lists(fitting(name), max_size=3) for name in ("videos", "daily_stats", "engagements", "accounts")
    },
)
level = st.fixed_dictionaries(
    {"risk_level": st.sampled_from(["LOW", "HIGH", "CRITICAL"])},
    optional={"min_risk_score": st.integers(-1, 1001), "recommended_action": st.sampled_from(["ALLOW", "BLOCK"])},
)
policy = st.fixed_dictionaries({"levels": st.lists(level, max_size=3)})
OF_FRAUD = st.one_of(
    st.tuples(st.just("score"), st.fixed_dictionaries({"records": st.lists(record, max_size=2)})),
    st.tuples(st.just("labels"), st.fixed_dictionaries({"labels": st.lists(fitting("labels"), max_size=3)})),
    st.tuples(st.just("queue"), st.fixed_dictionaries({}, optional={"limit": st.integers(0, 5), "policy": policy})),
    st.tuples(
        st.just("policies/simulate"), st.fixed_dictionaries({}, optional={"from": days, "to": days, "policy": policy})
    ),
)
