"""How files become records: what a caller may choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Final

from securevec.errors import UsageError
from securevec.rows.recode import require_encoding

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "source": (str, NoneType),
    "prefix": (str,),
    "encoding": (str, NoneType),
    "jobs": (int, NoneType),
    "seconds": (float, int, NoneType),
    "sync": (bool,),
    "allow_empty": (bool,),
}


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What a caller may choose. The defaults are what nearly everybody wants."""

    source: str | None = None
    """What to call the folder in place of its absolute path, when that changes from run to run."""
    prefix: str = ""
    """Put in front of each path, to keep two folders apart in one collection."""
    encoding: str | None = None
    """Of text files, when it is known. Without it a byte order mark decides, then UTF-8, then a guess."""
    jobs: int | None = None
    """Processes that parse; one per core, four at most, if not given."""
    seconds: float | None = None
    """For each document, 60 if not given; one that takes longer is refused."""
    sync: bool = False
    """Also delete the records that came from these folders and are no longer in them; needs the permission ``delete``.

    What could not be read, what a hold keeps and what another source shows stays, and is counted by reason.
    """
    allow_empty: bool = False
    """Let a sync delete everything of a folder that shows no file."""

    def __post_init__(self) -> None:
        """Raises :class:`SourceError` for an unknown encoding, :class:`UsageError` for what makes no sense."""
        for name, types in _TYPES.items():
            if type(getattr(self, name)) not in types:  # callers may be untyped
                raise UsageError(f"The option {name} of an ingest of files is not a {types[0].__name__}.")
        if self.encoding is not None:
            require_encoding(self.encoding)
        if (self.jobs is not None and self.jobs < 1) or (self.seconds is not None and self.seconds <= 0):
            raise UsageError("Documents need at least one process and some time to be parsed.")
