"""Whether credit foretells which collaborations succeed, on five simulated markets that no development has seen.

Each collaboration of the last three months whose end can be known is told from the ledger as it was when it began: by
the score, by what marketplaces show instead, and by boosted trees that may read all that the ledger holds about the
creator, fitted on the pasts of all markets together. A score becomes a probability by a logistic curve fitted in the
market's past.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.asof import known_at
from features.schema import COLLABORATION_EVENTS
from features.tables import read_tables
from models.credit import Policy, credit_scores, load_policy
from models.measures import (
    Interval,
    binary_metrics,
    bootstrap_of,
    calibration_error_by_chance,
    reliability,
)
from models.success import WITHIN
from training.benchmarks.markets import simulated
from training.credit.cases import BEGAN, SUCCEEDED, cases, histories
from training.credit.raters import severities
from training.credit.rivals import ledger_features, linked, rules, trees

Values = npt.NDArray[np.float64]
SEEDS = range(41, 46)
SIZE = {"creators": 2000, "briefs": 4000, "days": 360}
LATER = pd.Timedelta(days=90)
SCORE, PLAIN, FREE, TRUTH = "credit", "credit_without_raters", "free_trees", "latent_reliability"
DRAWS = 1000


@dataclass(frozen=True)
class Told:
    """A market's cases: ``past`` and ``later`` are what came of them, ``signals`` what foretold it, ``features`` what
    the ledger holds, each row a case."""

    past: pd.Series
    later: pd.Series
    signals: pd.DataFrame
    features: pd.DataFrame


def run(data: Path, _: Path) -> dict[str, object]:
    """Simulates the markets into the folder ``data`` (those already there stay) and measures each: of every signal the
    mean and standard deviation over markets of its figures, the share of the trees' AUROC above chance that each
    reaches with a bootstrap interval over markets, and the reliability of the score's probabilities."""
    policy = load_policy()
    return figures([told(simulated(data, "world-1", seed, SIZE), policy) for seed in tqdm(SEEDS, "markets")])


def told(folder: Path, policy: Policy) -> Told:
    """The market in ``folder``, of which raters' severities are fitted until the later months begin."""
    events = read_tables(folder)[COLLABORATION_EVENTS.name]
    truth = pd.read_parquet(folder / "truth" / "creators.parquet").set_index(c.CREATOR_ID)["reliability"]
    end = known_at(events, COLLABORATION_EVENTS).max()
    cut = end - WITHIN - LATER
    found = cases(events, end)
    past = histories(events, found)
    debiased = replace(policy, raters=severities(events[known_at(events, COLLABORATION_EVENTS) <= cut]))
    signals = rules(past, found).assign(
        **{
            SCORE: credit_scores(past, debiased, end, found.index)["score"],
            PLAIN: credit_scores(past, policy, end, found.index)["score"],
            TRUTH: found[c.CREATOR_ID].map(truth),
        }
    )
    known, later = found[BEGAN] <= cut - WITHIN, found[BEGAN] > cut
    return Told(found[SUCCEEDED][known], found[SUCCEEDED][later], signals, ledger_features(past, found))


def figures(markets: list[Told]) -> dict[str, object]:
    """See :func:`run`."""
    free = _free(markets)
    chances = [_probabilities(one) | {FREE: free[i]} for i, one in enumerate(markets)]
    by_signal = {
        name: pd.DataFrame(
            [binary_metrics(p[name], one.later.to_numpy()) for p, one in zip(chances, markets, strict=True)]
        )
        for name in chances[0]
    }
    aurocs = pd.DataFrame({name: found["auroc"] for name, found in by_signal.items()})
    shown, outcome = np.concatenate([p[SCORE] for p in chances]), np.concatenate([one.later for one in markets])
    return {
        "mean": {name: found.mean().to_dict() for name, found in by_signal.items()},
        "sd": {name: found.std().to_dict() for name, found in by_signal.items()},
        "auroc": aurocs.to_dict("list"),
        "share_of_free_trees": {name: share(aurocs[name], aurocs[FREE]) for name in aurocs if name != FREE},
        "reliability": reliability(shown, outcome),
        "ece_by_chance": calibration_error_by_chance(shown, np.random.default_rng(0)),
    }


def share(auroc: pd.Series, ceiling: pd.Series) -> Interval:
    """(AUROC − .5) over the ceiling's, of the means over markets, resampled together."""
    above, most = auroc.to_numpy() - 0.5, ceiling.to_numpy() - 0.5
    return bootstrap_of(
        lambda rows: float(above[rows].mean() / most[rows].mean()), np.arange(len(above)), np.random.default_rng(0)
    )


def _free(markets: list[Told]) -> list[Values]:
    """Of each market the trees' probabilities of its later cases."""
    features = pd.concat([one.features.loc[one.past.index] for one in markets])
    outcomes = np.concatenate([one.past for one in markets])
    return [trees(features, outcomes, one.features.loc[one.later.index]) for one in markets]


def _probabilities(one: Told) -> dict[str, Values]:
    """By signal the probabilities of the later cases, by a link fitted on the past ones."""
    past, later = (one.signals.loc[rows.index] for rows in (one.past, one.later))
    return {name: linked(past[name], one.past, later[name]) for name in one.signals}
