"""Hard filters over the catalogue: who may be shown, what each filter removed, and which one to relax.

A creator whose fraud or credit is unknown passes a filter on it and is counted as unknown; an unknown value of anything
else does not pass, and is counted both as removed and as unknown.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from features import columns as c
from features.audience import Shares, target_share
from features.errors import bad
from features.tags import Lists, Words
from features.vocabulary import AUDIENCE_DIMENSIONS
from models.bitmaps import Bits, Subset, Verdict, count, packed
from models.listing import Listing

Values = npt.NDArray[np.float64]
LISTS = {
    "content_labels": c.CONTENT_LABELS, "content_styles": c.CONTENT_STYLES, "content_formats": c.CONTENT_FORMATS,
}  # fmt: skip
# Prices are compared in US dollars, whatever currency a creator asks in.
RANGES = {
    "followers": c.FOLLOWERS_COUNT, "median_views": c.MEDIAN_VIEWS, "engagement_rate": c.ENGAGEMENT_RATE,
    "creator_price": "creator_price_usd",
}  # fmt: skip
ROUNDING = 1e-9  # 0.1 + 0.7 is less than 0.8 in floating point


@dataclass(frozen=True)
class AgeCap:
    """At most this share of the audience is too young: ``young`` says how much of each bucket of ages is."""

    young: Mapping[str, float]
    most: float


MINORS = {"13-17": 1.0}
# Platforms tell 18-24 apart, not 18-20: three of its seven years, as if all were equally many. A judgement.
UNDER_21 = MINORS | {"18-24": 3 / 7}
# Stricter than the codes below, which speak of measured audiences: the ages that platforms know are told by their
# users, and minors say they are older. A judgement.
FEW_MINORS = AgeCap(MINORS, 0.15)
# Each rule, by what is advertised, with its caps; all of them hold.
BRAND_SAFETY: dict[str, tuple[AgeCap, ...]] = {
    "ADULT_AUDIENCE_ONLY": (FEW_MINORS,),
    # Codes of the spirits industry want so much of an audience to be of legal purchase age: 71.6 % (DISCUS and EFRD,
    # digital guidelines of 2011), in the US 73.8 % since 2021, which leaves 26.2 % under 21.
    "ALCOHOL": (FEW_MINORS, AgeCap(UNDER_21, 0.262)),
    # The UK's CAP wants at most 25 % of an audience under 18 (guidance in force since 1 April 2019). That the same
    # quarter is asked of those under 21, the age for betting in much of the US, is our judgement.
    "GAMBLING": (FEW_MINORS, AgeCap(UNDER_21, 0.25)),
    # No code known to us names a share (the FCA's FG24/1 of 2024 asks for fair promotions that fit their audience):
    # that contracts which only adults can sign are held to the general rule is our judgement.
    "FINANCE": (FEW_MINORS,),
}


class Removed(TypedDict):
    """How many creators a filter removed of those the filters before it had left, and of how many it knows nothing."""

    filter: str
    removed: int
    unknown: int


class Hint(TypedDict):
    """How many more creators there would be without this one filter."""

    filter: str
    would_add: int


@dataclass(frozen=True)
class Filtered:
    """Who is ``allowed``, the given filters' effects in order, and hints, the largest first."""

    allowed: Subset
    removed: list[Removed]
    hints: list[Hint]


def apply(listing: Listing, filters: Mapping[str, Any], within: Bits | None = None) -> Filtered:
    """Applies the given ``filters`` (null means not given) to the listing (n creators); only who is ``within`` counts.

    Raises InputError naming a filter, audience dimension or brand-safety rule that does not exist.
    """
    start = packed(np.ones(listing.size, bool)) if within is None else within
    verdicts = {name: _recent(name, value, listing) for name, value in filters.items() if value is not None}
    left, counts, removed = [start], [count(start)], list[Removed]()
    for name, verdict in verdicts.items():
        unknown = count(left[-1] & verdict.unknown)
        left.append(left[-1] & verdict.passes)
        counts.append(count(left[-1]))
        removed.append(Removed(filter=name, removed=counts[-2] - counts[-1], unknown=unknown))
    return Filtered(Subset(left[-1], listing.size, counts[-1]), removed, _hints(left, verdicts, counts[-1]))


def together(removed: Sequence[Sequence[Removed]]) -> list[Removed]:
    """What the same filters removed of several parts of a catalogue, in their order."""
    sums: dict[str, Removed] = {}
    for one in chain.from_iterable(removed):
        so_far = sums.setdefault(one["filter"], Removed(filter=one["filter"], removed=0, unknown=0))
        so_far["removed"] += one["removed"]
        so_far["unknown"] += one["unknown"]
    return list(sums.values())


def hints(filtered: Sequence[Filtered]) -> list[Hint]:
    """The hints of several parts of a catalogue, the largest first."""
    sums: Counter[str] = Counter()
    for hint in chain.from_iterable(one.hints for one in filtered):
        sums[hint["filter"]] += hint["would_add"]
    return [Hint(filter=name, would_add=count) for name, count in sums.most_common()]


def _hints(left: Sequence[Bits], verdicts: Mapping[str, Verdict], allowed: int) -> list[Hint]:
    """How many more than the ``allowed`` pass all filters but one, by that filter; ``left`` are those whom the filters
    before each one left."""
    hints, after = list[Hint](), ~np.zeros_like(left[0])  # whom the filters after each one pass
    for before, (name, verdict) in reversed([*zip(left, verdicts.items(), strict=False)]):
        hints.append(Hint(filter=name, would_add=count(before & after) - allowed))
        after &= verdict.passes
    return sorted((hint for hint in reversed(hints) if hint["would_add"]), key=lambda hint: -hint["would_add"])


def _recent(name: str, value: Any, listing: Listing) -> Verdict:
    """The verdict of a filter that may have been given a moment ago: marketplaces ask the same of page after page."""
    return listing.verdicts.get((name, json.dumps(value)), lambda: _verdict(name, value, listing))


def _verdict(name: str, value: Any, listing: Listing) -> Verdict:
    bound, _, measure = name.partition("_")
    if name == "country_codes":
        return _is_any_of(listing.words[c.COUNTRY_CODE], value)
    if name in ("languages", c.TARGET_LANGUAGES):
        return _speaks_any_of(listing.words[c.LANGUAGE], value)
    if name in LISTS:
        return _has_any_of(listing.lists[LISTS[name]], value)
    if name == "min_credit_score":
        return _trusting(_bounded(listing, "min", "credit_score", value))
    if name == "max_fraud_probability":
        return _trusting(_bounded(listing, "max", "fraud_probability", value))
    if bound in BOUNDS and measure in RANGES:
        return _bounded(listing, bound, RANGES[measure], value)
    if name == "audience":
        return _all([_audience_share(listing.audience, wanted) for wanted in value], listing.size)
    if name == "brand_safety":
        return _all([_brand_safe(listing.audience, rule) for rule in value], listing.size)
    raise bad(f"filters.{name}", "is no filter", name)


def _is_any_of(values: Words, wanted: Sequence[str]) -> Verdict:
    """Whether the word is wanted, without regard to case."""
    asked = {word.lower() for word in wanted}
    return Verdict.of(values.having(lambda word: word.lower() in asked), values.unknown)


def _speaks_any_of(tags: Words, wanted: Sequence[str]) -> Verdict:
    """Whether a wanted language range matches the tag, as pt matches pt-BR (RFC 4647, basic filtering)."""
    ranges = tuple(f"{word.lower()}-" for word in wanted)
    return Verdict.of(tags.having(lambda tag: f"{tag.lower()}-".startswith(ranges)), tags.unknown)


def _has_any_of(values: Lists, wanted: Sequence[str]) -> Verdict:
    """Whether one of a list of words is wanted, without regard to case; an empty list says nothing."""
    asked = {word.lower() for word in wanted}
    return Verdict.of(values.having(lambda word: word.lower() in asked), values.empty)


def _bounded(listing: Listing, bound: str, name: str, value: float) -> Verdict:
    return Verdict(packed(BOUNDS[bound](listing.numbers[name], value)), listing.unknown[name])


def _at_least(values: Values, least: float) -> Verdict:
    return Verdict.of(values >= least, np.isnan(values))


def _at_most(values: Values, most: float) -> Verdict:
    return Verdict.of(values <= most, np.isnan(values))


BOUNDS = {"min": np.greater_equal, "max": np.less_equal}


def _trusting(verdict: Verdict) -> Verdict:
    return Verdict(verdict.passes | verdict.unknown, verdict.unknown)


def _audience_share(audience: Mapping[str, Shares], wanted: Mapping[str, Any]) -> Verdict:
    if wanted["dimension"] not in AUDIENCE_DIMENSIONS:
        known_dimensions = ", ".join(AUDIENCE_DIMENSIONS)
        raise bad("filters.audience.dimension", f"is no dimension; they are {known_dimensions}", wanted["dimension"])
    share = target_share(audience[wanted["dimension"]], list(wanted["buckets"]))
    return _at_least(share, wanted["min_share"] - ROUNDING)


def _brand_safe(audience: Mapping[str, Shares], rule: str) -> Verdict:
    if rule not in BRAND_SAFETY:
        raise bad("filters.brand_safety", f"is no rule; the rules are {', '.join(BRAND_SAFETY)}", rule)
    ages = audience["age"]
    return _all([_at_most_young(ages, cap) for cap in BRAND_SAFETY[rule]], len(ages.known))


def _at_most_young(ages: Shares, cap: AgeCap) -> Verdict:
    young = [part * target_share(ages, [bucket]) for bucket, part in cap.young.items()]
    return _at_most(np.sum(young, axis=0), cap.most + ROUNDING)


def _all(verdicts: Sequence[Verdict], size: int) -> Verdict:
    passes, unknown = packed(np.ones(size, bool)), packed(np.zeros(size, bool))
    for verdict in verdicts:
        passes, unknown = passes & verdict.passes, unknown | verdict.unknown
    return Verdict(passes, unknown)
