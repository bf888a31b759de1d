"""Frozen dataclasses of arrays as a folder of files whose pages all processes share.

Arrays are ``.npy`` files, mapped into memory; tables with texts are Arrow files, and ``layout.json`` says what belongs
where. Nothing that is read can name code: classes are looked up among those that the caller allows.
"""

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
from scipy import sparse

LAYOUT = "layout.json"
INDEX = "index"
MOST_POPULATED = 1 << 30  # bytes; the vectors of a million texts are more, and a ranking reads a thousandth of them
MADV_POPULATE_READ = 22  # of madvise(2); Python's mmap has no name for it


def save(value: Any, folder: Path) -> None:
    """Writes ``value`` into the empty ``folder``: dataclasses, mappings, sequences, arrays, CSR matrices, indexes of
    texts, frames, times and plain values, in each other.

    Raises TypeError for anything else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    layout = json.dumps(_Writer(folder).encoded(value))
    (folder / LAYOUT).write_text(layout, encoding="utf-8")


def load(folder: Path, classes: Collection[type]) -> Any:
    """What :func:`save` wrote, its dataclasses among ``classes``; arrays cannot be written to."""
    layout = json.loads((folder / LAYOUT).read_text(encoding="utf-8"))
    return _Reader(folder, {one.__name__: one for one in classes}).decoded(layout)


class _Writer:
    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        self._indexes: list[tuple[pd.Index, str]] = []  # one that many frames share is written once

    def encoded(self, value: Any) -> Any:
        if value is None or isinstance(value, str | bool | int | float):
            return value
        if is_dataclass(value):
            told = {one.name: self.encoded(getattr(value, one.name)) for one in fields(value)}
            return {"class": type(value).__name__, "fields": told}
        for kind, encode in self._kinds.items():
            if isinstance(value, kind):
                return encode(value)
        raise TypeError(f"{type(value).__name__} cannot be kept in a folder")

    @property
    def _kinds(self) -> dict[Any, Callable[[Any], dict[str, Any]]]:
        return {
            np.ndarray: lambda array: {"array": self._array(array)},
            sparse.csr_matrix: self._csr,
            pd.Index: lambda index: {"texts": self._texts(index)},
            pd.DataFrame: self._frame,
            pd.Timestamp: lambda time: {"time": time.isoformat()},
            Mapping: lambda pairs: {"map": [[self.encoded(key), self.encoded(one)] for key, one in pairs.items()]},
            frozenset: lambda values: {"set": [self.encoded(one) for one in sorted(values)]},
            tuple | list: lambda values: {"list": [self.encoded(one) for one in values]},
        }

    def _csr(self, matrix: sparse.csr_matrix) -> dict[str, Any]:
        parts = [self._array(part) for part in (matrix.data, matrix.indices, matrix.indptr)]
        return {"csr": parts, "shape": list(matrix.shape)}

    def _name(self, suffix: str) -> str:
        self._count += 1
        return f"{self._count}.{suffix}"

    def _array(self, array: np.ndarray) -> str:
        name = self._name("npy")
        np.save(self._folder / name, np.ascontiguousarray(array), allow_pickle=False)
        return name

    def _texts(self, index: pd.Index) -> str:
        for known, name in self._indexes:
            if known is index or known.equals(index):
                return name
        name = self._name("arrow")
        self._write(pd.DataFrame({INDEX: index.to_numpy()}, dtype="str"), name)
        self._indexes.append((index, name))
        return name

    def _frame(self, frame: pd.DataFrame) -> dict[str, Any]:
        index = None if isinstance(frame.index, pd.RangeIndex) else self._texts(frame.index)
        if len(frame.columns) and (frame.dtypes == np.float64).all():
            return {"numbers": self._array(frame.to_numpy()), "columns": list(frame.columns), INDEX: index}
        name = self._name("arrow")
        self._write(frame.reset_index(drop=True), name)
        return {"frame": name, INDEX: index}

    def _write(self, frame: pd.DataFrame, name: str) -> None:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        for column in frame.columns[frame.dtypes == np.float64]:  # a null would have every reader copy the column
            values = pa.array(frame[column].to_numpy())
            table = table.set_column(table.column_names.index(column), column, values)
        # In one chunk: to pick a few rows out of many chunks costs as much as the table is long, and every reader would
        # copy what lies in many.
        table, rows = table.combine_chunks(), max(len(frame), 1)
        pyarrow.feather.write_feather(table, self._folder / name, "uncompressed", chunksize=rows)


class _Reader:
    def __init__(self, folder: Path, classes: Mapping[str, type]) -> None:
        self._folder, self._classes = folder, classes
        self._indexes: dict[str, pd.Index] = {}

    def decoded(self, told: Any) -> Any:
        if not isinstance(told, dict):
            return told
        [kind, *_] = told
        return self._kinds[kind](told)

    @property
    def _kinds(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        return {
            "array": lambda told: self._array(told["array"]),
            "csr": self._csr,
            "texts": lambda told: self._texts(told["texts"]),
            "numbers": self._numbers,
            "frame": self._frame,
            "time": lambda told: pd.Timestamp(told["time"]),
            "class": self._instance,
            "map": lambda told: {self.decoded(key): self.decoded(one) for key, one in told["map"]},
            "set": lambda told: frozenset(map(self.decoded, told["set"])),
            "list": lambda told: tuple(map(self.decoded, told["list"])),
        }

    def _csr(self, told: dict[str, Any]) -> sparse.csr_matrix:
        data, indices, indptr = map(self._array, told["csr"])
        return sparse.csr_matrix((data, indices, indptr), shape=tuple(told["shape"]), copy=False)

    def _numbers(self, told: dict[str, Any]) -> pd.DataFrame:
        values = self._array(told["numbers"])
        return pd.DataFrame(values, index=self._index(told), columns=told["columns"], copy=False)

    def _frame(self, told: dict[str, Any]) -> pd.DataFrame:
        frame, index = self._table(told["frame"]), self._index(told)
        return frame if index is None else frame.set_axis(index)

    def _instance(self, told: dict[str, Any]) -> Any:
        return self._classes[told["class"]](**{name: self.decoded(one) for name, one in told["fields"].items()})

    def _array(self, name: str) -> np.ndarray:
        array = np.load(self._folder / name, mmap_mode="r", allow_pickle=False)
        if isinstance(array.base, mmap) and array.nbytes <= MOST_POPULATED:
            _populate(array.base)
        return np.asarray(array)

    def _table(self, name: str) -> pd.DataFrame:
        table = pyarrow.feather.read_table(self._folder / name, memory_map=True)
        return table.to_pandas(split_blocks=True)

    def _texts(self, name: str) -> pd.Index:
        if name not in self._indexes:
            self._indexes[name] = pd.Index(self._table(name)[INDEX]).rename(None)
        return self._indexes[name]

    def _index(self, told: dict[str, Any]) -> pd.Index | None:
        return None if told[INDEX] is None else self._texts(told[INDEX])


def _populate(file: mmap) -> None:
    """Enters a file's pages into this process's tables at once: else the first to touch each of
    some hundred thousand waits for it, in the middle of a request."""
    with suppress(OSError):  # Linux knows it since 5.14
        file.madvise(MADV_POPULATE_READ)
