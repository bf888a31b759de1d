"""Labels of fraud: who was reviewed, how well the reviewer saw, and when it became known."""

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from training.parameters import ReviewParams
from training.simulate.accounts import BOT, Accounts
from training.simulate.base import Clock, Floats, Ints, Words, frame
from training.simulate.creators import Population
from training.simulate.daily import Daily
from training.simulate.fraud import METRICS, TARGET_SHARE, WINDOW, Bought, bought_shares
from training.world import World

NEWCOMER = 28  # days on the platform before anyone is reviewed
SMOOTH = 5.0  # added to counts, so that small numbers do not make peaks


def reviews(
    world: World,
    people: Population,
    clock: Clock,
    daily: Daily,
    bought: Bought,
    plan: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """A row per review of a creator: creator, day, sampled, is_fake, fraud_type, period start and end, known (day)."""
    p, latest = world.review, np.full(people.size, -np.inf)
    rows = [_judged(p, np.zeros(people.size), plan, np.arange(0), "RANDOM", clock.start, rng)]
    for day in range(clock.start + p.every_days, clock.stop, p.every_days):
        waiting = np.flatnonzero((latest < day - WINDOW) & (people.joined < day - NEWCOMER))
        audited = rng.choice(waiting, min(round(p.audit * people.size), len(waiting)), replace=False)
        by_score = waiting[np.argsort(-_rule(p, daily, day, rng)[waiting], kind="stable")]
        queued = np.setdiff1d(by_score[: round(p.queue * people.size)], audited)
        latest[audited], latest[queued] = day, day
        shares = bought_shares(daily, bought, day - 1)
        rows += [
            _judged(p, shares, plan, audited, "RANDOM", day, rng),
            _judged(p, shares, plan, queued, "QUEUE", day, rng),
        ]
    found = pd.concat(rows, ignore_index=True)
    return found.assign(known=found["day"] + p.delay_days * np.exp(p.delay_sigma * rng.normal(size=len(found))))


def _rule(p: ReviewParams, daily: Daily, day: int, rng: np.random.Generator) -> Floats:
    """A crude rule's score: the highest recent peak of followers, likes, comments or shares per view, or of views
    per like, over the usual level (log)."""
    window = slice(max(day - p.rule_days, 0), day)
    views = daily.views[:, window] + SMOOTH
    score = np.zeros(len(views))
    for name in METRICS:
        values = (daily.likes if name == "views" else getattr(daily, name))[:, window] + SMOOTH
        rate = views / values if name == "views" else values / views
        score = np.maximum(score, np.log(rate.max(axis=1) / np.median(rate, axis=1)))
    return score + p.rule_noise * rng.normal(size=len(score))


def _judged(
    p: ReviewParams,
    shares: Floats,
    plan: pd.DataFrame,
    reviewed: Ints,
    sampled: str,
    day: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Strong fraud is seen more often than weak; now and then the innocent are taken for guilty."""
    share = shares[reviewed]
    low, high = p.sensitivity
    seen = np.where(share >= TARGET_SHARE, low + (high - low) * share.clip(0, 0.6) / 0.6, p.false_alarm)
    fake = rng.random(len(reviewed)) < seen
    recent = plan[(plan["end"] >= day - WINDOW) & (plan["start"] < day)].sort_values("is_fraud", kind="stable")
    cause = recent.drop_duplicates("creator", keep="last").set_index("creator").reindex(reviewed).reset_index(drop=True)
    start = np.where(fake, cause["start"].fillna(day - 30) + rng.integers(-4, 5, len(reviewed)), day - WINDOW)
    end = np.where(fake, np.minimum(cause["end"].fillna(day - 1) + 1 + rng.integers(-2, 6, len(reviewed)), day), day)
    vague = rng.random(len(reviewed)) < p.period_missing
    return pd.DataFrame(
        {
            "creator": reviewed,
            "day": float(day),
            c.SAMPLED: sampled,
            c.IS_FAKE: fake.astype(float),
            c.FRAUD_TYPE: cause["kind"].where(fake & cause["is_fraud"].eq(True)),
            "start": np.where(vague, np.nan, np.minimum(start, end - 1)),
            "end": np.where(vague, np.nan, end),
        }
    )


def labels_table(
    world: World,
    people: Population,
    clock: Clock,
    found: pd.DataFrame,
    pool: Accounts,
    used: Ints,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """``fraud_labels`` known before the end, of creators and of some accounts."""
    known = found[found["known"] < clock.stop]
    creators = pd.DataFrame(
        {
            c.CREATOR_ID: people.ids[known["creator"]],
            c.IS_FAKE: known[c.IS_FAKE],
            c.KNOWN_AT: clock.at(known["known"]),
            c.PERIOD_START: clock.at(known["start"]),
            c.PERIOD_END: clock.at(known["end"]),
            c.SOURCE: "REVIEW",
            c.FRAUD_TYPE: known[c.FRAUD_TYPE],
            c.SAMPLED: known[c.SAMPLED],
        }
    )
    both = pd.concat([creators, _accounts(world, clock, pool, used, rng)], ignore_index=True)
    return frame(schema.FRAUD_LABELS, both.sort_values(c.KNOWN_AT, kind="stable", ignore_index=True))


def _accounts(world: World, clock: Clock, pool: Accounts, used: Ints, rng: np.random.Generator) -> pd.DataFrame:
    p = world.review
    rows = used[rng.random(len(used)) < p.accounts]
    wrong = rng.random(len(rows)) < p.false_alarm
    ids: Words = pool.ids[rows]
    return pd.DataFrame(
        {
            c.ACCOUNT_ID: ids,
            c.IS_FAKE: ((pool.kind[rows] == BOT) ^ wrong).astype(float),
            c.KNOWN_AT: clock.at(rng.uniform(clock.start, clock.stop, len(rows))),
            c.SOURCE: "REVIEW",
            c.SAMPLED: "RANDOM",
        }
    )
