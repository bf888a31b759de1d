"""Places for creators of whom little is known yet, so that somebody finds out.

A new creator's probability of success is a Beta posterior: the success model's estimate for this brief, worth a few
jobs, and the creator's own ended ones. Thompson sampling (Thompson, 1933) ranks by a draw from it; the optimistic form
(May, Korda, Lee and Leslie, 2012) counts a draw only where it is above the mean, so that exploring never hurts whom it
is for.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.collaborations import collaborations
from features.creators import PRIOR_JOBS

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
FEW_JOBS = PRIOR_JOBS  # with fewer, a creator's rates are still more pseudo-jobs than own ones
STRENGTH = PRIOR_JOBS  # the jobs that the model's estimate is worth, as those rates have it; it reads some of them, too
UNINFORMED = 0.5  # the estimate of a release without a success model
# One place in so many is a new creator's, if there is one: two of a page of twenty, so that a page is never without
# one and never about them. A judgement, not a measurement.
FLOOR_ONE_IN = 10
IRRELEVANT = ("brief", "seed", "explain")  # to the seed made of a request: the brief is read as a row


def seed_of(request: Mapping[str, Any], brief: pd.Series) -> int:
    """The request's seed, else one made of what it and its ``brief`` row ask for, the same from a file as over HTTP."""
    if request.get("seed") is not None:
        return int(request["seed"])
    asked = {name: value for name, value in request.items() if name not in IRRELEVANT}
    content = _plain(asked | {"brief": brief.drop(c.CREATED_AT).to_dict()})
    return int.from_bytes(hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()[:8], "big")


def record(events: pd.DataFrame, ids: pd.Index) -> tuple[Values, Values]:
    """(k,) jobs completed and (k,) jobs failed of each of the creators ``ids``, from the ledger's events."""
    jobs = collaborations(events[events[c.CREATOR_ID].isin(ids)])
    failed = jobs["failed_at"].notna()
    counts = (jobs.loc[rows, c.CREATOR_ID].value_counts() for rows in (jobs["completed_at"].notna() & ~failed, failed))
    completed, broken = (count.reindex(ids, fill_value=0).to_numpy(np.float64) for count in counts)
    return completed, broken


def bonuses(success: Values, completed: Values, failed: Values, rng: np.random.Generator) -> Values:
    """(k,) how far a draw from each creator's posterior is above its mean, 0 where it is below.

    ``success`` (k,) are the model's estimates (NaN: none), ``completed`` and ``failed`` (k,) the creators' own jobs.
    """
    prior = np.clip(np.nan_to_num(success, nan=UNINFORMED), 0.01, 0.99)  # a Beta's parameters are above 0
    wins, losses = STRENGTH * prior + completed, STRENGTH * (1 - prior) + failed
    return np.maximum(rng.beta(wins, losses) - wins / (wins + losses), 0.0)


def floor_places(places: int, rng: np.random.Generator) -> int:
    """How many of ``places`` are kept for new creators: one in ten, in the mean of many requests where that is none."""
    whole, rest = divmod(places, FLOOR_ONE_IN)
    return whole + int(rng.random() < rest / FLOOR_ONE_IN)


def with_floor(order: Rows, new: Flags, places: int, floor: int, fixed: int = 0) -> Rows:
    """The first ``places`` of ``order`` (k,), with at least ``floor`` of the ``new`` (n,) ones if there are so many.

    Those who are missing take the last places, from the last who are neither new nor among the ``fixed`` first.
    """
    shown, rest = order[:places], order[places:]
    missing = max(floor - int(new[shown].sum()), 0)
    giving = fixed + np.flatnonzero(~new[shown[fixed:]])
    coming = rest[new[rest]][: min(missing, len(giving))]
    return np.concatenate([np.delete(shown, giving[len(giving) - len(coming) :]), coming])


def _plain(value: Any) -> Any:
    """JSON in which equal requests are equal: numbers are floats, unknowns are left out."""
    if isinstance(value, Mapping):
        known = {str(name): _plain(one) for name, one in value.items()}
        return {name: one for name, one in known.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, bool | str):
        return value
    return None if pd.isna(value) else float(value)
