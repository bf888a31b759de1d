"""Comment authenticity, learned on one file of comments and judged on another.

A file has the columns comment_text and is_spam (0 or 1), and where it has them video_id, event_time and account_id.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.comments import Comments
from features.errors import bad
from features.schema import ENGAGEMENTS, conform
from features.tables import coerce
from features.text import EmbeddingCache, load_encoder
from models.comments import CommentModel, Values, fit_labelled
from models.measures import binary_metrics

SEED = 0
IS_SPAM = "is_spam"


def run(train: Path, test: Path, cache: Path) -> dict[str, dict[str, float]]:
    """Learns on ``train``, measures on ``test``. Raises InputError for a file that is not of that shape."""
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    model = fit_labelled(*read(train, "--train"), bank, np.random.default_rng(SEED))
    return judged(model, *read(test, "--test"), bank)


def read(path: Path, option: str) -> tuple[Comments, Values]:
    """The comments and their labels."""
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    except (OSError, ValueError) as error:
        raise bad(option, "must be a readable CSV file", str(path)) from error
    if missing := {c.COMMENT_TEXT, IS_SPAM} - {*frame}:
        raise bad(option, f"needs the column {min(missing)}", str(path))
    if not {*frame[IS_SPAM]} == {"0", "1"}:
        raise bad(option, f"needs comments with {IS_SPAM} 0 and comments with 1, and no others", str(path))
    comments = conform(coerce(frame, ENGAGEMENTS), ENGAGEMENTS)
    return Comments(comments), frame[IS_SPAM].to_numpy(np.float64)


def judged(model: CommentModel, comments: Comments, labels: Values, bank: TextBank) -> dict[str, dict[str, float]]:
    """Metrics of comments given together, as a service sees a video's, and of each given by itself; a comment without
    text counts with the mean of the others."""
    inputs = model.inputs(comments, bank)
    alone = inputs.assign(copies=np.nan, template=np.nan, burst=np.nan)
    return {"together": _metrics(model, inputs, labels), "one_by_one": _metrics(model, alone, labels)}


def _metrics(model: CommentModel, inputs: pd.DataFrame, labels: Values) -> dict[str, float]:
    probabilities = model.predict(inputs)
    return binary_metrics(np.nan_to_num(probabilities, nan=float(np.nanmean(probabilities))), labels)
