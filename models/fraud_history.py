"""What fraud models said in the past, each knowing only the labels of its time; kept beside the model of today."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c

FILE = "past_scores.npz"
MOST_DATES = 12  # the latest; 100,000 creators are then 7 MB and their ids
UNKNOWN = -1


@dataclass(frozen=True)
class PastScores:
    """Of n creators on d dates (rising): ``probability`` (d, n) float32, NaN where there was none, and ``risk_score``
    (d, n) int16, :data:`UNKNOWN` there, by the false-positive rates of each date's own model."""

    dates: pd.DatetimeIndex
    ids: pd.Index
    probability: npt.NDArray[np.float32]
    risk_score: npt.NDArray[np.int16]

    @classmethod
    def of(cls, scores: pd.DataFrame) -> "PastScores | None":
        """Of the rows that :func:`models.fraud.walk_forward` makes; None where there are none."""
        if scores.empty:
            return None
        by_date = scores.pivot(index="as_of", columns=c.CREATOR_ID).sort_index().tail(MOST_DATES)
        return cls(
            dates=pd.DatetimeIndex(by_date.index),
            ids=by_date["risk_score"].columns,
            probability=by_date["fraud_probability"].to_numpy(np.float32),
            risk_score=by_date["risk_score"].fillna(UNKNOWN).to_numpy(np.int16),
        )

    def of_creators(self, ids: pd.Index) -> "PastScores":
        """Those of the creators ``ids`` alone."""
        there = self.ids.isin(ids)
        return replace(
            self, ids=self.ids[there], probability=self.probability[:, there], risk_score=self.risk_score[:, there]
        )

    def at(self, date: pd.Timestamp) -> pd.DataFrame:
        """``fraud_probability`` and ``risk_score`` of those who had one on one of the dates, by creator_id."""
        row = self.dates.get_loc(date)
        scores = {"fraud_probability": self.probability[row], "risk_score": self.risk_score[row].astype(np.float64)}
        return pd.DataFrame(scores, index=self.ids)[self.risk_score[row] != UNKNOWN]

    def save(self, folder: Path) -> None:
        """Writes :data:`FILE`."""
        np.savez_compressed(
            folder / FILE,
            dates=self.dates.to_numpy("datetime64[us]"),
            ids=self.ids.to_numpy("str"),
            probability=self.probability,
            risk_score=self.risk_score,
        )

    @classmethod
    def load(cls, folder: Path) -> "PastScores | None":
        """Reads what :meth:`save` wrote; None where nothing is."""
        if not (folder / FILE).is_file():
            return None
        with np.load(folder / FILE, allow_pickle=False) as kept:
            ids = pd.Index(kept["ids"], dtype="str", name=c.CREATOR_ID)
            return cls(pd.DatetimeIndex(kept["dates"]), ids, kept["probability"], kept["risk_score"])
