"""The last few results of a pure function, for callers that ask for the same again and again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)


class Recent(Generic[Value]):
    """At most ``most`` values by key; the one that was not asked for longest goes first. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._values: OrderedDict[Any, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value under ``key``, made where it is not there; two threads may make the same one at the same time."""
        return self.each([key], lambda _: [make()])[0]

    def each(self, keys: Sequence[Key], make: Callable[[list[Key]], Iterable[Value]]) -> list[Value]:
        """The value under each of the ``keys``; those that are not there are made together."""
        found: dict[Key, Value] = {}
        with self._lock:
            for key in keys:
                if key in self._values:
                    self._values.move_to_end(key)
                    found[key] = self._values[key]
        if missing := [key for key in dict.fromkeys(keys) if key not in found]:
            made = dict(zip(missing, make(missing), strict=True))
            self.keep(made)
            found.update(made)
        return [found[key] for key in keys]

    def only(self, still: Callable[[Key], bool]) -> "Recent[Value]":
        """Another one, with the values whose keys are ``still`` good."""
        other = Recent[Value](self._most)
        with self._lock:
            other.keep({key: value for key, value in self._values.items() if still(key)})
        return other

    def values(self) -> list[Value]:
        """All of them, the one that was asked for last at the end."""
        with self._lock:
            return list(self._values.values())

    def keep(self, made: Mapping[Key, Value]) -> None:
        """Puts values in the place of those under their keys."""
        with self._lock:
            for key, value in made.items():
                self._values[key] = value
                self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
