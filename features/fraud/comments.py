"""What the comments say, or fail to say."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.window import Values, Window

SHORT = 4  # letters; "nice" is as long as a comment gets without content
_LINK = r"https?://|www\.|\.com\b"


def comment_duplicates(window: Window) -> Values:
    """Share of comments whose words appear under the same creator more than once."""
    words = plain(_texts(window))
    repeated = words.groupby([window.engagements["row"], words]).transform("size") > 1
    return _share(window, repeated)


def comment_short(window: Window) -> Values:
    """Share of comments with at most four letters: emoji, or a word that fits everywhere."""
    return _share(window, letters(_texts(window)) <= SHORT)


def comment_links(window: Window) -> Values:
    """Share of comments with a link."""
    return _share(window, is_link(_texts(window)))


def comment_length(window: Window) -> Values:
    """Median length of a comment in characters, as a logarithm."""
    return np.log1p(window.of_events(_texts(window).str.len(), "median"))


def plain(texts: pd.Series) -> pd.Series:
    """The words alone, in small letters."""
    return texts.str.lower().str.replace(r"\W+", " ", regex=True).str.strip()


def letters(texts: pd.Series) -> pd.Series:
    """How many letters and digits."""
    return texts.str.count(r"\w")


def is_link(texts: pd.Series) -> pd.Series:
    """Whether there is a link."""
    return texts.str.contains(_LINK, regex=True)


def _texts(window: Window) -> pd.Series:
    return window.engagements[c.COMMENT_TEXT]


def _share(window: Window, flags: pd.Series) -> Values:
    return window.of_events(flags.astype("float64").where(_texts(window).notna()), "mean")


FEATURES = (comment_duplicates, comment_short, comment_links, comment_length)
