"""A second process on a home, and waiting for what it does."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from typing import Final

from tests.support import warm
from tests.support.crash_home import Home

PATIENCE: Final = 60.0
"""Seconds to wait for what takes about one; the bound is there for a loaded machine, not for the promise."""


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process or thread does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def command(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line on the home, in a process of its own, as the local operator."""
    environment = {**os.environ, "SECUREVEC_KEY_FILE": str(home.key_file)}
    return warm.run(warm.COMMAND_LINE, *arguments, "--home", str(home.path), environment=environment)
