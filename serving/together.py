"""Work that costs the same for one as for many is done for everyone who waits at once (group commit)."""

from collections.abc import Callable, Sequence, Sized
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Asked = TypeVar("Asked", bound=Sized)
Answered = TypeVar("Answered")


class Together(Generic[Asked, Answered]):
    """Answers callers in threads: one of them does the ``work`` of all who wait, in the order in which they came, up to
    ``most`` items of what they ask; the others wait for the next turn. What fails fails for all of a turn."""

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answered]], most: int) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Asked, Future[Answered]]] = []
        self._turn, self._joining = Lock(), Lock()

    def answer(self, asked: Asked) -> Answered:
        """The work's answer to ``asked``."""
        mine: Future[Answered] = Future()
        with self._joining:
            self._waiting.append((asked, mine))
        with self._turn:
            while not mine.done():
                self._answer_some()
        return mine.result()

    def _answer_some(self) -> None:
        turn = self._taken()
        try:
            answers = self._work([asked for asked, _ in turn])
        except Exception as error:  # each of them raises it
            for _, theirs in turn:
                theirs.set_exception(error)
        else:
            for (_, theirs), answer in zip(turn, answers, strict=True):
                theirs.set_result(answer)

    def _taken(self) -> list[tuple[Asked, "Future[Answered]"]]:
        """Who came first, and those after it who fit in beside it."""
        with self._joining:
            count, items = 1, len(self._waiting[0][0])
            while count < len(self._waiting) and items + len(self._waiting[count][0]) <= self._most:
                items += len(self._waiting[count][0])
                count += 1
            turn, self._waiting = self._waiting[:count], self._waiting[count:]
        return turn
