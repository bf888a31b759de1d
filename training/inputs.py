"""What a ranker reads where it is trained, kept beside it for :mod:`models.drift`."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.errors import InputError
from features.schema import Tables
from features.source import InMemory
from features.trace import tracing
from models.drift import Inputs, drawn
from models.engine import Engine
from training.fit import Trained, bundle_of

BRIEFS = 200
NOBODY = pd.DataFrame()


def keep_inputs(trained: Trained, tables: Tables, bank: TextBank, folder: Path, rng: np.random.Generator) -> None:
    """Ranks the latest briefs of complete ``tables`` as the service will, over the catalogue as it is at their end, and
    writes what the ranker reads then into its ``folder``; nothing where there are no briefs.

    Not what it learned from: then the scores that it reads came from models that knew less.
    """
    if tables["briefs"].empty:
        return
    engine, read = Engine(bundle_of(trained, bank), InMemory(tables), bank), []
    for brief in latest(tables["briefs"]):
        with tracing() as trace, suppress(InputError):  # a brief that the service would not take
            engine.rank({"brief": brief})
        pairs = trace.values.get("pairs", NOBODY)
        if len(pairs):
            read.append(pd.DataFrame(drawn(pairs, rng), columns=pairs.columns))
    if read:
        Inputs.of(pd.concat(read)).save(folder)


def latest(briefs: pd.DataFrame) -> list[dict[str, Any]]:
    """The latest briefs as requests have them; what is not known of one is left out."""
    rows = briefs.sort_values([c.CREATED_AT, c.BRIEF_ID], kind="stable")[-BRIEFS:].to_dict("records")
    return [{str(name): one for name, one in row.items() if isinstance(one, list) or one == one} for row in rows]
