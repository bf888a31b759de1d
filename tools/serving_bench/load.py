"""Load over HTTP: so many requests a second whatever the answers do (open loop), or so many at once (saturation)."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np


@dataclass(frozen=True)
class Call:
    """One request: its route and body."""

    route: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Load:
    """Latencies of what was answered, in milliseconds, how much was not, and answers per second."""

    latencies: np.ndarray
    failed: int
    per_second: float

    def summary(self) -> dict[str, float]:
        """Percentiles of the latency, throughput and failures."""
        p50, p90, p99 = np.percentile(self.latencies, [50, 90, 99]) if len(self.latencies) else [np.nan] * 3
        return {
            "p50_ms": round(float(p50), 2), "p90_ms": round(float(p90), 2), "p99_ms": round(float(p99), 2),
            "per_second": round(self.per_second, 1), "failed": self.failed,
        }  # fmt: skip


def steady(url: str, call: Callable[[int], Call], rate: float, seconds: float) -> Load:
    """Requests at ``rate`` a second, each timed from when it was due: a service that stalls is not waited for."""
    return asyncio.run(_steady(url, call, rate, seconds))


def saturated(url: str, call: Callable[[int], Call], at_once: int, seconds: float) -> Load:
    """``at_once`` callers, each of whom asks again as soon as it is answered."""
    return asyncio.run(_saturated(url, call, at_once, seconds))


async def _steady(url: str, call: Callable[[int], Call], rate: float, seconds: float) -> Load:
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
        began, tasks = time.perf_counter(), []
        for i in range(int(rate * seconds)):
            due = began + i / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(_ask(session, call(i), due)))
        return _load(await asyncio.gather(*tasks), time.perf_counter() - began)


async def _saturated(url: str, call: Callable[[int], Call], at_once: int, seconds: float) -> Load:
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.perf_counter()

        async def caller(first: int) -> list[float | None]:
            found, i = [], first
            while time.perf_counter() < began + seconds:
                found.append(await _ask(session, call(i), time.perf_counter()))
                i += at_once
            return found

        answers = await asyncio.gather(*(caller(i) for i in range(at_once)))
        return _load([one for found in answers for one in found], time.perf_counter() - began)


async def _ask(session: aiohttp.ClientSession, call: Call, due: float) -> float | None:
    """Seconds from when the request was due to the end of its answer; None where it was not a 200."""
    headers = {"Content-Type": "application/json"}
    try:
        async with session.post(call.route, data=json.dumps(call.body), headers=headers) as answer:
            await answer.read()
            return time.perf_counter() - due if answer.status == 200 else None
    except aiohttp.ClientError:
        return None


def _load(answers: list[float | None], seconds: float) -> Load:
    latencies = np.array([one for one in answers if one is not None]) * 1000
    return Load(latencies, len(answers) - len(latencies), len(latencies) / seconds)
