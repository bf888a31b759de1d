import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.bitmaps import Subset, Verdict, count, has, packed, unpacked, without

FLAGS = st.lists(st.booleans(), max_size=200).map(lambda flags: np.array(flags, bool))


@given(FLAGS)
def test_what_is_packed_is_unpacked_and_counted(flags):
    bits = packed(flags)
    assert (unpacked(bits, len(flags)) == flags).all()
    assert count(bits) == flags.sum()
    assert len(bits) == -(-len(flags) // 64)


@given(FLAGS, st.randoms(use_true_random=False))
def test_bits_meet_as_flags_do(flags, random):
    others = np.array([random.random() < 0.5 for _ in flags], bool)
    verdict = Verdict.of(flags, others)
    assert count(verdict.passes & ~verdict.unknown) == (flags & ~others).sum()
    assert (unpacked(verdict.passes | verdict.unknown, len(flags)) == (flags | others)).all()


@given(FLAGS, st.data())
def test_single_rows_are_looked_up_and_taken_out(flags, data):
    rows = np.array(data.draw(st.lists(st.integers(-1, len(flags) - 1))), np.int64)
    bits, others = packed(flags), flags.copy()
    assert has(bits, rows).tolist() == [row >= 0 and flags[row] for row in rows]
    others[rows[rows >= 0]] = False
    assert (unpacked(without(bits, rows[rows >= 0]), len(flags)) == others).all()
    assert count(bits) == flags.sum()


@given(FLAGS, st.integers(1, 20), st.randoms(use_true_random=False))
def test_the_first_of_some_rows_that_are_in_it(flags, most, random):
    subset, rows = Subset.of(flags), np.array(random.sample(range(len(flags)), len(flags)), np.int64)
    assert subset.first(rows, most).tolist() == [row for row in rows if flags[row]][:most]
    assert (subset.count, subset.rows.tolist()) == (flags.sum(), np.flatnonzero(flags).tolist())
