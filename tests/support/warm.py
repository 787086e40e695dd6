"""Programs in processes of their own that begin where an interpreter is after a second of imports.

For tests in which another process writes, is killed, or holds something. A test about what a process loads, about its
memory, or about how an interpreter ends starts a real one (``subprocess``): these children are forks of a process that
has imported the library, Edge, Chroma's files and the command line, and has compiled the detector
(``tests.support.warm_server``).
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Final, Self

from tests.support import warm_server

COMMAND_LINE: Final = ("-c", "from securevec.cli.main import run; run()")
"""The program of the command line, to be followed by its arguments."""


class Running:
    """A child, and its streams. Closed, it is dead."""

    def __init__(self, connection: socket.socket, errors: IO[bytes], stdin: IO[str] | None, stdout: IO[str]) -> None:
        self._connection = connection
        self._answers = connection.makefile("r", encoding="utf-8")
        self._errors = errors
        self._exit: int | None = None
        self.stdin, self.stdout = stdin, stdout
        self.pid = int(self._answers.readline())

    def kill(self, number: int = signal.SIGKILL) -> None:
        # It is not reaped before the connection is closed: the id is nobody else's.
        os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        """How it ended: its exit code, or less than zero when killed by that signal. Raises ``TimeoutError``."""
        if self._exit is None:
            self._connection.settimeout(timeout)
            self._exit = int(self._answers.readline())
        return self._exit

    @property
    def running(self) -> bool:
        if self._exit is None and select.select([self._connection], [], [], 0)[0]:
            self.wait()
        return self._exit is None

    @property
    def errors(self) -> str:
        """What it has written to its standard error."""
        # Its place in the file is the child's too, and stays where it is.
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._answers.close()
        self._connection.close()
        self._errors.close()


def run(
    program: Sequence[str],
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    timeout: float = 120.0,
    check: bool = False,
) -> subprocess.CompletedProcess[str]:
    """The program to its end, with nothing on its standard input.

    ``check``: raises ``CalledProcessError`` when its exit is not 0. Raises ``TimeoutError``.
    """
    with tempfile.TemporaryFile() as output, _forked(program, arguments, environment, stdout=output) as child:
        code = child.wait(timeout)
        output.seek(0)
        done = subprocess.CompletedProcess([*program, *arguments], code, output.read().decode(), child.errors)
    if check:
        done.check_returncode()
    return done


def start(program: Sequence[str], *arguments: str, environment: Mapping[str, str] | None = None) -> Running:
    """The program at work: :attr:`Running.stdin` and :attr:`Running.stdout` are its streams."""
    return _forked(program, arguments, environment)


def _forked(
    program: Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str] | None,
    *,
    stdout: IO[bytes] | None = None,
) -> Running:
    """``stdout``: the file that it writes to, instead of a pipe; then nothing is on its standard input either."""
    order = {
        "program": [*program],
        "arguments": [*arguments],
        "environment": {**(os.environ if environment is None else environment), "PYTHONPATH": _path()},
        "directory": str(Path.cwd()),
    }
    with contextlib.ExitStack() as ours:
        theirs = contextlib.ExitStack()
        with theirs:
            connection = ours.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(_server())
            errors = ours.enter_context(tempfile.TemporaryFile())
            if stdout is None:
                read_in, write_in = os.pipe()
                read_out, write_out = os.pipe()
                theirs.callback(os.close, read_in)
                theirs.callback(os.close, write_out)
                stdin_ours: IO[str] | None = ours.enter_context(os.fdopen(write_in, "w"))
                stdout_ours: IO[str] = ours.enter_context(os.fdopen(read_out))
                streams = [read_in, write_out, errors.fileno()]
            else:
                nothing = theirs.enter_context(Path(os.devnull).open())
                stdin_ours, stdout_ours = None, ours.enter_context(Path(os.devnull).open())
                streams = [nothing.fileno(), stdout.fileno(), errors.fileno()]
            socket.send_fds(connection, [f"{json.dumps(order)}\n".encode()], streams)
        child = Running(connection, errors, stdin_ours, stdout_ours)
        ours.pop_all()
    return child


def _path() -> str:
    return os.pathsep.join(sys.path)


_starting = threading.Lock()


def _server() -> str:
    """The address of this process's server, which ends with it."""
    with _starting:
        return _started()


@cache
def _started() -> str:
    address = f"\0securevec-tests-{os.getpid()}-{os.urandom(8).hex()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        listener.set_inheritable(True)
        server = subprocess.Popen(
            [sys.executable, warm_server.__file__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _path()},
            pass_fds=(listener.fileno(),),
        )
    atexit.register(_end, server)
    return address


def _end(server: subprocess.Popen[bytes]) -> None:
    server.communicate(timeout=60)
