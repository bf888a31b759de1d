"""How severely each brand rates, told apart from whom it rates."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
FEWEST = 3
"""Ratings of a brand before anything is said of it."""
MOST = 1.0
"""Stars; no brand's ratings are moved by more."""
ROUNDS = 100
DECIMALS = 2


def severities(events: pd.DataFrame) -> dict[str, float]:
    """brand_id → by how many stars its ratings lie below what others give for the same work, for a policy's ``raters``.

    ``events`` is a ledger's past. Brands with fewer than FEWEST ratings, or whose severity rounds to 0, are left out.
    """
    rated = events[(events[c.EVENT_TYPE] == "RATED") & events[[c.BRAND_ID, c.RATING]].notna().all(axis=1)]
    if rated.empty:
        return {}
    brand, brands = pd.factorize(rated[c.BRAND_ID], sort=True)
    creator, _ = pd.factorize(rated[c.CREATOR_ID], sort=True)
    severity = (-brand_effects(rated[c.RATING].to_numpy(np.float64), brand, creator)).clip(-MOST, MOST).round(DECIMALS)
    told = (np.bincount(brand) >= FEWEST) & (severity != 0)
    return {str(brands[place]): float(severity[place]) for place in np.flatnonzero(told)}


def brand_effects(rating: Values, brand: Codes, creator: Codes) -> Values:
    """(brands,) effects in stars of the model rating = mean + brand + creator + noise, all normal, from (r,) each.

    Variances are learned with them by EM (Dempster, Laird and Rubin, 1977), factor by factor: a brand with few ratings,
    or whose creators nobody else rated, stays near 0.
    """
    first = float(np.var(rating)) / 3 + 1e-6
    variance, noise = {"brand": first, "creator": first}, first
    codes = {"brand": brand, "creator": creator}
    effect = {name: np.zeros(code.max() + 1) for name, code in codes.items()}
    rest = rating - rating.mean()  # of each rating what mean and effects leave
    for _ in range(ROUNDS):
        unsure = np.zeros(len(rating))
        for name, code in codes.items():
            precision = np.bincount(code) / noise + 1 / variance[name]
            rest += effect[name][code]
            effect[name] = np.bincount(code, rest) / noise / precision
            rest -= effect[name][code]
            variance[name] = float(np.mean(effect[name] ** 2 + 1 / precision))
            unsure += (1 / precision)[code]
        rest -= rest.mean()
        noise = float(np.mean(rest**2 + unsure)) + 1e-9
    return effect["brand"]
