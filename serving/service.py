"""The BentoML service, configured by the environment.

``CREATORMATCH_HOME`` is the data directory with the promoted release and the stores, ``CREATORMATCH_DATA`` the dataset
(folder or SQL URL) to import once, ``CREATORMATCH_KEYS`` an optional file of API keys.
"""

import gc
import os
from pathlib import Path
from typing import Any

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import bad
from features.tables import read_tables
from serving.api import Api
from serving.app import build_app
from serving.auth import Auth
from serving.store import Store, import_dataset, path_for, url_of

THREAD_LIMITS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def build_service(home: Path, source: str, keys: Path | None) -> ASGIApp:
    """The application for the promoted release under ``home`` and the dataset ``source``, imported when it is new.

    Raises InputError when there is no release, or data or keys cannot be read.
    """
    from models.engine import Engine
    from models.registry import local_champion

    release = local_champion(home)
    auth = Auth.from_file(keys)
    path = path_for(home, source)
    import_dataset(source, path)
    tables = read_tables(url_of(path))
    return build_app(Api(Engine.load(release, tables), Store(path)), auth)


def _setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise bad(name, "set this environment variable", value)
    return value


async def routes(scope: Scope, receive: Receive, send: Send) -> None:
    """What BentoML mounts when this module is imported; the application exists from the worker's start on."""
    await bentoml.get_current_service().app(scope, receive, send)


@bentoml.asgi_app(routes)
@bentoml.service(
    name="creatormatch",
    workers=1,
    envs=[{"name": name, "value": value} for name, value in THREAD_LIMITS.items()],
    logging={"access": {"enabled": False}},
    metrics={"duration": {"buckets": [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0]}},
)
class CreatorMatch:
    """Ranks creators for a brief, tells fake engagement, keeps an explainable credit score."""

    def __init__(self) -> None:
        keys = os.environ.get("CREATORMATCH_KEYS")
        self.app: Any = build_service(
            Path(_setting("CREATORMATCH_HOME")), _setting("CREATORMATCH_DATA"), Path(keys) if keys else None
        )
        gc.collect()
        gc.freeze()  # what is loaded lives as long as the worker: no collection need walk it
