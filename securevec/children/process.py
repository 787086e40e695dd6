"""A child process: no environment of ours, nothing open but its pipes, ended when late.

It is a plain child process and not one of ``multiprocessing``: nothing of the caller's program is imported or run again
in it, and what it answers are frames of JSON, which cannot make this process run anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Final, TypeVar, cast

from securevec import limits
from securevec.errors import Unavailable

T = TypeVar("T")

MEMORY: Final = 2 * 1024**3
"""Of one process, in bytes of address space."""
STARTING: Final = 120.0
"""Seconds until a process says that it is there."""
_MAX_FRAME: Final = 4 * limits.MAX_TEXT_BYTES
"""A text in JSON: control characters are gone, so at most quotes and backslashes double."""
_START: Final = "import sys; sys.path[:] = {path}; from {module} import main; main()"
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment: no passphrase, token or proxy reaches a process that reads hostile texts."""


class Died(Exception):
    """The process ended before it answered. ``late``: because its time was over."""

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        self.late = late


class Child:
    """One process running ``main()`` of a module of securevec. Used by one thread at a time.

    ``stdin`` is an open file to read from, or a pipe to :meth:`give` to. ``environment`` comes on top of the little
    that is kept of ours.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        stdin: int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        code = _START.format(path=json.dumps([entry or os.getcwd() for entry in sys.path]), module=module)
        self._late = False
        self._ready = False
        try:
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter, and a module of this package
                [sys.executable, "-I", "-c", code, *arguments],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if name in _KEPT} | dict(environment or {}),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(
                f"No process could be started: {os.strerror(error.errno or 0)}.",
                next_step="Raise its limits of open files, processes and memory (ulimit -n -u -v), or lower --jobs.",
            ) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def greeting(self) -> bytes | None:
        """The first frame once it is on its way, without waiting for it; ``None`` before. Raises :class:`Died`.

        Asked for until it comes, and then never again.
        """
        out = cast("IO[bytes]", self._process.stdout)
        if not select.select([out], [], [], 0)[0]:
            return None
        self._ready = True
        return self._timed(self._frame, STARTING)

    def give(self, request: bytes, *, seconds: float) -> None:
        """Hand over a request; :meth:`next` gets its answer. Raises :class:`Died`."""

        def hand_over() -> None:
            into = cast("IO[bytes]", self._process.stdin)
            into.write(request)
            into.flush()

        self._in_time(hand_over, seconds)

    def ask(self, request: bytes, *, seconds: float) -> bytes:
        """One frame in answer to a request. Raises :class:`Died`."""

        def exchange() -> bytes:
            into = cast("IO[bytes]", self._process.stdin)
            into.write(request)
            into.flush()
            return self._frame()

        return self._in_time(exchange, seconds)

    def next(self, *, seconds: float) -> bytes:
        """The next frame. Raises :class:`Died`."""
        return self._in_time(self._frame, seconds)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _in_time(self, call: Callable[[], T], seconds: float) -> T:
        if not self._ready:
            # Its start is not the file's time: on a busy machine it takes longer than many a document.
            self._ready = True
            self._timed(self._frame, STARTING)
        return self._timed(call, seconds)

    def _timed(self, call: Callable[[], T], seconds: float) -> T:
        timer = threading.Timer(seconds, self._too_late)
        timer.daemon = True
        timer.start()
        try:
            return call()
        except (OSError, ValueError):
            pass
        finally:
            timer.cancel()
        raise Died(late=self._late)

    def _too_late(self) -> None:
        self._late = True
        with contextlib.suppress(OSError):
            self._process.kill()

    def _frame(self) -> bytes:
        out = cast("IO[bytes]", self._process.stdout)
        size = int.from_bytes(_exactly(out, 4), "big")
        if size > _MAX_FRAME:
            raise ValueError
        return _exactly(out, size)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise ValueError
    return data
