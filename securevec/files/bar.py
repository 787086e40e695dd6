"""Progress over all files of a run, in bytes."""

from __future__ import annotations

from collections.abc import Callable

from securevec.report import Progress


class Bar:
    """Adds up what was read. ``total`` is in bytes; nothing is called without ``progress``."""

    def __init__(self, progress: Callable[[Progress], None] | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._files = 0
        self._bytes = 0

    def advance(self, files: int, size: int) -> None:
        self._files += files
        self._bytes += size
        if self._progress is not None:
            self._progress(Progress(self._files, self._bytes, self._total))
