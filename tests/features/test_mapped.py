"""What is kept in a folder comes back equal, shared and read-only, and can name no code."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.feather
import pytest
from scipy import sparse

from features.mapped import LAYOUT, load, save


@dataclass(frozen=True)
class Inner:
    words: tuple[str, ...]
    numbers: np.ndarray


@dataclass(frozen=True)
class Outer:
    inner: Inner
    matrix: sparse.csr_matrix
    ids: pd.Index
    measured: pd.DataFrame
    mixed: pd.DataFrame
    known: dict[str, Any]
    at: pd.Timestamp


IDS = pd.Index(["ann", "bób", "抹茶"], dtype="str")
OUTER = Outer(
    inner=Inner(("a", "b"), np.arange(6, dtype=np.float32).reshape(2, 3)),
    matrix=sparse.csr_matrix(np.array([[0, 1.5, 0], [0, 0, 0], [2, 0, 3]])),
    ids=IDS,
    measured=pd.DataFrame({"x": [1.0, np.nan, 3.0], "y": [4.0, 5.0, 6.0]}, index=IDS),
    mixed=pd.DataFrame(
        {"band": pd.Series(["GOOD", None, "FAIR"], dtype="str"), "stars": [1, 2, 3], "score": [0.5, np.nan, 0.25]}
    ).set_axis(IDS),
    known={"rates": {"EUR": 1.25}, "brands": frozenset({"x", "y"}), "none": None},
    at=pd.Timestamp("2026-06-01T10:00:00.000001"),
)


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    save(OUTER, tmp_path)
    found = load(tmp_path, (Outer, Inner))
    assert found.inner.words == ("a", "b")
    np.testing.assert_array_equal(found.inner.numbers, OUTER.inner.numbers)
    assert found.inner.numbers.dtype == np.float32
    assert (found.matrix != OUTER.matrix).nnz == 0
    pd.testing.assert_index_equal(found.ids, IDS)
    pd.testing.assert_frame_equal(found.measured, OUTER.measured)
    pd.testing.assert_frame_equal(found.mixed, OUTER.mixed)
    assert found.measured.index is found.ids
    assert (found.known, found.at) == (OUTER.known, OUTER.at)


def test_what_is_shared_cannot_be_written_to(tmp_path: Path) -> None:
    save(OUTER, tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        load(tmp_path, (Outer, Inner)).inner.numbers[0] = 1


def test_numbers_of_a_table_are_not_copied_even_where_some_are_unknown(tmp_path: Path) -> None:
    together = pd.concat([OUTER.mixed.iloc[:1], OUTER.mixed.iloc[1:]])  # texts in two chunks
    save(replace(OUTER, mixed=together), tmp_path)
    (table,) = (one for one in map(pyarrow.feather.read_table, tmp_path.glob("*.arrow")) if "score" in one.column_names)
    assert (table["score"].null_count, table["score"].num_chunks) == (0, 1)


def test_a_class_that_the_caller_does_not_allow_is_not_made(tmp_path: Path) -> None:
    save(OUTER, tmp_path)
    with pytest.raises(KeyError, match="Inner"):
        load(tmp_path, (Outer,))
    (tmp_path / LAYOUT).write_text(json.dumps({"class": "Path", "fields": {}}))
    with pytest.raises(KeyError, match="Path"):
        load(tmp_path, (Outer, Inner))


def test_what_has_no_place_in_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="object cannot be kept"):
        save({"x": object()}, tmp_path)
