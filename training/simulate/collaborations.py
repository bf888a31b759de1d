"""The life of every collaboration, from the invitation on, as events in legal order; what comes after the end is
unseen."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import columns as c
from training.parameters import WorkParams
from training.simulate.base import Clock, Flags, Floats, Words, by_country, names
from training.simulate.briefs import Briefs
from training.simulate.daily import Daily
from training.simulate.impressions import ACCEPTED, COMPLETED, DECLINED, FAILED, INVITED
from training.simulate.utility import Market

FAILURES = ("DEFAULTED", "CANCELLED_BY_CREATOR", "LOW_RATING")
STEPS = (
    "INVITED", "ACCEPTED", "DECLINED", "CONTRACTED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR", "DEFAULTED",
    "CONTENT_SUBMITTED", "REVISION_REQUESTED", "RESUBMITTED", "CONTENT_APPROVED", "PUBLISHED", "METRICS_REPORTED",
    "SETTLED", "RATED",
)  # fmt: skip
"""In legal order; RESUBMITTED is a second CONTENT_SUBMITTED."""


@dataclass(frozen=True)
class Course:
    """Of every job: the day of each step (NaN: never), the due day, the rating, what was paid."""

    days: dict[str, Floats]
    due: Floats
    rating: Floats


def course(market: Market, jobs: pd.DataFrame, rng: np.random.Generator) -> Course:
    """Let every job run to its end, whenever that is."""
    p, count, creator = market.world.work, len(jobs), jobs["creator"].to_numpy()
    outcome, people = jobs["outcome"].to_numpy(), market.people
    accepted = outcome >= ACCEPTED
    failure = np.where(outcome == FAILED, rng.choice(FAILURES, count, p=p.failures), "")
    dropped = accepted & (outcome == COMPLETED) & (rng.random(count) < p.cancelled_by_brand)
    walked, vanished = failure == "CANCELLED_BY_CREATOR", failure == "DEFAULTED"
    whole = accepted & ~dropped & ~walked & ~vanished

    def after(start: Floats, median: float, happens: Flags) -> Floats:
        return np.where(happens, start + median * np.exp(p.sigma * rng.normal(size=count)), np.nan)

    days = {"INVITED": jobs["day"].to_numpy() + rng.uniform(0.5, 2.0, count)}
    days["ACCEPTED"] = after(days["INVITED"], p.answer, accepted)
    days["DECLINED"] = after(days["INVITED"], p.answer, outcome == DECLINED)
    days["CANCELLED_BY_BRAND"] = after(days["ACCEPTED"], 2 * p.contract, dropped)
    days["CONTRACTED"] = after(days["ACCEPTED"], p.contract, accepted & ~dropped)
    due = days["CONTRACTED"] + np.round(p.due * rng.uniform(0.7, 1.5, count))
    days["CANCELLED_BY_CREATOR"] = after(days["CONTRACTED"], p.content, walked)
    days["DEFAULTED"] = after(due, p.content, vanished)
    slow = np.exp(-p.slowness * people.reliability[creator])
    days["CONTENT_SUBMITTED"] = days["CONTRACTED"] + slow * (
        after(days["CONTRACTED"], p.content, whole) - days["CONTRACTED"]
    )
    again = whole & (rng.random(count) < p.revision * np.exp(-0.2 * people.quality[creator]))
    days["REVISION_REQUESTED"] = after(days["CONTENT_SUBMITTED"], p.approve, again)
    days["RESUBMITTED"] = after(days["REVISION_REQUESTED"], p.content / 3, again)
    submitted = np.where(again, days["RESUBMITTED"], days["CONTENT_SUBMITTED"])
    days["CONTENT_APPROVED"] = after(submitted, p.approve, whole)
    days["PUBLISHED"] = after(days["CONTENT_APPROVED"], p.publish, whole)
    reported = after(days["PUBLISHED"], p.metrics, whole)
    days["METRICS_REPORTED"] = np.where(rng.random(count) < p.metrics_missing, np.nan, reported)
    days["SETTLED"] = after(reported, p.settle, whole)
    poor = failure == "LOW_RATING"
    days["RATED"] = after(days["SETTLED"], p.rate, whole & (poor | (rng.random(count) >= p.unrated)))
    return Course(days, due, _ratings(market, jobs, poor, rng))


def _ratings(market: Market, jobs: pd.DataFrame, poor: Flags, rng: np.random.Generator) -> Floats:
    """Whole stars: 1 or 2 for poor work; else from 3 on by quality, fit, the brand's harshness and chance."""
    people, creator = market.people, jobs["creator"].to_numpy()
    mean = (
        market.world.work.rating
        + 0.3 * people.quality[creator]
        + 0.15 * jobs["utility"]
        - market.houses.harshness[jobs["brand"]]
    )
    stars = np.round(mean + market.world.work.rating_sigma * rng.normal(size=len(jobs))).clip(3, 5)
    return np.where(poor, np.where(rng.random(len(jobs)) < 0.4, 1.0, 2.0), stars)


def outcomes_by(jobs: pd.DataFrame, run: Course, stop: float) -> pd.DataFrame:
    """What each job has come to before ``stop``: ``outcome`` (index into OUTCOMES, INVITED at least once invited),
    ``day``."""
    ends = pd.DataFrame(
        {
            INVITED: run.days["INVITED"],
            DECLINED: run.days["DECLINED"],
            ACCEPTED: run.days["ACCEPTED"],
            COMPLETED: run.days["SETTLED"],
            FAILED: np.fmax(run.days["DEFAULTED"], run.days["CANCELLED_BY_CREATOR"]),
        }
    )
    poor = (run.rating < 3) & ~np.isnan(run.days["RATED"])
    ends[FAILED] = ends[FAILED].fillna(pd.Series(np.where(poor, run.days["RATED"], np.nan)))
    past = ends.where(ends < stop)
    outcome = past.fillna(-np.inf).idxmax(axis=1)
    return pd.DataFrame({"outcome": outcome, "day": past.max(axis=1)}).set_index(jobs.index)


def life_cycle(
    market: Market, asked: Briefs, jobs: pd.DataFrame, run: Course, clock: Clock, daily: Daily, rng: np.random.Generator
) -> pd.DataFrame:
    """The events of all jobs up to the clock's end, without event_id; ``day`` is their time."""
    base = pd.DataFrame(
        {
            "job": np.arange(len(jobs)),
            c.COLLABORATION_ID: collaboration_ids(jobs),
            c.CREATOR_ID: market.people.ids[jobs["creator"]],
            c.BRAND_ID: market.houses.ids[jobs["brand"]],
            c.BRIEF_ID: np.where(jobs["brief"] < 0, None, asked.ids[jobs["brief"].clip(lower=0)]),
        }
    )
    rows = [base.assign(day=run.days[step], step=step)[run.days[step] < clock.stop] for step in STEPS]
    events = pd.concat(rows).sort_values(["job", "day"], kind="stable", ignore_index=True)
    step, job = events["step"], events["job"].to_numpy()
    rates = by_country(market.world, "rate")[market.people.country]
    currency = by_country(market.world, "currency")[market.people.country]
    creator = jobs["creator"].to_numpy()[job]
    paid = step.isin(["CONTRACTED", "SETTLED"])
    events[c.EVENT_TYPE] = step.replace("RESUBMITTED", "CONTENT_SUBMITTED")
    events[c.DUE_AT] = pd.Series(clock.at(run.due[job])).where(step == "CONTRACTED")
    events[c.AMOUNT] = pd.Series((market.people.price / rates)[creator]).round(2).where(paid)
    events[c.CURRENCY] = pd.Series(currency[creator]).where(paid)
    events[c.RATING] = pd.Series(run.rating[job]).where(step == "RATED")
    events[c.VIDEO_ID] = pd.Series(video_ids(jobs)[job]).where(step.isin(["PUBLISHED", "METRICS_REPORTED"]))
    events[c.RECEIVED_AT] = _received(market.world.work, events, clock, rng)
    return events.join(_results(market, jobs, job, daily, market.world.work, rng).where(step == "METRICS_REPORTED"))


def collaboration_ids(jobs: pd.DataFrame) -> Words:
    """Ids of all jobs."""
    return names("k", len(jobs))


def video_ids(jobs: pd.DataFrame) -> Words:
    """Ids of the videos that the jobs lead to."""
    return names("s", len(jobs))


def _received(p: WorkParams, events: pd.DataFrame, clock: Clock, rng: np.random.Generator) -> pd.Series:
    """One rating in ten arrives up to four days late; everything else at once (null)."""
    late = (events["step"] == "RATED") & (rng.random(len(events)) < p.late_ratings)
    day = np.minimum(events["day"] + rng.uniform(0, 4, len(events)), clock.stop - 1e-4)
    return pd.Series(clock.at(day)).where(late)


def _results(
    market: Market, jobs: pd.DataFrame, job: np.ndarray, daily: Daily, p: WorkParams, rng: np.random.Generator
) -> pd.DataFrame:
    """Views, clicks, conversions and sales (US dollars) of each event's job: better fit converts better."""
    people, creator, count = market.people, jobs["creator"].to_numpy()[job], len(job)
    level = np.median(daily.views, axis=1)[creator] / people.posting[creator].clip(0.3)
    views = np.floor(level * np.exp(p.result_sigma * rng.normal(size=count)))
    fit = jobs["utility"].to_numpy()[job]
    clicks = rng.binomial(views.astype(np.int64), p.click_rate * np.exp(0.2 * fit.clip(-2, 4)))
    sold = rng.binomial(clicks, p.conversion_rate * np.exp(0.1 * fit.clip(-2, 4)))
    gmv = np.round(sold * p.basket_usd * np.exp(0.5 * rng.normal(size=count)), 2)
    return pd.DataFrame({c.VIDEO_VIEWS: views, c.CLICKS: clicks, c.CONVERSIONS: sold, c.GMV: gmv})
