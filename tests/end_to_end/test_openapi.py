"""Requests that schemathesis makes of the OpenAPI document, right and wrong ones, against the real process."""

import shutil
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.config import SchemathesisConfig

from features.tables import read_tables
from serving.app import LONGEST_S
from tests.end_to_end.serve import CREATORMATCH, free_port, running

CONFIG = {
    "checks": {
        # A schema cannot say what a page token is, or that exactly one of three lists must be given.
        "positive_data_acceptance": {"enabled": False},
        "negative_data_rejection": {"expected-statuses": ["400", "404", "409", "413", "415"]},
    }
}


@pytest.fixture(scope="module")
def service(home: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder, port = tmp_path_factory.mktemp("openapi"), free_port()
    own_home = shutil.copytree(home, folder / "home")
    command = [CREATORMATCH, "serve", "--home", str(own_home), "--data", str(dataset), "--port", str(port)]
    with running(command, port, folder / "log", {}, folder) as client:
        yield client


@pytest.fixture(scope="module")
def ids(dataset: Path) -> list[str]:
    return sorted(read_tables(dataset)["creators"]["creator_id"].unique())


def of_known(body: Any, ids: list[str], field: str = "") -> Any:
    """``body`` with a creator of the catalogue for seven in eight of its well-formed ``creator_id``."""
    if isinstance(body, dict):
        return {name: of_known(value, ids, name) for name, value in body.items()}
    if isinstance(body, list):
        return [of_known(one, ids, field) for one in body]
    if field in ("creator_id", "creator_ids") and isinstance(body, str) and body:
        drawn = zlib.crc32(body.encode("utf-8", "surrogatepass"))
        return ids[drawn % len(ids)] if drawn % 8 else body
    return body


def test_every_answer_is_one_that_openapi_describes_and_none_is_a_5xx(service, ids, cases):
    config = SchemathesisConfig.from_dict(CONFIG)
    document = service.get("/docs.json").json()
    schema = schemathesis.openapi.from_dict(document, config=config)
    fates = Counter[int]()
    with requests.Session() as session:

        def check(case: schemathesis.Case) -> None:
            case.body = of_known(case.body, ids)
            answer = case.call(base_url=str(service.base_url), session=session, timeout=2 * LONGEST_S)
            fates[answer.status_code] += 1
            case.validate_response(answer)

        for path in document["paths"]:
            _each(schema[path]["POST"], -(-cases // len(document["paths"])), check)
    sys.stdout.write(f"{fates.total()} requests, answered {dict(fates)}\n")
    assert min(fates[200], fates[400]) > fates.total() / 10


def _each(operation: Any, count: int, check: Callable[[schemathesis.Case], None]) -> None:
    """Half of the cases break the schema."""
    strategies = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
    for strategy in strategies:
        settings(max_examples=max(1, count // 2), deadline=None, suppress_health_check=list(HealthCheck))(
            given(strategy)(check)
        )()
