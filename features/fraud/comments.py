"""What the comments say, or fail to say."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.window import Values, Window

SHORT = 4  # letters; "nice" is as long as a comment gets without content
_LINK = r"https?://|www\.|\.com\b"


def comment_duplicates(window: Window) -> Values:
    """Share of comments whose words appear under the same creator more than once."""
    comments = _comments(window)
    plain = comments[c.COMMENT_TEXT].str.lower().str.replace(r"\W+", " ", regex=True).str.strip()
    repeated = plain.groupby([comments["row"], plain]).transform("size") > 1
    return window.by_creator(repeated.astype(float), "mean", comments["row"])


def comment_short(window: Window) -> Values:
    """Share of comments with at most four letters: emoji, or a word that fits everywhere."""
    comments = _comments(window)
    letters = comments[c.COMMENT_TEXT].str.count(r"\w")
    return window.by_creator((letters <= SHORT).astype(float), "mean", comments["row"])


def comment_links(window: Window) -> Values:
    """Share of comments with a link."""
    comments = _comments(window)
    links = comments[c.COMMENT_TEXT].str.contains(_LINK, regex=True)
    return window.by_creator(links.astype(float), "mean", comments["row"])


def comment_length(window: Window) -> Values:
    """Median length of a comment in characters, as a logarithm."""
    comments = _comments(window)
    return np.log1p(window.by_creator(comments[c.COMMENT_TEXT].str.len(), "median", comments["row"]))


def _comments(window: Window) -> pd.DataFrame:
    return window.engagements[window.engagements[c.COMMENT_TEXT].notna()]


FEATURES = (comment_duplicates, comment_short, comment_links, comment_length)
