"""A challenger beside the champion: it answers the brands of its arm, and ranks again, unseen, what the champion did.

See docs/models-in-service.md.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Full, Queue
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from features import columns as c
from features.trace import note, noted, tracing
from models.agreement import overlap, rank_correlation
from models.challenge import FILE, Challenge, read_challenge
from models.considered import Considered
from models.registry import CHALLENGER
from serving import metrics
from serving.follower import Follower
from serving.releases import Load, check_speed, release_memory
from serving.watch import Watch

if TYPE_CHECKING:
    from models.engine import Engine

QUEUED = 32  # requests that wait for the shadow

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """A loaded challenger and what is tried with it."""

    challenge: Challenge
    follower: Follower

    @property
    def engine(self) -> "Engine":
        """The challenger's."""
        return self.follower.engine

    def placement(self, brand_id: str | None) -> dict[str, str] | None:
        """The experiment and the arm of a brand; None where it is in none."""
        experiment = self.challenge.experiment
        arm = experiment and experiment.arm(brand_id)
        return {"name": experiment.name, "arm": arm} if experiment and arm else None


class Trials(Watch):
    """Keeps ``current`` on what challenger.json under ``home`` says; beside ``served``, with ``load``."""

    def __init__(self, home: Path, served: Follower, load: Load) -> None:
        super().__init__(home / FILE)
        self._home, self._served, self._load = home, served, load
        self.current: Trial | None = None
        self.shadow = Shadow()

    @property
    def told(self) -> dict[str, Any] | None:
        """What is tried now, as JSON."""
        trial = self.current
        return asdict(trial.challenge) if trial else None

    def rank(self, champion: "Engine", request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of the arm that the brief's brand is in, with its ``experiment`` where one runs; the shadow gets
        a share of what the ``champion`` answers."""
        trial = self.current
        if trial is None:
            return champion.rank(request)
        placement = trial.placement(request["brief"].get(c.BRAND_ID))
        note(experiment=placement)
        placed = {"experiment": placement} if placement else {}
        if placement and placement["arm"] == CHALLENGER:
            return trial.engine.rank(request) | placed
        began = perf_counter()
        answer = champion.rank(request)
        self.shadow.offer(trial, request, answer, perf_counter() - began)
        return answer | placed

    def _named(self) -> str | None:
        challenge = read_challenge(self._home)
        return challenge.version if challenge else None

    def _take(self, version: str | None) -> None:
        challenge, trial = read_challenge(self._home), self.current
        if challenge and trial and trial.challenge.version == challenge.version:
            self.current = replace(trial, challenge=challenge)
            return
        self._end()
        if challenge is not None:
            new = self._load(self._home / "releases" / challenge.version, self._served)
            check_speed(new.engine, self._served.engine)
            new.keep_following()
            self.current = Trial(challenge, new)
            logger.info("release %s is tried beside the champion", version)

    def _end(self) -> None:
        if self.current is not None:
            self.current.follower.stop()
            self.current = None
            release_memory()


@dataclass(frozen=True)
class Sample:
    """A request as the champion answered it in ``seconds``."""

    engine: "Engine"
    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    considered: Considered
    seconds: float


class Shadow:
    """Has challengers rank samples in a thread of its own; samples that come too fast are dropped and counted."""

    def __init__(self) -> None:
        self._queue: Queue[Sample] = Queue(QUEUED)

    def keep_ranking(self) -> None:
        """Works from now on, as long as the process lives."""
        Thread(target=self._work, name="shadow", daemon=True).start()

    def offer(self, trial: Trial, request: Mapping[str, Any], answer: Mapping[str, Any], seconds: float) -> None:
        """Takes the challenge's share of what the champion has answered, drawn by ``ranking_id``. Never waits."""
        considered: Considered | None = noted("considered")
        if considered is None or UUID(answer["ranking_id"]).int >= trial.challenge.shadow * 2**128:
            return
        try:
            self._queue.put_nowait(Sample(trial.engine, request, answer, considered, seconds))
        except Full:
            metrics.SHADOWED.labels("dropped").inc()

    def _work(self) -> None:
        while True:
            try:
                compare(self._queue.get())
                metrics.SHADOWED.labels("compared").inc()
            except Exception:
                logger.exception("the challenger cannot answer what the champion did")
                metrics.SHADOWED.labels("failed").inc()


def compare(sample: Sample) -> None:
    """Tells Prometheus how far the challenger agrees with the champion on a request, and how long both took."""
    began = perf_counter()
    with tracing() as trace:
        answer = sample.engine.rank(sample.request)
    metrics.SHADOW_SECONDS.labels("challenger").observe(perf_counter() - began)
    metrics.SHADOW_SECONDS.labels("champion").observe(sample.seconds)
    ours, theirs = ([one["creator_id"] for one in told["results"]] for told in (sample.answer, answer))
    metrics.observe(metrics.SHADOW_OVERLAP, [overlap(ours, theirs)])
    scores = (considered.by_creator for considered in (sample.considered, trace.values["considered"]))
    metrics.observe(metrics.SHADOW_CORRELATION, [rank_correlation(*scores)])
