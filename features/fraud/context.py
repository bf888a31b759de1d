"""Who a creator's peers are: of its size, country and main format. The model's benchmarks are learned over them."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.window import Values, Window


def log_followers(window: Window) -> Values:
    """log(1 + followers), as the profile gives them, else as the statistics did at most."""
    counted = pd.DataFrame(window.followers.T).max().to_numpy(np.float64)
    stated = _profile(window)[c.FOLLOWERS_COUNT].to_numpy(np.float64)
    return np.log1p(np.where(np.isnan(stated), counted, stated))


def home_country(window: Window) -> "pd.Series[str]":
    """Where the creator is."""
    return _profile(window)[c.COUNTRY_CODE]


def main_format(window: Window) -> "pd.Series[str]":
    """The first of the formats that the creator makes."""
    return _profile(window)[c.CONTENT_FORMATS].str[0].astype("str")


def _profile(window: Window) -> pd.DataFrame:
    creators = window.tables["creators"].drop_duplicates(c.CREATOR_ID, keep="last")
    return creators.set_index(c.CREATOR_ID).reindex(window.ids)


COLUMNS = (log_followers, home_country, main_format)
