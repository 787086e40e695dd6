"""Collections of other programs' stores: the part of :class:`SecureStore` that takes them in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from securevec.discovery import open_source
from securevec.errors import CollectionNotFound, SourceError, TenantNotFound
from securevec.foreign import ForeignStore, path_of
from securevec.imports.journey import import_points
from securevec.imports.options import ImportOptions
from securevec.imports.preview import preview_import
from securevec.imports.propose import propose
from securevec.imports.report import ImportPreview, ImportReport
from securevec.policy import Actor
from securevec.rows.validate import check_name
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.store.lifetimes import StoreLifetimes
from securevec.store.sketch import sketched
from securevec.writing.report import Progress

if TYPE_CHECKING:
    from securevec.store.tenant import Tenant


@dataclass(slots=True)
class Destination:
    """The collection ``name`` of each tenant: the one that is there, else one of ``record``, else one of a class
    proposed from the source."""

    store: StoreImports
    name: str
    source: ForeignStore
    options: ImportOptions
    record: type[Record] | None
    retention: str | None
    create_tenants: bool
    _proposed: list[type[Record]] = field(default_factory=list["type[Record]"])

    def target(self, tenant: str) -> CollectionScope:
        handle = self.store.tenant(tenant, create=self.create_tenants)
        if self.record is None:
            try:
                return handle.existing_collection(self.name)._scope
            except CollectionNotFound:
                pass
        return handle.collection(self._class(), name=self.name, retention=self.retention)._scope

    def sketch(self, tenant: str) -> CollectionScope | type[Record]:
        try:
            handle: Tenant = self.store.tenant(tenant)
        except TenantNotFound:
            if not self.create_tenants:
                raise
            return self._class()
        try:
            return handle.existing_collection(self.name)._scope
        except CollectionNotFound:
            return sketched(self.store._runtime, handle._scope, self._class(), None)

    def _class(self) -> type[Record]:
        """The record class of collections that are made now, the same for all of them."""
        if self.record is not None:
            return self.record
        if not self._proposed:
            schema = propose(self.source, self.options, self.store._runtime.detector()).schema
            self._proposed.append(schema.record_class())
        return self._proposed[0]


class StoreImports(StoreLifetimes):
    """See :class:`securevec.SecureStore`."""

    if TYPE_CHECKING:

        def tenant(self, name: str, *, actor: Actor | None = None, create: bool = False) -> Tenant: ...

    def import_from(
        self,
        url: str,
        *,
        to: str,
        options: ImportOptions,
        record: type[Record] | None = None,
        retention: str | None = None,
        create_tenants: bool = False,
        plain_http_hosts: Collection[str] = (),
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Carry a collection that some program filled without securevec over to its tenants. The source is only read.

        Every point goes the way of every other record: reduced to declared fields, anonymized, embedded anew, sealed.
        Points without a tenant, or with several, and points without a text are refused and listed. At the end the
        source is read again, and every point must be stored as it is shown, or listed. Interrupted, a second run passes
        over what is stored. The report says how the source is deleted; that is never done here.

        Args:
            url: ``chroma:DIRECTORY``, ``chroma[s]://host:port``, ``qdrant:DIRECTORY`` (local mode or an Edge shard),
                ``qdrant[s]://host:port``, ``http[s]://host:port`` (Qdrant).
            to: the name of the collection, the same in each tenant; made where it is absent.
            options: which field is what; see :class:`securevec.ImportOptions`.
            record: the record class. Default: the collection's own, or one proposed from a sample of the source.
            retention: of collections that are made.
            create_tenants: make tenants that are not there; their points are refused otherwise.
            plain_http_hosts: hosts that may be read without TLS, besides this machine.

        Raises:
            SourceError: no such collection, one of securevec's own, or a directory of this home.
            BackendError, EngineLocked: the source does not answer or is in use. What was stored before stays.
            TenantNotFound, PolicyDenied, CollectionMismatch: with ``options.tenant``; else points are refused.
            OutcomeUnknown and what an ingest raises; run the import again.
        """
        check_name("collection", to)
        with opened(self._runtime, url, plain_http_hosts) as source:
            destination = Destination(self, to, source, options, record, retention, create_tenants)
            return import_points(self._runtime, source, options, destination, progress=progress)

    def preview_import(
        self,
        url: str,
        *,
        to: str,
        options: ImportOptions,
        record: type[Record] | None = None,
        create_tenants: bool = False,
        plain_http_hosts: Collection[str] = (),
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportPreview:
        """What :meth:`import_from` would store, refuse and replace, by tenant and entity.

        Nothing is stored, embedded or made. Raises what that does before its first write.
        """
        check_name("collection", to)
        with opened(self._runtime, url, plain_http_hosts) as source:
            destination = Destination(self, to, source, options, record, None, create_tenants)
            return preview_import(self._runtime, source, options, destination, progress=progress)


@contextmanager
def opened(runtime: Runtime, url: str, plain_http_hosts: Collection[str]) -> Generator[ForeignStore]:
    """The source. Raises :class:`SourceError` for a directory of this very home, and what the reader raises."""
    path = path_of(url)
    if path is not None:
        home, place = runtime.home.resolve(), path.resolve()
        if place == home or place.is_relative_to(home) or home.is_relative_to(place):
            raise SourceError("The source is this home, or holds it: what is in it is stored here already.")
    source = open_source(url, plain_http_hosts=plain_http_hosts)
    try:
        yield source
    finally:
        source.close()
