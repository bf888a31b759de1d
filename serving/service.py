"""The BentoML service, configured by the environment.

``CREATORMATCH_HOME`` is the data directory with the promoted release and the stores, ``CREATORMATCH_DATA`` the dataset
(folder or SQL URL) to import once (without it the last one), ``CREATORMATCH_KEYS`` an optional file of API keys.
"""

import gc
import logging
import os
from pathlib import Path
from typing import Any

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import InputError, bad
from features.tables import read_tables
from features.text import EMBEDDINGS
from serving import errors
from serving.api import Api
from serving.app import build_app
from serving.auth import Auth
from serving.store import Store, open_store, url_of

THREAD_LIMITS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


logger = logging.getLogger(__name__)


def build_service(home: Path, source: str | None, keys: Path | None) -> ASGIApp:
    """The application for the promoted release under ``home`` and the dataset ``source``, imported when it is new.

    Without a source it serves the store that was served last. Raises InputError when there is no release or no data, or
    when one of them cannot be read.
    """
    from models.engine import Engine
    from models.registry import local_champion

    auth = Auth.from_file(keys)
    release = local_champion(home)
    path = open_store(home, source)
    engine = Engine.load(release, read_tables(url_of(path)), home / EMBEDDINGS)
    return build_app(Api(engine, Store(path)), auth)


def _from_environment() -> ASGIApp:
    home, keys = os.environ.get("CREATORMATCH_HOME"), os.environ.get("CREATORMATCH_KEYS")
    if not home:
        raise bad("CREATORMATCH_HOME", "set this variable to the data directory", home)
    return build_service(Path(home), os.environ.get("CREATORMATCH_DATA"), Path(keys) if keys else None)


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
    """Ranks creators for a brief, tells fake engagement, keeps an explainable credit score.

    A worker that cannot start, because nothing is promoted yet, tells the log and every caller so (503, not ready):
    one that died would only be started again.
    """

    def __init__(self) -> None:
        self._ready = False
        try:
            self.app: Any = _from_environment()
            self._ready = True
        except InputError as error:
            logger.error("not ready: %s", error.message)
            self.app = errors.response(InputError(error.message, error.details, "UNAVAILABLE"))
        gc.collect()
        gc.freeze()  # what is loaded lives as long as the worker: no collection need walk it

    def __is_ready__(self) -> bool:
        """Whether ``/readyz`` is a 200."""
        return self._ready
