"""Whom the fraud model flags, by kind of campaign, by innocent look-alike, and by who the creators are."""

from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from training.parameters import FRAUDS, INNOCENTS

WINDOW = pd.Timedelta(days=90)
UNFAIR = 1.5
DECLARED = 0.5  # of a promotion's days with paid views; creators who promote a little do it on one day in sixteen
UNDECLARED, WEAK, NOTHING = "UNDECLARED_PROMOTION", "WEAK_FRAUD", "NOTHING"
GUILTY = tuple(kind.name for kind in FRAUDS)
INNOCENT = (*(kind.name for kind in INNOCENTS), UNDECLARED)


def campaigns_before(campaigns: pd.DataFrame, daily: pd.DataFrame, as_of: pd.Timestamp, ids: pd.Index) -> pd.DataFrame:
    """For each of ``ids`` and each kind in GUILTY and INNOCENT: had the creator such a campaign in the 90 days before
    ``as_of``? A promotion whose views were not reported as paid is UNDECLARED."""
    near = campaigns[(campaigns[c.PERIOD_START] < as_of) & (campaigns[c.PERIOD_END] >= as_of - WINDOW)]
    secret = near[c.FRAUD_TYPE].eq("PAID_PROMOTION") & ~_declared(near, daily)
    kind = near[c.FRAUD_TYPE].mask(secret, UNDECLARED)
    return pd.DataFrame({name: ids.isin(near.loc[kind == name, c.CREATOR_ID]) for name in (*GUILTY, *INNOCENT)}, ids)


def _declared(near: pd.DataFrame, daily: pd.DataFrame) -> "pd.Series[bool]":
    """Whether views were reported as paid on most days of the campaign."""
    periods = near[[c.CREATOR_ID, c.PERIOD_START, c.PERIOD_END]].reset_index(names="row")
    days = daily[[c.CREATOR_ID, c.DATE, c.PAID_VIDEO_VIEWS]].merge(periods, on=c.CREATOR_ID)
    days = days[(days[c.DATE] >= days[c.PERIOD_START].dt.floor("D")) & (days[c.DATE] <= days[c.PERIOD_END])]
    paid = (days[c.PAID_VIDEO_VIEWS] > 0).groupby(days["row"]).mean()
    return paid.reindex(near.index, fill_value=0.0) > DECLARED


def scenarios(rows: pd.DataFrame, threshold: float) -> dict[str, dict[str, float]]:
    """By kind of campaign in the 90 days before: of the guilty the recall, of the innocent the false-positive rate,
    above ``threshold`` and at the working threshold. Kinds that nobody had are left out."""
    caught = rows.assign(caught=rows["score"] > threshold)
    kinds = {name: caught[rows[name] & (rows["target"] == (name in GUILTY))] for name in (*GUILTY, *INNOCENT)}
    return {
        name: {
            "at_1_percent_fpr": float(part["caught"].mean()),
            "at_working_threshold": float(part["alerted"].mean()),
            "rows": len(part),
        }
        for name, part in kinds.items()
        if len(part)
    }


def false_positives(rows: pd.DataFrame) -> dict[str, Any]:
    """Share of the innocent alerted at the working threshold, over all and by group; ``notable`` are groups above
    UNFAIR times the overall rate by more than chance (99 % binomial, normal approximation).

    Where campaigns are known, ``look_alike`` groups by what looks like fraud: an innocent campaign, WEAK fraud of less
    than a tenth, or NOTHING; who had several counts in each.
    """
    innocent = rows[rows["target"] == 0]
    overall = float(innocent["alerted"].mean())
    groups = {name: _rates(innocent, name, overall) for name in ("size", "country", "language")}
    if {*GUILTY, *INNOCENT} <= set(rows):
        groups["look_alike"] = _rates(_look_alikes(innocent), "look_alike", overall)
    notable = [f"{name}={group}" for name, found in groups.items() for group, rate in found.items() if rate["notable"]]
    return {"overall": overall, "notable": notable} | groups


def _look_alikes(innocent: pd.DataFrame) -> pd.DataFrame:
    had = innocent[[*INNOCENT]].assign(**{WEAK: innocent[[*GUILTY]].any(axis=1)})
    had[NOTHING] = ~had.any(axis=1)
    return pd.concat([innocent[had[name]].assign(look_alike=name) for name in had])


def _rates(innocent: pd.DataFrame, name: str, overall: float) -> dict[str, dict[str, Any]]:
    table = innocent.groupby(name)["alerted"].agg(["mean", "size"])
    bound = UNFAIR * overall + 2.58 * np.sqrt(overall * (1 - overall) / table["size"])
    return {
        str(group): {
            "rate": float(row["mean"]),
            "ratio": float(row["mean"]) / max(overall, 1e-9),
            "rows": int(row["size"]),
            "notable": bool(row["mean"] > bound[group]),
        }
        for group, row in table.iterrows()
    }
