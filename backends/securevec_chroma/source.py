"""Chroma as a source to read: ``chroma:DIRECTORY`` is files, ``chroma[s]://host:port`` a server."""

from __future__ import annotations

from collections.abc import Collection

from securevec.foreign import ForeignStore, path_of
from securevec_chroma.source_files import ChromaFiles


class ChromaSource:
    """What the entry point names. Never instantiated."""

    @staticmethod
    def open(location: str, *, plain_http_hosts: Collection[str] = ()) -> ForeignStore:
        """Raises what :class:`ChromaFiles` or :class:`ChromaServer` raises."""
        path = path_of(location)
        if path is not None:
            return ChromaFiles(path)
        from securevec_chroma.source_server import ChromaServer  # the client is needed for a server only

        return ChromaServer(location, plain_http_hosts=plain_http_hosts)
