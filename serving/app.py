"""The routes as one ASGI application: who may call, what a body may be, and every error in one shape.

BentoML's own ``@bentoml.api`` would parse a body before anyone is asked for a key, answers invalid ones in a shape of
its own and only knows POST; so the routes are a Starlette application that BentoML mounts, runs and measures.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from features.errors import InputError, bad
from serving import answers, errors, fraud_answers, fraud_requests, ledger_answers, ledger_requests, metrics, requests
from serving.api import Answer, Api
from serving.audit import Audit
from serving.auth import DATASCIENCE, PLATFORM, RISK, Auth, Caller, require
from serving.books import Books
from serving.observe import Observed
from serving.openapi import document
from serving.rows import Body

LARGEST_BODY = 1_000_000
DRAINED = 16 * LARGEST_BODY  # a larger body is read up to here, so that its sender gets to read the answer
THREADS = 4
WRITERS = 16  # threads that mostly wait for one another
# What the catalogue in memory answers, what the store is asked for, and what it takes: no read waits behind a write,
# and no ranking behind a store that hangs.
MEMORY, LOOKUPS, WRITES = "memory", "lookups", "writes"
POOLS = {MEMORY: THREADS, LOOKUPS: THREADS, WRITES: WRITERS}
BACKENDS, RISK_TEAM, SCIENTISTS = (frozenset({scope}) for scope in (PLATFORM, RISK, DATASCIENCE))
BOTH = BACKENDS | RISK_TEAM
MOST_WAITING = 64
LONGEST_WAIT_S = 2.0  # for a thread
BODY_S = 10.0
LONGEST_S = 60.0  # from the request's first byte to the answer's

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Endpoint:
    """A route: what it takes, whom it serves and what answers it, in a thread."""

    path: str
    scopes: frozenset[str]
    body: type[Body]
    returns: type[BaseModel]
    answer: Callable[[Any, Caller], Answer]
    pool: str = LOOKUPS


def endpoints(api: Api) -> tuple[Endpoint, ...]:
    """Every POST route of the API."""
    return (*_creators(api), *_fraud(api), *_ledger(api), *_models(api))


def _creators(api: Api) -> tuple[Endpoint, ...]:
    return (
        Endpoint("/v1/creators/rank", BACKENDS, requests.RankRequest, answers.RankAnswer, api.rank, MEMORY),
        Endpoint("/v1/creators/search", BACKENDS, requests.SearchRequest, answers.SearchAnswer, api.search, MEMORY),
        Endpoint("/v1/creators/similar", BACKENDS, requests.SimilarRequest, answers.SimilarAnswer, api.similar, MEMORY),
        Endpoint("/v1/creators/profile", BOTH, requests.CreatorIds, answers.ProfileAnswer, api.profile),
        Endpoint("/v1/creators/upsert", BACKENDS, requests.UpsertRequest, answers.WriteAnswer, api.upsert, WRITES),
        Endpoint("/v1/creators/delete", BACKENDS, requests.CreatorIds, answers.WriteAnswer, api.delete, WRITES),
        Endpoint("/v1/feedback", BACKENDS, requests.FeedbackRequest, answers.FeedbackAnswer, api.feedback, WRITES),
    )


def _fraud(api: Api) -> tuple[Endpoint, ...]:
    asks, tells = fraud_requests, fraud_answers
    return (
        Endpoint("/v1/fraud/score", RISK_TEAM, asks.ScoreRequest, tells.FraudAnswer, api.fraud_score),
        Endpoint("/v1/fraud/accounts", RISK_TEAM, asks.AccountsRequest, tells.AccountsAnswer, api.fraud_accounts),
        Endpoint("/v1/fraud/comments", RISK_TEAM, asks.CommentsRequest, tells.CommentsAnswer, api.fraud_comments),
        Endpoint("/v1/fraud/queue", RISK_TEAM, asks.QueueRequest, tells.QueueAnswer, api.fraud_queue),
        Endpoint(
            "/v1/fraud/policies/simulate", RISK_TEAM, asks.SimulateRequest, tells.SimulateAnswer, api.fraud_simulation
        ),
        Endpoint("/v1/fraud/labels", RISK_TEAM, asks.LabelsRequest, tells.LabelsAnswer, api.fraud_labels, WRITES),
    )


def _ledger(api: Api) -> tuple[Endpoint, ...]:
    asks, tells = ledger_requests, ledger_answers
    return (
        Endpoint("/v1/credit", BOTH, requests.CreditRequest, tells.CreditAnswer, api.credit),
        Endpoint("/v1/credit/history", BOTH, asks.HistoryRequest, tells.HistoryAnswer, api.credit_history),
        Endpoint("/v1/credit/what_if", BOTH, asks.WhatIfRequest, tells.WhatIfAnswer, api.credit_what_if),
        Endpoint("/v1/credit/assess", RISK_TEAM, requests.Nothing, tells.AssessAnswer, api.credit_assess, WRITES),
        Endpoint("/v1/events", BACKENDS, requests.EventsRequest, answers.EventsAnswer, api.events, WRITES),
        Endpoint(
            "/v1/collaborations", BACKENDS, asks.CollaborationsRequest, tells.CollaborationsAnswer, api.collaborations
        ),
    )


def _models(api: Api) -> tuple[Endpoint, ...]:
    return (
        Endpoint("/v1/models", SCIENTISTS, requests.Nothing, answers.ModelsAnswer, api.models),
        Endpoint("/v1/models/reload", SCIENTISTS, requests.Nothing, answers.ModelsAnswer, api.reload, WRITES),
    )


def build_app(api: Api, auth: Auth, books: Books, longest_s: float = LONGEST_S) -> Starlette:
    """The application: the POST routes, each with ``longest_s`` seconds, ``/`` for people and ``/docs.json`` for
    programs."""
    table = endpoints(api)
    described = document(table)
    pools = {name: Pool(name, threads) for name, threads in POOLS.items()}
    pages = [
        Route("/", _index(table)),
        Route("/docs.json", lambda _: JSONResponse(described)),
        Route("/metrics", metrics.page),
    ]
    routes = [*pages, *(_route(one, auth, books, pools[one.pool], longest_s) for one in table)]
    application = Starlette(
        routes=routes,
        exception_handlers={HTTPException: errors.on_http_exception},
        middleware=[Middleware(Observed, paths={one.path for one in routes})],
    )
    application.state.books = books
    application.router.redirect_slashes = False  # to whatever host the caller names, before anyone is asked for a key
    return application


class Pool:
    """Threads for what would hold up the event loop, with a queue before them that is bounded in length and in time:
    who is refused knows soon, and the others need not wait long."""

    def __init__(self, name: str, threads: int) -> None:
        self._name, self._threads = name, ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = BoundedSemaphore(threads + MOST_WAITING)

    def check_open(self) -> None:
        """Raises InputError RESOURCE_EXHAUSTED when too many requests wait already."""
        if not self._places.acquire(blocking=False):
            raise self._refused()
        self._places.release()

    async def run(self, work: Callable[[], bytes]) -> bytes:
        """The result of ``work``; InputError RESOURCE_EXHAUSTED when too many others wait, or it waited too long."""
        if not self._places.acquire(blocking=False):
            raise self._refused()
        timely = self._timely(work, monotonic() + LONGEST_WAIT_S)
        # With the context, for the log to know the request and the trace to hear of its stages.
        working = self._threads.submit(copy_context().run, metrics.waited(self._name, timely))
        metrics.QUEUED.labels(self._name).inc()
        # Not when nobody waits for the answer any more: the work still takes a thread.
        working.add_done_callback(lambda _: self._left())
        return await asyncio.wrap_future(working)

    def _timely(self, work: Callable[[], bytes], until: float) -> Callable[[], bytes]:
        def begin() -> bytes:
            if monotonic() > until:
                raise self._refused()
            return work()

        return begin

    def _refused(self) -> InputError:
        metrics.REFUSED.labels(self._name).inc()
        return InputError("too many requests are waiting; try again in a second", code="RESOURCE_EXHAUSTED")

    def _left(self) -> None:
        self._places.release()
        metrics.QUEUED.labels(self._name).dec()


def _route(endpoint: Endpoint, auth: Auth, books: Books, pool: Pool, longest_s: float) -> Route:
    async def handle(request: Request) -> Response:
        try:
            caller = auth.caller(request.client.host if request.client else None, request.headers)
            request.state.caller = caller.name
            books.limits.spend(caller)
            require(caller, endpoint.scopes)
            pool.check_open()  # before the body comes
            async with asyncio.timeout(longest_s):
                body = await _read(request)
                answered = await pool.run(lambda: _answer(endpoint, body, caller, books.audit))
                return Response(answered, media_type="application/json")
        except InputError as error:
            return errors.response(error)
        except TimeoutError:
            problem = f"there was no answer within {longest_s:g} seconds; ask for less, or again: a write may stand"
            return errors.response(InputError(problem, code="DEADLINE_EXCEEDED"))
        except Exception:
            logger.exception("%s failed", endpoint.path)
            return errors.response(InputError("an unexpected error; the server's log has its trace", code="INTERNAL"))

    return Route(endpoint.path, handle, methods=["POST"])


def _answer(endpoint: Endpoint, body: bytes, caller: Caller, audit: Audit) -> bytes:
    try:
        request = endpoint.body.model_validate_json(body)
    except ValidationError as error:
        raise errors.invalid(error) from error
    answer = endpoint.answer(request, caller)
    audit.record(caller, endpoint.path, answer)
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()


async def _read(request: Request) -> bytes:
    """The body; InputError for another content type, for one that is too large, and for one that comes too slowly."""
    media = request.headers.get("content-type", "")
    if media.partition(";")[0].strip().lower() != "application/json":
        raise bad("Content-Type", "send application/json", media, "UNSUPPORTED_MEDIA_TYPE")
    kept, size = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= LARGEST_BODY:
                    kept += chunk
                if size > DRAINED:
                    break
    except ClientDisconnect as error:
        raise InputError("the body ended early") from error
    except TimeoutError as error:
        raise InputError(f"the body did not come within {BODY_S:g} seconds", code="REQUEST_TIMEOUT") from error
    if size > LARGEST_BODY:
        raise bad("body", f"may have {LARGEST_BODY:,} bytes; send less text or smaller batches", size, "TOO_LARGE")
    return bytes(kept)


def _index(table: tuple[Endpoint, ...]) -> Callable[[Request], Response]:
    rows = "".join(f"<li><code>POST {one.path}</code> {one.answer.__doc__}</li>" for one in table)
    links = '<a href="/docs.json">OpenAPI</a> · <a href="/readyz">readiness</a> · <a href="/metrics">metrics</a>'
    page = f"<!doctype html><html lang=en><title>CreatorMatch</title><h1>CreatorMatch</h1><ul>{rows}</ul><p>{links}</p>"
    return lambda _: HTMLResponse(page)
