"""The process behind ``tests.support.warm``: it has imported what programs of the tests need, and becomes them.

It forks a child per order; the child takes the order's streams, environment and arguments, and runs its program as an
interpreter that was just started would run it, to the end of that interpreter. No store is ever open in this process.

    argument           the descriptor of a Unix socket that listens
    connection         the order, a JSON document with three descriptors (stdin, stdout, stderr) beside it:
                       {"program": ["-c", code] | ["-m", module] | [path], "arguments", "environment", "directory"}
    answers            a line with the child's pid, and a line with its exit (negative: killed by that signal)

A child is reaped when its connection is closed, so whoever kills it by its id before never hits a stranger. When a
connection is closed before the child's end, the child is killed. The server ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import types
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from tests.support import crash_child

LOADED: Final = (
    *("securevec.cli.session", "securevec.cli.commands.retention", "securevec.cli.commands.tenants"),
    *("securevec.keyproviders.file", "securevec.testing.conformance_case", "alembic.command"),
)
OPTIONAL: Final = ("securevec_chroma.persistent", "securevec_qdrant.server")
"""What needs an extra that may be missing."""


@dataclass
class _Child:
    pid: int
    ended: int
    """A descriptor that can be read when it has."""
    connection: socket.socket
    told: bool = False
    """Whether its end has been answered."""
    reaped: bool = False


def serve(listener: socket.socket) -> dict[str, Any]:
    """Returns in each child, with its order."""
    poll = selectors.DefaultSelector()
    poll.register(listener, selectors.EVENT_READ)
    poll.register(0, selectors.EVENT_READ)
    while True:
        for key, _ in poll.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                order, streams = _order(connection)
                pid = os.fork()
                if pid == 0:
                    _take(streams, [listener, connection], poll)
                    return order
                for stream in streams:
                    os.close(stream)
                child = _Child(pid, os.pidfd_open(pid), connection)
                _answer(connection, pid)
                poll.register(child.ended, selectors.EVENT_READ, child)
                poll.register(connection, selectors.EVENT_READ, child)
            elif key.fileobj == 0:
                sys.exit(0)
            elif isinstance(child := key.data, _Child):
                if key.fileobj == child.ended:
                    _tell(poll, child)
                else:
                    _reap(poll, child)


def _order(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    said, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    while not said.endswith(b"\n"):
        said += connection.recv(1 << 16)
    order: dict[str, Any] = json.loads(said)
    return order, streams


def _answer(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(f"{number}\n".encode())


def _tell(poll: selectors.BaseSelector, child: _Child) -> None:
    if child.reaped:
        return
    poll.unregister(child.ended)
    child.told = True
    ended = os.waitid(os.P_PIDFD, child.ended, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    _answer(child.connection, ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)


def _reap(poll: selectors.BaseSelector, child: _Child) -> None:
    poll.unregister(child.connection)
    child.connection.close()
    if not child.told:
        poll.unregister(child.ended)
        os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    os.close(child.ended)
    child.reaped = True


def _take(streams: list[int], own: list[socket.socket], poll: selectors.BaseSelector) -> None:
    """In the child: its own streams, and none of the descriptors of the server."""
    for key in poll.get_map().values():
        if isinstance(key.data, _Child):
            key.data.connection.close()
    poll.close()
    for each in own:
        each.close()
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    # The server's object knows whether its own stream could be sought in; this one may be a pipe.
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, closefd=False)  # noqa: SIM115  # to the end


def become(order: dict[str, Any]) -> None:
    """Run the program of the order as ``__main__``."""
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["directory"])
    # A shell starts what runs behind it with interrupts ignored, and Python leaves that so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kind, *rest = order["program"]
    sys.argv = [kind, *order["arguments"]]
    if kind == "-m":
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)  # what ``python -c`` does
    else:
        runpy.run_path(kind, run_name="__main__")


def load() -> None:
    """Import and compile what children would, each for itself."""
    for name in LOADED:
        import_module(name)
    for name in OPTIONAL:
        with contextlib.suppress(ImportError):
            import_module(name)
    crash_child.warm_up()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    load()
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
