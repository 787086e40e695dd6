"""The one name ``chroma`` stands for both: ``chroma`` is a directory, ``chroma://host:port`` a server."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from securevec.backend import VectorBackend
from securevec.errors import ConfigError
from securevec_chroma.persistent import OPEN_SHARDS, ChromaPersistentBackend
from securevec_chroma.server import TIMEOUT_S, ChromaServerBackend


class ChromaBackend:
    """What the entry point names. Never instantiated."""

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"open_shards", "server_timeout"})

    @staticmethod
    def from_location(
        location: str,
        *,
        root: Path,
        plain_http_hosts: Collection[str] = (),
        open_shards: int | None = None,
        server_timeout: int | None = None,
    ) -> VectorBackend:
        """The server that ``location`` names, or without one the files under ``root``.

        Raises what :class:`ChromaServerBackend` or :class:`ChromaPersistentBackend` raises.
        """
        if location and open_shards is not None:
            raise ConfigError("A Chroma server does not take open_shards.", next_step="It is for chroma without one.")
        if not location and server_timeout is not None:
            raise ConfigError("Chroma in the process does not take server_timeout.", next_step="It is for a server.")
        if location:
            return ChromaServerBackend.from_location(
                location,
                root=root,
                plain_http_hosts=plain_http_hosts,
                server_timeout=TIMEOUT_S if server_timeout is None else server_timeout,
            )
        return ChromaPersistentBackend(root, open_shards=OPEN_SHARDS if open_shards is None else open_shards)
