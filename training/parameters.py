"""Every parameter of the simulated marketplace, each with the reason or source for its value.

A parameter made by :func:`varies` has a range too, from which :func:`training.world.random_world` draws; the others
are the
same in every world. "Judgement": set by hand so that the world is neither trivial nor hopeless; there is no public
figure.
"""

from dataclasses import dataclass, field
from typing import Any


def varies(default: float, low: float, high: float) -> Any:
    """A dataclass field that ``random_world`` draws uniformly from [low, high]."""
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class CreatorParams:
    """Who the creators are."""

    followers_median: float = 25_000  # most marketplace creators are nano or micro (1,000 to 100,000)
    followers_sigma: float = varies(1.6, 1.3, 1.9)  # log-normal: the top 1 % is 40 times the median, a long tail
    second_topic: float = 0.55  # share with a second topic; judgement
    second_weight: tuple[float, float] = (0.15, 0.5)  # what the second topic takes of them; never more than the first
    focus: float = 0.5  # Dirichlet over the four subtopics: below 1, most creators keep to one or two
    extra_style: float = 0.12  # chance of each style beyond the first: two styles on average
    formats: tuple[float, float, float] = (0.95, 0.3, 0.35)  # SHORT_VIDEO, LIVE, IMAGE: a short-video platform
    label_missing: float = varies(0.08, 0.03, 0.15)  # people fill in forms badly; judgement
    label_wrong: float = varies(0.08, 0.03, 0.15)  # usual error of human and machine topic labels
    second_label_listed: float = 0.6  # the second topic is often left out
    style_missing: float = 0.25  # an optional field
    language_minority: float = 0.08  # write in another language than their country's: diasporas
    bio_missing: float = 0.12  # judgement
    label_only: float = varies(0.08, 0.04, 0.15)  # label and country alone: the real cold start
    not_in: float = 0.10  # not onboarded: searchable, never ranked
    invalid: float = 0.04  # closed or banned; judgement
    onboarded_late: float = 0.06  # came IN during the horizon, so that status has a history
    joined_late: float = 0.05  # joined the platform during the horizon: short histories
    tenure: tuple[float, float] = (2.0, 300.0)  # Gamma shape and days on the platform before: mean 20 months
    snapshot_days: int = 30  # profiles are observed once a month
    price_elasticity: float = 0.72  # fees grow more slowly than followers (CPM falls with size)
    price_at_median_usd: float = 180.0  # for 25,000 followers: $7 per thousand followers; guides say $5 to $15
    price_sigma: float = varies(0.45, 0.3, 0.6)  # log error of creators who price themselves; judgement
    price_missing: float = 0.05  # on request
    price_list: float = 0.6  # creators with a price for each format
    posts_a_day: tuple[float, float] = (2.0, 3.5)  # Gamma shape and rate: mean .57; platforms advise one a day
    aesthetics: int = 4  # hidden dimensions of manner that show only in whom brands choose
    off_topic: float = 0.15  # share of texts about something else: holidays, pets, lunch


@dataclass(frozen=True)
class ContentParams:
    """Videos and their counters."""

    videos_mean: float = 5.0  # sampled videos per creator over the horizon, enough for medians
    captions_max: int = 3  # with captions; few, so that two cores embed all texts within ``make run``
    no_videos: float = 0.10  # creators whose videos are not shared with the marketplace
    before_days: int = 60  # some videos are older than the horizon, so that its first days know captions
    views_sigma: float = 0.8  # log spread between one creator's videos: short video is a lottery
    maturity_days: float = 3.0  # time constant of views: most come in the first week
    second_look: float = 0.5  # observed again ten to forty days later
    completion_mean: float = 0.35  # typical of 15 to 60 s videos


@dataclass(frozen=True)
class AudienceParams:
    """Audiences, correlated with topic and country."""

    known: float = 0.8  # creators who share their audience figures; judgement
    concentration: float = varies(25.0, 12.0, 50.0)  # Dirichlet: a creator's audience around its topic's typical one
    noise: float = 250.0  # Dirichlet of the measurement: standard error 3 % at a share of .5, a sample of a few hundred
    home_share: tuple[float, float] = (0.35, 0.95)  # of the audience in the creator's own country
    same_language: float = 0.7  # of the audience abroad, share in countries of the creator's language
    english: float = 0.1  # of a country's viewers who watch in English first
    second_look: float = 0.4  # measured again during the horizon
    # Of each topic, in the order of topics.json: mean age bucket (0 to 5) and share of women, after the common
    # picture of market surveys (gaming young and male, beauty female, home older).
    ages: tuple[float, ...] = (1.6, 1.5, 2.0, 2.5, 2.3, 0.9, 1.9, 2.8, 2.2, 2.6, 1.4, 1.1, 3.0, 1.9)
    women: tuple[float, ...] = (0.82, 0.7, 0.55, 0.58, 0.53, 0.25, 0.28, 0.78, 0.6, 0.36, 0.5, 0.52, 0.62, 0.27)
    age_spread: float = 1.1  # buckets; a topic's viewers span about three
    devices: tuple[float, float, float] = (0.35, 0.57, 0.08)  # IOS, ANDROID, WEB; between the US and the world


@dataclass(frozen=True)
class DailyParams:
    """Daily statistics without campaigns."""

    burn_in: int = 90  # days simulated before the horizon: the fraud target looks back that far
    views_per_follower: float = (
        0.12  # a day at the median creator: half a video a day, seen by a quarter of followers' number
    )
    views_elasticity: float = 0.85  # reach falls with size
    views_sigma: float = 0.9  # log spread between creators of one size; judgement
    weekend: float = 0.18  # lift of views on Saturday and Sunday; judgement
    ar: float = 0.6  # day-to-day memory of log views: a video lives for about three days
    ar_sigma: float = varies(0.35, 0.25, 0.5)  # daily innovation; judgement
    growth: tuple[float, float] = (
        0.0004,
        0.0012,
    )  # mean and spread of the daily log trend: most grow 10 % in nine months
    spike_rate: float = 0.012  # a day; ordinary luck, not a named event
    spike_size: float = 1.2  # exponential, log views: mean triples a day's views
    spike_fade: float = 0.6  # of a spike that is left a day later
    like_rate: float = 0.055  # per view; published benchmarks for short video: 4 to 8 %
    like_sigma: float = 0.45  # between creators, for this and the next three; judgement
    comment_rate: float = 0.0045  # a tenth of likes
    comment_sigma: float = 0.6
    share_rate: float = 0.004  # as comments
    share_sigma: float = 0.6
    follow_rate: float = 0.008  # new followers per view
    follow_sigma: float = 0.7
    churn: float = 0.0004  # followers lost a day: 14 % a year
    rate_noise: float = 0.25  # daily log noise of every rate: content differs
    promoters: float = 0.12  # creators who now and then promote a little
    promoted_days: float = 0.06  # of their days
    promoted_share: tuple[float, float] = (0.1, 0.5)  # of such a day's views


@dataclass(frozen=True)
class Kind:
    """A kind of campaign: its share (of fraud campaigns; of creators for innocents), length in days, what it adds to
    followers,
    views, likes, comments and shares relative to its intensity, and whether it comes in a burst (else evenly)."""

    name: str
    share: float
    days: tuple[int, int]
    adds: tuple[float, float, float, float, float]
    burst: bool = False


# Lengths and mixtures follow what is sold (instant or "drip-fed" followers, likes, views), engagement groups and
# lockstep rings (CopyCatch, WWW 2013). Innocents have the same shapes from other causes. Shares are judgement.
FRAUDS = (
    Kind("BOUGHT_FOLLOWERS", 0.20, (1, 4), (1.0, 0.0, 0.05, 0.0, 0.0), burst=True),
    Kind("SLOW_DRIP", 0.16, (40, 120), (1.0, 0.0, 0.05, 0.0, 0.0)),
    Kind("ENGAGEMENT_POD", 0.15, (30, 150), (0.05, 0.05, 0.6, 1.0, 0.4)),
    Kind("BOT_LIKES", 0.17, (5, 30), (0.0, 0.1, 1.0, 0.0, 0.0)),
    Kind("BOUGHT_COMMENTS", 0.08, (5, 40), (0.0, 0.0, 0.1, 1.0, 0.0)),
    Kind("VIEW_INFLATION", 0.14, (2, 20), (0.0, 1.0, 0.1, 0.0, 0.0), burst=True),
    Kind("LOCKSTEP_RING", 0.10, (4, 25), (0.7, 0.1, 0.7, 0.3, 0.2)),
)
INNOCENTS = (
    Kind("VIRAL_HIT", 0.10, (4, 14), (1.2, 1.0, 0.9, 0.9, 1.3), burst=True),
    Kind("PRESS_MENTION", 0.06, (2, 7), (1.0, 0.1, 0.1, 0.1, 0.05), burst=True),
    Kind("PAID_PROMOTION", 0.10, (5, 25), (0.4, 1.0, 0.4, 0.15, 0.1)),
)


@dataclass(frozen=True)
class FraudParams:
    """Campaigns, guilty and innocent."""

    prevalence: float = varies(0.22, 0.15, 0.28)  # creators with fraud in nine months; audits report 10 to 25 %
    frauds: tuple[Kind, ...] = FRAUDS
    innocents: tuple[Kind, ...] = INNOCENTS
    intensity: tuple[float, float] = (1.3, 2.2)  # Beta of the bought share of 90 days' gain: mean .37, some below .1
    intensity_scale: float = varies(0.85, 0.6, 1.0)  # lowers them all: nobody buys nine tenths
    repeat: float = 0.35  # of the guilty, share that buys again; judgement
    appeal_small: float = -0.15  # log odds per log follower: smaller creators buy more
    premium: float = varies(0.45, 0.25, 0.6)  # share of bought accounts whose profiles look like people's
    bot_churn: float = 0.006  # of bought followers removed by the platform a day: a sixth a month
    paid_declared: float = 0.7  # paid promotions whose views are reported as paid
    ring_size: int = 8  # creators served by one set of accounts; CopyCatch's smallest groups
    pod_size: int = 12  # members; reported groups have ten to some hundred


@dataclass(frozen=True)
class AccountParams:
    """The accounts that follow and engage, and the sampled engagements."""

    per_creator: float = 8.0  # size of the pool: an account is met about four times
    mix: tuple[float, float, float, float] = (
        0.72,
        0.10,
        0.13,
        0.05,
    )  # real, mass followers, bots, influencers; judgement
    lurkers: float = 0.22  # real people with a bot's profile: no posts, no bio, digits
    mass_botlike: float = 0.3  # the same of mass followers
    engagements_mean: float = 32.0  # sampled per creator: enough for shares, not for certainty
    engagements_sigma: float = 0.5  # log spread of the sample's size
    actions: tuple[float, ...] = (0.25, 0.42, 0.27, 0.06)  # FOLLOW, LIKE, COMMENT, SHARE; likes are thinned most
    background_bots: tuple[float, float] = (
        1.1,
        11.0,
    )  # Beta of unbought bots at every creator: mean 9 %, as audits find
    farm_size: int = 80  # accounts made within a week of each other
    comment_missing: float = 0.15  # texts deleted or not kept
    # P(spam), P(flattery) in a comment by its origin: organic, bots, pods, rings. Sellers offer "custom" comments too.
    spam: tuple[float, ...] = (0.06, 0.55, 0.1, 0.5)
    flattery: tuple[float, ...] = (0.08, 0.15, 0.6, 0.2)


@dataclass(frozen=True)
class BriefParams:
    """Brands and briefs."""

    briefs_per_brand: float = 4.0  # a few, so that brands have a history and newcomers exist
    fields_missing: float = varies(0.4, 0.25, 0.6)  # each structured field by itself: brands write prose
    mention_audience: float = 0.6  # the text says whom, how and where; each by itself
    second_product: float = 0.5  # the text names another product of the brand
    references: float = 0.4  # briefs with a reference caption
    international: float = 0.35  # briefs for viewers anywhere, in any language
    elsewhere: float = 0.2  # local briefs for another country than the brand's
    budget_median_usd: float = 400.0  # per creator: the fee of one with 75,000 followers
    budget_sigma: float = 0.8  # log; judgement
    budget_tier: float = 0.4  # brands that want larger creators pay more, less than in proportion
    tier: tuple[float, float] = (0.6, 1.0)  # mean over the median creator and spread of the preferred log followers
    wanted: tuple[int, int] = (2, 6)  # creators wanted
    ranged: float = 0.3  # briefs that state a range of followers


@dataclass(frozen=True)
class UtilityParams:
    """What makes a creator right for a brief: weights on terms of about unit spread. All judgement, in this order:
    topic, audience, price, and then what only experience tells."""

    topic: float = 2.2  # on the root of the share of content in the brief's topic
    subtopic: float = varies(2.6, 2.0, 3.2)  # the same in its subtopic: what text tells beyond labels
    audience: float = varies(1.3, 0.8, 1.8)  # wanted ages and genders
    place: float = 1.6  # local briefs only: the audience's country and language
    style: float = 0.7
    form: float = 0.5  # offers the wanted format
    price: float = 1.1  # per log of price above budget
    quality: float = varies(0.7, 0.4, 1.0)  # seen darkly in views and ratings
    reliability: float = 0.35  # seen darkly in the ledger
    taste: float = varies(0.8, 0.5, 1.1)  # brand and manner: only collaborative signals tell
    size: float = 0.5  # per log follower away from the brand's tier
    noise: float = varies(0.9, 0.7, 1.1)  # what no model can know


@dataclass(frozen=True)
class LoggingParams:
    """The marketplace's old ranking, which logged the impressions: better than chance, far from good. Judgement."""

    shown: tuple[int, ...] = (20, 25, 30)  # one or two screens
    popularity: float = 0.5
    label: float = 1.6
    relevance: float = varies(0.7, 0.4, 1.0)  # weight of a glimpse of the true utility
    noise: float = 1.0
    block: int = 5  # positions shuffled uniformly within blocks: exactly known propensities
    explore: float = varies(0.15, 0.08, 0.25)  # positions given to a creator drawn from the rest of the catalogue
    examination: float = varies(0.5, 0.4, 0.9)  # P(looked at) = position ** -this; click models find 0.5 to 1


@dataclass(frozen=True)
class FunnelParams:
    """From a look to a finished job. Pairs are (intercept, slope) of logits over a utility standardised over the
    catalogue, so
    that of ten looked at the best fits get six clicks, three shortlists and two invitations; judgement."""

    click: tuple[float, float] = (-2.2, 1.2)
    shortlist: tuple[float, float] = (-1.0, 0.9)
    invite: tuple[float, float] = (-0.4, 0.8)
    unanswered: float = 0.08  # invitations never answered
    accept: float = 1.0  # log odds at a fair price with no other order: seven in ten
    accept_price: float = 1.2  # per log of budget over price
    accept_load: float = 0.45  # per open order
    load_days: float = 25.0  # an order weighs for about this long: its median life
    success: float = 1.1  # one job in five or six fails
    success_reliability: float = varies(1.1, 0.7, 1.5)  # per standard deviation: what a ledger can learn
    success_fit: float = 0.3
    success_load: float = 0.25
    success_harshness: float = 0.6  # harsh brands rate more jobs below 3


@dataclass(frozen=True)
class WorkParams:
    """The life of a collaboration. Times are medians of log-normals in days: five to six weeks in all, as agencies
    plan."""

    answer: float = 1.5
    contract: float = 2.0
    content: float = 9.0
    approve: float = 2.0
    publish: float = 2.0
    metrics: float = 7.0
    settle: float = 6.0
    rate: float = 2.0
    sigma: float = 0.5  # log spread of each
    slowness: float = 0.25  # log days of content per unit of unreliability
    due: float = 12.0  # days from contract to the content's due date, times .7 to 1.5: a fifth is late
    revision: float = 0.35  # one round of changes; judgement
    cancelled_by_brand: float = 0.04  # plans change
    failures: tuple[float, float, float] = (0.35, 0.3, 0.35)  # defaulted, cancelled by the creator, rated below 3
    unrated: float = 0.25  # brands that do not bother
    rating: float = 4.1  # mean stars, as usual on marketplaces
    rating_sigma: float = 0.7  # noise of one rating
    rater_sigma: float = 0.45  # harsh and generous brands
    late_ratings: float = 0.1  # arrive up to four days after they were given
    past_jobs: float = varies(1.2, 0.6, 2.0)  # invitations per creator before the horizon, very unequal
    past_days: int = 540  # a year and a half of history
    loyalty: float = 2.0  # slope of a brand's choice over its utility: it knows its creators, not perfectly
    metrics_missing: float = 0.1  # jobs without reported results
    result_sigma: float = 0.7  # log noise of a sponsored video's views
    click_rate: float = 0.012  # clicks per view: about 1 %, usual for links under video
    conversion_rate: float = 0.03  # sales per click: 2 to 3 %, usual for shops
    basket_usd: float = 25.0  # median sale


@dataclass(frozen=True)
class ConductParams:
    """Violations, appeals, trainings and the system's assessments; judgement."""

    violations: float = 0.10  # a year for the average creator; doubles per unit of unreliability
    severities: tuple[float, float, float] = (0.6, 0.3, 0.1)  # of 1, 2 and 3
    appealed: float = 0.3
    upheld: float = 0.4  # of appeals
    trained: float = 0.06  # a year
    assessed: float = 0.5  # creators assessed every month
    assess_noise: float = 0.12  # of a value in [0, 1]


@dataclass(frozen=True)
class ReviewParams:
    """Who is reviewed for fraud, and what comes of it."""

    every_days: int = 14  # a fortnightly round
    queue: float = varies(0.025, 0.015, 0.035)  # share of creators reviewed by a crude rule's score each round
    audit: float = varies(0.012, 0.006, 0.018)  # by lot
    rule_days: int = 60  # what the rule looks at
    rule_noise: float = 0.5  # reviewers also follow tips and moods
    sensitivity: tuple[float, float] = (0.55, 0.95)  # of a reviewer, from weak to strong fraud; judgement
    false_alarm: float = varies(0.03, 0.01, 0.06)  # innocents found guilty; judgement
    delay_days: float = 18.0  # median, from review to ``known_at``
    delay_sigma: float = 0.6  # log: one in ten takes six weeks
    period_missing: float = 0.15  # labels without a period
    accounts: float = 0.05  # share of accounts with a label
