"""A world is a set of parameters of the simulated marketplace; :data:`WORLD_1` is the frozen default."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from training import parameters as p
from training.places import COUNTRIES, Country

PHRASES, TOPICS = "phrases.json", "topics.json"


@dataclass(frozen=True)
class World:
    """One marketplace. ``end`` is its last day; nothing happens after it."""

    name: str = "world-1"
    end: str = "2026-06-30"
    countries: tuple[Country, ...] = COUNTRIES
    creators: p.CreatorParams = field(default_factory=p.CreatorParams)
    content: p.ContentParams = field(default_factory=p.ContentParams)
    audience: p.AudienceParams = field(default_factory=p.AudienceParams)
    daily: p.DailyParams = field(default_factory=p.DailyParams)
    fraud: p.FraudParams = field(default_factory=p.FraudParams)
    accounts: p.AccountParams = field(default_factory=p.AccountParams)
    briefs: p.BriefParams = field(default_factory=p.BriefParams)
    utility: p.UtilityParams = field(default_factory=p.UtilityParams)
    logging: p.LoggingParams = field(default_factory=p.LoggingParams)
    funnel: p.FunnelParams = field(default_factory=p.FunnelParams)
    work: p.WorkParams = field(default_factory=p.WorkParams)
    conduct: p.ConductParams = field(default_factory=p.ConductParams)
    review: p.ReviewParams = field(default_factory=p.ReviewParams)


WORLD_1 = World()


def random_world(rng: np.random.Generator) -> World:
    """A world whose varying parameters are drawn uniformly from their ranges."""
    return replace(_drawn(World(), rng), name="random")


def _drawn(part: Any, rng: np.random.Generator) -> Any:
    changes: dict[str, Any] = {}
    for item in fields(part):
        if "range" in item.metadata:
            changes[item.name] = round(float(rng.uniform(*item.metadata["range"])), 4)
        elif is_dataclass(getattr(part, item.name)):
            changes[item.name] = _drawn(getattr(part, item.name), rng)
    return replace(part, **changes)


def digest(world: World) -> str:
    """SHA-256 over the parameters (sorted JSON) and the text material: equal digests are equal worlds."""
    parameters = json.dumps(asdict(world), sort_keys=True)
    text = [json.dumps(material(name), sort_keys=True) for name in (PHRASES, TOPICS)]
    return hashlib.sha256("\n".join([parameters, *text]).encode()).hexdigest()


@cache
def material(name: str) -> dict[str, Any]:
    """The text material of that file, by language (phrases) or by topic (words of four subtopics in each language)."""
    return json.loads(resources.files("training.simulate").joinpath(name).read_text(encoding="utf-8"))
