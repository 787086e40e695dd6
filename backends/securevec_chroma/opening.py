"""The one name ``chroma`` stands for both: ``chroma`` is a directory, ``chroma://host:port`` a server.

Which one it is decides what is imported, so this module imports neither until it knows.
"""

from __future__ import annotations

from pathlib import Path

from securevec.backend import VectorBackend


class ChromaBackend:
    """What the entry point names. Never instantiated."""

    @staticmethod
    def from_location(location: str, *, root: Path) -> VectorBackend:
        """The server that ``location`` names, or without one the files under ``root``.

        Raises what :class:`ChromaServerBackend` or :class:`ChromaPersistentBackend` raises.
        """
        if location:
            from securevec_chroma.server import ChromaServerBackend

            return ChromaServerBackend(location)
        from securevec_chroma.persistent import ChromaPersistentBackend

        return ChromaPersistentBackend(root)
