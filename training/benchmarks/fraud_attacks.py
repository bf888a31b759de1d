"""Fraud of a kind that the model has not seen, and attackers who adapt, on unseen markets of world-1.

Leave one attack out: the model learns without all who ever had such a campaign, and is tested on those whose only fraud
it was. Adapting: the model of the ordinary market is tested on one where the same creators' attackers do otherwise.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.schema import Tables
from models.fraud import FraudModel, fit_fraud
from training import simulate as simulation
from training.benchmarks.fraud import SEEDS, SIZE, Market, cutoff, market
from training.benchmarks.fraud_adapted import ATTACKS, Attack, human_hours, plot
from training.evaluation.fraud import MONTH, TEST_MONTHS, Truth, fpr_threshold, judged, observed
from training.evaluation.fraud_groups import GUILTY

WORLD = "world-1"
PLOT = "fraud-attacks.png"


def run(data: Path, _: Path) -> dict[str, object]:
    """Simulates the ordinary markets into the folder ``data`` (those already there stay). Recall at 1 % of false
    positives, means and standard deviations over markets; draws the second part as ``data``/fraud-attacks.png."""
    unseen, adapted = [], []
    for seed in tqdm(SEEDS[WORLD], "markets"):
        ordinary = market(data, WORLD, seed)
        model = fitted(ordinary[0], seed)
        rows = month_ends(model, ordinary)
        unseen.append(left_out(ordinary, judged(model, rows), seed))
        adapted.append(adapting(model, rows, seed))
    recalls = over_markets(pd.concat(unseen), ["scenario"])
    curves = over_markets(pd.concat(adapted), ["attack", "cost"])
    (data / PLOT).write_bytes(plot(curves))
    share = recalls["unseen"] / recalls["seen"]
    return {"left_out": recalls.assign(share=share).to_dict("records"), "adapting": curves.to_dict("records")}


def month_ends(model: FraudModel, found: Market) -> pd.DataFrame:
    """What ``model`` reads of each creator of the market at the two month ends after the cutoff."""
    tables, truth = found
    until = cutoff(tables)
    return observed(model, tables, truth, until, [until + month * MONTH for month in range(1, TEST_MONTHS + 1)])


def fitted(tables: Tables, seed: int) -> FraudModel:
    """The model of the labels known by the cutoff."""
    return fit_fraud(tables, label_known_by=cutoff(tables), rng=np.random.default_rng(seed))


def left_out(found: Market, seen: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row for each scenario: recall of the model that saw it (``seen``: the rows with its scores) and of one that
    learned without it, from the same labels of accounts."""
    tables, truth = found
    rows = []
    for kind in GUILTY:
        blind = judged(fitted(without(tables, truth, kind), seed), seen)
        rows.append({"scenario": kind, "seen": recall(seen, (kind,)), "unseen": recall(blind, (kind,))})
        rows[-1]["guilty"] = int(alone(seen, (kind,)).sum())
    return pd.DataFrame(rows)


def without(tables: Tables, truth: Truth, kind: str) -> Tables:
    """The tables without the labels, and without the rows, of all creators who ever had such a campaign."""
    campaigns = truth["campaigns"]
    had = campaigns.loc[campaigns[c.FRAUD_TYPE] == kind, c.CREATOR_ID]
    rest = {name: tables[name][~tables[name][c.CREATOR_ID].isin(had)] for name in ("creators", "fraud_labels")}
    return {**tables, **rest}


def adapting(model: FraudModel, ordinary: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row for each attack: the recall of ``model`` on a market of such attackers, among the kinds that adapted, and
    how many of them still are fraud by the target; cost 1 is the ``ordinary`` market."""
    usual = judged(model, ordinary)
    rows = [_found(usual, Attack(name, 1, kinds)) for name, kinds in {one.name: one.kinds for one in ATTACKS}.items()]
    markets = ((attack, month_ends(model, attacked(attack, seed))) for attack in tqdm(ATTACKS, "attacks", leave=False))
    return pd.DataFrame([*rows, *(_found(judged(model, found), attack) for attack, found in markets)])


def attacked(attack: Attack, seed: int) -> Market:
    """The market of that seed, had its attackers adapted."""
    rng = np.random.default_rng(seed)
    made = simulation.simulate(attack.world, **SIZE, rng=rng)
    return human_hours(made.tables, made.truth, attack.human, rng), made.truth


def _found(rows: pd.DataFrame, attack: Attack) -> dict[str, object]:
    found = {"recall": recall(rows, attack.kinds), "guilty": int(alone(rows, attack.kinds).sum())}
    return {"attack": attack.name, "cost": float(attack.cost)} | found


def recall(rows: pd.DataFrame, kinds: tuple[str, ...]) -> float:
    """Share of :func:`alone` above the score that one in a hundred of the innocent reaches."""
    return float((rows["score"] > fpr_threshold(rows))[alone(rows, kinds)].mean())


def alone(rows: pd.DataFrame, kinds: tuple[str, ...]) -> "pd.Series[bool]":
    """The guilty whose only fraud in the 90 days before was of these kinds."""
    others = [kind for kind in GUILTY if kind not in kinds]
    return (rows["target"] == 1) & rows[[*kinds]].any(axis=1) & ~rows[others].any(axis=1)


def over_markets(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Means of the other columns, and their standard deviations as columns ``…_sd``, in the order of ``rows``."""
    groups = rows.groupby(by, sort=False)
    return groups.mean().join(groups.std().add_suffix("_sd")).reset_index()
