"""Vendor failures become :class:`BackendError` here, with the cause kept and none of its text repeated.

Vendor messages quote payloads, ids and addresses. The message of the error we raise never does, so ``str(error)``
stays safe to log; whoever debugs has ``__cause__``.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from securevec.errors import BackendError, BackendTimeout, SecurevecError
from securevec.errors.tree import ENDING

_UNREACHED: Final = frozenset({"ConnectError", "ReadError", "WriteError", "RemoteProtocolError"})
_LATE: Final = frozenset({"ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"})
"""Of httpx and httpcore, by which both vendors' clients speak HTTP. By name: an embedded store needs neither."""


_NO_ROOM: Final = frozenset(
    {*(errno.ENOSPC, errno.EDQUOT, errno.EFBIG), *(errno.EMFILE, errno.ENFILE), errno.EROFS, errno.EACCES, errno.EIO}
)
"""Others' errors have numbers of their own (a TLS library's)."""
_IN_TEXT: Final = re.compile(r"(?:\(os error |\[Errno |Os { code: )(\d{1,4})[)\],]|\(code: (\d{1,5})\)")
"""How embedded engines, with one class for every failure, and ``shutil``, which tells of many in one, name the
system's number, or SQLite's."""
_OF_SQLITE: Final = {8: errno.EROFS, 10: errno.EIO, 13: errno.ENOSPC}


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
        if error is not None and not isinstance(error, (SecurevecError, *ENDING)):
            causes = list(_causes(error))
            if any(map(_is_late, causes)):
                raise BackendTimeout(f"The vector store did not answer in time while {self._doing}.") from error
            for own in causes:
                if isinstance(own, BackendError):  # of the transport's, wrapped by the vendor's client
                    raise BackendError(own.message, next_step=own.next_step) from error
            step = "Is its server running, and its port open? securevec doctor tries it."
            raise BackendError(
                f"The vector store failed while {self._doing}.",
                next_step=step if any(map(_is_absent, causes)) else _said_by_the_system(causes),
            ) from error


mapped = Mapped


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what lies under it. What happened is told by class, and of text no more than a number is read."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _said_by_the_system(causes: list[BaseException]) -> str:
    """What the disk or the limits of this process refused, in the system's own words, which name no file."""
    for cause in causes:
        number = (cause.errno if isinstance(cause, OSError) else None) or _number_in(str(cause))
        if number in _NO_ROOM:
            return f"The system says: {os.strerror(number)}."
    return ""


def _number_in(text: str) -> int | None:
    found = _IN_TEXT.search(text)
    if found is None:
        return None
    return int(found[1]) if found[1] else _OF_SQLITE.get(int(found[2]) & 0xFF)


def _is_late(cause: BaseException) -> bool:
    """Whether the server took longer than a request may take."""
    code = getattr(cause, "code", None)  # of an error of gRPC: a function
    named = getattr(code(), "name", None) if callable(code) else None
    return isinstance(cause, TimeoutError) or type(cause).__name__ in _LATE or named == "DEADLINE_EXCEEDED"


def _is_absent(cause: BaseException) -> bool:
    """Whether there was no server to be reached, or it went away."""
    return isinstance(cause, ConnectionError) or type(cause).__name__ in _UNREACHED
