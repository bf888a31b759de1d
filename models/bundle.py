"""A release in memory: the models that are trained, the credit policy, and which version of each it is."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from features.bank import Floats
from features.creators import FEATURES
from features.errors import bad
from features.fraud import FRAUD_FEATURES
from features.inputs import TAGS
from features.lexical import BUCKETS
from features.pairs import PAIR_FEATURES
from models.accounts import AccountModel
from models.comments import CommentModel
from models.credit import Policy, load_policy
from models.drift import Inputs
from models.fraud import FraudModel
from models.fraud_history import PastScores
from models.fraud_peers import PEERED
from models.ranker import Ranker
from models.release import NAMES, check_folder
from models.risk_scale import KINDS
from models.success import SuccessModel
from models.towers import Towers

LEXICON = "idf.npz"
NOT_YET = ("forecast", "price")  # models that answers already have a place for


def feature_set_hash() -> str:
    """SHA-256 of all features' names, in order, the widths of hashed ones, which are read as distances from peers, and
    the kinds of creators that risk is told for; models and code must agree on it."""
    names = [feature.__name__ for feature in (*PAIR_FEATURES, *FEATURES)] + list(FRAUD_FEATURES)
    names += [f"tags={TAGS}", f"terms={BUCKETS}", *(f"{name} beside peers" for name in PEERED), *KINDS]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


@dataclass(frozen=True)
class Bundle:
    """The loaded models; None for what the release's data did not allow to train.

    ``versions`` is name → version, ``metrics`` name → how good that model was on what it had not seen when trained.
    """

    towers: Towers
    idf: Floats
    ranker: Ranker
    success: SuccessModel | None
    fraud: FraudModel | None
    policy: Policy
    encoder_id: str
    versions: dict[str, str | None]
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    accounts: AccountModel | None = None
    comments: CommentModel | None = None
    past_fraud: PastScores | None = None
    inputs: Inputs | None = None

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Reads a release's folder after checking digests and that its models belong together.

        Raises InputError (CONFLICT) naming the model that does not fit.
        """
        manifest = check_folder(folder)
        if manifest.feature_set_hash != feature_set_hash():
            problem = "the release was made for other features; train again: creatormatch train, then promote"
            raise bad("feature_set_hash", problem, folder.name, "CONFLICT")
        has = manifest.models
        accounts = AccountModel.load(folder / "accounts") if "accounts" in has else None
        read = accounts if "fraud" in has and "accounts" in has["fraud"].depends_on else None
        with np.load(folder / "towers" / LEXICON, allow_pickle=False) as lexicon:
            idf = lexicon["idf"]
        return cls(
            towers=Towers.load(folder / "towers"),
            idf=idf,
            ranker=Ranker.load(folder / "ranker"),
            success=SuccessModel.load(folder / "success") if "success" in has else None,
            fraud=FraudModel.load(folder / "fraud", read) if "fraud" in has else None,
            accounts=accounts,
            comments=CommentModel.load(folder / "comments") if "comments" in has else None,
            past_fraud=PastScores.load(folder / "fraud"),
            inputs=Inputs.load(folder / "ranker"),
            policy=load_policy(folder / "credit" / "credit_policy.json"),
            encoder_id=manifest.encoder_id or "",
            versions={"release": folder.name}
            | {name: has[name].version if name in has else None for name in NAMES}
            | dict.fromkeys(NOT_YET),
            metrics={name: entry.metrics for name, entry in has.items()},
        )
