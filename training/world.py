"""Every parameter of the simulated marketplace, with the reason for its value; :data:`WORLD_1` is the frozen default.

A parameter made by :func:`varies` has a range too, from which :func:`random_world` draws; the others are the same in every
world. "Judgement" marks a value chosen by hand so that the world is neither trivial nor hopeless.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

PHRASES, TOPICS = "phrases.json", "topics.json"


def varies(default: float, low: float, high: float) -> Any:
    """A dataclass field that :func:`random_world` draws uniformly from [low, high]."""
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class Country:
    """``rate`` is US dollars per unit of ``currency``; ``weight`` the share of creators; ``price`` the level of fees, US = 1."""

    code: str
    language: str
    currency: str
    rate: float
    weight: float
    price: float


# Weights: a global short-video platform, no country above a sixth. Rates: rounded 2025 averages. Fees: between the ratio
# of incomes and parity, because brands buy across borders.
COUNTRIES = (
    Country("US", "en", "USD", 1.0, 0.14, 1.0), Country("GB", "en", "GBP", 1.3, 0.05, 0.9),
    Country("CA", "en", "CAD", 0.72, 0.03, 0.85), Country("IN", "en", "INR", 0.0117, 0.06, 0.35),
    Country("PH", "en", "PHP", 0.0175, 0.04, 0.35), Country("CN", "zh", "CNY", 0.14, 0.08, 0.7),
    Country("TW", "zh", "TWD", 0.031, 0.04, 0.7), Country("MX", "es", "MXN", 0.053, 0.07, 0.5),
    Country("ES", "es", "EUR", 1.1, 0.04, 0.8), Country("AR", "es", "ARS", 0.0009, 0.03, 0.4),
    Country("CO", "es", "COP", 0.00024, 0.03, 0.4), Country("BR", "pt", "BRL", 0.18, 0.10, 0.5),
    Country("PT", "pt", "EUR", 1.1, 0.02, 0.7), Country("JP", "ja", "JPY", 0.0067, 0.08, 0.85),
    Country("SA", "ar", "SAR", 0.267, 0.04, 0.85), Country("EG", "ar", "EGP", 0.02, 0.04, 0.35),
    Country("AE", "ar", "AED", 0.272, 0.02, 0.95), Country("ID", "id", "IDR", 0.000061, 0.09, 0.4),
)  # fmt: skip


@dataclass(frozen=True)
class CreatorParams:
    """Who the creators are."""

    followers_median: float = 25_000  # median of marketplace creators is nano to micro; judgement
    followers_sigma: float = varies(
        1.6, 1.3, 1.9
    )  # log-normal: the top 1 % is 40 times the median, as on real platforms
    second_topic: float = 0.55  # share with a second topic; their weight of it is drawn from 0.15 to 0.5
    label_missing: float = varies(0.08, 0.03, 0.15)  # creators fill in forms badly
    label_wrong: float = varies(0.08, 0.03, 0.15)
    second_label_listed: float = 0.6
    style_missing: float = 0.25
    language_minority: float = 0.08  # creators who write in another language than their country's
    bio_missing: float = 0.12
    label_only: float = varies(0.08, 0.04, 0.15)  # creators with label and country alone: the real cold start
    not_in: float = 0.10  # onboarding NOT_IN at the end
    invalid: float = 0.04
    onboarded_late: float = 0.06  # of those IN, share that came IN during the horizon
    joined_late: float = 0.05  # share that joined the platform during the horizon
    snapshot_days: int = 30  # one row a month
    price_elasticity: float = 0.72  # fees grow more slowly than followers (CPM falls with size)
    price_at_median_usd: float = (
        180.0  # for 25,000 followers: about 10 US dollars per thousand followers, market guides
    )
    price_sigma: float = varies(0.45, 0.3, 0.6)  # creators misprice themselves by this much (log)
    price_missing: float = 0.05
    price_list: float = 0.6  # creators with a price for each format
    posts_a_day: tuple[float, float] = (2.0, 3.5)  # Gamma shape and rate: mean .57, platforms' advice is one a day
    aesthetics: int = 4  # hidden dimensions of manner, seen only through whom brands choose again
    off_topic: float = 0.15  # share of texts about something else


@dataclass(frozen=True)
class ContentParams:
    """Videos and their counters."""

    videos_mean: float = 5.0  # rows in ``videos`` per creator, over the horizon: a sample, not all
    captions_max: int = 3  # captions are kept short and few, so that a laptop embeds them in a minute
    no_videos: float = 0.10
    views_sigma: float = 0.8  # log spread between videos of a creator: short video is a lottery
    second_look: float = 0.5  # share of videos observed a second time
    completion_mean: float = 0.35  # typical of 15 to 60 s videos


@dataclass(frozen=True)
class AudienceParams:
    """Audiences, correlated with topic and country."""

    known: float = 0.8  # creators with audience figures
    concentration: float = varies(
        25.0, 12.0, 50.0
    )  # Dirichlet: spread of a creator around the topic's typical audience
    noise: float = 250.0  # Dirichlet of the measurement around the truth
    home_share: tuple[float, float] = (0.35, 0.95)  # share of the audience in the creator's own country
    second_look: float = 0.4


@dataclass(frozen=True)
class DailyParams:
    """Daily statistics."""

    burn_in: int = 90  # days simulated before the horizon, so that the first day has a past (the fraud target's window)
    views_per_follower: float = 0.12  # daily views over followers at the median creator
    views_elasticity: float = 0.85
    views_sigma: float = 0.9  # between creators of the same size
    weekend: float = 0.18  # weekend lift of views
    ar: float = 0.6  # day-to-day memory of log views
    ar_sigma: float = varies(0.35, 0.25, 0.5)
    small_spike_rate: float = 0.012  # a day; ordinary luck, not a named event
    like_rate: float = 0.055  # per view; published benchmarks for short video lie at 4 to 8 %
    like_sigma: float = 0.45
    comment_rate: float = 0.0045
    comment_sigma: float = 0.6
    share_rate: float = 0.004
    share_sigma: float = 0.6
    follow_rate: float = 0.008  # new followers per view
    follow_sigma: float = 0.7
    churn: float = 0.0004  # followers lost a day
    rate_noise: float = 0.25  # daily log noise of every rate
    paid_share: float = 0.12  # creators that now and then promote a little


@dataclass(frozen=True)
class FraudParams:
    """Campaigns, guilty and innocent."""

    prevalence: float = varies(
        0.15, 0.09, 0.20
    )  # creators with a campaign within burn-in and horizon; audits of influencer
    # markets report 10 to 25 % with visible fakes
    mix: tuple[tuple[str, float], ...] = (
        ("BOUGHT_FOLLOWERS", 0.20), ("SLOW_DRIP", 0.16), ("ENGAGEMENT_POD", 0.15), ("BOT_LIKES", 0.17),
        ("BOUGHT_COMMENTS", 0.08), ("VIEW_INFLATION", 0.14), ("LOCKSTEP_RING", 0.10),
    )  # fmt: skip
    innocents: tuple[tuple[str, float], ...] = (  # share of creators with one, a little more often than its guilty twin
        ("VIRAL_HIT", 0.10), ("PRESS_MENTION", 0.06), ("PAID_PROMOTION", 0.10),
    )  # fmt: skip
    intensity: tuple[float, float] = (
        1.3,
        2.2,
    )  # Beta of the bought share of 90 days' gain: mean .37, some below the .1 target
    intensity_scale: float = varies(0.85, 0.6, 1.0)
    repeat: float = 0.35  # of the guilty, share that buys again later
    appeal_small: float = -0.15  # smaller creators buy more: log odds per log follower
    premium: float = varies(0.45, 0.25, 0.6)  # share of bought accounts that look like people
    bot_churn: float = 0.006  # of bought followers removed by the platform a day
    paid_declared: float = 0.7  # paid promotions whose views the platform reports as paid
    ring_size: int = 8
    pod_size: int = 12


@dataclass(frozen=True)
class AccountParams:
    """The accounts that follow and engage, and the sampled engagements."""

    per_creator: float = 8.0
    mix: tuple[float, float, float, float] = (0.72, 0.10, 0.13, 0.05)  # real, mass followers, bots, influencers
    lurkers: float = 0.22  # real people with a bot's profile: no posts, no avatar, digits
    engagements_mean: float = 32.0
    engagements_sigma: float = 0.5
    background_bots: tuple[float, float] = (1.1, 11.0)  # Beta of unbought bots at every creator: mean 9 %
    farm_size: int = 80  # accounts created within a week of each other
    comment_missing: float = 0.15


@dataclass(frozen=True)
class BriefParams:
    """Brands and briefs."""

    briefs_per_brand: float = 4.0
    fields_missing: float = varies(0.4, 0.25, 0.6)  # each structured field, independently: brands write prose
    mention_audience: float = 0.6  # the text says whom the brand wants to reach
    second_product: float = 0.5
    references: float = 0.4
    international: float = 0.35  # briefs for viewers anywhere, in any language
    budget_median_usd: float = 400.0  # per creator: buys a creator of 70,000 followers
    budget_sigma: float = 0.8
    tastes: float = 1.0  # scale of brands' hidden taste in aesthetics


@dataclass(frozen=True)
class UtilityParams:
    """What makes a creator right for a brief: weights on terms of about unit spread. Judgement, topic first."""

    topic: float = 2.2
    subtopic: float = varies(2.6, 2.0, 3.2)
    audience: float = varies(1.3, 0.8, 1.8)
    place: float = 1.6  # where the brief calls for a country, its language counts through the audience
    style: float = 0.7
    form: float = 0.5
    price: float = 1.1
    quality: float = varies(0.7, 0.4, 1.0)
    reliability: float = 0.35
    taste: float = varies(0.8, 0.5, 1.1)
    size: float = 0.5  # the brand's preferred tier
    noise: float = varies(0.9, 0.7, 1.1)  # what no model can know


@dataclass(frozen=True)
class LoggingParams:
    """The marketplace's old ranking, which logged the impressions."""

    shown: tuple[int, ...] = (20, 25, 30)
    popularity: float = 0.5
    label: float = 1.6
    relevance: float = varies(0.5, 0.3, 0.8)  # weight of a partial look at the true utility
    noise: float = 1.0
    block: int = 5  # positions shuffled uniformly within blocks: exactly known propensities
    explore: float = varies(0.15, 0.08, 0.25)  # share of positions given to a creator from the whole catalogue
    examination: float = varies(0.6, 0.4, 0.9)  # P(looked at) = position ** -this; click models find 0.5 to 1


@dataclass(frozen=True)
class FunnelParams:
    """From a look to a finished job: logits at a utility ``u`` standardised over the catalogue; (intercept, slope)."""

    click: tuple[float, float] = (-2.4, 1.0)
    shortlist: tuple[float, float] = (-1.1, 0.7)
    invite: tuple[float, float] = (-0.4, 0.5)
    accept: float = 1.0  # log odds at a fair price, with nothing else to do
    accept_price: float = 1.2  # per log of budget over asking price
    accept_load: float = 0.45  # per open order
    success: float = 1.5
    success_reliability: float = varies(1.1, 0.7, 1.5)
    success_fit: float = 0.3
    success_load: float = 0.25
    success_harshness: float = 0.6  # per unit of the brand's harshness: harsh brands rate more jobs below 3
    unanswered: float = 0.08


@dataclass(frozen=True)
class WorkParams:
    """The life of a collaboration, in days (medians of log-normals)."""

    answer: float = 1.5
    contract: float = 2.0
    content: float = 9.0
    approve: float = 2.0
    publish: float = 2.0
    metrics: float = 7.0
    settle: float = 6.0
    rate: float = 2.0
    sigma: float = 0.5
    due: float = 12.0  # days from contract to the due date of the content
    revision: float = 0.35
    cancelled_by_brand: float = 0.04
    unrated: float = 0.25
    rating_sigma: float = 0.7  # noise of one rating
    rater_sigma: float = 0.45  # harsh and generous brands
    past_jobs: float = varies(1.2, 0.6, 2.0)  # jobs per creator before the horizon, very unequal
    past_days: int = 540
    metrics_missing: float = 0.1
    result_sigma: float = 0.7  # log noise of a sponsored video's views
    click_rate: float = 0.012  # clicks per view, usual for links under short video
    conversion_rate: float = 0.03


@dataclass(frozen=True)
class ConductParams:
    """Violations, appeals, trainings and the system's assessments."""

    violations: float = 0.10  # a creator and year, for the average creator; doubles per unit of unreliability
    overturned: float = 0.12
    appealed: float = 0.3
    trained: float = 0.06  # a creator and year
    assessed: float = 0.5  # share of creators assessed every month
    assess_noise: float = 0.12


@dataclass(frozen=True)
class ReviewParams:
    """Who is reviewed for fraud, and what comes of it."""

    every_days: int = 14
    queue: float = varies(0.018, 0.01, 0.03)  # share of creators reviewed by a crude rule's score each time
    audit: float = varies(0.010, 0.005, 0.015)  # by lot
    rule_noise: float = 0.5
    sensitivity: tuple[float, float] = (0.55, 0.95)  # of a reviewer, from weak to strong fraud
    false_alarm: float = varies(0.03, 0.01, 0.06)
    delay_days: float = 18.0  # log-normal, from review to ``known_at``
    delay_sigma: float = 0.6
    period_missing: float = 0.15
    accounts: float = 0.05  # share of accounts with a label


@dataclass(frozen=True)
class World:
    """One marketplace. ``end`` is its last day; nothing happens after it."""

    name: str = "world-1"
    end: str = "2026-06-30"
    countries: tuple[Country, ...] = COUNTRIES
    creators: CreatorParams = CreatorParams()
    content: ContentParams = ContentParams()
    audience: AudienceParams = AudienceParams()
    daily: DailyParams = DailyParams()
    fraud: FraudParams = FraudParams()
    accounts: AccountParams = AccountParams()
    briefs: BriefParams = BriefParams()
    utility: UtilityParams = UtilityParams()
    logging: LoggingParams = LoggingParams()
    funnel: FunnelParams = FunnelParams()
    work: WorkParams = WorkParams()
    conduct: ConductParams = ConductParams()
    review: ReviewParams = ReviewParams()


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
    text = [json.dumps(material(name), sort_keys=True, ensure_ascii=True) for name in (PHRASES, TOPICS)]
    return hashlib.sha256("\n".join([parameters, *text]).encode()).hexdigest()


@cache
def material(name: str) -> dict[str, Any]:
    """The text material of that file, by language (phrases) or by topic (words of four subtopics in each language)."""
    return json.loads(resources.files("training.simulate").joinpath(name).read_text(encoding="utf-8"))
