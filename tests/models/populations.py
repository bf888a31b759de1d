"""Accounts made up with two kinds of profile that overlap, in any mixture."""

import numpy as np
import pandas as pd

from features import columns as c
from features.schema import ACCOUNTS, complete, conform

NOW = pd.Timestamp("2025-06-01")


def population(genuine: int, fake: int, seed: int, scale: float = 1.0) -> tuple[pd.DataFrame, np.ndarray]:
    """Accounts and their labels; ``scale`` multiplies everyone's followers, as another platform would."""
    rng, label = np.random.default_rng(seed), np.repeat([0.0, 1.0], [genuine, fake])
    is_fake, size = label == 1, genuine + fake
    rows = {
        c.ACCOUNT_ID: [f"{seed}-{i}" for i in range(size)],
        c.FOLLOWERS_COUNT: np.floor(scale * np.exp(rng.normal(np.where(is_fake, 4.0, 6.0), 1.5))),
        c.FOLLOWING_COUNT: np.floor(np.exp(rng.normal(np.where(is_fake, 6.5, 6.0), 0.8))),
        c.VIDEOS_COUNT: rng.poisson(np.where(is_fake, 3, 6)),
        c.HAS_AVATAR: rng.random(size) < np.where(is_fake, 0.6, 0.95),
        c.BIO_LENGTH: np.floor(rng.exponential(np.where(is_fake, 15, 30))),
    }
    return conform(pd.DataFrame(rows), ACCOUNTS), label


def tables_of(accounts: pd.DataFrame, label: np.ndarray) -> dict[str, pd.DataFrame]:
    labels = pd.DataFrame({c.ACCOUNT_ID: accounts[c.ACCOUNT_ID], c.IS_FAKE: label})
    return complete({"accounts": accounts, "fraud_labels": labels})
