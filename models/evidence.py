"""From a model's own contributions to reason codes: features grouped into codes, with the values that pushed most."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

MOST = 4
MOST_VALUES = 4  # of evidence for one code, the strongest first
LEAST = 0.05  # log-odds; less than that moved nothing
Reasons = Mapping[str, tuple[str, tuple[str, ...]]]
"""Code → sentence and the features that speak for it."""


def raised(features: pd.DataFrame, margins: pd.DataFrame, reasons: Reasons) -> list[dict[str, dict[str, float]]]:
    """Per row of ``features`` (k, ·) at most four codes, those whose known features raised the ``margins`` (k, p) most,
    each with the values that pushed most. ``margins`` are log-odds by feature name. What is not known may move a score,
    but is no reason that a person could check."""
    margins = margins.where(features[list(margins.columns)].notna().to_numpy(), 0.0)
    pushed = np.column_stack([margins[list(names)].sum(axis=1) for _, names in reasons.values()])
    order = np.argsort(-pushed, axis=1, kind="stable")[:, :MOST]
    codes, rows, pushes = list(reasons), features.to_dict("records"), margins.to_dict("records")
    return [
        {
            codes[j]: _values(reasons[codes[j]][1], rows[i], pushes[i])
            for j in order[i] if pushed[i, j] >= LEAST
        }
        for i in range(len(rows))
    ]  # fmt: skip


def _values(names: tuple[str, ...], row: Mapping[str, float], pushes: Mapping[str, float]) -> dict[str, float]:
    pushing = [name for name in names if pushes[name] > 0]
    strongest = sorted(pushing, key=lambda name: -pushes[name])[:MOST_VALUES]
    return {name: round(row[name], 4) for name in strongest}


def reason_codes(features: pd.DataFrame, margins: pd.DataFrame, reasons: Reasons) -> list[list[dict[str, object]]]:
    """:func:`raised` as an answer has it: code, text, evidence."""
    return [
        [{"code": code, "text": reasons[code][0], "evidence": values} for code, values in codes.items()]
        for codes in raised(features, margins, reasons)
    ]
