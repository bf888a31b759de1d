"""Whom a brand is not offered because they have just worked for its competitor."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from models.catalogue import Catalogue

# A judgement: viewers should not meet one face for two rivals in one month. Contracts often lock a creator up for
# longer, but the ledger does not hold contracts, and a default for every brand had better be a mild one.
WITHIN = pd.Timedelta(days=30)
WORK = ("ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "REVISION_REQUESTED", "CONTENT_APPROVED", "PUBLISHED")


def bound(catalogue: Catalogue, brief: pd.Series) -> npt.NDArray[np.bool_]:
    """(n,) who has worked for a competitor of the brief's brand less than WITHIN ago, as the ledger knows by now.

    A competitor is another brand that has written a brief in the same industry; without brand or industry there are
    none.
    """
    events = catalogue.tables["collaboration_events"]
    late = events[events[c.EVENT_TIME] > catalogue.latest - WITHIN]
    work = late[c.EVENT_TYPE].isin(WORK) & late[c.BRAND_ID].isin(competitors(catalogue.tables["briefs"], brief))
    return np.asarray(catalogue.state.ids.isin(late.loc[work, c.CREATOR_ID].unique()), bool)


def competitors(briefs: pd.DataFrame, brief: pd.Series) -> set[str]:
    """The other brands of the brief's industry, in whatever case it is written."""
    brand, industry = brief[c.BRAND_ID], brief[c.INDUSTRY]
    if not (isinstance(brand, str) and isinstance(industry, str)):
        return set()
    same = briefs[c.INDUSTRY].str.strip().str.casefold() == industry.strip().casefold()
    return set(briefs.loc[same, c.BRAND_ID].dropna()) - {brand}
