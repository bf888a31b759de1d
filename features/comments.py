"""What the comment model sees of a comment beside its words and its meaning: one small function a column.

The first ones read the comment alone, the others the comments under the same video that are given with it; they are
null where those are few. Who wrote a comment is not read.
"""

import html
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.duplicates import Ints, clusters, shingles, signatures
from features.lexical import BUCKETS, term_counts, words
from features.text import LONGEST

Values = npt.NDArray[np.float64]
FEWEST = 5  # comments under a video to say anything of them together
HALF_HOUR = np.timedelta64(30, "m")
PHRASE = 3  # words
# Every repetition is bounded, so that no text takes quadratic time.
_TAG = re.compile(r"<[^<>]{0,500}>")
_MOMENT = re.compile(r"<a\s[^<>]{0,200}[?&;]t=[^<>]{0,50}>[^<]{0,50}</a>|\b\d{1,2}:\d\d\b")
_LINK = re.compile(
    r"https?://\S+|www\.\S+|\b[\w-]{1,63}\.(?:com|net|org|info|biz|tv|co|me|ly|be|io|ru|cn)\b\S*", re.IGNORECASE
)


@dataclass(frozen=True)
class Comments:
    """``rows``: the columns video_id, event_time and comment_text of n comments, given together."""

    rows: pd.DataFrame

    @cached_property
    def raw(self) -> "pd.Series[str]":
        """The first LONGEST characters of the texts as they are written; a missing one is empty."""
        return self.rows[c.COMMENT_TEXT].fillna("").str[:LONGEST].reset_index(drop=True)

    @cached_property
    def texts(self) -> "pd.Series[str]":
        """The texts as they are read: without markup."""
        return self.raw.map(plain).astype("str")

    @cached_property
    def size(self) -> Values:
        """Characters, at least 1."""
        return self.texts.str.len().clip(lower=1).to_numpy(np.float64)

    @cached_property
    def video(self) -> Ints:
        """A number for each video; -1 where it is not known."""
        return pd.factorize(self.rows[c.VIDEO_ID])[0].astype(np.int64)

    @cached_property
    def under_video(self) -> Values:
        """How many comments are given under the same video; null below FEWEST."""
        counts = np.bincount(self.video + 1)[self.video + 1].astype(np.float64)
        return np.where((self.video >= 0) & (counts >= FEWEST), counts, np.nan)

    @cached_property
    def clusters(self) -> Ints:
        """The cluster of near-duplicates among all that are given; -1 for none."""
        return clusters(signatures(term_counts(list(self.texts), shingles)))


def plain(text: str) -> str:
    """The text without tags, with entities as characters."""
    return html.unescape(_TAG.sub(" ", text)).replace("\ufeff", " ").strip()


def marked(text: str) -> str:
    """The text for the words model: links to a moment of the video and other links are announced by a word."""
    return _LINK.sub(lambda link: f" linkmark {link[0]} ", plain(_MOMENT.sub(" momentmark ", text)))


def terms(text: str) -> list[str]:
    """Words and pairs of words of the marked text."""
    return shingles(marked(text))


def length(comments: Comments) -> Values:
    """log(1 + characters)."""
    return np.log1p(comments.texts.str.len().to_numpy(np.float64))


def word_count(comments: Comments) -> Values:
    """log(1 + words)."""
    return np.log1p(_count(comments, r"\w+"))


def capitals(comments: Comments) -> Values:
    """Share of capital letters."""
    return comments.texts.map(lambda text: sum(map(str.isupper, text))).to_numpy(np.float64) / comments.size


def punctuation(comments: Comments) -> Values:
    """Share of signs that are neither letter, digit nor space."""
    return _count(comments, r"[^\w\s]") / comments.size


def digits(comments: Comments) -> Values:
    """Share of digits."""
    return _count(comments, r"\d") / comments.size


def links(comments: Comments) -> Values:
    """log(1 + links), those to a moment of a video apart."""
    counts = comments.raw.map(lambda text: len(_LINK.findall(plain(_MOMENT.sub(" ", text)))))
    return np.log1p(counts.to_numpy(np.float64))


def moments(comments: Comments) -> Values:
    """1 where a moment of the video is named, which only a viewer knows."""
    return comments.raw.str.contains(_MOMENT).to_numpy(np.float64)


def mentions(comments: Comments) -> Values:
    """1 with an @name or a #tag."""
    return comments.texts.str.contains(r"[@#]\w").to_numpy(np.float64)


def emoji_only(comments: Comments) -> Values:
    """1 where there is something, but neither letter nor digit."""
    return ((_count(comments, r"\w") == 0) & (comments.texts != "").to_numpy()).astype(np.float64)


def distinct_words(comments: Comments) -> Values:
    """Distinct words per word; null without any."""
    found = [words(text) for text in comments.texts]
    return np.array([len(set(one)) / len(one) if one else np.nan for one in found], dtype=np.float64)


def copies(comments: Comments) -> Values:
    """log(1 + near-duplicates under the same video)."""
    together = pd.DataFrame({"video": comments.video, "cluster": comments.clusters})
    others = together.groupby(["video", "cluster"])["video"].transform("size").to_numpy(np.float64) - 1
    found = np.where(comments.clusters >= 0, np.log1p(others), 0.0)
    return np.where(np.isnan(comments.under_video), np.nan, found)


def template(comments: Comments) -> Values:
    """log of the share of the video's comments that hold this one's most common phrase of three words."""
    counts = term_counts(list(comments.texts), _phrases)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    key = comments.video[rows] * BUCKETS + counts.indices
    _, place, often = np.unique(key, return_inverse=True, return_counts=True)
    most = np.ones(counts.shape[0])
    np.maximum.at(most, rows, often[place])
    return np.log(most / comments.under_video)


def burst(comments: Comments) -> Values:
    """log of the comments under the video within half an hour on either side, over that video's median."""
    frame = pd.DataFrame({"video": comments.video, "time": comments.rows[c.EVENT_TIME].to_numpy()})
    near = frame.groupby("video")["time"].transform(_within_the_hour)
    usual = near.groupby(frame["video"]).transform("median")
    return np.where(np.isnan(comments.under_video), np.nan, np.log(near / usual))


ALONE = (
    length, word_count, capitals, punctuation, digits, links, moments, mentions, emoji_only, distinct_words,
)  # fmt: skip
TOGETHER = (copies, template, burst)
COMMENT_FEATURES = tuple(feature.__name__ for feature in (*ALONE, *TOGETHER))


def comment_features(comments: Comments) -> pd.DataFrame:
    """COMMENT_FEATURES, float64, a row for each comment in order; unknown is NaN."""
    return pd.DataFrame({feature.__name__: feature(comments) for feature in (*ALONE, *TOGETHER)})


def _count(comments: Comments, pattern: str) -> Values:
    return comments.texts.str.count(pattern).to_numpy(np.float64)


def _phrases(text: str) -> list[str]:
    found = words(text)
    return [" ".join(found[i : i + PHRASE]) for i in range(max(1, len(found) - PHRASE + 1))] if found else []


def _within_the_hour(times: pd.Series) -> pd.Series:
    """How many of ``times`` lie within half an hour of each; null where it is not known."""
    known = np.sort(times.dropna().to_numpy())
    values = times.to_numpy()
    upper = np.searchsorted(known, values + HALF_HOUR, side="right")
    count = upper - np.searchsorted(known, values - HALF_HOUR, side="left")
    return pd.Series(count, index=times.index, dtype="float64").where(times.notna())
