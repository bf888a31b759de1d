from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from serving.together import Together


class Work:
    """Doubles lists, once it is let; keeps how many came together."""

    def __init__(self) -> None:
        self.let, self.begun = Event(), Event()
        self.turns: list[int] = []

    def __call__(self, asked: list[list[int]]) -> list[list[int]]:
        self.begun.set()
        self.let.wait(10)
        self.turns.append(len(asked))
        if any(0 in one for one in asked):
            raise ZeroDivisionError
        return [[2 * number for number in one] for one in asked]


def answers(together: Together, work: Work, asked: list[list[int]]) -> list[object]:
    """The first is at work alone while the others come to wait."""
    with ThreadPoolExecutor(len(asked)) as callers:
        first = callers.submit(together.answer, asked[0])
        work.begun.wait(10)
        others = [callers.submit(together.answer, one) for one in asked[1:]]
        while len(together._waiting) < len(others):
            pass
        work.let.set()
        return [one.exception() or one.result() for one in (first, *others)]


def test_who_waits_at_once_is_answered_in_one_turn_each_with_its_own():
    work = Work()
    together = Together(work, most=100)
    assert answers(together, work, [[1], [2, 3], [4], [5]]) == [[2], [4, 6], [8], [10]]
    assert work.turns == [1, 3]


def test_a_turn_has_no_more_than_the_most_but_one_is_always_answered():
    work = Work()
    together = Together(work, most=2)
    assert answers(together, work, [[1] * 5, [2], [3] * 5, [4]])[0] == [2] * 5
    assert len(work.turns) >= 3
    assert sum(work.turns) == 4


def test_what_fails_fails_for_its_turn_alone():
    work = Work()
    together = Together(work, most=100)
    first, *others = answers(together, work, [[1], [0], [4]])
    assert first == [2]
    assert [type(one) for one in others] == [ZeroDivisionError, ZeroDivisionError]
    assert together.answer([7]) == [14]


@pytest.mark.parametrize("callers", [1, 8])
def test_everyone_is_answered(callers):
    work = Work()
    work.let.set()
    together = Together(work, most=10)
    with ThreadPoolExecutor(callers) as pool:
        assert list(pool.map(lambda number: together.answer([number]), range(1, 200))) == [
            [2 * number] for number in range(1, 200)
        ]
