"""The one name ``chroma`` stands for both: ``chroma`` is a directory, ``chroma://host:port`` a server."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from securevec.backend import VectorBackend
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.server import ChromaServerBackend


class ChromaBackend:
    """What the entry point names. Never instantiated."""

    @staticmethod
    def from_location(location: str, *, root: Path, plain_http_hosts: Collection[str] = ()) -> VectorBackend:
        """The server that ``location`` names, or without one the files under ``root``.

        Raises what :class:`ChromaServerBackend` or :class:`ChromaPersistentBackend` raises.
        """
        if location:
            return ChromaServerBackend.from_location(location, root=root, plain_http_hosts=plain_http_hosts)
        return ChromaPersistentBackend(root)
