"""A sample of each creator's videos, with counters that grow between two looks."""

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from features import vocabulary as v
from training.simulate.base import Clock, Floats, Ints, draw, frame, masked, names
from training.simulate.creators import Population
from training.simulate.daily import Daily
from training.simulate.text import captions
from training.world import World

COUNTERS = (c.LIKES, c.COMMENTS, c.SHARES)


def videos_table(
    world: World, people: Population, clock: Clock, daily: Daily, jobs: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Ordinary videos and those of ``jobs`` (columns creator, day, collaboration_id, video_id, subtopic)."""
    plain = _plain(world, people, clock, rng)
    plain[c.VIDEO_ID] = names("v", len(plain))
    made = pd.concat([plain, _sponsored(world, people, jobs, rng)], ignore_index=True)
    made[c.CREATOR_ID] = people.ids[made["creator"]]
    made[c.CREATE_TIME] = clock.at(made["day"])
    counters = _counters(world, people, daily, made, rng)
    return frame(schema.VIDEOS, _looks(world, clock, made.join(counters), rng))


def _plain(world: World, people: Population, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    p = world.content
    count = rng.poisson(p.videos_mean * np.sqrt(people.posting / people.posting.mean()))
    count[(rng.random(people.size) < p.no_videos) | people.label_only] = 0
    creator = np.repeat(np.arange(people.size), count)
    day = rng.uniform(np.maximum(people.joined[creator], clock.start - p.before_days), clock.stop - 0.1)
    rows = pd.DataFrame({"creator": creator, "day": day})
    rows[c.CAPTION] = masked(
        captions(world, people.subtopics[creator], people.language[creator], rng),
        rows.groupby("creator").cumcount().to_numpy() >= p.captions_max,
    )
    return rows


def _sponsored(world: World, people: Population, jobs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    shares = np.eye(people.subtopics.shape[1])[jobs["subtopic"]]
    text = captions(world, shares, people.language[jobs["creator"]], rng)
    return jobs.drop(columns="subtopic").assign(**{c.CAPTION: text})


def _counters(
    world: World, people: Population, daily: Daily, made: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Final counters: the day's views among its posts, and the rates of these three days, bought actions and all."""
    p, creator = world.content, made["creator"].to_numpy()
    day = made["day"].to_numpy().astype(np.int64).clip(0, daily.views.shape[1] - 1)
    spread = np.exp(p.views_sigma * rng.normal(size=len(made)))
    views = _three_days(daily.views, creator, day) / 3 / people.posting[creator].clip(0.3) * spread
    rates = {name: _three_days(getattr(daily, name), creator, day) for name in (*COUNTERS, "paid")}
    shown = np.maximum(_three_days(daily.views, creator, day), 1)
    noise = {name: np.exp(0.25 * rng.normal(size=len(made))) for name in rates}
    found = {name: views * rates[name] / shown * noise[name] for name in COUNTERS}
    paid = np.minimum(rates["paid"] / shown, 0.95) * views
    completion = rng.beta(20 * p.completion_mean, 20 * (1 - p.completion_mean), len(made))
    form = draw((people.formats * [0.8, 0.1, 0.1] + [1e-6, 0, 0])[creator], rng)
    fixed = {
        c.CONTENT_FORMAT: np.array(v.CONTENT_FORMATS, dtype=object)[form],
        c.DURATION_S: np.where(
            form == 1, 3600.0, np.where(form == 2, np.nan, np.round(15 + rng.gamma(2, 15, len(made))))
        ),
        c.VIDEO_COMPLETION_RATE: np.where(form == 2, np.nan, completion),
    }
    return pd.DataFrame(
        fixed | {c.VIDEO_VIEWS: views, c.PAID_VIDEO_VIEWS: paid, c.FAVORITES: 0.3 * found[c.LIKES]} | found
    )


def _three_days(values: Floats, creator: Ints, day: Ints) -> Floats:
    return sum(values[creator, np.minimum(day + step, values.shape[1] - 1)] for step in range(3))


def _looks(world: World, clock: Clock, made: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows at a first look about a week after publication, and at a second one for some."""
    first = np.minimum(np.maximum(made["day"] + rng.uniform(3, 10, len(made)), clock.start), clock.stop - 0.01)
    first = np.maximum(first, made["day"])  # what is published in the last minutes
    second = first + rng.uniform(10, 40, len(made))
    again = (rng.random(len(made)) < world.content.second_look) & (second < clock.stop)
    seen = pd.concat([made.assign(seen=first), made.assign(seen=second)[again]], ignore_index=True)
    grown = 1 - np.exp(-(seen["seen"] - seen["day"]) / world.content.maturity_days)
    for name in (c.VIDEO_VIEWS, c.PAID_VIDEO_VIEWS, c.FAVORITES, *COUNTERS):
        seen[name] = np.floor(seen[name] * grown)
    seen[c.OBSERVED_AT] = clock.at(seen["seen"])
    order = seen.sort_values([c.VIDEO_ID, c.OBSERVED_AT], ignore_index=True)
    return order.drop(columns=["seen", "day", "creator"])
