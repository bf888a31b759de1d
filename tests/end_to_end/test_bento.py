"""``bentoml build`` gives a Bento that serves where the source tree is out of reach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.serve import free_port, running

ROOT = Path(__file__).parents[2]
# An editable installation would lead imports back to the source tree: this takes it away.
NO_SOURCE = """
import sys
sys.meta_path[:] = [one for one in sys.meta_path if not getattr(one, "__module__", "").startswith("__editable__")]
"""


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built Bento, moved out of the BentoML home that it was built in."""
    folder = tmp_path_factory.mktemp("bento")
    env = {**os.environ, "BENTOML_HOME": str(folder / "home"), "BENTOML_DO_NOT_TRACK": "True"}
    command = [sys.executable, "-m", "bentoml", "build", "--output", "tag"]
    built = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert built.returncode == 0, built.stdout + built.stderr
    (latest,) = (path for path in (folder / "home" / "bentos" / "creatormatch").iterdir() if path.is_dir())
    return Path(shutil.move(latest, folder / "creatormatch"))


def test_it_holds_the_code_that_answers_and_nothing_else(bento):
    source = bento / "src"
    assert sorted(path.name for path in source.iterdir() if path.is_dir()) == ["features", "models", "serving"]
    assert {path.suffix for path in source.rglob("*") if path.is_file()} <= {".py", ".json", ".yaml", ".lock"}


def test_it_serves_without_the_source_tree(bento, home, dataset, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NO_SOURCE)
    env = {
        "PYTHONPATH": str(tmp_path),
        "CREATORMATCH_HOME": str(home),
        "CREATORMATCH_DATA": str(dataset),
        "BENTOML_HOME": str(tmp_path / "home"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    look = [sys.executable, "-c", "import serving"]
    blind = subprocess.run(look, env={**os.environ, **env}, cwd=tmp_path, capture_output=True, check=False)
    assert b"ModuleNotFoundError" in blind.stderr
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", str(bento), "--host", "127.0.0.1", "--port", str(port)]
    with running(command, port, tmp_path / "log", env, tmp_path) as service:
        answer = service.post("/v1/creators/rank", json={"brief": {"description": "street food 🍜"}, "limit": 3})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["results"]) == 3
