"""Whether the files of a shard that is open are still those at their path: who puts a backup in place while a service
runs leaves the engine with the old ones, where what is written is lost."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from securevec.errors import BackendError


class Standing:
    """A directory as it was opened. What is open in it stays in it wherever it is moved to, and what is done by its
    path is done to whatever stands there then."""

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        # Held open: of a directory that is removed the next one may get the number.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    @property
    def there(self) -> bool:
        """Whether it still stands at its path."""
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat(follow_symlinks=False))
        return False

    def require_there(self) -> None:
        if not self.there:
            raise moved()

    def close(self) -> None:
        """Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def moved() -> BackendError:
    return BackendError(
        "The files of a collection were moved or replaced while they were open, and nothing is written to them.",
        next_step="Close every store on it, see which files are right, put them in place, and open it.",
    )
