"""BLAS held to one thread while the model's own threads compute: more would wait for each other, computing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import Any, Final


class OneThread:
    """Process-wide, as BLAS has it: held from the first call that needs it to the end of the last, then put back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limiter: Any = None
        self._had = 1

    @contextlib.contextmanager
    def each(self, controller: Any) -> Generator[int]:
        """``controller``: a ``threadpoolctl.ThreadpoolController``. Yields how many threads BLAS had before."""
        with self._lock:
            if not self._inside:
                pools = controller.select(user_api="blas")
                self._had = max((pool["num_threads"] for pool in pools.info()), default=1)
                self._limiter = pools.limit(limits=1)
            self._inside += 1
            had = self._had
        try:
            yield had
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._limiter.restore_original_limits()


ONE_THREAD: Final = OneThread()
