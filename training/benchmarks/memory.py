"""Whether a running service grows: the memory of its workers under mixed load, and the slope of it.

What workers keep of briefs and creators is filled first: the way there is growth with an end, and looks like a leak.
The service must run on this machine; what it is told is written to its store.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from itertools import count, cycle
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import psutil
from scipy import stats
from tqdm import tqdm

from features import columns as c
from features.bank import MOST_RECENT
from features.errors import bad
from models.lookup import KEPT
from training.benchmarks.ledger import connected, creators, events, post

CALLERS = 2
MINUTES = 10.0
WARM_UP = 0.2  # of the time: the first write renews the catalogue
TWICE = 2  # as often as would fill every worker in turn, since which of them answers is chance
TOGETHER = 200  # creators
EVERY_S = 1.0
BLOCKS = 8
MB = 2**20
Asked = tuple[str, dict[str, Any]]


def run(url: str, minutes: float = MINUTES) -> dict[str, object]:
    """For each worker its resident memory (MB) after the warm-up and at the end, the slope (MB per minute) with its
    95 % interval, and how many requests there were of each kind.

    Raises InputError where no service answers at ``url``, or where its workers are not processes of this machine.
    """
    workers, ids, done = _workers(url), creators(url), Event()
    with ThreadPoolExecutor(CALLERS) as pool:
        asked = [*filling(ids, TWICE * len(workers))]
        deque(tqdm(pool.map(partial(_ask, url), asked), "filling what is kept", len(asked)), 0)
        callers = [pool.submit(_call, url, ids[one::CALLERS], done) for one in range(CALLERS)]
        try:
            times, sizes = _watched(workers, 60 * minutes)
        finally:
            done.set()
        counts = sum((caller.result() for caller in callers), Counter[str]())
    return {
        "minutes": minutes,
        "requests": dict(counts),
        "workers": [_growth(times, sizes[:, one]) for one in range(len(workers))],
    }


def slope(times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """The slope of a line through ``values`` at ``times`` (n,) by least squares, and its 95 % interval by Student's t.

    The line goes through the means of :data:`BLOCKS` stretches: one second's value hardly differs from the last one's,
    and to count each as news would make the interval too narrow.
    """
    x, y = (np.array([part.mean() for part in np.array_split(one, BLOCKS)]) for one in (times, values))
    fitted = stats.linregress(x, y)
    reach = stats.t.ppf(0.975, BLOCKS - 2) * fitted.stderr
    return float(fitted.slope), float(fitted.slope - reach), float(fitted.slope + reach)


def filling(ids: list[str], times: int) -> Iterator[Asked]:
    """As many creators and as many new briefs as a worker keeps, so many ``times``; of the creators the last ones, so
    that the first ones of the mixed load take their place."""
    kept = ids[-KEPT:]
    for _ in range(times):
        for start in range(0, len(kept), TOGETHER):
            for path in ("/v1/fraud/score", "/v1/credit"):
                yield path, {"creator_ids": kept[start : start + TOGETHER]}
    for _ in range(times * MOST_RECENT):
        yield "/v1/creators/rank", {"brief": {"title": _new()}, "limit": 1}


def _growth(times: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> dict[str, float]:
    warm = times >= WARM_UP * times[-1]
    found, low, high = slope(times[warm] / 60, sizes[warm] / MB)
    return {
        "warm_mb": float(sizes[warm][0] / MB),
        "end_mb": float(sizes[-1] / MB),
        "mb_per_minute": found,
        "low": low,
        "high": high,
    }


def _workers(url: str) -> list[psutil.Process]:
    """The processes that answer on the service's port: those who listen there and started nobody else who does."""
    port = urlsplit(url).port or 80
    found = [one for one in psutil.process_iter() if _listens(one, port)]
    parents = {one.ppid() for one in found}
    workers = [one for one in found if one.pid not in parents]
    if not workers:
        raise bad("url", "must be a service on this machine, whose memory can be read", url)
    return workers


def _listens(process: psutil.Process, port: int) -> bool:
    try:  # asked of the system as a whole, a socket that several share is told of one of them only
        return any(
            one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in process.net_connections("tcp")
        )
    except psutil.Error:  # somebody else's process, or one that has just ended
        return False


def _watched(workers: list[psutil.Process], seconds: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Seconds (n,) and resident bytes of each worker (n, workers)."""
    began, times, sizes = time.monotonic(), list[float](), list[list[int]]()
    while not times or times[-1] < seconds:
        time.sleep(EVERY_S)
        times.append(time.monotonic() - began)
        sizes.append([one.memory_info().rss for one in workers])
    return np.array(times), np.array(sizes, dtype=np.float64)


def _ask(url: str, asked: Asked) -> None:
    """By a connection of its own: who keeps one stays with the same worker."""
    with closing(connected(url)) as service:
        post(service, *asked)


def _call(url: str, ids: list[str], done: Event) -> "Counter[str]":
    counts = Counter[str]()
    with closing(connected(url)) as service:
        for path, body in _mixed(ids):
            if done.is_set():
                break
            _fed_back(service, post(service, path, body))
            counts[path] += 1
    return counts


def _mixed(ids: list[str]) -> Iterator[Asked]:
    """Every kind of request in turn, about one creator after another, each brief a new one."""
    told = events(f"memory-{time.time_ns()}", ids)
    for number, one in zip(count(), cycle(ids), strict=False):
        new = _new()
        yield "/v1/creators/rank", {"brief": {"title": new}, "limit": 20, "explain": number % 4 == 0}
        yield "/v1/creators/search", {"query": new, "page_size": 20}
        yield "/v1/creators/similar", {"creator_ids": [one]}
        for path in ("/v1/creators/profile", "/v1/fraud/score", "/v1/credit", "/v1/collaborations"):
            yield path, {"creator_ids": [one]}
        yield "/v1/credit/history", {"creator_id": one}
        yield "/v1/fraud/comments", {"comments": [{"comment_text": new}]}
        yield "/v1/events", {"events": [next(told)]}


def _new() -> str:
    return f"brief {time.time_ns()} for tea, bread and slow mornings"


def _fed_back(service: HTTPConnection, answer: dict[str, Any]) -> None:
    if "ranking_id" in answer and answer["results"]:
        shown = {c.CREATOR_ID: answer["results"][0][c.CREATOR_ID], c.POSITION: 1, c.SHOWN_AT: answer["data_as_of"]}
        post(service, "/v1/feedback", {"ranking_id": answer["ranking_id"], "items": [shown]})
