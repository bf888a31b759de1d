"""What the making of one answer leaves to be seen: how long its stages took and what they came upon.

``with tracing() as trace`` listens in this context (and in threads that get a copy of it); elsewhere, as on the command
line, nobody does, and a stage costs less than a microsecond.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any


@dataclass
class Trace:
    """``seconds`` by stage, those of a stage within another counting for both, ``counts`` and ``values`` by name."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[str] = field(default_factory=Counter)
    values: dict[str, Any] = field(default_factory=dict)


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def tracing() -> Iterator[Trace]:
    """Whatever this context does until the end is told to the trace that it begins with."""
    trace = Trace()
    before = _TRACE.set(trace)
    try:
        yield trace
    finally:
        _TRACE.reset(before)


class stage:  # a class costs a third of what contextlib.contextmanager does
    """``with stage("retrieve"):`` adds the seconds of its block to those of the stage."""

    __slots__ = ("_began", "_name")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        if trace := _TRACE.get():
            trace.seconds[self._name] += perf_counter() - self._began


def count(**numbers: int) -> None:
    """Adds to the trace's counts."""
    if trace := _TRACE.get():
        trace.counts.update(numbers)


def note(**values: Any) -> None:
    """Keeps values of this answer, which nobody may change."""
    if trace := _TRACE.get():
        trace.values.update(values)


def noted(name: str) -> Any:
    """The value of that name that this answer has left so far; None without one."""
    trace = _TRACE.get()
    return trace.values.get(name) if trace else None
