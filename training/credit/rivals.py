"""What credit is held against: the figures that marketplaces show, and boosted trees that may read the whole ledger."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from features import columns as c
from features.collaborations import collaborations
from models.credit_factors import CODE, MEASURE, coded, not_undone
from models.gbm import predict, train_booster
from models.measures import wilson
from training.credit.cases import BEGAN

Values = npt.NDArray[np.float64]
DAY = pd.Timedelta(days=1)
FREE = {
    "objective": "binary", "learning_rate": 0.02, "num_leaves": 7, "min_data_in_leaf": 100, "lambda_l2": 10.0,
    "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1,
}  # fmt: skip
"""The best of six settings on later months of the development markets: 15 and 31 leaves overfit."""
ROUNDS = 300


def rules(past: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """By case, from :func:`training.credit.cases.histories`: the mean rating, the share of ended jobs that were
    completed, and the lower Wilson bound of the share completed and not rated below 3. NaN without evidence."""
    done = collaborations(past)
    done["settled"] = done["state"] == "SETTLED"
    done["ended"] = done["settled"] | done["failed_at"].notna()
    done["good"] = done["settled"] & done["failed_at"].isna()
    found = done.groupby(c.CREATOR_ID)
    sums, ratings = found[["settled", "ended", "good"]].sum().reindex(told.index), found[c.RATING].mean()
    jobs = sums["ended"].where(sums["ended"] > 0)
    return pd.DataFrame(
        {
            "star_average": ratings.reindex(told.index),
            "completion_rate": sums["settled"] / jobs,
            "wilson_bound": wilson(sums["good"].to_numpy(np.float64), jobs.to_numpy(np.float64))[0],
        }
    )


def ledger_features(past: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """By case, whatever the ledger holds about the creator: how often each kind of event came, how long ago the last
    did, means and lowest of ratings and assessments, how fast work was delivered, amounts, brands."""
    events = coded(not_undone(past))
    events["age"] = (events[c.CREATOR_ID].map(told[BEGAN]) - events[c.EVENT_TIME]) / DAY
    by = [c.CREATOR_ID, CODE]
    counts = events.groupby(by).size().unstack(fill_value=0).add_prefix("count_")
    ages = events.groupby(by)["age"].min().unstack().add_prefix("age_")
    measures = events.groupby(by)[MEASURE].agg(["mean", "min", "last"]).unstack()
    measures.columns = [f"{code}_{kind}" for kind, code in measures.columns]
    others = events.groupby(c.CREATOR_ID).agg(
        brands=(c.BRAND_ID, "nunique"), amount=(c.AMOUNT, "mean"), events=("age", "size"), oldest=("age", "max"),
        severity=(c.SEVERITY, "sum"),
    )  # fmt: skip
    parts = [counts, ages, measures.dropna(axis=1, how="all"), others, _speeds(events), rules(past, told)]
    return pd.concat([part.reindex(told.index) for part in parts], axis=1)


def _speeds(events: pd.DataFrame) -> pd.DataFrame:
    """By case the mean days between an invitation, its contract and its content, and how much before its due date."""
    kinds = ["INVITED", "ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "PUBLISHED", "SETTLED"]
    key = [c.CREATOR_ID, c.COLLABORATION_ID]
    known = events[events[c.EVENT_TYPE].isin(kinds)]
    at = known.groupby([*key, c.EVENT_TYPE])[c.EVENT_TIME].min().unstack().reindex(columns=kinds)
    due = known.groupby(key)[c.DUE_AT].max()
    days = pd.DataFrame(
        {
            "answering": (at["ACCEPTED"] - at["INVITED"]) / DAY,
            "delivering": (at["CONTENT_SUBMITTED"] - at["CONTRACTED"]) / DAY,
            "publishing": (at["PUBLISHED"] - at["CONTENT_SUBMITTED"]) / DAY,
            "slack": (due - at["CONTENT_SUBMITTED"]) / DAY,
        }
    )
    return days.groupby(level=0).mean()


def trees(x: pd.DataFrame, y: Values, unseen: pd.DataFrame, seed: int = 0) -> Values:
    """(k,) probabilities of ``unseen`` by boosted trees fitted on ``x`` (r, p) and ``y`` (r,), by the columns of x."""
    names = [f"f{place}" for place in range(x.shape[1])]  # codes hold characters that LightGBM refuses
    booster = train_booster(FREE, x.to_numpy(np.float64), y, feature_names=names, rounds=ROUNDS, seed=seed)
    return predict(booster, unseen.reindex(columns=x.columns).to_numpy(np.float64))


def linked(signal: pd.Series, outcomes: pd.Series, unseen: pd.Series) -> Values:
    """(k,) probabilities of ``unseen`` by the logistic curve of ``outcomes`` over ``signal``; where there is no signal
    yet, as of its mean."""
    mean, spread = signal.mean(), max(float(signal.std()), 1e-9)
    x, other = (((values.fillna(mean) - mean) / spread).to_frame() for values in (signal, unseen))
    return np.asarray(LogisticRegression(C=np.inf).fit(x, outcomes).predict_proba(other)[:, 1])
