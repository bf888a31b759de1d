"""The ledger that credit's growth is measured on is one that a service would take."""

import numpy as np
import pandas as pd

from features.collaborations import collaborations
from features.legality import contradictions
from models.credit import credit_scores, load_policy
from training.benchmarks.credit_scale import AS_OF, KINDS, ledger, measure


def test_everyone_has_the_same_events_in_whole_collaborations() -> None:
    events = ledger(30, np.random.default_rng(1))
    assert len(KINDS) == 50
    assert events["creator_id"].value_counts().unique().tolist() == [50]
    assert events["event_id"].is_unique
    assert events["event_time"].is_monotonic_increasing
    assert contradictions(events).empty
    assert not collaborations(events)["incomplete"].any()
    undone = events[(events["event_type"] == "VIOLATION_OVERTURNED") & events["refers_to"].isin(events["event_id"])]
    assert sorted(undone["creator_id"]) == ["c0", "c10", "c20"]


def test_what_is_measured_moves_scores() -> None:
    events = ledger(20, np.random.default_rng(1))
    scores = credit_scores(events, load_policy(), AS_OF, pd.Index(events["creator_id"].unique()))
    assert scores["score"].nunique() > 10
    found = measure(20)
    assert (found["creators"], found["events"]) == (20, 1000)
    assert min(found.values()) > 0
