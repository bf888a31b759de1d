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
    places = {name: place for place, name in enumerate(margins.columns)}
    values = features[[*places]].to_numpy(np.float64)
    pushes = np.where(np.isnan(values), 0.0, margins.to_numpy(np.float64))
    # One after the other: the last bit of a sum along rows depends on how many there are.
    pushed = np.column_stack([sum(pushes[:, places[name]] for name in names) for _, names in reasons.values()])
    order = np.argsort(-pushed, axis=1, kind="stable")[:, :MOST]
    codes = [*reasons.items()]
    return [
        {
            code: _values({name: (push[places[name]], value[places[name]]) for name in names})
            for code, (_, names) in (codes[j] for j in best if total[j] >= LEAST)
        }
        for best, total, push, value in zip(order, pushed, pushes.tolist(), values.tolist(), strict=True)
    ]


def _values(found: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Of the pushes and values of features the values that pushed most."""
    pushing = [name for name, (push, _) in found.items() if push > 0]
    strongest = sorted(pushing, key=lambda name: -found[name][0])[:MOST_VALUES]
    return {name: round(found[name][1], 4) for name in strongest}


def reason_codes(features: pd.DataFrame, margins: pd.DataFrame, reasons: Reasons) -> list[list[dict[str, object]]]:
    """:func:`raised` as an answer has it: code, text, evidence."""
    return [
        [{"code": code, "text": reasons[code][0], "evidence": values} for code, values in codes.items()]
        for codes in raised(features, margins, reasons)
    ]
