"""A thread of the engine's holder that does what must not wait for the next operation.

1. Jobs other processes asked for: ``tenant delete`` on a home whose engine another process holds commits the fence and
   the job there; the holder sees the control store change and does the physical part within about a second. A job that
   cannot go on is tried again after a pause that doubles, up to five minutes.
2. A signed checkpoint of the audit log once a minute, so that an idle process does not leave its last records
   unprotected.
3. The time floor, so that a clock set back after a crash brings nothing expired back.
4. Room for deletions, kept on a disk that is getting full.
5. Open keys whose time is over, or that another process destroyed, dropped though nobody asks for any key.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final

from securevec.jobs import Pauses, run_pending
from securevec.state import reserve
from securevec.state.runtime import Runtime
from securevec.store.machines import MACHINES

PERIOD_S: Final = 1.0
FLOOR_EVERY: Final = 10
CHECKPOINT_EVERY: Final = 60


class Caretaker:
    """Polls while the engine is open; costs one ``PRAGMA data_version`` a second when nothing changed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._pauses = Pauses()

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
        turn = 0
        while not self._stopping.wait(PERIOD_S):
            turn += 1
            for every, duty in (
                (FLOOR_EVERY, self._note_time),
                (CHECKPOINT_EVERY, self._checkpoint),
                (1, self._keep_room),
                (1, self._drop_keys),
                (1, self._jobs),
            ):
                if turn % every == 0:
                    self._do(duty)

    def _do(self, duty: Callable[[], None]) -> None:
        # A job's own error is kept with the job and recorded; the thread must live for the next turn.
        with contextlib.suppress(Exception):
            duty()

    def _note_time(self) -> None:
        self._runtime.control.raise_time_floor(self._runtime.clock.floor_ms())

    def _keep_room(self) -> None:
        reserve.keep_ahead(self._runtime.home)

    def _drop_keys(self) -> None:
        self._runtime.keys.expire()

    def _checkpoint(self) -> None:
        self._runtime.audit.checkpoint()

    def _jobs(self) -> None:
        self._pauses.note(run_pending(self._runtime, MACHINES, due=self._pauses.due))
