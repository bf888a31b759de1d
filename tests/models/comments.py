"""Comments made up of genuine talk and of spam that repeats itself."""

import numpy as np
import pandas as pd

from features import columns as c
from features.comments import Comments
from features.schema import ENGAGEMENTS, conform

GENUINE = "love the song part dance voice beautiful remember summer watching again great best chorus video".split()
SPAM = "check my channel subscribe free followers click link win phone visit website cheap cash follow".split()


def made_up(size: int, seed: int, videos: int = 3) -> tuple[Comments, np.ndarray]:
    """A third is spam; one in six of either kind speaks like the other."""
    rng = np.random.default_rng(seed)
    label = (rng.random(size) < 1 / 3).astype(float)
    looks = np.where(rng.random(size) < 1 / 6, 1 - label, label)
    texts = [" ".join(rng.choice(SPAM if spam else GENUINE, 6)) for spam in looks]
    rows = {
        c.VIDEO_ID: rng.choice([f"v{i}" for i in range(videos)], size),
        c.ACCOUNT_ID: [f"a{i}" for i in range(size)],
        c.EVENT_TIME: pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.random(size) * 10, unit="D"),
        c.COMMENT_TEXT: texts,
        c.CREATOR_ID: "creator",
        c.ACTION: "COMMENT",
    }
    return Comments(conform(pd.DataFrame(rows), ENGAGEMENTS)), label
