"""Which release is tried beside the champion, and on whom: a shadow that nobody sees, an experiment by brand."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from features.errors import InputError
from models.registry import CHALLENGER, CHAMPION

FILE = "challenger.json"


@dataclass(frozen=True)
class Experiment:
    """``share`` of the brands are answered by the challenger."""

    name: str
    share: float

    def arm(self, brand_id: str | None) -> str | None:
        """The arm of a brand, always the same in an experiment of this name, whatever other ones it is in; None for a
        request without a brand, which is in no arm."""
        if brand_id is None:
            return None
        content = hashlib.sha256(json.dumps([self.name, brand_id]).encode()).digest()
        return CHALLENGER if int.from_bytes(content[:8], "big") < self.share * 2**64 else CHAMPION


@dataclass(frozen=True)
class Challenge:
    """Release ``version`` also ranks a share ``shadow`` of the requests, unseen, and answers in an ``experiment``."""

    version: str
    shadow: float = 0.0
    experiment: Experiment | None = None


def read_challenge(data_dir: Path) -> Challenge | None:
    """What is tried; None without a file. Raises InputError (INVALID_ARGUMENT) for one that cannot be read."""
    file = data_dir / FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        experiment = content["experiment"] and Experiment(**content["experiment"])
        return Challenge(str(content["version"]), float(content["shadow"]), experiment)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{file}: cannot be read; run creatormatch challenge again: {error}") from error


def write_challenge(data_dir: Path, challenge: Challenge | None) -> None:
    """From now on this is tried, or nothing."""
    file = data_dir / FILE
    if challenge is None:
        file.unlink(missing_ok=True)
        return
    part = file.with_suffix(".json.part")
    part.write_text(json.dumps(asdict(challenge)) + "\n", encoding="utf-8")
    part.replace(file)
