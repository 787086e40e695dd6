"""Vendor failures become :class:`BackendError` here, with the cause kept and none of its text repeated.

Vendor messages quote payloads, ids and addresses. The message of the error we raise never does, so ``str(error)``
stays safe to log; whoever debugs has ``__cause__``.
"""

from __future__ import annotations

from types import TracebackType

from securevec.errors import BackendError, SecurevecError


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
            raise BackendError(f"The vector store failed while {self._doing}.") from error


mapped = Mapped
