"""What /metrics says after requests to a service over a hand-written engine, and what the docs say of it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from features.trace import note, stage
from serving import metrics
from tests.serving.fakes import FakeEngine, make_client

DOCS = Path(__file__).parents[2] / "docs"
NAME = re.compile(r"creatormatch_[a-z_]+")
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["", "_bucket", "_count", "_sum"]}
RANK = "/v1/creators/rank"


class NotingEngine(FakeEngine):
    """Passes through stages and comes upon creators as models do."""

    def rank(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with stage("retrieve"):
            note(catalogue=10, eligible=5, retrieved=3, success=np.array([0.95, np.nan]), fraud=np.full(30, 0.05))
        return super().rank(request)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_request_is_counted_by_route_status_stage_and_what_it_came_upon(tmp_path):
    read = {
        "requests": lambda: value("creatormatch_request_duration_seconds_count", route=RANK, status="200"),
        "bad requests": lambda: value("creatormatch_request_duration_seconds_count", route=RANK, status="400"),
        "stages": lambda: value("creatormatch_stage_duration_seconds_count", route=RANK, stage="retrieve"),
        "at most 1 retrieved": lambda: value("creatormatch_rank_candidates_bucket", step="retrieved", le="1.0"),
        "at most 10 retrieved": lambda: value("creatormatch_rank_candidates_bucket", step="retrieved", le="10.0"),
        "half eligible": lambda: value("creatormatch_rank_eligible_share_bucket", le="0.5"),
        "success known": lambda: value("creatormatch_success_probability_count"),
        "success to .9": lambda: value("creatormatch_success_probability_bucket", le="0.9"),
        "fraud to .1": lambda: value("creatormatch_fraud_probability_bucket", le="0.1"),
        "waited": lambda: value("creatormatch_queue_wait_seconds_count", queue="memory"),
    }
    before = {name: now() for name, now in read.items()}
    client = make_client(tmp_path, engine=NotingEngine())
    assert client.post(RANK, json={"brief": {"title": "tea"}}).status_code == 200
    assert client.post(RANK, json={"brief": {"no": "field"}}).status_code == 400
    assert {name: now() - before[name] for name, now in read.items()} == {
        "requests": 1, "bad requests": 1, "stages": 1, "at most 1 retrieved": 0, "at most 10 retrieved": 1,
        "half eligible": 1, "success known": 1, "success to .9": 0, "fraud to .1": 10, "waited": 2,
    }  # fmt: skip


def test_paths_that_are_made_up_leave_no_series(tmp_path):
    client = make_client(tmp_path)
    client.get("/made/up")
    assert "made" not in client.get("/metrics").text
    assert value("creatormatch_request_duration_seconds_count", route="unknown", status="404") >= 1


def test_the_catalogue_tells_when_it_last_had_everything(tmp_path):
    client, before = make_client(tmp_path), value("creatormatch_store_followed_timestamp_seconds")
    client.post("/v1/creators/upsert", json={"creators": [{"creator_id": "cleo"}]})
    assert value("creatormatch_store_followed_timestamp_seconds") > before
    assert value("creatormatch_store_lag_writes") == 0
    assert value("creatormatch_data_timestamp_seconds") > 0


def test_a_worker_that_is_gone_takes_its_gauges_along(tmp_path, monkeypatch):
    left = tmp_path / "gauge_livesum_4194305.db"  # Linux counts processes up to 2 ** 22
    left.touch()
    monkeypatch.setenv(metrics.DIRECTORY, str(tmp_path))
    make_client(tmp_path / "home").get("/metrics")
    assert not left.exists()


def names() -> dict[str, set[str]]:
    """Our metrics, each with the names that its series have."""
    families = [one.describe()[0] for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    return {one.name: {one.name + suffix for suffix in SUFFIXES[one.type]} for one in families}


def test_docs_and_alerts_name_the_metrics_that_there_are():
    pages = {page: set(NAME.findall((DOCS / page).read_text())) for page in ("observability.md", "alerts.yaml")}
    assert set.union(*pages.values()) <= set.union(*names().values())
    assert all(series & pages["observability.md"] for series in names().values())


def test_every_alert_says_what_it_is_about():
    [group] = yaml.safe_load((DOCS / "alerts.yaml").read_text())["groups"]
    assert all(NAME.search(rule["expr"]) and rule["annotations"]["summary"] for rule in group["rules"])
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
