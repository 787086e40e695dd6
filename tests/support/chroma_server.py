"""A real Chroma server, the one from the wheel, on a free port of this machine."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import httpx

COMMAND = (
    *(sys.executable, "-I", "-c"),
    "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(['chroma', *sys.argv[1:]])",
)
"""What the command ``chroma`` does, without the second of importing the client first."""

_FIRST, _LAST = 12_000, 32_000
# Processes of one run have ids near each other: each begins far from the others, and needs some twenty.
_ports = itertools.count(os.getpid() * 97)


@contextlib.contextmanager
def chroma_server(directory: Path, *, port: int | None = None, seconds: float = 30.0) -> Generator[tuple[str, int]]:
    """The server's address and process id. It keeps its files in ``directory`` and is killed by its id at the end."""
    port = port or free_port()
    log = directory.with_name("server.log")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [
                *COMMAND,
                *("run", "--path", str(directory), "--host", "127.0.0.1", "--port", str(port)),
            ],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        ) as server,
    ):
        try:
            _wait(port, server, seconds)
            yield f"chroma://127.0.0.1:{port}", server.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGKILL)


def free_port() -> int:
    """A port at which nobody listens, another one each time.

    Not one that the system gives to whoever asks for any, those from 32768 on: until a server is there, it could be
    given to a connection or a server of another test.
    """
    for number in _ports:
        port = _FIRST + number % (_LAST - _FIRST)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable: the numbers do not end")


def _wait(port: int, server: subprocess.Popen[bytes], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError("the Chroma server ended before it answered")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=1.0, trust_env=False).is_success:
                return
        time.sleep(0.05)
    raise RuntimeError("the Chroma server did not answer in time")
