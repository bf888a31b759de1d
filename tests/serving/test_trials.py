"""A challenger answers its brands, ranks in the shadow, and goes when it is told to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from prometheus_client import REGISTRY

from features.errors import InputError
from features.trace import note, tracing
from models.challenge import Challenge, Experiment, write_challenge
from models.considered import Considered
from serving.follower import Follower
from serving.store import Store
from serving.trials import QUEUED, Sample, Trials, compare
from tests.serving.fakes import FakeEngine, make_store, open_store_at


class RankingEngine(FakeEngine):
    """Ranks ``ids`` in their order, as release ``version``."""

    def __init__(self, version: str, ids: list[str]) -> None:
        super().__init__(ids)
        self.version = version

    def rank(self, request: Mapping[str, Any]) -> dict[str, Any]:
        count = len(self.ids)
        scores, none = np.arange(count, 0.0, -1), np.zeros(count, bool)
        note(considered=Considered(pd.DataFrame(index=self.ids), scores, scores, none, none))
        return super().rank(request) | {"models": {"release": self.version}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store_at(make_store(tmp_path))


@pytest.fixture
def champion() -> RankingEngine:
    return RankingEngine("1", ["a", "b", "c", "d"])


@pytest.fixture
def trials(tmp_path: Path, store: Store, champion: RankingEngine) -> Trials:
    def load(release: Path, _: Follower) -> Follower:
        if release.name == "9":
            raise InputError("ranker: is 0.5 off", code="CONFLICT")
        return Follower(RankingEngine(release.name, ["a", "c", "b", "e"]), store, 0)

    return Trials(tmp_path, Follower(champion, store, 0), load)


def ranked(trials: Trials, champion: RankingEngine, **brief: str) -> dict[str, Any]:
    with tracing():
        return trials.rank(champion, {"brief": brief})


def test_each_brand_is_answered_by_its_arm_and_told_so(tmp_path: Path, trials: Trials, champion: RankingEngine) -> None:
    experiment = Experiment("towers", 0.5)
    write_challenge(tmp_path, Challenge("2", 0.0, experiment))
    trials.look()
    seen = set()
    for brand in (f"brand-{i}" for i in range(20)):
        answer = ranked(trials, champion, brand_id=brand)
        arm = experiment.arm(brand)
        assert answer["experiment"] == {"name": "towers", "arm": arm}
        assert answer["models"]["release"] == {"champion": "1", "challenger": "2"}[arm or ""]
        seen.add(arm)
    assert seen == {"champion", "challenger"}
    nobody = ranked(trials, champion)
    assert nobody["models"]["release"] == "1"
    assert "experiment" not in nobody
    write_challenge(tmp_path, None)
    trials.look()
    assert trials.told is None
    assert all(ranked(trials, champion, brand_id=f"brand-{i}")["models"]["release"] == "1" for i in range(20))


def test_another_share_needs_no_other_engine_and_a_refused_challenger_answers_nobody(
    tmp_path: Path, trials: Trials, champion: RankingEngine
) -> None:
    write_challenge(tmp_path, Challenge("2", 0.1))
    trials.look()
    before = trials.current
    write_challenge(tmp_path, Challenge("2", 0.7))
    trials.look()
    assert before is not None
    assert trials.current is not None
    assert (trials.current.challenge.shadow, trials.current.engine) == (0.7, before.engine)
    write_challenge(tmp_path, Challenge("9", 1.0, Experiment("towers", 1.0)))
    trials.look()
    assert [(one["version"], one["reason"]) for one in trials.refused] == [("9", "ranker: is 0.5 off")]
    assert ranked(trials, champion, brand_id="b")["models"]["release"] == "1"


def told(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"creatormatch_shadow_{name}", labels) or 0.0


def test_the_shadow_takes_its_share_never_waits_and_counts_what_it_drops(
    tmp_path: Path, trials: Trials, champion: RankingEngine
) -> None:
    write_challenge(tmp_path, Challenge("2", 0.25))
    trials.look()
    before = told("requests_total", outcome="dropped")
    for _ in range(8 * QUEUED):
        assert ranked(trials, champion, brand_id="b")["models"]["release"] == "1"
    assert 0.5 * QUEUED < told("requests_total", outcome="dropped") - before < 1.5 * QUEUED  # of about twice as many


def test_agreement_of_a_sample_is_measured(champion: RankingEngine) -> None:
    with tracing() as trace:
        answer = champion.rank({"brief": {}})
    challenger: Any = RankingEngine("2", ["a", "c", "b", "e"])
    before = told("overlap_sum"), told("rank_correlation_bucket", le="0.6"), told("rank_correlation_bucket", le="0.4")
    compare(Sample(challenger, {"brief": {}}, answer, trace.values["considered"], 0.5))
    after = told("overlap_sum"), told("rank_correlation_bucket", le="0.6"), told("rank_correlation_bucket", le="0.4")
    assert np.subtract(after, before).tolist() == [0.75, 1, 0]  # of a, b, c the last two change places: rho is 0.5
    assert told("duration_seconds_sum", arm="champion") >= 0.5
