"""What every child process does first: give up what they could do, and keep stdout for answers alone."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import warnings
from typing import BinaryIO, Final

READY: Final = b"{}"
"""The first frame."""


def private_stdout() -> BinaryIO:
    """The real stdout. What a library prints or logs goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    return answers


def give_up_powers(memory: int) -> None:
    """No core dumps (they would hold documents), no written files, no more memory than given."""
    for kind, limit in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_AS, memory)):
        # Not every system has every limit; time and the end of the process are the parent's to enforce.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


def limit_cpu(seconds: float) -> None:
    """From here on, so that an orphan whose parent was killed does not compute for ever."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + 2 * seconds) + 2, hard))


def send(answers: BinaryIO, frame: bytes) -> None:
    """One frame: 4 bytes of length, big-endian, then JSON."""
    answers.write(len(frame).to_bytes(4, "big") + frame)
    answers.flush()
