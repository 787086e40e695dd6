"""An engine in this process, whichever it is, when it is forked and when a purge is cut short: both keep this alike."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Final

import pytest

from securevec.backend import VectorBackend
from securevec.errors import EngineForked, EngineLocked
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from tests.support import warm

PLACE: Final = a_namespace("mine")
PURGER: Final = """
import importlib, os, sys
from pkgutil import resolve_name
from pathlib import Path
from securevec.testing.conformance_case import SPEC, a_namespace, an_id, fill
place = a_namespace("mine")
_, engine, root, module, function, side = sys.argv
backend = resolve_name(engine)(Path(root))
backend.ensure(namespace=place, spec=SPEC)
fill(backend, place, range(30))
backend.delete(namespace=place, ids=[an_id(number) for number in range(10)])
owner = importlib.import_module(module)
original = getattr(owner, function)
def cut(*given, **named):
    if side == "after":
        original(*given, **named)
    os._exit(9)
setattr(owner, function, cut)
backend.purge(namespace=place)
"""


def require_forks_refused(engine: Callable[[Path], VectorBackend], root: Path) -> None:
    """A forked child is refused every call, and its parent goes on, alone."""
    backend = engine(root)
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, range(5))
    child = os.fork()
    if child == 0:
        verdict = 1
        try:
            for call in (
                lambda: backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1),
                lambda: backend.count(namespace=PLACE),
                lambda: backend.insert(namespace=PLACE, points=[a_point(PLACE, 9)]),
                lambda: list(backend.namespaces()),
                lambda: backend.purge(namespace=PLACE),
            ):
                with pytest.raises(EngineForked):
                    call()
            backend.close()
            verdict = 0
        finally:
            os._exit(verdict)
    assert _wait(child, seconds=20) == 0
    fill(backend, PLACE, range(5, 10))
    with pytest.raises(EngineLocked):
        engine(root)
    assert held(backend, PLACE) == set(range(10))
    backend.purge(namespace=PLACE)
    backend.close()
    again = engine(root)
    assert held(again, PLACE) == set(range(10))
    again.close()


def require_purges_repeatable(engine: str, root: Path, *, function: str, side: str) -> None:
    """A purge that ends right before or after a call of ``function`` has lost nothing; the next opening removes what it
    left, and the next purge does what it did not. Both are named with their modules."""
    opened: Callable[[Path], VectorBackend] = resolve_name(engine)
    module, _, name = function.rpartition(".")
    purger = warm.run(["-c", PURGER], engine, str(root), module, name, side)
    assert purger.returncode == 9, purger.stderr[-2000:]
    assert len(list((root / PLACE.shard).glob("gen-*"))) == 2, "the purge was not cut where two generations exist"
    backend = opened(root)
    assert held(backend, PLACE) == set(range(10, 30))
    assert len(list((root / PLACE.shard).glob("gen-*"))) == 1
    fill(backend, PLACE, [100])
    assert backend.purge(namespace=PLACE).bytes_removed
    backend.delete(namespace=PLACE, ids=[an_id(100)])
    assert held(backend, PLACE) == set(range(10, 30))
    backend.close()


def _wait(child: int, *, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")
