"""What is seen of comments: hand-made values, and gaps where there are no others to compare with."""

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.comments import ALONE, COMMENT_FEATURES, TOGETHER, Comments, comment_features, marked, plain
from features.schema import ENGAGEMENTS, conform

SPAM = "check out my channel"


def comments(*texts: str | None, video: str | None = "v", minutes: list[float] | None = None) -> Comments:
    rows = pd.DataFrame({c.COMMENT_TEXT: list(texts)}).astype("str").where(pd.Series(texts).notna())
    rows[c.VIDEO_ID] = video
    if minutes is not None:
        rows[c.EVENT_TIME] = pd.Timestamp("2025-01-01") + pd.to_timedelta(minutes, unit="min")
    return Comments(conform(rows, ENGAGEMENTS))


def features(*texts: str | None, **rest: object) -> pd.DataFrame:
    return comment_features(comments(*texts, **rest))


def test_markup_is_taken_off_and_links_are_announced() -> None:
    assert plain("it&#39;s<br />great\ufeff") == "it's great"
    assert marked("see www.a.com/x now").split() == ["see", "linkmark", "www.a.com/x", "now"]
    assert marked('<a href="http://y.com/watch?v=1&amp;t=2m19s">2:19</a> best').split() == ["momentmark", "best"]


def test_values_of_single_comments_by_hand() -> None:
    found = features("AB cd 12 cd", "http://a.b/c and spam.com", "at 2:19!", "@you #tag", "😂😂", "", None)
    assert found["length"].tolist() == pytest.approx(np.log1p([11, 25, 8, 9, 2, 0, 0]))
    assert found.loc[0, ["capitals", "digits", "punctuation", "distinct_words"]].tolist() == pytest.approx(
        [2 / 11, 2 / 11, 0, 3 / 4]
    )
    assert found["links"].tolist() == pytest.approx(np.log1p([0, 2, 0, 0, 0, 0, 0]))
    assert found["moments"].tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert found["mentions"].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert found["emoji_only"].tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert np.isnan(found.loc[4, "distinct_words"])


def test_copies_and_templates_are_counted_under_the_video() -> None:
    found = features(SPAM, SPAM + "!", "check out my song", "one two three", "nice", "what a day")
    assert found["copies"].tolist() == pytest.approx(np.log1p([1, 1, 0, 0, 0, 0]))
    assert found["template"].tolist() == pytest.approx(np.log(np.array([3, 3, 3, 1, 1, 1]) / 6))


def test_a_burst_is_measured_by_what_is_usual_there() -> None:
    found = features(*"abcdef", minutes=[0, 10, 20, 100, 200, 300])
    assert found["burst"].tolist() == pytest.approx(np.log(np.array([3, 3, 3, 1, 1, 1]) / 2))


@pytest.mark.parametrize("given", [{"texts": [SPAM] * 4}, {"texts": [SPAM] * 9, "video": None}])
def test_without_others_nothing_is_said_of_them(given: dict[str, object]) -> None:
    found = features(*given["texts"], video=given.get("video", "v"))
    assert found[[feature.__name__ for feature in TOGETHER]].isna().all(axis=None)
    assert found[[feature.__name__ for feature in ALONE]].notna().all(axis=None)


def test_other_videos_and_the_order_change_nothing_and_the_rows_stay() -> None:
    mine, others = [SPAM, SPAM, "a b c", "d", "e"], [SPAM, "a b c", "x", "y", "z"]
    rows = pd.concat([comments(*mine).rows, comments(*others, video="w").rows], ignore_index=True)
    before = rows.copy()
    together = comment_features(Comments(rows))
    pd.testing.assert_frame_equal(rows, before)
    pd.testing.assert_frame_equal(together.head(5), features(*mine))
    turned = comment_features(Comments(rows[::-1].reset_index(drop=True)))
    pd.testing.assert_frame_equal(turned[::-1].reset_index(drop=True), together)
    assert list(together) == list(COMMENT_FEATURES)


@pytest.mark.parametrize(
    "text", ["<" * 20_000, "<a " * 7000, "a-" * 10_000, "www." * 5000, "a." * 10_000, "@#" * 10_000]
)
def test_no_text_takes_long(text: str) -> None:
    assert len(features(*[text] * 20)) == 20
