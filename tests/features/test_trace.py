from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from features.trace import count, note, stage, tracing


def work():
    with stage("outer"), stage("inner"):
        count(texts=2)
    with stage("inner"):
        count(texts=1)
    note(eligible=7)


def test_a_trace_hears_of_its_own_context_and_of_threads_that_have_a_copy():
    work()  # nobody listens
    with tracing() as trace, ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()  # another context
        assert not trace.seconds
        pool.submit(copy_context().run, work).result()
    work()
    assert trace.counts == {"texts": 3}
    assert trace.values == {"eligible": 7}
    assert trace.seconds.keys() == {"outer", "inner"}
    assert 0 < trace.seconds["outer"] < 0.1


def test_a_stage_that_fails_is_timed_and_its_error_goes_on():
    with tracing() as trace, pytest.raises(ValueError, match="broken"), stage("broken"):
        raise ValueError("broken")
    assert trace.seconds["broken"] > 0
