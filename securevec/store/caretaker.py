"""A thread of the engine's holder that finishes jobs other processes asked for.

``tenant delete`` on a home whose engine another process holds commits the fence and the job there; the holder sees the
control store change and does the physical part within about a second, without waiting for its next own operation.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Final

from securevec.errors import SecurevecError
from securevec.retention.deletion import report_failure, run_pending
from securevec.runtime import Runtime

PERIOD_S: Final = 1.0
FLOOR_EVERY: Final = 10
"""Turns after which the time is noted, so that a clock set back after a crash brings nothing expired back."""


class Caretaker:
    """Polls while the engine is open; costs one ``PRAGMA data_version`` a second when nothing changed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="securevec-caretaker", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop and wait for the step in hand. Idempotent."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        seen = -1
        turn = 0
        while not self._stopping.wait(PERIOD_S):
            turn += 1
            try:
                if turn % FLOOR_EVERY == 0:
                    self._runtime.control.raise_time_floor(self._runtime.clock.now_ms())
                version = self._runtime.control.version()
                if version != seen:
                    seen = version
                    run_pending(self._runtime)
            except Exception as error:  # noqa: BLE001  # whatever went wrong, the next job must find this thread alive
                # The job stays open and is tried again at the next change, or by `jobs run --once`.
                self._report(error)

    def _report(self, error: Exception) -> None:
        # What keeps the job from going on may well keep its failure from being recorded.
        with contextlib.suppress(SecurevecError):
            for job in self._runtime.control.jobs(open_only=True):
                report_failure(self._runtime, job, error)
