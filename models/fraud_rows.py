"""Training rows of the fraud model: reviewed creators at several dates, and how many creators a review stands for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import known
from features.fraud import CONTEXT, FRAUD_FEATURES, fraud_features
from features.fraud.window import SPAN, Judge
from features.fraud_labels import creator_labels, speaking_labels
from features.schema import Tables

Values = npt.NDArray[np.float64]
STEP = pd.Timedelta(days=15)  # between the dates of training rows: the 90 days move on, the label stays
WARM_UP = 2 * STEP  # after the first statistics
READ = [*FRAUD_FEATURES, *CONTEXT]
MINIMUM_LABELS, MINIMUM_EACH = 60, 10


@dataclass(frozen=True)
class Rows:
    """r rows: ``features`` (FRAUD_FEATURES and CONTEXT by creator_id) and ``target`` (r,) 0 or 1.

    ``judged`` are the rows nearest to the moment at which their label became known, one a label: a fake period speaks
    for more dates than a clean one, so only these tell how common fraud is. ``weight`` says for how many creators a
    label stands and ``audited`` whether it was drawn by lot.
    """

    features: pd.DataFrame
    target: Values
    judged: npt.NDArray[np.bool_]
    weight: Values
    audited: npt.NDArray[np.bool_]

    @property
    def enough(self) -> bool:
        """Whether there are MINIMUM_LABELS labels, MINIMUM_EACH of each kind."""
        return self.judged.sum() >= MINIMUM_LABELS and has_both(self.target[self.judged])


def has_both(target: Values) -> bool:
    """Whether there are MINIMUM_EACH of each kind."""
    return bool(min(target.sum(), len(target) - target.sum()) >= MINIMUM_EACH)


def dated_labels(tables: Tables, end: pd.Timestamp) -> pd.DataFrame:
    """The labels of creators that can be learned from: without fraud that was half over before the statistics begin,
    of which the features see too little."""
    labels = creator_labels(tables, end)
    middle = labels[c.PERIOD_START] + (labels[c.PERIOD_END] - labels[c.PERIOD_START]) / 2
    return labels[~((labels[c.IS_FAKE] == 1) & (middle < tables["daily_stats"][c.DATE].min()))]


def training_dates(tables: Tables, labels: pd.DataFrame, until: pd.Timestamp) -> pd.DatetimeIndex:
    """Every 15 days from a month after the first statistics (without any: from the first label) to ``until``; none
    while too few labels are known."""
    if (labels[c.KNOWN_AT] <= until).sum() < MINIMUM_LABELS:
        return pd.DatetimeIndex([])
    first = tables["daily_stats"][c.DATE].min() + WARM_UP
    first = labels[c.KNOWN_AT].min() if pd.isna(first) else first
    return pd.date_range(first.floor("D"), until, freq=STEP)


def feature_frame(
    tables: Tables, labels: pd.DataFrame, date: pd.Timestamp, end: pd.Timestamp, judge: Judge | None
) -> pd.DataFrame:
    """The features at ``date`` of all creators who have a label at some time; ``judge`` must have seen only labels of
    accounts known by then."""
    seen = known(tables, date, end)
    creators = seen["creators"][c.CREATOR_ID].drop_duplicates()
    labelled = pd.Index(creators[creators.isin(labels[c.CREATOR_ID])], name=c.CREATOR_ID)
    return fraud_features(seen, date, labelled, judge)


def training_rows(
    labels: pd.DataFrame, frames: Mapping[pd.Timestamp, pd.DataFrame], known_by: pd.Timestamp, creators: int
) -> Rows:
    """The rows that labels known by then speak for at the dates of ``frames``, in a market of so many creators."""
    parts = [_speaking(labels, frame, date, known_by) for date, frame in frames.items()]
    rows = pd.concat(parts) if parts else pd.DataFrame(columns=["label", "gap", c.IS_FAKE, c.SAMPLED, *READ])
    nearest = (rows["gap"] == rows.groupby("label")["gap"].transform("min")) & ~rows.duplicated(["label", "gap"])
    judged = nearest.to_numpy(bool)
    return Rows(
        features=rows[READ],
        target=rows[c.IS_FAKE].to_numpy(np.float64),
        judged=judged,
        weight=_weights(rows, judged, creators),
        audited=(rows[c.SAMPLED] == "RANDOM").to_numpy(bool),
    )


def _speaking(labels: pd.DataFrame, frame: pd.DataFrame, date: pd.Timestamp, known_by: pd.Timestamp) -> pd.DataFrame:
    spoken = speaking_labels(labels, date, known_by)[["label", c.IS_FAKE, c.SAMPLED, c.KNOWN_AT]]
    return frame.join(spoken, how="inner").sort_index().assign(gap=lambda rows: (rows[c.KNOWN_AT] - date).abs())


def _weights(rows: pd.DataFrame, judged: npt.NDArray[np.bool_], creators: int) -> Values:
    """A review from the queue stands for itself, the audits drawn by lot stand for all the rest (post-stratification).

    What they stand for are creators' windows of 90 days between the first and the last label. Without both kinds every
    label weighs 1.
    """
    queued, audited = (((rows[c.SAMPLED] == kind) & judged).sum() for kind in ("QUEUE", "RANDOM"))
    if not queued or not audited:
        return np.ones(len(rows))
    windows = creators * max(1.0, (rows[c.KNOWN_AT].max() - rows[c.KNOWN_AT].min()) / SPAN)
    return np.where(rows[c.SAMPLED] == "RANDOM", max(1.0, (windows - queued) / audited), 1.0)
