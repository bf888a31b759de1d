"""How fast a running service takes events: eight writers at a time, each batch answered before the next is sent.

The service may be on any machine and its store in any database; what it is told is written to that store.
"""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import count, islice
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from features import columns as c
from features.errors import InputError, bad
from training.benchmarks.credit_scale import WHOLE

WRITERS = 8
BATCHES = (1, 10, 100, 1000)
SECONDS = 20.0
ASKED, CALLS = 1000, 5
Event = dict[str, Any]


def run(url: str, seconds: float = SECONDS) -> dict[str, object]:
    """Events acknowledged per second by the size of batches, one event at a time first, with the time of one batch; and
    the seconds that the credit of :data:`ASKED` creators takes in one call. ``seconds`` is how long each size is sent.

    Raises InputError where no service answers at ``url``, or where it does not take the events.
    """
    ids = creators(url)
    batches = [measure(url, ids, size, seconds) for size in BATCHES]
    return {"creators": len(ids), "batches": batches, "credit": _credit(url, ids)}


def measure(url: str, creators: list[str], size: int, seconds: float) -> dict[str, float]:
    """What :data:`WRITERS` writers reach in so many ``seconds`` with batches of ``size`` events."""
    began = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        streams = [events(f"{time.time_ns()}-{writer}", creators[writer::WRITERS]) for writer in range(WRITERS)]
        taken = [one for told in pool.map(lambda stream: _write(url, stream, size, seconds), streams) for one in told]
    return {
        "batch": size,
        "events_per_second": len(taken) * size / (time.perf_counter() - began),
        "median_seconds": float(np.median(taken)),
        "p99_seconds": float(np.quantile(taken, 0.99)),
    }


def _write(url: str, stream: Iterator[Event], size: int, seconds: float) -> list[float]:
    """The seconds that each batch took until it was acknowledged."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    with closing(connected(url)) as service:
        while (began := time.perf_counter()) < end:
            answer = post(service, "/v1/events", {"events": list(islice(stream, size))})
            if answer["accepted"] != size:
                raise InputError(f"the service did not accept every event: {answer['results'][:3]}")
            taken.append(time.perf_counter() - began)
    return taken


def events(key: str, creators: list[str]) -> Iterator[Event]:
    """Collaborations from beginning to end, one after another, their events a second apart."""
    for number in count():
        same = {
            c.COLLABORATION_ID: f"{key}-{number}",
            c.CREATOR_ID: creators[number % len(creators)],
            c.BRAND_ID: "benchmark",
        }
        for step, kind in enumerate(WHOLE):
            rating = {c.RATING: 4} if kind == "RATED" else {}
            event = {c.EVENT_ID: f"{key}-{number}-{step}", c.EVENT_TYPE: kind}
            yield same | event | {c.EVENT_TIME: f"2026-01-01T00:00:{step:02}Z"} | rating


def creators(url: str) -> list[str]:
    """Every creator of the catalogue."""
    found: list[str] = []
    asked: dict[str, object] = {"page_size": 200}
    with closing(connected(url)) as service:
        while True:
            page = post(service, "/v1/creators/search", asked)
            found += [one[c.CREATOR_ID] for one in page["results"]]
            if page["next_page_token"] is None:
                return found
            asked["page_token"] = page["next_page_token"]


def _credit(url: str, creators: list[str]) -> dict[str, float]:
    taken = []
    with closing(connected(url)) as service:
        for _ in range(CALLS):
            began = time.perf_counter()
            post(service, "/v1/credit", {"creator_ids": creators[:ASKED]})
            taken.append(time.perf_counter() - began)
    return {"creators": min(ASKED, len(creators)), "median_seconds": float(np.median(taken))}


def connected(url: str) -> HTTPConnection:
    """A connection to the service at ``url``; InputError for anything but an address."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise bad("url", "write the service's address, such as http://127.0.0.1:3000", url)
    return HTTPConnection(parts.hostname, parts.port or 80, timeout=120)


def post(service: HTTPConnection, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    """The answer to ``body``; InputError where there is none, or another than a 200."""
    try:
        service.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = service.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except OSError as error:
        raise InputError(f"url: no service answers there ({error})", code="UNAVAILABLE") from error
    if response.status != 200:
        raise InputError(f"{path}: {answer['error']['message']}")
    return answer
