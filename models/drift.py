"""Do rankers still read what they read when they were trained? The population stability index of each of their inputs.

PSI = Σ (q − p) ln(q / p) over the bins of a feature, with p and q the shares of rows in a bin then and now: the
symmetric Kullback–Leibler divergence of two histograms (Siddiqi, Credit Risk Scorecards, 2006). By convention below 0.1
nothing has changed, above 0.25 something has. Bins are tenths of the rows then, and one for the unknown.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]
FILE = "inputs.json"
TENTHS = np.linspace(0.1, 0.9, 9)
ROWS = 4
LEAST = 1e-3  # share of a bin that nobody fell into; the logarithm would be infinite


@dataclass(frozen=True)
class Inputs:
    """What features looked like when a model was trained: name → ``edges`` (e,) between bins, ascending, fewer than
    nine where values tie, and ``shares`` (e + 2,) of the rows in each bin, the last one being the unknown."""

    edges: dict[str, Values]
    shares: dict[str, Values]

    @classmethod
    def of(cls, pairs: pd.DataFrame) -> "Inputs":
        """The inputs in ``pairs`` (r, p), r > 0."""
        edges = {str(name): _edges(pairs[name].to_numpy(np.float64)) for name in pairs}
        return cls(edges, {name: _shares(pairs[name].to_numpy(np.float64), edges[name]) for name in edges})

    def stability(self, pairs: pd.DataFrame) -> dict[str, float]:
        """Each feature's PSI in ``pairs`` (r, p), r > 0, which may have other columns too."""
        now = {name: _shares(pairs[name].to_numpy(np.float64), edges) for name, edges in self.edges.items()}
        return {name: psi(self.shares[name], shares) for name, shares in now.items()}

    def save(self, folder: Path) -> None:
        """Writes ``inputs.json`` into a model's folder."""
        told = {name: {"edges": self.edges[name].tolist(), "shares": self.shares[name].tolist()} for name in self.edges}
        (folder / FILE).write_text(json.dumps(told, allow_nan=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Inputs | None":
        """What :meth:`save` wrote there; None for a model from before it did."""
        if not (folder / FILE).is_file():
            return None
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        sides = ({name: np.array(one[side], np.float64) for name, one in told.items()} for side in ("edges", "shares"))
        return cls(*sides)


def drawn(pairs: pd.DataFrame, rng: np.random.Generator) -> Values:
    """(ROWS, p) of one ranking's ``pairs`` (k, p), k > 0, by lot: more of them would say little more of its brief."""
    return np.asarray(pairs.to_numpy(np.float64)[rng.integers(len(pairs), size=ROWS)])


def psi(then: Values, now: Values) -> float:
    """The population stability index of two histograms (b,) of shares."""
    p, q = np.maximum(then, LEAST), np.maximum(now, LEAST)
    return float(((q - p) * np.log(q / p)).sum())


def _edges(values: Values) -> Values:
    known = values[np.isfinite(values)]
    return np.unique(np.quantile(known, TENTHS, method="lower")) if len(known) else np.zeros(0)


def _shares(values: Values, edges: Values) -> Values:
    """(e + 2,): a value that equals an edge is in the bin below it."""
    bins = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    return np.bincount(bins, minlength=len(edges) + 2) / len(values)
