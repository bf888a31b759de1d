"""What the service measures of itself, for Prometheus; docs/observability.md says what each metric is for.

Times are told as moments, so that their age is the scraper's to compute. Several workers write to files that whoever of
them is asked adds up; of a gauge ``live…`` says over which of them.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep
from typing import TypeVar

import numpy as np
import pandas as pd
import psutil
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    mmap_dict,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import Response

from features.trace import Trace
from models.release import read_manifest
from serving.drift import Drift

Answered = TypeVar("Answered")
ROOM_S = 1.0
# Of each file of metrics, more than all our series need: one that grew on a full disk would end its process. The
# library's own 64 KiB hold 30 histograms, and it has no setting for them.
mmap_dict._INITIAL_MMAP_SIZE = 1 << 20
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # where BentoML has workers write
MILLISECONDS = (0.1, 0.3, 1, 2, 5, 10, 15, 20, 30, 40, 60, 100, 200, 500, 1000, 5000, 60_000)
DURATIONS = tuple(one / 1000 for one in MILLISECONDS)
SIZES = (0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
SHARES = (0, 0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
FIRST = 10
TENTHS = tuple(one / 10 for one in range(1, 11))

REQUESTS = Histogram(
    "creatormatch_request_duration_seconds", "Requests by route and status.", ["route", "status"], buckets=DURATIONS[2:]
)
STAGES = Histogram(
    "creatormatch_stage_duration_seconds", "Parts of a request.", ["route", "stage"], buckets=DURATIONS[:-2]
)
CANDIDATES = Histogram("creatormatch_rank_candidates", "Creators of a rank request, by step.", ["step"], buckets=SIZES)
SELECTIVITY = Histogram(
    "creatormatch_rank_eligible_share", "Share of the catalogue that a rank request may offer.", buckets=SHARES
)
SUCCESS = Histogram("creatormatch_success_probability", "Of the first ten in each rank answer.", buckets=TENTHS)
FRAUD = Histogram("creatormatch_fraud_probability", "Of the first ten in each rank answer.", buckets=TENTHS)
CREDIT = Histogram(
    "creatormatch_credit_score", "Of the first ten in each rank answer.", buckets=[1000 * tenth for tenth in TENTHS]
)
TEXTS = Counter("creatormatch_texts", "Texts that a request had to read, by where their vectors came from.", ["source"])
QUEUED = Gauge(
    "creatormatch_queue_requests",
    "Requests that wait for a thread or have one.",
    ["queue"],
    multiprocess_mode="livesum",
)
WAITED = Histogram(
    "creatormatch_queue_wait_seconds", "From a request's body to its thread.", ["queue"], buckets=DURATIONS[:-2]
)
REFUSED = Counter("creatormatch_queue_refused", "Requests sent away because too many wait.", ["queue"])
KEYS_REFUSED = Gauge(
    "creatormatch_keys_refused",
    "1 while the file of keys is refused and those before it hold.",
    multiprocess_mode="livemax",
)
AUDIT_DROPPED = Counter("creatormatch_audit_dropped", "Reads of fraud evidence of which the audit has no row.")
SHADOWED = Counter("creatormatch_shadow_requests", "Rank requests that a challenger ranked, unseen.", ["outcome"])
SHADOW_SECONDS = Histogram(
    "creatormatch_shadow_duration_seconds", "Of the same rank requests.", ["arm"], buckets=DURATIONS[2:]
)
SHADOW_OVERLAP = Histogram("creatormatch_shadow_overlap", "Of the first ten of both lists.", buckets=(0, *TENTHS))
SHADOW_CORRELATION = Histogram(
    "creatormatch_shadow_rank_correlation",
    "Spearman's, of the candidates of both.",
    buckets=(*(-one for one in TENTHS[::-2]), 0, *TENTHS),
)
RANKINGS = Counter("creatormatch_rankings", "Rankings by whether the log has them.", ["outcome"])
RELEASES = Counter("creatormatch_releases", "Promoted releases by what became of them here.", ["outcome"])
RELEASE = Gauge("creatormatch_release_version", "The release that is served.", multiprocess_mode="liveall")
PROMOTED = Gauge(
    "creatormatch_release_promoted_timestamp_seconds",
    "When the release that is served was promoted here.",
    multiprocess_mode="livemin",
)
LEARNED = Gauge(
    "creatormatch_model_data_timestamp_seconds",
    "Until when the data go that a model was trained on.",
    ["model"],
    multiprocess_mode="livemin",
)
DATA = Gauge(
    "creatormatch_data_timestamp_seconds",
    "The latest moment at which anything in the catalogue became known.",
    multiprocess_mode="livemin",
)
LAG = Gauge(
    "creatormatch_store_lag_writes",
    "Writes in the store that a catalogue in memory does not have yet.",
    multiprocess_mode="livemax",
)
FOLLOWED = Gauge(
    "creatormatch_store_followed_timestamp_seconds",
    "When the catalogue in memory last held all that the store does.",
    multiprocess_mode="livemin",
)
DRIFT = Gauge(
    "creatormatch_input_drift",
    "Population stability index of what the ranker reads, beside what it read when it was trained.",
    ["feature"],
    multiprocess_mode="livemax",
)
NO_PAIRS = pd.DataFrame()
_DRIFT = Drift(np.random.default_rng())


def page(_: Request) -> Response:
    """All metrics in Prometheus' text format, of every worker that shares the directory."""
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def exposition() -> bytes:
    """What :func:`page` answers."""
    if DIRECTORY not in os.environ:
        return generate_latest(REGISTRY)
    _forget_the_dead(Path(os.environ[DIRECTORY]))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def waited(queue: str, work: Callable[[], Answered]) -> Callable[[], Answered]:
    """``work`` that tells, when it begins, how long it has waited."""
    since = perf_counter()

    def begin() -> Answered:
        WAITED.labels(queue).observe(perf_counter() - since)
        return work()

    return begin


def tell_release(folder: Path, pointer: Path) -> None:
    """The release in ``folder`` is served from now on; ``pointer`` is the file that its promotion wrote."""
    RELEASE.set(float(folder.name))
    PROMOTED.set(pointer.stat().st_mtime)
    for name, entry in read_manifest(folder).models.items():
        if entry.data_as_of is not None:
            LEARNED.labels(name).set(pd.Timestamp(entry.data_as_of).timestamp())


def tell_request(route: str, status: int | None, seconds: float, trace: Trace) -> None:
    """One request that is over; ``status`` is None where its caller did not wait."""
    REQUESTS.labels(route, str(status or "none")).observe(seconds)
    for stage, took in [*trace.seconds.items()]:  # a copy: of a request that took too long a thread still works
        STAGES.labels(route, stage).observe(took)
    for source, number in [*trace.counts.items()]:
        TEXTS.labels(source).inc(number)
    if "retrieved" in trace.values:
        _tell_ranking(trace)


def _tell_ranking(trace: Trace) -> None:
    told = trace.values
    for step in ("eligible", "retrieved"):
        CANDIDATES.labels(step).observe(told[step])
    SELECTIVITY.observe(told["eligible"] / told["catalogue"])
    for histogram, name in ((SUCCESS, "success"), (FRAUD, "fraud"), (CREDIT, "credit")):
        observe(histogram, told.get(name, ()))
    for feature, index in _DRIFT.see(told.get("pairs", NO_PAIRS), told.get("inputs")).items():
        DRIFT.labels(feature).set(index)


def observe(histogram: Histogram, values: Iterable[float]) -> None:
    """Counts the first FIRST values that are known."""
    for value in list(values)[:FIRST]:
        if value == value:  # not NaN, which is nothing said
            histogram.observe(value)


def keep_room() -> None:
    """From now on the disk keeps this process's files whole, which begin with holes in them: they are written
    through memory, and a hole that a full disk cannot fill kills the process (SIGBUS)."""
    if DIRECTORY in os.environ:
        Thread(target=_keep_room, args=(Path(os.environ[DIRECTORY]),), name="room", daemon=True).start()


def _keep_room(directory: Path) -> None:
    while True:
        for path in directory.glob(f"*_{os.getpid()}.db"):
            with suppress(OSError), path.open("r+b") as file:  # full already: nothing better can be done
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        sleep(ROOM_S)


def _forget_the_dead(directory: Path) -> None:
    """A worker that was killed takes its gauges with it; what it counted stays counted."""
    for file in directory.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):
            mark_process_dead(pid)
