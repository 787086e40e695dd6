"""Vendor failures become :class:`BackendError` here, with the cause kept and none of its text repeated.

Vendor messages quote payloads, ids and addresses. The message of the error we raise never does, so ``str(error)``
stays safe to log; whoever debugs has ``__cause__``.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final

from securevec.errors import BackendError, SecurevecError

_UNREACHED: Final = frozenset({"ConnectError", "ConnectTimeout", "ReadTimeout", "RemoteProtocolError"})
"""Of httpx, by which both vendors' clients speak HTTP. By name: an embedded store needs no httpx."""


class Mapped:
    """Raises :class:`BackendError` for whatever a vendor call inside raises; our own errors pass through."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An engine panic arrives as a BaseException.
        if error is not None and not isinstance(error, SecurevecError | KeyboardInterrupt | SystemExit | GeneratorExit):
            raise BackendError(f"The vector store failed while {self._doing}.", next_step=_advice(error)) from error


mapped = Mapped


def _advice(error: BaseException) -> str:
    """What to do about it, when the vendor's client could not reach its server; told by class, never by text."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, ConnectionError | TimeoutError) or type(cause).__name__ in _UNREACHED:
            return "Is its server running, and its port open? securevec doctor tries it."
        cause = cause.__cause__ or cause.__context__
    return ""
