"""Qdrant as a source to read: ``qdrant[s]://host:port`` and ``http[s]://host:port`` are servers; ``qdrant:DIRECTORY``
is what the client keeps in local mode, or an Edge shard."""

from __future__ import annotations

from collections.abc import Collection

from securevec.foreign import ForeignStore, path_of
from securevec_qdrant.source_local import QdrantFiles


class QdrantSource:
    """What the entry points name. Never instantiated."""

    @staticmethod
    def open(location: str, *, plain_http_hosts: Collection[str] = ()) -> ForeignStore:
        """Raises what :class:`QdrantFiles`, :class:`EdgeShards` or :class:`QdrantServer` raises."""
        path = path_of(location)
        if path is None:
            from securevec_qdrant.source_server import QdrantServer  # the client is needed for a server only

            return QdrantServer(location, plain_http_hosts=plain_http_hosts)
        from securevec_qdrant.source_edge import EdgeShards, shards_below

        return EdgeShards(path) if shards_below(path) else QdrantFiles(path)
