"""One side alone, in a process of its own: what it keeps in memory once it opened the store and answered questions.

Run as ``python -m securevec.bench.memory SIDE DIRECTORY BACKEND DIMENSION``; prints resident bytes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final, Literal, cast

from securevec.errors import BackendError, UnsupportedPlatform

QUESTIONS: Final = 50
_TIMEOUT_S: Final = 300

SideName = Literal["vendor", "securevec"]


def resident(side: str, directory: Path, backend: str, dimension: int) -> int:
    """Resident bytes of the child. Raises :class:`BackendError` when it failed."""
    command = [sys.executable, "-m", "securevec.bench.memory", side, str(directory), backend, str(dimension)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603  # this interpreter
    if done.returncode != 0 or not done.stdout.strip().isdecimal():
        raise BackendError(
            "One side could not be opened in a process of its own.", next_step="Run it again without --memory."
        )
    return int(done.stdout)


def resident_now() -> int:
    """Resident bytes of this process, shared pages of files included. Linux only."""
    status = Path("/proc/self/status")
    if not status.exists():
        raise UnsupportedPlatform("Memory is measured on Linux only.")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def _vendor(directory: Path, backend: str, dimension: int) -> None:
    # Only what such a program would import.
    import importlib

    import numpy as np

    from securevec.bench import RAW

    raw = importlib.import_module(RAW[backend]).RawStore.open(directory / "vendor", dimension)
    for question in np.random.default_rng(5).normal(size=(QUESTIONS, dimension)).astype(np.float32):
        raw.search(question, 10)
    print(resident_now())
    raw.close()


def _securevec(directory: Path, backend: str, dimension: int) -> None:
    import numpy as np

    from securevec.bench.sides import open_cases, open_store

    with open_store(directory, backend, dimension) as store:
        cases = open_cases(store)
        for question in np.random.default_rng(5).normal(size=(QUESTIONS, dimension)).astype(np.float32):
            cases.search(vector=question, k=10)
        print(resident_now())


if __name__ == "__main__":
    _side, _directory, _backend, _dimension = sys.argv[1:]
    run = {"vendor": _vendor, "securevec": _securevec}[cast("SideName", _side)]
    run(Path(_directory), _backend, int(_dimension))
