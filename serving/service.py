"""The BentoML service, configured by the environment.

``CREATORMATCH_HOME`` is the data directory with the promoted release and the stores, ``CREATORMATCH_DATA`` a folder to
import once or the SQL URL of the store (without it the last folder), ``CREATORMATCH_KEYS`` a file of API keys, if any,
``CREATORMATCH_WORKERS`` how many processes answer.
"""

import gc
import logging
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import bentoml
import psutil
import uvicorn.config
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import InputError, bad
from features.memory import return_holes
from features.rankings import FOLDER
from serving import errors
from serving.api import Api
from serving.app import LONGEST_S, build_app
from serving.auth import Auth, is_loopback
from serving.books import Books
from serving.headers import SecurityHeaders
from serving.logs import configure_logs
from serving.metrics import keep_room, tell_release
from serving.opening import open_store
from serving.parent import stop_with_parent
from serving.store import Store

SOON_S = 0.2
AGAIN_S = 2.0
# One heap for all threads: with one for each of them (glibc), what one has dropped no other can use again.
THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "MALLOC_ARENA_MAX": "1"}

# BentoML starts uvicorn with the protocol of this name.
uvicorn.config.HTTP_PROTOCOLS["auto"] = "serving.connections:Impatient"

logger = logging.getLogger(__name__)


def build_service(home: Path, source: str | None, keys: Path | None) -> ASGIApp:
    """The application for the promoted release under ``home`` and the store for ``source``
    (:func:`serving.opening.open_store`).

    Raises InputError when there is no release or no data, or
    when one of them cannot be read.
    """
    from models.registry import POINTER
    from serving.loader import Loader  # seconds
    from serving.rankings import RankingLog
    from serving.releases import Releases, first_served
    from serving.shelves import Shelves
    from serving.trials import Trials

    auth = Auth.from_file(keys)
    url = open_store(home, source)
    store = Store(url)
    loader = Loader(home, store, Shelves(home, url))
    release, follower = first_served(home, loader.first)
    tell_release(release, home / POINTER)
    releases = Releases(home, store, follower, release.name, loader.beside)
    rankings = RankingLog(home / FOLDER)
    trials = Trials(home, follower, partial(loader.beside, by_id=False))
    api = Api(store, follower, releases, trials, rankings)
    api.announce_policy()
    books = Books(store)
    books.keep_settling()
    follower.keep_following()
    for watch in (releases, trials):
        watch.keep_looking()
    trials.shadow.keep_ranking()
    rankings.keep_writing()
    app = build_app(api, auth, books)
    app.state.api = api
    return app


def _settings() -> tuple[Path, str | None]:
    """The data directory and the source, from the environment."""
    home = os.environ.get("CREATORMATCH_HOME")
    if not home:
        raise bad("CREATORMATCH_HOME", "set this variable to the data directory", home)
    return Path(home), os.environ.get("CREATORMATCH_DATA")


def _from_environment() -> ASGIApp:
    keys = os.environ.get("CREATORMATCH_KEYS")
    if not keys:
        _check_addresses()
    return build_service(*_settings(), Path(keys) if keys else None)


def _check_addresses() -> None:
    """Raises InputError where this process, which has no keys, listens to other machines."""
    for connection in psutil.Process().net_connections("inet"):
        if connection.status == psutil.CONN_LISTEN and not is_loopback(connection.laddr.ip):
            raise bad(
                "--host", "without CREATORMATCH_KEYS must be 127.0.0.1; set it to a file of keys", connection.laddr.ip
            )


def _prepare() -> None:
    """Imports and migrates once, before there are workers; what fails here each of them will say."""
    configure_logs()
    with suppress(InputError):
        open_store(*_settings())
    gc.collect()
    return_holes()  # this process lives as long as its workers, and needs no rows any more


async def routes(scope: Scope, receive: Receive, send: Send) -> None:
    """What BentoML mounts when this module is imported; the application exists from the worker's start on."""
    await bentoml.get_current_service().app(scope, receive, send)


def _finish(service: Any) -> None:
    """Writes what is not written yet, once the last request is answered."""
    if service.__is_ready__():
        service.app.state.books.settle()
        service.app.state.api.close()


def _guarded(service: Any) -> Any:
    service.add_asgi_middleware(SecurityHeaders)
    return service


@_guarded
@bentoml.asgi_app(routes)
@bentoml.service(
    name="creatormatch",
    workers=int(os.environ.get("CREATORMATCH_WORKERS", "1")),
    http={"host": "127.0.0.1"},  # unless told otherwise; BentoML's own default is every address
    envs=[{"name": name, "value": value} for name, value in THREADS.items()],
    traffic={"timeout": 2 * LONGEST_S},  # ours comes first, and in our shape
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": "."},  # none is collected, and its spans cost a third of what BentoML adds to a request
    metrics={"enabled": False},  # one series for every path that anyone makes up; ours are in serving/metrics.py
)
class CreatorMatch:
    """Ranks creators for a brief, tells fake engagement, keeps an explainable credit score.

    A worker that cannot start, because nothing is promoted yet or the store is down, tells the log and every caller so
    (503, not ready) and tries again: one that died would only be started again.
    """

    prepare = bentoml.on_deployment(_prepare)
    finish = bentoml.on_shutdown(_finish)

    def __init__(self) -> None:
        configure_logs()
        stop_with_parent()
        keep_room()
        self._ready = False
        self._start()
        if not self._ready:  # SQLite may refuse a store that two workers open at the same moment
            sleep(SOON_S)
            self._start()
        if not self._ready:
            Thread(target=self._keep_starting, name="starting", daemon=True).start()

    def _start(self) -> None:
        try:
            self.app: Any = _from_environment()
            self._ready = True
        except InputError as error:
            logger.error("not ready: %s", error.message)
            self.app = errors.response(InputError(error.message, error.details, "UNAVAILABLE"))
        gc.collect()
        gc.freeze()  # what is loaded lives as long as the worker: no collection need walk it
        return_holes()

    def _keep_starting(self) -> None:
        while not self._ready:
            sleep(AGAIN_S)
            self._start()

    def __is_ready__(self) -> bool:
        """Whether ``/readyz`` is a 200."""
        return self._ready
