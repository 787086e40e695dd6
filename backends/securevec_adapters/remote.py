"""What the two server adapters have in common: a connection that belongs to one process, is checked once, and is closed
once. The adapters say how the server is asked for its version and how the vendor's client ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from securevec.errors import BackendError, ConfigError, EngineForked
from securevec_adapters.errors import mapped

LONGEST_S: Final = 3600


def check_time(timeout_s: float) -> None:
    """Raises :class:`ConfigError` unless a request may take this many seconds."""
    if not 0 < timeout_s <= LONGEST_S:
        raise ConfigError(
            f"A server has more than 0 and at most {LONGEST_S:,} seconds for a request.",
            next_step="Set SECUREVEC_SERVER_TIMEOUT to a number of seconds, or unset it.",
        )


class Connection:
    """The state of a connection. ``check`` is called before the first use, and raises for a server that will not do;
    ``close`` ends the vendor's client. Nothing is sent before the first use."""

    def __init__(self, *, check: Callable[[], None], close: Callable[[], None]) -> None:
        self._pid = os.getpid()
        self._check = check
        self._close = close
        self._checked = False
        self._closed = False

    def guard(self) -> None:
        """Call before every use. Raises :class:`EngineForked` in a forked child: two processes on one connection would
        read each other's answers; :class:`BackendError` when it is closed, or the server is of another version."""
        if os.getpid() != self._pid:
            raise EngineForked(
                "The connection to the vector store was opened before a fork.",
                next_step="Open the store in the child instead.",
            )
        if self._closed:
            raise BackendError("This store is closed.")
        if not self._checked:
            with mapped("asking for the server's version"):
                self._check()
            self._checked = True

    def close(self) -> None:
        """Idempotent. A forked child leaves the connection to its parent."""
        if not self._closed:
            self._closed = True
            if os.getpid() == self._pid:
                with mapped("closing the connection"):
                    self._close()
