"""Every notebook runs as a program and ends in the asserts of what its prose claims."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    env = os.environ | {"MPLBACKEND": "Agg", "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, str(notebook)], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_there_is_a_notebook_and_each_ends_in_an_assert() -> None:
    assert NOTEBOOKS
    assert all(path.read_text().rstrip().splitlines()[-1].startswith("assert ") for path in NOTEBOOKS)
