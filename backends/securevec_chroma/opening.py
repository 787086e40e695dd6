"""The one name ``chroma`` stands for both: ``chroma`` is a directory, ``chroma://host:port`` a server."""

from __future__ import annotations

from pathlib import Path

from securevec.backend import VectorBackend
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.server import ChromaServerBackend


class ChromaBackend:
    """What the entry point names. Never instantiated."""

    @staticmethod
    def from_location(location: str, *, root: Path) -> VectorBackend:
        """The server that ``location`` names, or without one the files under ``root``.

        Raises what :class:`ChromaServerBackend` or :class:`ChromaPersistentBackend` raises.
        """
        return ChromaServerBackend(location) if location else ChromaPersistentBackend(root)
