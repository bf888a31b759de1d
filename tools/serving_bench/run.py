"""``make bench-serving``: the service from a thousand creators to a million, beside a plain one, on this machine.

Run as ``python -m tools.serving_bench.run DATA WORK SIZE...``, where DATA has the sample marketplace with a promoted
release (``make run``) and WORK keeps what was built between runs. Prints one JSON object per size.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from features.bank import TextBank
from features.source import InMemory
from features.tables import read_tables
from features.text import EMBEDDINGS
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.engine import Engine, bank_for, brief_row
from models.ranking import CANDIDATES, query_of
from models.registry import local_champion
from models.shelf import load_catalogue, save_catalogue
from serving.opening import open_store
from serving.shelves import Shelves
from serving.store import Store
from tools.serving_bench import inside
from tools.serving_bench.load import Call, saturated, steady
from tools.serving_bench.people import expanded
from tools.serving_bench.writes import visible

SEED = 7
PORT = 3917
WORKERS = os.cpu_count() or 1  # of each service
RATE, SECONDS, AT_ONCE = 50, 15, 16
WARMUP_S = 10  # each worker reads every brief for itself
SUSTAINED = 0.6  # of what saturates: above, a queue only grows
WRITES, WRITTEN_BESIDE = 10, 10  # creators written, rankings a second meanwhile
WARM = 16  # creators asked for by id again and again
BRIEFS, MANY_BRIEFS = 20, 60  # asked over HTTP; ranked to the last creator
RANK = "/v1/creators/rank"
AHEAD = "serving.ahead"


def measured(data: Path, work: Path, size: int) -> dict[str, Any]:
    """All figures for a catalogue of ``size`` creators."""
    release, sample = local_champion(data), read_tables(data / "sample")
    bundle = Bundle.load(release)
    bank = bank_for(bundle, data / EMBEDDINGS)
    folder = work / f"catalogue-{size}"
    build_s = _built(release, sample, folder, data / EMBEDDINGS, size)
    catalogue, requests = load_catalogue(folder), inside.requests_of(sample["briefs"], BRIEFS)
    found = {
        "creators": size,
        "cores": os.cpu_count(),
        "workers": WORKERS,
        "candidates": CANDIDATES,
        "build_s": build_s,
    }
    found["inside"] = inside.costs(catalogue, bundle, bank, requests, 5, np.random.default_rng(SEED))
    found |= _quality(catalogue, bundle, bank, sample["briefs"])
    del catalogue
    with _ours(data, folder, work / f"home-{size}", release) as (url, process):
        found["ours"] = _http(url, process, requests, sample) | {"memory_gb": _memory(process)}
    with _plain(release, folder, data / EMBEDDINGS) as (url, process):
        found["plain"] = _ranks(url, requests) | {"memory_gb": _memory(process)}
    found["ratios"] = _ratios(found["ours"], found["plain"])
    return found


def _ratios(ours: dict[str, Any], plain: dict[str, Any]) -> dict[str, float]:
    """How many times as long the plain service takes, and how many times as much ours answers."""
    slower = {f"{name}_p50": plain[name]["p50_ms"] / ours[name]["p50_ms"] for name in ("alone", "saturated")}
    more = {"per_second": ours["saturated"]["per_second"] / plain["saturated"]["per_second"]}
    return {name: round(ratio, 2) for name, ratio in (slower | more).items()}


def _built(release: Path, sample: Any, folder: Path, cache: Path, size: int) -> float | None:
    if folder.exists():
        return None
    began = time.perf_counter()
    tables = expanded(sample, size, np.random.default_rng(SEED))
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    save_catalogue(Engine.load(release, InMemory(tables), cache).catalogue, part)
    part.rename(folder)
    return round(time.perf_counter() - began, 1)


def _quality(catalogue: Catalogue, bundle: Bundle, bank: TextBank, asked: pd.DataFrame) -> dict[str, Any]:
    requests, rng = inside.requests_of(asked, MANY_BRIEFS), np.random.default_rng(SEED)
    briefs = [brief_row(request, catalogue.latest) for request in requests[-BRIEFS:]]
    queries = [query_of(catalogue, bundle, bank, brief, {}) for brief in briefs]
    return {
        "recall_at_200": inside.recall(catalogue, queries, rng),
        "first_ten_kept_by_depth": inside.fidelity(catalogue, bundle, bank, requests, rng),
    }


def _http(url: str, process: psutil.Process, requests: list[dict[str, Any]], sample: Any) -> dict[str, Any]:
    ids = sample["creators"]["creator_id"].unique()

    def cold(i: int) -> Call:
        brief = requests[i % BRIEFS]["brief"] | {
            "description": f"Recipes number {i} with matcha and {i * 7919} stories"
        }
        return Call(RANK, requests[i % BRIEFS] | {"brief": brief})

    def by_id(route: str, creators: int) -> Callable[[int], Call]:
        return lambda i: Call(route, {"creator_ids": [ids[i % creators]]})

    found = _ranks(url, requests) | {"cold_brief": steady(url, cold, 5, SECONDS).summary()}
    found["writes"] = visible(url, lambda i: Call(RANK, requests[i % BRIEFS]), WRITTEN_BESIDE, WRITES)
    found["ahead_still_busy"] = _busy_ahead(process)
    for name, route in (("fraud_by_id", "/v1/fraud/score"), ("credit_by_id", "/v1/credit")):
        found[f"{name}_first"] = saturated(url, by_id(route, len(ids)), AT_ONCE, SECONDS / 3).summary()
        found[f"{name}_again"] = saturated(url, by_id(route, WARM), AT_ONCE, SECONDS / 3).summary()
    return found


def _busy_ahead(process: psutil.Process, patience_s: float = 120) -> bool:
    """Whether a process that makes answers by id ahead is still at it, after it had the cores to itself for a while."""
    deadline = time.monotonic() + patience_s
    while (busy := any(AHEAD in _command(one) for one in process.children(recursive=True))) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.5)
    return busy


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended
        return []


def _ranks(url: str, requests: list[dict[str, Any]]) -> dict[str, Any]:
    def warm(i: int) -> Call:
        return Call(RANK, requests[i % BRIEFS])

    saturated(url, warm, 4, WARMUP_S)
    most = saturated(url, warm, AT_ONCE, SECONDS / 2)
    rate = min(RATE, round(SUSTAINED * most.per_second, 1))
    return {
        "alone": saturated(url, warm, 1, SECONDS / 2).summary(),
        "steady": {"rate": rate} | steady(url, warm, rate, SECONDS).summary(),
        "saturated": most.summary(),
    }


@contextmanager
def _ours(data: Path, folder: Path, home: Path, release: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The service over a store of the sample's creators, with the catalogue of the many in the place of its own."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copytree(data / "releases", home / "releases")
    shutil.copy(data / "champion.json", home)
    if (data / EMBEDDINGS).exists():
        shutil.copytree(data / EMBEDDINGS, home / EMBEDDINGS)
    url = open_store(home, str(data / "sample"))
    with Store(url).reading() as now:
        number = now.number()
    shelf = Shelves(home, url).folder / f"{release.name}-{number}"
    shelf.parent.mkdir(parents=True)
    shelf.symlink_to(folder.resolve())
    command = [str(Path(sys.executable).with_name("creatormatch")), "serve", "--home", str(home)]
    command += ["--data", str(data / "sample"), "--port", str(PORT), "--workers", str(WORKERS)]
    with _running(command, "/readyz") as found:
        yield found


@contextmanager
def _plain(release: Path, folder: Path, cache: Path) -> Iterator[tuple[str, psutil.Process]]:
    module = [sys.executable, "-m", "tools.serving_bench.plain"]
    arguments = [str(release), str(folder), str(cache), str(CANDIDATES), str(PORT), str(WORKERS)]
    with _running([*module, *arguments], "/docs") as found:
        yield found


@contextmanager
def _running(command: list[str], ready: str) -> Iterator[tuple[str, psutil.Process]]:
    url = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr, start_new_session=True) as process:
        try:
            _wait(url + ready, process)
            yield url, psutil.Process(process.pid)
        finally:
            for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                one.terminate()


def _wait(url: str, process: "subprocess.Popen[bytes]", patience_s: float = 300) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    sys.exit("the service did not start")


def _memory(process: psutil.Process) -> dict[str, float]:
    """GB that the largest process of the service has in memory, mapped files included, that are its alone, and that all
    its processes have together, what they share counted once."""
    found = [one.memory_full_info() for one in [process, *process.children(recursive=True)]]
    largest, together = max(found, key=lambda one: one.rss), sum(one.pss for one in found)
    gigabytes = {"resident": largest.rss, "own": largest.uss, "together": together}
    return {name: round(size / 1e9, 2) for name, size in gigabytes.items()}


if __name__ == "__main__":
    for asked in sys.argv[3:]:
        found = measured(Path(sys.argv[1]), Path(sys.argv[2]), int(asked))
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
