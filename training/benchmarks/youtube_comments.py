"""youtube-comments: spam under a video that no comment of was learned, beside words alone."""

from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from features import columns as c
from features.bank import TextBank
from features.comments import Comments
from features.text import EmbeddingCache, load_encoder
from models.comments import TextModel, Values, fit_labelled
from models.comments import read as text_of
from training.benchmarks.comments import judged, read

SEEDS = range(3)
PARTS = ("together", "one_by_one")


def run(data: Path, cache: Path) -> dict[str, object]:
    """Leaves one video out at a time. Raises InputError when the folder does not hold the data."""
    comments, labels = read(data / "comments.csv", "--data")
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    videos = comments.rows[c.VIDEO_ID]
    by_video = {video: left_out(comments, labels, (videos == video).to_numpy(), bank) for video in videos.unique()}
    return {"auroc": {part: summary(by_video, part) for part in (*PARTS, "words", "meaning")}, "by_video": by_video}


def left_out(
    comments: Comments, labels: Values, held: "np.typing.NDArray[np.bool_]", bank: TextBank
) -> dict[str, dict[str, float]]:
    """Means over SEEDS of the metrics on the ``held`` comments, and AUROC of the two regressions by themselves."""
    here, there = (
        Comments(comments.rows[~held].reset_index(drop=True)),
        Comments(comments.rows[held].reset_index(drop=True)),
    )
    models = [fit_labelled(here, labels[~held], bank, np.random.default_rng(seed)) for seed in SEEDS]
    found = [judged(model, there, labels[held], bank) for model in models]
    means = {
        part: {name: float(np.mean([one[part][name] for one in found])) for name in found[0][part]} for part in PARTS
    }
    scores = TextModel.fit(text_of(here, bank), labels[~held]).scores(text_of(there, bank))
    return means | {name: {"auroc": float(roc_auc_score(labels[held], scores[name]))} for name in scores}


def summary(by_video: dict[str, dict[str, dict[str, float]]], part: str) -> dict[str, float]:
    """Mean and least AUROC over the videos."""
    values = [found[part]["auroc"] for found in by_video.values()]
    return {"mean": float(np.mean(values)), "least": min(values)}
