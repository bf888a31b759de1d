"""What a release must still say where it is served: rows that its training read, without ids, and what came of them.

Each model's folder holds its own as ``golden.parquet``, under the release's digests. Other processors round
differently, so answers agree within :data:`TOLERANCE`; another library or a damaged model does not.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.errors import Detail, InputError
from features.inputs import brief_inputs
from features.schema import BRIEFS, conform
from features.text import Encoder
from models.bundle import Bundle

Values = npt.NDArray[np.float64]
FILE = "golden.parquet"
EXPECTED = "expected"
ROWS = 32
TOLERANCE = 1e-4  # absolute, of scores, probabilities and the coordinates of unit vectors
TEXTS = pd.DataFrame(
    {
        c.DESCRIPTION: [
            "Cozy summer recipes with iced matcha",
            "Honest review of running shoes for beginners",
            "夏のスキンケア、正直なレビュー",
            "وصفات سهلة للعائلة",
            "Rutina de ejercicios en casa sin equipo 💪",
        ]
    }
)


def _texts(bundle: Bundle, encoder: Encoder, inputs: pd.DataFrame) -> Values:
    """(n, d + 64): the encoder's vector of each text, not a cache's, and the tower's of a brief that says nothing
    else."""
    vectors = TextBank(encoder).vectors([[text] for text in inputs[c.DESCRIPTION]])
    briefs = conform(inputs.assign(**{c.BRIEF_ID: "golden"}), BRIEFS)
    return np.hstack([vectors, bundle.towers.briefs(brief_inputs(briefs, vectors))]).astype(np.float64)


PROBES: Mapping[str, Callable[[Any, Encoder, pd.DataFrame], Any]] = {
    "towers": _texts,
    "ranker": lambda bundle, _, pairs: bundle.ranker.score(pairs),
    "success": lambda bundle, _, pairs: bundle.success.predict(pairs),
    "accounts": lambda bundle, _, features: bundle.accounts.predict(features),
    "fraud": lambda bundle, _, features: bundle.fraud.predict(features),
    "comments": lambda bundle, _, inputs: bundle.comments.predict(inputs),
}
"""What each model says of its golden rows; credit is rules, no model."""


def said(name: str, bundle: Bundle, encoder: Encoder, inputs: pd.DataFrame) -> Values:
    """(n, m) what the bundle's model ``name`` says of ``inputs`` (n rows)."""
    return np.asarray(PROBES[name](bundle, encoder, inputs), np.float64).reshape(len(inputs), -1)


def some(frame: pd.DataFrame) -> pd.DataFrame:
    """At most ROWS rows of ``frame`` from all over it, without its index, which may hold ids."""
    rows = np.linspace(0, len(frame) - 1, min(ROWS, len(frame))).astype(np.int64)
    return frame.iloc[rows].reset_index(drop=True)


def save_golden(folder: Path, inputs: pd.DataFrame, expected: Values) -> None:
    """Writes ``golden.parquet`` into a model's folder: ``inputs`` and beside each row what is ``expected`` (n, m)."""
    inputs.assign(**{EXPECTED: list(expected)}).to_parquet(folder / FILE, index=False)


def check_golden(release: Path, bundle: Bundle, encoder: Encoder) -> list[str]:
    """The models in the folder ``release`` that have no golden rows: those trained before there were any.

    Raises InputError (CONFLICT) that names each model of ``bundle``, loaded from there, that answers otherwise than
    where it was trained.
    """
    files = {name: release / name / FILE for name in PROBES if (release / name).is_dir()}
    errors = {name: _error(name, file, bundle, encoder) for name, file in files.items() if file.is_file()}
    details = [
        Detail(field=name, problem=f"is {error:.3g} off what training computed, more than {TOLERANCE:g}", value=FILE)
        for name, error in errors.items()
        if error > TOLERANCE
    ]
    if details:
        problems = "; ".join(f"{detail['field']}: {detail['problem']}" for detail in details)
        raise InputError(f"release {release.name} answers otherwise here: {problems}", details, "CONFLICT")
    return [name for name, file in files.items() if not file.is_file()]


def _error(name: str, file: Path, bundle: Bundle, encoder: Encoder) -> float:
    """The largest absolute difference; infinite where one side knows an answer and the other does not."""
    golden = pd.read_parquet(file)
    expected = np.stack([np.asarray(row, np.float64) for row in golden.pop(EXPECTED)])
    found = said(name, bundle, encoder, golden)
    if found.shape != expected.shape or (np.isnan(found) != np.isnan(expected)).any():
        return float("inf")
    return float(np.nanmax(np.abs(found - expected), initial=0.0))
