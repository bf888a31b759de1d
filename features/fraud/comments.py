"""What the comments say, or fail to say."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.window import Values, Window

SHORT = 4  # letters; "nice" is as long as a comment gets without content
_LINK = r"https?://|www\.|\.com\b"


def comment_duplicates(window: Window) -> Values:
    """Share of comments whose words appear under the same creator more than once."""
    plain = _texts(window).str.lower().str.replace(r"\W+", " ", regex=True).str.strip()
    repeated = plain.groupby([window.engagements["row"], plain]).transform("size") > 1
    return _share(window, repeated)


def comment_short(window: Window) -> Values:
    """Share of comments with at most four letters: emoji, or a word that fits everywhere."""
    return _share(window, _texts(window).str.count(r"\w") <= SHORT)


def comment_links(window: Window) -> Values:
    """Share of comments with a link."""
    return _share(window, _texts(window).str.contains(_LINK, regex=True))


def comment_length(window: Window) -> Values:
    """Median length of a comment in characters, as a logarithm."""
    return np.log1p(window.of_events(_texts(window).str.len(), "median"))


def _texts(window: Window) -> pd.Series:
    return window.engagements[c.COMMENT_TEXT]


def _share(window: Window, flags: pd.Series) -> Values:
    return window.of_events(flags.astype("float64").where(_texts(window).notna()), "mean")


FEATURES = (comment_duplicates, comment_short, comment_links, comment_length)
