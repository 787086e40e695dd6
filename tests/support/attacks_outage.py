"""Parts that fail on command (detector, embedder, policy engine, audit log), and what must hold when they did."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import securevec as sv
from securevec.anonymize import Finding, default_detector
from securevec.audit import AuditRef, Event, Succession
from securevec.audit.checkpoint import Signer
from securevec.embed.wrapped import WrappedEmbedder
from securevec.errors import AuditUnavailable
from securevec.policy import BuiltinPolicy, Decision, Request
from securevec.state.runtime import AuditSink
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, Matrix
from tests.support.attacks import ACME_MARK, Pair, text
from tests.support.world import Ticket

SECRET = "heliotrope-canary"
"""Stands in what failing parts are given and in what they raise; no error of the library may repeat it."""


class Flaky:
    """Behaves until told otherwise; then does what ``fail`` does instead of answering."""

    fail: Callable[[], object] | None = None


class FlakyDetector(Flaky):
    """The built-in detector."""

    @property
    def digest(self) -> str:
        return default_detector().digest

    def detect(self, text: str, *, field_name: str = "") -> Sequence[Finding]:
        if self.fail is not None:
            return self.fail()  # type: ignore[return-value]  # a wrong answer is one of the failures
        return default_detector().detect(text, field_name=field_name)


class FlakyEmbedder(Flaky, WrappedEmbedder):
    """The hash embedder. ``blind`` also fails the token offsets."""

    blind = False

    def __init__(self) -> None:
        super().__init__(HashEmbedder())

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        if self.fail is not None and not self.blind:
            return self.fail()  # type: ignore[return-value]  # a wrong answer is one of the failures
        return self._inner.embed(texts)

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        if self.fail is not None and self.blind:
            return self.fail()  # type: ignore[return-value]  # a wrong answer is one of the failures
        return self._inner.token_offsets(text)


class FlakyPolicy(Flaky):
    """The built-in rules."""

    digest = BuiltinPolicy().digest

    def decide(self, request: Request) -> Decision:
        if self.fail is not None:
            return self.fail()  # type: ignore[return-value]  # a wrong answer is one of the failures
        return BuiltinPolicy().decide(request)


class FailingAudit:
    """An audit log that refuses the ``nth`` record from now on (0 is the next one), and all that follow it."""

    def __init__(self, inner: AuditSink, nth: int) -> None:
        self._inner = inner
        self._left = nth

    @property
    def writer_id(self) -> str:
        return self._inner.writer_id

    def record(self, event: Event, *, wait: bool = True) -> AuditRef:
        self._left -= 1
        if self._left < 0:
            raise AuditUnavailable("The audit record could not be written, so the operation ended there.")
        return self._inner.record(event, wait=wait)

    def exchange_key(self, new: Signer, *, compromised: bool) -> Succession:
        return self._inner.exchange_key(new, compromised=compromised)

    def checkpoint(self) -> None:
        self._inner.checkpoint()

    def close(self) -> None:
        self._inner.close()


def boom() -> object:
    raise RuntimeError(f"at token '{SECRET}'")


WRONG_VECTORS: dict[str, Callable[[], object]] = {
    "raises": boom,
    "too few rows": lambda: np.ones((0, 64), dtype=np.float32),
    "too many rows": lambda: np.ones((500, 64), dtype=np.float32),
    "another dimension": lambda: np.ones((1, 63), dtype=np.float32),
    "one flat row": lambda: np.ones(64, dtype=np.float32),
    "NaN": lambda: np.full((1, 64), np.nan, dtype=np.float32),
    "infinite": lambda: np.full((1, 64), np.inf, dtype=np.float32),
    "zero": lambda: np.zeros((1, 64), dtype=np.float32),
    "nothing": lambda: None,
    "text": lambda: [[SECRET] * 64],
    "ragged": lambda: [[1.0], [1.0, 2.0]],
}


Operation = Callable[[sv.Collection[Ticket]], object]
READS: dict[str, Operation] = {
    "search": lambda handle: handle.search(f"refund {SECRET}", k=8),
    "search by vector": lambda handle: handle.search(vector=np.ones(64, dtype=np.float32), k=8),
    "get": lambda handle: handle.get("T-1"),
    "count": lambda handle: handle.count(),
    "list": lambda handle: list(handle.iter(page_size=3)),
    "count by filter": lambda handle: handle.count(sv.F("status") == "open"),
    "search in a batch": lambda handle: handle.search_batch([f"refund {SECRET}", "case"]),
    "search like": lambda handle: handle.search(like="T-2"),
    "export": lambda handle: handle.export(io.BytesIO()),
}
WRITES: dict[str, Operation] = {
    "ingest": lambda handle: handle.ingest([changed()]),
    "delete": lambda handle: handle.delete("T-1"),
    "update": lambda handle: handle.update("T-1", body=f"{SECRET} changed", notes=f"{SECRET} kept"),
    "delete by filter": lambda handle: handle.delete(where=sv.F("status") == "open"),
}
OPERATIONS: dict[str, Operation] = {**READS, **WRITES}


def changed() -> dict[str, Any]:
    return text(1, "changed", notes=f"{SECRET} kept")


def assert_as_before(pair: Pair) -> None:
    """Eight records, the old first one, no row too many or too few, nothing in flight."""
    control, trap = pair.stage.store.runtime.control, pair.stage.trap
    assert control.open_batches(now_ms=2**60, expired_only=False) == []
    assert pair.acme.count() == 8
    assert ACME_MARK in pair.acme.get("T-1").body
    hits = pair.acme.search("refund", k=100)
    assert (len(hits), hits.violations) == (8, 0)
    assert trap.inner.count(namespace=pair.acme._scope.namespace) == 8


def assert_repeatable(pair: Pair) -> None:
    """The change that failed now goes through, once."""
    report = pair.acme.ingest([changed(), text(30, ACME_MARK)])
    assert (report.new, report.updated, report.unchanged, report.refused) == (1, 1, 0, ())
    assert pair.acme.ingest([changed()]).unchanged == 1
    assert pair.acme.count() == 9
    assert "changed" in pair.acme.get("T-1").body
    assert len(pair.acme.search("refund", k=100)) == 9
    assert pair.stage.trap.inner.count(namespace=pair.acme._scope.namespace) == 9


def assert_silent(error: BaseException) -> None:
    assert SECRET not in str(error) + repr(error)
