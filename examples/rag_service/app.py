"""A service that answers questions from a tenant's own documents. A bearer token decides which tenant that is.

    pip install 'securevec[edge,embed]' fastapi uvicorn
    SECUREVEC_HOME=./home CALLERS=callers.json uvicorn app:from_environment --factory --host 127.0.0.1

The token is the only thing a request can say about whom it comes from: there is no tenant in a path, a query or a body
that could be set to somebody else's. What goes to the model holds placeholders such as [PERSON_1] in place of personal
data, and real values are put back into its answer on the way out. The model is named where texts leave for it, so that
the operator's list of models decides whether it may have them (docs/models.md).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

import securevec as sv

COLLECTION = "pages"
MODEL = "stand-in-model"
"""As the operator's list has it: securevec models allow stand-in-model --class internal"""
TRIES = 3
"""Times that a question is asked of documents which others write meanwhile."""
ONE_WORKER = (
    "An embedded store is for one process: start uvicorn without --workers, or with --workers 1; or make the home on a "
    "server: securevec init --backend chromas://HOST:PORT or qdrants://HOST:PORT."
)
_LOG = logging.getLogger("uvicorn.error")
_BEARER = HTTPBearer(auto_error=False)


@dataclass(frozen=True)
class Caller:
    """Who holds a token: the tenant it is good for, and the name its accesses are recorded under."""

    tenant: str
    actor: sv.Actor
    until: datetime | None = None
    """When the token ends, with a time zone; ``None``: never."""


class Question(BaseModel):
    text: str = Field(min_length=3, max_length=2_000)


class Answer(BaseModel):
    answer: str
    sources: list[str]
    restored: bool


def read_callers(path: Path) -> dict[str, Caller]:
    """``{"<SHA-256 of the token, hex>": {"tenant": ..., "actor": ..., "until": "2027-01-31T00:00:00Z"}}``, ``until``
    only for a token that ends. It holds no token, so it opens nothing. Raises ``ValueError`` for a moment that is none
    or names no time zone."""
    listed: Mapping[str, Mapping[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        digest: Caller(
            entry["tenant"], sv.Actor(entry["actor"], purpose="answering questions"), _moment(entry.get("until"))
        )
        for digest, entry in listed.items()
    }


def _moment(text: str | None) -> datetime | None:
    moment = None if text is None else datetime.fromisoformat(text)
    if moment is not None and moment.tzinfo is None:
        raise ValueError("An end of a token has no time zone.")
    return moment


def stand_in_model(question: str, context: str) -> str:
    """NOT A MODEL. It quotes the first passage, so that this example runs anywhere. Put the call to yours here.

    Whatever stands here sees placeholders, never a person's data, and should be told to keep them as they are.
    """
    passage = context.split("\n\n---\n\n")[0].strip()
    return f"From your documents: {passage}" if passage else "Nothing in your documents answers this."


def _now() -> datetime:
    return datetime.now(UTC)


def caller(request: Request, held: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Caller:
    """Whose request this is. Raises 401 for a token nobody was given, and for one that has ended.

    It is looked up by its digest: how long that takes says nothing about any token.
    """
    callers: Mapping[str, Caller] = request.app.state.callers
    known = held and callers.get(hashlib.sha256(held.credentials.encode()).hexdigest())
    if not known or (known.until is not None and request.app.state.now() >= known.until):
        raise HTTPException(401, "A valid bearer token is needed.", headers={"WWW-Authenticate": "Bearer"})
    return known


def answered(pages: sv.Collection[Any], text: str) -> Answer:
    """One question, answered once. Raises ``RecordNotFound`` when somebody changed what was found meanwhile."""
    hits = pages.search(text, k=4)
    # Refused here, nothing leaves: a model that is not on the home's list, a tenant it may not serve.
    released = hits.for_model(MODEL, purpose="answering a question")
    draft = stand_in_model(text, released.prompt)
    try:
        answer, restored = hits.restore(draft), True
    except sv.errors.PolicyDenied:
        # This caller may ask, and may not see personal data: the placeholders stay.
        answer, restored = draft, False
    return Answer(answer=answer, sources=list(dict.fromkeys(str(hit.id) for hit in hits)), restored=restored)


def make_app(store: sv.SecureStore, callers: Mapping[str, Caller], now: Callable[[], datetime] = _now) -> FastAPI:
    """The service on an open store, which it closes when it stops. ``now`` tells when a token has ended."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        store.close()

    app = FastAPI(title="Questions", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.callers = callers
    app.state.now = now

    @app.post("/ask")
    def ask(question: Question, who: Annotated[Caller, Depends(caller)]) -> Answer:
        pages = store.tenant(who.tenant, actor=who.actor).existing_collection(COLLECTION)
        for _ in range(TRIES - 1):
            try:
                return answered(pages, question.text)
            except sv.errors.RecordNotFound:
                continue  # what was found was replaced or deleted before it left: look for what is there now
        return answered(pages, question.text)

    @app.exception_handler(sv.SecurevecError)
    def refused(_: Request, error: sv.SecurevecError) -> JSONResponse:
        # A tenant that is missing, suspended or forbidden looks the same from outside. The audit log knows which.
        if isinstance(error, sv.errors.Refused) and not isinstance(error, sv.errors.RecordNotFound):
            return JSONResponse({"detail": "Not available to this token."}, 403)
        if isinstance(error, sv.errors.UsageError):
            return JSONResponse({"detail": "The question cannot be answered as it is."}, 422)
        # For who runs the service: another worker that holds an embedded store, a full disk. It carries no content.
        _LOG.error("%s: %s %s", type(error).__name__, error.message, error.next_step)
        return JSONResponse({"detail": "Try again later."}, 503, headers={"Retry-After": "5"})

    return app


def from_environment() -> FastAPI:
    """``SECUREVEC_HOME`` and ``CALLERS`` name the home and the callers' file. The key file is where it was made."""
    store = sv.SecureStore.open(os.environ["SECUREVEC_HOME"], create=False)
    try:
        store.runtime.backend()  # now, so that a second worker is told before anybody asks it
    except sv.errors.EngineLocked as locked:
        _LOG.error("This worker will answer 503: %s %s", locked.message, ONE_WORKER)
    return make_app(store, read_callers(Path(os.environ["CALLERS"])))
