"""The golden rows that a training puts into each model's folder, see :mod:`models.golden`."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from features import columns as c
from features.accounts import account_features
from features.asof import data_as_of, known
from features.bank import TextBank
from features.comments import Comments
from features.schema import Tables
from models.golden import TEXTS, said, save_golden, some
from training.fit import Trained, bundle_of


def keep_golden(trained: Trained, tables: Tables, bank: TextBank, folders: Mapping[str, Path]) -> None:
    """Writes ``golden.parquet`` into the folders (by model) of what was trained on complete ``tables``."""
    bundle = bundle_of(trained, bank)
    for name, inputs in golden_rows(trained, tables, bank).items():
        save_golden(folders[name], inputs, said(name, bundle, bank.encoder, inputs))


def golden_rows(trained: Trained, tables: Tables, bank: TextBank) -> dict[str, pd.DataFrame]:
    """What each model that was trained reads of some rows of ``tables``, as known at their end; without ids."""
    as_of = data_as_of(tables)
    rows = {"towers": TEXTS, "ranker": trained.pairs}
    if trained.success is not None:
        rows["success"] = trained.pairs
    if trained.accounts is not None:
        rows["accounts"] = account_features(some(tables["accounts"]), as_of)
    if trained.fraud is not None:
        ids = pd.Index(some(tables["creators"])[c.CREATOR_ID].unique(), name=c.CREATOR_ID)
        rows["fraud"] = some(trained.fraud.features(known(tables, as_of), as_of, ids))
    if trained.comments is not None:
        written = tables["engagements"][tables["engagements"][c.COMMENT_TEXT].notna()]
        rows["comments"] = trained.comments.inputs(Comments(some(written)), bank)
    return {name: frame for name, frame in rows.items() if frame is not None}
