"""A forked child that lives beside the test that made it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def forked(work: Callable[[], bool]) -> Generator[None]:
    """A child that does ``work``, which must be true, and lives on until the block ends."""
    ready, said = os.pipe()
    child = os.fork()
    if child == 0:
        verdict = b"0"
        try:
            verdict = b"1" if work() else b"0"
        finally:
            os.write(said, verdict)
            signal.pause()
    try:
        assert os.read(ready, 1) == b"1"
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(said)
