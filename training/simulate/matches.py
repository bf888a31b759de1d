"""What briefs led to: the ``impressions`` and the jobs, each at the state it has reached by the end."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from features import vocabulary as v
from training.simulate.base import Clock, by_country, frame, names
from training.simulate.briefs import Briefs
from training.simulate.collaborations import Course, collaboration_ids, course, outcomes_by, video_ids
from training.simulate.impressions import CLICKED, NONE, SHORTLISTED, log_impressions
from training.simulate.jobs import brief_jobs, past_jobs
from training.simulate.utility import Market, label_flags

POLICY = "logging-1"


@dataclass(frozen=True)
class Matches:
    """``shown`` pairs with ``outcome`` and ``outcome_day`` as of the end, all ``jobs``, how they ``run``, and the
    ``truth`` of pairs."""

    shown: pd.DataFrame
    jobs: pd.DataFrame
    run: Course
    truth: pd.DataFrame


def matches(market: Market, asked: Briefs, profiles: pd.DataFrame, clock: Clock, rng: np.random.Generator) -> Matches:
    """Show creators for each brief, invite, and let the jobs run; past jobs come first."""
    past = past_jobs(market, clock, rng)
    shown, truth = log_impressions(market, asked, _listed(market, profiles), clock, past, rng)
    jobs = pd.concat([past, brief_jobs(asked, shown)], ignore_index=True)
    ran = course(market, jobs, rng)
    return Matches(_outcomes(shown, jobs, ran, clock, rng), jobs, ran, truth)


def _listed(market: Market, profiles: pd.DataFrame) -> np.ndarray:
    """The labels as listed, in the order of the population."""
    last = profiles.drop_duplicates(c.CREATOR_ID).set_index(c.CREATOR_ID)[c.CONTENT_LABELS].reindex(market.people.ids)
    return label_flags([labels if isinstance(labels, list) else [] for labels in last])


def _outcomes(
    shown: pd.DataFrame, jobs: pd.DataFrame, ran: Course, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """Clicks come within minutes, shortlists within a day; invitations are as far as their jobs; all cut off at the
    end."""
    reached = outcomes_by(jobs, ran, clock.stop)
    late = jobs["shown"] >= 0
    moved = reached[late].set_axis(jobs.loc[late, "shown"].astype(int))
    click = shown["day"] + rng.exponential(0.02, len(shown))
    shortlist = click + rng.uniform(0.01, 0.45, len(shown))
    outcome = shown["outcome"].clip(upper=SHORTLISTED)
    day = pd.Series(
        np.select([outcome == CLICKED, outcome == SHORTLISTED], [click, shortlist], np.nan), index=shown.index
    )
    done = moved[moved["day"].notna()]
    outcome[done.index], day[done.index] = done["outcome"], done["day"]
    unseen = (day >= clock.stop) & (outcome == SHORTLISTED) & (click < clock.stop)
    outcome, day = outcome.mask(unseen, CLICKED), day.mask(unseen, click)
    return shown.assign(outcome=outcome.mask(day >= clock.stop, NONE), outcome_day=day.mask(day >= clock.stop))[
        shown["day"] < clock.stop
    ]


def impressions_table(market: Market, asked: Briefs, made: Matches, clock: Clock) -> pd.DataFrame:
    """``impressions``; a price is quoted, in the creator's currency, where there was an invitation."""
    shown, people = made.shown, market.people
    creator, brief = shown["creator"].to_numpy(), shown["brief"].to_numpy()
    rates = by_country(market.world, "rate")[people.country]
    return frame(
        schema.IMPRESSIONS,
        {
            c.BRIEF_ID: asked.ids[brief],
            c.CREATOR_ID: people.ids[creator],
            c.SHOWN_AT: clock.at(shown["day"]),
            c.POSITION: shown["position"].to_numpy(),
            c.RANKING_ID: names("r", len(asked.ids))[brief],
            c.SURFACE: "SEARCH",
            c.POLICY_VERSION: POLICY,
            c.PROPENSITY: shown["propensity"].to_numpy(),
            c.OUTCOME: np.array(v.OUTCOMES, dtype=object)[shown["outcome"]],
            c.OUTCOME_AT: clock.at(shown["outcome_day"]),
            c.QUOTED_PRICE: np.where(shown["outcome"] > SHORTLISTED, (people.price / rates)[creator].round(2), np.nan),
        },
    )


def sponsored_videos(made: Matches, clock: Clock) -> pd.DataFrame:
    """The videos that jobs led to since shortly before the horizon, in the columns of :func:`videos.videos_table`."""
    published = made.run.days["PUBLISHED"]
    rows = (published < clock.stop) & (published >= clock.start - 60)
    columns = {
        "creator": made.jobs["creator"],
        "day": published,
        "subtopic": made.jobs["subtopic"],
        c.COLLABORATION_ID: collaboration_ids(made.jobs),
        c.VIDEO_ID: video_ids(made.jobs),
    }
    return pd.DataFrame(columns)[rows].reset_index(drop=True)
