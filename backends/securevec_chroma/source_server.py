"""A Chroma server of another program, asked for what it holds: ``GET`` of lists and counts, ``POST .../get``."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from securevec.errors import BackendError, ConfigError
from securevec.foreign import PAGE, ForeignCollection, ForeignPoint, ForeignVector
from securevec_adapters.address import credential, server_address
from securevec_adapters.errors import mapped
from securevec_chroma.client import MARK, MOST_LISTED, connect
from securevec_chroma.functions import function_names, space_of
from securevec_chroma.server import PORT, TIMEOUT_S, TOKEN_VARIABLE
from securevec_chroma.source_files import DATABASE, RESIDUAL, TENANT

_LISTED: Final = 500


class ChromaServer:
    """``ForeignStore`` over a server of version 1, its default tenant. Raises :class:`ConfigError` for an address that
    is refused. The token comes from the environment, as for a server of our own."""

    def __init__(self, location: str, *, plain_http_hosts: Collection[str] = ()) -> None:
        self._address = server_address(location, scheme="chroma", port=PORT, plain_http_hosts=plain_http_hosts)
        token = credential(TOKEN_VARIABLE)
        if token is None and not self._address.is_local:
            raise ConfigError(
                "A Chroma server has no authentication; on another machine it needs a proxy that checks a token.",
                next_step=f"Set {TOKEN_VARIABLE}.",
            )
        with mapped("connecting"):
            self._client = connect(self._address, token=token, timeout_s=TIMEOUT_S)
        self._held: dict[str, tuple[str, Any]] = {}

    @property
    def kind(self) -> str:
        return "Chroma server"

    @property
    def identity(self) -> str:
        return f"chroma:{self._address.url}"

    def collections(self) -> Sequence[ForeignCollection]:
        api, found = self._client.api, list["ForeignCollection"]()
        with mapped("listing the collections"):
            for database in api.list_databases(tenant=TENANT):
                seen = 0
                name = database["name"]
                while held := api.list_collections(limit=_LISTED, offset=seen, tenant=TENANT, database=name):
                    if seen > MOST_LISTED:
                        raise BackendError("The source holds more collections than can be listed.")
                    found += [self._collection(each, name) for each in held]
                    seen += len(held)
        return sorted(found, key=lambda each: each.name)

    def pages(self, name: str, *, size: int = PAGE) -> Iterator[Sequence[ForeignPoint]]:
        if name not in self._held:
            self.collections()
        if name not in self._held:
            raise BackendError("The source has no collection of this name any more.")
        database, collection = self._held[name]
        read = 0
        begun: set[str] = set()
        with mapped("reading a collection"):
            while True:
                answer = self._client.api._get(
                    collection_id=collection,
                    limit=size,
                    offset=read,
                    include=["documents", "metadatas", "uris"],
                    tenant=TENANT,
                    database=database,
                )
                keys = answer["ids"]
                if not keys:
                    return
                if keys[0] in begun:
                    raise BackendError("The source answered with the same page again.")
                begun.add(keys[0])
                empty: Sequence[object] = [None] * len(keys)
                documents, uris, bodies = (
                    cast("Sequence[object] | None", answer.get(column)) or empty
                    for column in ("documents", "uris", "metadatas")
                )
                yield [
                    ForeignPoint(key, _fields(document, uri, cast("Mapping[str, object] | None", body)))
                    for key, document, uri, body in zip(keys, documents, uris, bodies, strict=True)
                ]
                read += len(keys)

    def close(self) -> None:
        with mapped("closing the connection"):
            self._client.close()

    def _collection(self, held: Any, database: str) -> ForeignCollection:
        shown = held.name if database == DATABASE else f"{database}/{held.name}"
        self._held[shown] = (database, held.id)
        marks = held.metadata or {}
        stored = (held.serialized_schema, held.configuration_json)
        path = f"/api/v2/tenants/{TENANT}/databases/{database}/collections/{held.name}"
        return ForeignCollection(
            name=shown,
            count=self._client.api._count(collection_id=held.id, tenant=TENANT, database=database),
            vectors=(ForeignVector("", held.dimension or 0, space_of(marks, *stored)),),
            tenant_indexes=None,
            functions=function_names(*stored),
            ours=MARK in marks,
            drop=f"curl -X DELETE {shlex.quote(self._address.url + path)}",
            residual=RESIDUAL,
        )


def _fields(document: object, uri: object, body: Mapping[str, object] | None) -> dict[str, object]:
    fields = dict(body or {})
    if document is not None:
        fields["document"] = document
    if uri is not None:
        fields["uri"] = uri
    return fields
