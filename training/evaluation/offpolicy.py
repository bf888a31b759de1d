"""What another ranking of the same creators would have brought, from a log whose order was partly left to chance.

Only policies that re-rank the *logged support* can be judged: a log that shuffles its list in blocks of m places says
what each creator of a block brings at each of its m places, and nothing of other creators or places. A policy is a
score per logged creator; within every block it puts the highest score first. Given who was shown in a block, each of
its orders was equally likely, so a creator stood at the policy's place with probability 1 / m, whether the old ranking
or exploration had chosen it. An outcome must depend on the creator and its own place only (the item-position model of
Li et al., 2018, "Offline evaluation of ranking policies with click models").
"""

from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from models.measures import Interval
from training.evaluation.cases import ANSWERED
from training.examples import GRADES, POSITIVE

Values = npt.NDArray[np.float64]
LEAST = 100.0  # effective rows
DRAWS = 1000
THIRDS = 3
RANKING, BLOCK = "ranking", "block"
SCORE = "score_"


class Estimate(TypedDict):
    """Reward per brief under the policy by three estimators, on how much evidence; ``logged`` is the log's own."""

    ips: Interval
    snips: Interval
    doubly_robust: Interval
    logged: Interval
    effective_sample_size: float
    rows: int
    briefs: int


def block_size(propensity: Values) -> int:
    """m of a log that shows its own choice shuffled in blocks of m and gives some places to explored creators.

    Its own rows carry the commonest propensity, (1 − explored) / m, and make up 1 − explored of all rows. Raises
    ValueError where that ratio is no whole number of two or more: then the order was not left to chance in blocks.
    """
    values, counts = np.unique(np.round(propensity, 9), return_counts=True)
    own, share = values[counts.argmax()], counts.max() / max(counts.sum(), 1)
    size = share / own if own > 0 else 0.0
    if round(size) < 2 or abs(size - round(size)) > 0.1 * size:
        raise ValueError(f"propensities of {own:g} on {share:.0%} of the rows are not those of a shuffle in blocks")
    return round(size)


def support(impressions: pd.DataFrame) -> pd.DataFrame:
    """The impressions that can be re-ranked, sorted by ranking and position, with the columns ``ranking``, ``block`` (a
    number of its own for each) and ``propensity``, now given who was shown. Blocks that lack a place are left out.

    Raises ValueError for a log without propensities or in which nothing was shuffled.
    """
    shown = impressions.dropna(subset=[c.PROPENSITY, c.POSITION, c.BRIEF_ID])
    if shown.empty:
        raise ValueError("no impression says with what propensity it was shown")
    size = block_size(shown[c.PROPENSITY].to_numpy(np.float64))
    ranking = shown[c.RANKING_ID].fillna(shown[c.BRIEF_ID])
    block = ranking.astype(str) + "/" + ((shown[c.POSITION] - 1) // size).astype(int).astype(str)
    whole = shown[c.POSITION].groupby(block).transform("nunique") == size
    whole &= shown[c.POSITION].groupby(block).transform("size") == size
    kept = shown.assign(**{RANKING: ranking, BLOCK: pd.factorize(block)[0], c.PROPENSITY: 1 / size})[whole]
    return kept.sort_values([RANKING, c.POSITION], kind="stable").reset_index(drop=True)


def places(shown: pd.DataFrame, scores: Values) -> Values:
    """(r,) where the policy puts each row of ``shown`` (:func:`support`): its block's places by falling score.

    Ties are broken by creator_id, never by the logged order: that would make the policy follow the log's own dice.
    """
    by_score = np.lexsort((shown[c.CREATOR_ID].to_numpy(str), -scores, shown[BLOCK].to_numpy()))
    by_place = np.lexsort((shown[c.POSITION].to_numpy(), shown[BLOCK].to_numpy()))
    target = np.empty(len(shown))
    target[by_score] = shown[c.POSITION].to_numpy(np.float64)[by_place]
    return target


def kish(weights: Values) -> float:
    """(Σ w)² / Σ w²: how many equally weighted rows tell as much (Kish, 1965)."""
    squares = (weights**2).sum()
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0


def estimate(shown: pd.DataFrame, scores: Values, rewards: Values, rng: np.random.Generator) -> Estimate:
    """Mean reward per brief, had ``shown`` (:func:`support`) been ordered by ``scores`` (r,); ``rewards`` (r,) are what
    the log got. Intervals resample briefs.

    - IPS: Σ w r / briefs, w = 1[logged place = policy's place] / propensity (Horvitz and Thompson, 1952);
    - SNIPS: Σ w r / Σ w × rows / briefs (Swaminathan and Joachims, 2015);
    - doubly robust: Σ (q(policy's place) + w (r − q(logged place))) / briefs, q the expected reward
      (:func:`expected_rewards`) (Dudík, Langford and Li, 2011).

    Raises ValueError where the weights amount to fewer than 100 rows (:func:`kish`).
    """
    target = places(shown, scores)
    weights = (target == shown[c.POSITION]).to_numpy() / shown[c.PROPENSITY].to_numpy(np.float64)
    if (size := kish(weights)) < LEAST:
        raise ValueError(f"the log and the policy agree on {size:.0f} effective rows; {LEAST:.0f} are needed")
    at_logged, at_target = expected_rewards(shown, scores, rewards, target)
    rows = {"r": rewards, "w": weights, "wr": weights * rewards, "n": np.ones(len(shown))}
    rows["dr"] = at_target + weights * (rewards - at_logged)
    sums = pd.DataFrame(rows).groupby(shown[c.BRIEF_ID].to_numpy()).sum()
    return _estimate({name: sums[name].to_numpy() for name in rows}, size, rng)


def expected_rewards(shown: pd.DataFrame, scores: Values, rewards: Values, target: Values) -> tuple[Values, Values]:
    """(r,) expected reward of each row at its logged and at its ``target`` place: the mean of the place × the lift of
    the third of the list that its score falls into, both learned from the *other* half of the briefs."""
    half = pd.factorize(shown[c.BRIEF_ID])[0] % 2
    third = _thirds(shown, scores)
    found = np.zeros((2, len(shown)))
    for one in (0, 1):
        learn, use = half != one, half == one
        base = max(rewards[learn].mean(), 1e-12) if learn.any() else 1.0
        by_place = pd.Series(rewards[learn]).groupby(shown[c.POSITION].to_numpy()[learn]).mean()
        lift = pd.Series(rewards[learn]).groupby(third[learn]).mean() / base
        lifts = lift.reindex(third[use]).fillna(1.0).to_numpy()
        for i, at in enumerate((shown[c.POSITION].to_numpy(), target)):
            found[i, use] = by_place.reindex(at[use]).fillna(base).to_numpy() * lifts
    return found[0], found[1]


def _thirds(shown: pd.DataFrame, scores: Values) -> npt.NDArray[np.int64]:
    """(r,) 0 (low), 1 or 2 by score within the ranking."""
    share = pd.Series(scores).groupby(shown[RANKING].to_numpy()).rank(pct=True, method="average")
    return np.minimum(np.ceil(share.to_numpy() * THIRDS), THIRDS).astype(np.int64) - 1


def _estimate(sums: dict[str, Values], size: float, rng: np.random.Generator) -> Estimate:
    """The estimators over sums by brief, each (b,)."""
    briefs = len(sums["n"])
    picks = np.vstack([np.arange(briefs), rng.integers(0, briefs, (DRAWS, briefs))])
    total = {name: values[picks].sum(axis=1) for name, values in sums.items()}
    snips = np.divide(total["wr"], total["w"], out=np.zeros(len(picks)), where=total["w"] > 0) * total["n"] / briefs
    return Estimate(
        ips=_interval(total["wr"] / briefs),
        snips=_interval(snips),
        doubly_robust=_interval(total["dr"] / briefs),
        logged=_interval(total["r"] / briefs),
        effective_sample_size=size,
        rows=int(sums["n"].sum()),
        briefs=briefs,
    )


def _interval(draws: Values) -> Interval:
    """The first of ``draws`` is the estimate itself, the others are of resampled briefs."""
    low, high = np.quantile(draws[1:], [0.025, 0.975])
    return Interval(mean=float(draws[0]), low=float(low), high=float(high))


def offpolicy_figures(logged: pd.DataFrame, end: pd.Timestamp, rng: np.random.Generator) -> dict[str, Any]:
    """Creators wanted (shortlisted or more) per brief, had each method ordered the list: ``policies`` by method, and
    ``refused`` with the reason. ``logged`` are impressions with a column ``score_…`` a method; those younger than
    ANSWERED at ``end`` are left out. Raises ValueError as :func:`support` does."""
    if logged.empty:
        raise ValueError("no impression of a measured brief says with what propensity it was shown")
    shown = support(logged[logged[c.SHOWN_AT] <= end - ANSWERED])
    rewards = (shown[c.OUTCOME].map(GRADES).fillna(0) >= POSITIVE).to_numpy(np.float64)
    found: dict[str, Any] = {"policies": {}, "refused": {}}
    for column in (name for name in shown if name.startswith(SCORE)):
        try:
            scores = shown[column].to_numpy(np.float64)
            found["policies"][column.removeprefix(SCORE)] = estimate(shown, scores, rewards, rng)
        except ValueError as error:
            found["refused"][column.removeprefix(SCORE)] = str(error)
    return found
