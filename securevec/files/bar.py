"""Progress over all files of a run, in bytes."""

from __future__ import annotations

from collections.abc import Callable

from securevec.writing.report import Progress


class Bar:
    """Adds up what was read. ``total`` is in bytes; nothing is called without ``progress``."""

    def __init__(self, progress: Callable[[Progress], None] | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._records = 0
        self._bytes = 0

    def advance(self, records: int, size: int) -> None:
        """So many more documents or rows, of so many bytes, were read."""
        self._records += records
        self._bytes += size
        if self._progress is not None:
            self._progress(Progress(self._records, self._bytes, self._total))
