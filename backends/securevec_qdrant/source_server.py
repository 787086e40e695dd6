"""A Qdrant server of another program, asked for what it holds: lists, configuration, exact counts, scrolls. A
read-only API key is enough."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from securevec.errors import BackendError
from securevec.foreign import PAGE, ForeignCollection, ForeignPoint
from securevec_adapters.address import credential
from securevec_qdrant.server_address import acceptable
from securevec_qdrant.server_client import API_KEY_VARIABLE, calling, connect
from securevec_qdrant.source_local import is_ours, vectors_of

_TIMEOUT_S: Final = 60


class QdrantServer:
    """``ForeignStore`` over a server. Raises :class:`ConfigError` for an address that is refused, and for another
    machine without an API key."""

    def __init__(self, location: str, *, plain_http_hosts: Collection[str] = ()) -> None:
        key = credential(API_KEY_VARIABLE)
        address = acceptable(location, api_key=key, plain_http_hosts=plain_http_hosts)
        self._url = address.url
        self._client = connect(address, api_key=key, grpc_port=None, timeout_s=_TIMEOUT_S)

    @property
    def kind(self) -> str:
        return "Qdrant server"

    @property
    def identity(self) -> str:
        return f"qdrant:{self._url}"

    def collections(self) -> Sequence[ForeignCollection]:
        with calling("listing the collections"):
            names = sorted(each.name for each in self._client.get_collections().collections)
            return [self._collection(name) for name in names]

    def pages(self, name: str, *, size: int = PAGE) -> Iterator[Sequence[ForeignPoint]]:
        following: Any = None
        with calling("reading a collection"):
            while True:
                # In the order of ids, so that what is written meanwhile moves nothing else.
                before = following
                found, following = self._client.scroll(
                    name, limit=size, offset=before, with_payload=True, with_vectors=False
                )
                if following is not None and (not found or (before is not None and _at(following) <= _at(before))):
                    raise BackendError("The source answered with a page that does not lead on.")
                if found:
                    yield [
                        ForeignPoint(each.id if isinstance(each.id, int) else str(each.id), each.payload or {})
                        for each in found
                    ]
                if following is None:
                    return

    def close(self) -> None:
        with calling("closing the connection"):
            self._client.close()

    def _collection(self, name: str) -> ForeignCollection:
        info = self._client.get_collection(name)
        params = json.loads(info.config.params.model_dump_json())
        indexed = {
            field
            for field, index in (info.payload_schema or {}).items()
            if getattr(index.params, "is_tenant", None) is True
        }
        key = '-H "api-key: $SECUREVEC_QDRANT_API_KEY" ' if credential(API_KEY_VARIABLE) else ""
        return ForeignCollection(
            name=name,
            count=self._client.count(name, exact=True).count,
            vectors=vectors_of(params.get("vectors"), params.get("sparse_vectors")),
            tenant_indexes=frozenset(indexed),
            functions=(),
            ours=is_ours(name),
            drop=f"curl -X DELETE {key}{shlex.quote(f'{self._url}/collections/{name}')}",
            residual="snapshots and backups of the server are not reached",
        )


def _at(point: object) -> tuple[bool, int]:
    """Where a point stands in the order of a server: numbers come before UUIDs."""
    return (False, point) if isinstance(point, int) else (True, UUID(str(point)).int)
