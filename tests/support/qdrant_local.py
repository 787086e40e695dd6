"""qdrant-client's local mode, one call at a time.

Its own code loses ``meta.json`` when two threads replace it, before any code of ours is reached; a server takes its
requests one by one as well. So what two threads of ours do to each other is still seen here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient


class _OneAtATime:
    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._locked(found) if callable(found) else found

    def _locked(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def alone(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return call(*args, **kwargs)

        return alone


def one_at_a_time(path: Path) -> QdrantClient:
    """A client in local mode with its files at ``path``, safe under threads."""
    client = QdrantClient(path=str(path))
    client._client = _OneAtATime(client._client)  # type: ignore[assignment]  # it answers every call of the inner one
    return client
