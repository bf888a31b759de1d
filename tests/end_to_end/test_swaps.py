"""Releases change under the real service while it is asked and written to, and nobody notices but by the version."""

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pandas as pd
import pytest

from features.rankings import FOLDER, read_rankings
from features.tables import read_tables, write_tables
from models.challenge import Experiment
from models.golden import EXPECTED, FILE
from models.registry import Registry, local_champion
from models.release import Manifest, digest, read_manifest, write_manifest
from tests.end_to_end.serve import PATIENCE, free_port, running
from training.challenge_cli import challenge

CREATORMATCH = str(Path(sys.executable).with_name("creatormatch"))
CREATORS = 60
PAUSE_S = 0.05  # of each client between requests: a saturated service would load no release in a test's time
Stoppable = tuple[httpx.Client, Callable[[], None]]
BRIEF = {"description": "cozy recipe videos, honest taste", "content_labels": ["food"], "brand_id": "brand-1"}


@pytest.fixture(scope="module")
def own_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a second release, which has no fraud model: its answers show no probability."""
    own = Path(shutil.copytree(home, tmp_path_factory.mktemp("swaps") / "home"))
    registry = Registry(own)
    first = registry.manifest()
    rest = {name: entry for name, entry in first.models.items() if name not in ("fraud", "accounts")}
    assert registry.register_release(replace(first, models=rest)) == "2"
    return own


@pytest.fixture(scope="module")
def small(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first creators of the dataset and what concerns them: quick to load, again and again."""
    tables = read_tables(dataset)
    ids = tables["creators"]["creator_id"].unique()[:CREATORS]
    kept = dict(tables)
    for name in (name for name, frame in tables.items() if "creator_id" in frame):
        kept[name] = tables[name][tables[name]["creator_id"].isin(ids)]
    kept["accounts"] = kept["accounts"][kept["accounts"]["account_id"].isin(kept["engagements"]["account_id"])]
    folder = tmp_path_factory.mktemp("swaps") / "small"
    write_tables(kept, folder)
    return folder


@pytest.fixture(scope="module")
def stoppable(own_home: Path, small: Path) -> Iterator[Stoppable]:
    """The service, and what stops it."""
    port = free_port()
    command = [CREATORMATCH, "serve", "--home", str(own_home), "--data", str(small), "--port", str(port)]
    with ExitStack() as stack:
        client = stack.enter_context(running(command, port, own_home.parent / "log", {}, own_home.parent))
        yield client, stack.close


@pytest.fixture(scope="module")
def service(stoppable: Stoppable) -> httpx.Client:
    return stoppable[0]


@pytest.fixture
def swaps(request: pytest.FixtureRequest) -> int:
    """How many releases are promoted: ``--swaps``."""
    return int(request.config.getoption("--swaps"))


def post(service: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = service.post(path, json=body)
    assert answer.status_code == 200, (path, answer.text)
    return dict(answer.json())


def served(service: httpx.Client) -> str:
    return str(post(service, "/v1/models")["models"]["release"])


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def rank(service: httpx.Client) -> str:
    """The release that answered, whole: with probabilities of fraud, or with none."""
    answer = post(service, "/v1/creators/rank", brief=BRIEF, limit=10)
    release = str(answer["models"]["release"])
    assert all(one["fraud"]["probability"] is None for one in answer["results"]) == (release == "2")
    return release


def write(service: httpx.Client, creator_id: str) -> None:
    """What was written is found, whichever engine has it from whom."""
    row = {"creator_id": creator_id, "bio": "matcha", "followers_count": 5000}
    post(service, "/v1/creators/upsert", creators=[row])
    assert post(service, "/v1/credit", creator_ids=[creator_id])["results"][0]["creator_id"] == creator_id


def asking(service: httpx.Client, done: Event) -> Counter[str]:
    answered: Counter[str] = Counter()
    while not done.wait(PAUSE_S):
        answered[rank(service)] += 1
        post(service, "/v1/creators/search", query="food", page_size=3)
    return answered


def writing(service: httpx.Client, done: Event) -> int:
    number = 0
    while not done.wait(PAUSE_S):
        write(service, f"written-{number % 50}")
        number += 1
    return number


def test_no_request_fails_while_releases_are_swapped(service, own_home, swaps):
    registry, done = Registry(own_home), Event()
    with ThreadPoolExecutor(3) as pool:
        askers = [pool.submit(asking, service, done) for _ in range(2)]
        writer = pool.submit(writing, service, done)
        try:
            for number in range(swaps):
                version = "1" if number % 2 else "2"
                registry.promote(version)
                until(lambda version=version: served(service) == version)
        finally:
            done.set()
        answered = askers[0].result() + askers[1].result()
    assert set(answered) == {"1", "2"}
    assert writer.result() > 0


def altered(own_home: Path, version: str) -> Manifest:
    """A release whose ranker's golden rows say something else, under digests that fit, is put beside the others."""
    folder = Path(shutil.copytree(local_champion(own_home), own_home / "releases" / version))
    file = folder / "ranker" / FILE
    rows = pd.read_parquet(file)
    rows.assign(**{EXPECTED: [row + 0.1 for row in rows[EXPECTED]]}).to_parquet(file)
    manifest = read_manifest(folder)
    ranker = replace(manifest.models["ranker"], digest=digest(folder / "ranker"))
    write_manifest(folder, replace(manifest, models=manifest.models | {"ranker": ranker}))
    return manifest


def test_a_bad_release_is_refused_and_reported_and_the_champion_stays(service, own_home):
    before = served(service)
    altered(own_home, "9")
    (own_home / "champion.json").write_text(json.dumps({"version": "9"}))
    answer = post(service, "/v1/models/reload")
    assert answer["models"]["release"] == before
    (refused,) = answer["refused"]
    assert refused["version"] == "9"
    assert "ranker" in refused["reason"]
    assert 'creatormatch_releases_total{outcome="refused"} 1.0' in service.get("/metrics").text
    Registry(own_home).promote(before)
    assert post(service, "/v1/models/reload")["refused"] == answer["refused"]


def test_a_challenger_answers_its_arm_and_ranks_the_rest_in_the_shadow(service, own_home):
    champion = served(service)
    challenger, experiment = {"1": "2", "2": "1"}[champion], Experiment("two", 0.5)
    challenge(challenger, shadow=1.0, experiment="two", home=own_home)
    until(lambda: post(service, "/v1/models")["challenger"] is not None)
    for brand in ("brand-1", "brand-2", "brand-3", "brand-4"):
        answer = post(service, "/v1/creators/rank", brief=BRIEF | {"brand_id": brand}, limit=10)
        arm = experiment.arm(brand)
        assert answer["experiment"] == {"name": "two", "arm": arm}
        assert answer["models"]["release"] == (challenger if arm == "challenger" else champion)
    until(lambda: 'creatormatch_shadow_requests_total{outcome="compared"}' in service.get("/metrics").text)
    challenge(home=own_home)
    until(lambda: post(service, "/v1/models")["challenger"] is None)


def test_every_ranking_is_in_the_log_once_the_service_has_stopped(stoppable, own_home):
    service, stop = stoppable
    answer = post(service, "/v1/creators/rank", brief=BRIEF, limit=3, explore=True)
    stop()
    rows = read_rankings(own_home / FOLDER)
    mine = rows[rows["ranking_id"] == answer["ranking_id"]].dropna(subset=["position"])
    assert mine["creator_id"].tolist() == [one["creator_id"] for one in answer["results"]]
    assert mine["propensity"].between(0, 1).all()
    assert set(mine["brand_id"]) == {BRIEF["brand_id"]}
    assert {"1", "2"} <= set(rows["policy_version"])
    assert set(rows["arm"].dropna()) == {"champion", "challenger"}
