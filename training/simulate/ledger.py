"""The ledger: every collaboration's life and every incident, in order of time."""

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from training.simulate.base import Clock, frame, names
from training.simulate.briefs import Briefs
from training.simulate.collaborations import life_cycle
from training.simulate.daily import Daily
from training.simulate.matches import Matches
from training.simulate.utility import Market


def ledger(
    market: Market,
    asked: Briefs,
    made: Matches,
    incidents: pd.DataFrame,
    clock: Clock,
    daily: Daily,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """``collaboration_events``: ids in order of time, references resolved."""
    lives = life_cycle(market, asked, made.jobs, made.run, clock, daily, rng)
    events = pd.concat([lives, incidents], ignore_index=True).sort_values("day", kind="stable", ignore_index=True)
    events[c.EVENT_ID] = names("e", len(events))
    named = events.dropna(subset="key").set_index("key")[c.EVENT_ID]
    events[c.REFERS_TO] = events["cause"].map(named)
    events[c.EVENT_TIME] = clock.at(events["day"])
    contract = [name for name in schema.COLLABORATION_EVENTS.names if name in events]
    return frame(schema.COLLABORATION_EVENTS, events[contract])
