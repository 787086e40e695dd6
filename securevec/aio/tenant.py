"""Written by ``tools/generate_async.py`` from :class:`securevec.Tenant`: change that class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from securevec.aio.bridge import Bridge, on_loop
from securevec.aio.collection import AsyncCollection
from securevec.crypto.cloak import Cloak
from securevec.files.options import FileOptions
from securevec.files.report import FilesPreview
from securevec.people.erase import FENCE, SubjectErasure
from securevec.people.export import SubjectExport
from securevec.people.find import SubjectReport
from securevec.points.body import RecordId
from securevec.policy import Actor
from securevec.retention.holds import Hold
from securevec.schema import Record
from securevec.store.tenant import Tenant
from securevec.types import KeyScope, TenantId
from securevec.verbs.purging import PurgeReport
from securevec.writing.report import Progress

R = TypeVar("R", bound=Record)


class AsyncTenant:
    """A tenant handle for coroutines: :class:`securevec.Tenant`, each call awaited."""

    def __init__(self, bridge: Bridge, sync: Tenant) -> None:
        self._bridge = bridge
        self._sync = sync

    def __repr__(self) -> str:
        return f"Async{self._sync!r}"

    @property
    def id(self) -> TenantId:
        return self._sync.id

    async def collection(
        self,
        record: type[R],
        *,
        name: str | None = None,
        retention: str | None = None,
        vault: bool = True,
        classification: str | None = None,
        operators: Mapping[str, Any] | None = None,
        hybrid: bool | None = None,
        cloak: Cloak | Literal["rotate"] | None = None,
        key_scope: KeyScope | None = None,
        accept_new_detector: bool = False,
    ) -> AsyncCollection[R]:
        """The collection of this record class, made if absent.

        See :meth:`securevec.Tenant.collection`.
        """
        return AsyncCollection(
            self._bridge,
            await self._bridge.run(
                self._sync.collection,
                record,
                name=name,
                retention=retention,
                vault=vault,
                classification=classification,
                operators=operators,
                hybrid=hybrid,
                cloak=cloak,
                key_scope=key_scope,
                accept_new_detector=accept_new_detector,
            ),
        )

    async def existing_collection(self, name: str, *, accept_new_detector: bool = False) -> AsyncCollection[Record]:
        """A collection by name, its record class rebuilt from what it remembers.

        See :meth:`securevec.Tenant.existing_collection`.
        """
        return AsyncCollection(
            self._bridge,
            await self._bridge.run(self._sync.existing_collection, name, accept_new_detector=accept_new_detector),
        )

    async def preview_files(
        self,
        record: type[Record],
        paths: Sequence[str | Path],
        *,
        operators: Mapping[str, Any] | None = None,
        options: FileOptions | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> FilesPreview:
        """As :meth:`Collection.preview_files`, for a collection of this record class that is not made yet."""
        return await self._bridge.run(
            self._sync.preview_files, record, paths, operators=operators, options=options, progress=on_loop(progress)
        )

    async def collections(self) -> Sequence[str]:
        """Names of the tenant's collections."""
        return await self._bridge.run(self._sync.collections)

    async def find_subject(self, *identifiers: str) -> SubjectReport:
        """The records that are about, or mention, whom these values name: e-mail addresses, phone numbers, ids, names.

        See :meth:`securevec.Tenant.find_subject`.
        """
        return await self._bridge.run(self._sync.find_subject, *identifiers)

    async def export_subject(
        self, *identifiers: str, reveal: bool = False, include_name_matches: bool = False
    ) -> SubjectExport:
        """What is stored about whom these values name: records about them in full, and the passages that mention them.

        See :meth:`securevec.Tenant.export_subject`.
        """
        return await self._bridge.run(
            self._sync.export_subject, *identifiers, reveal=reveal, include_name_matches=include_name_matches
        )

    async def erase_subject(
        self, *identifiers: str, until: datetime | str = FENCE, include_name_matches: bool = False
    ) -> SubjectErasure:
        """Erase people: records about them are deleted, records that mention them stored again without them.

        See :meth:`securevec.Tenant.erase_subject`.
        """
        return await self._bridge.run(
            self._sync.erase_subject, *identifiers, until=until, include_name_matches=include_name_matches
        )

    async def grant(self, actor: Actor, role: str) -> None:
        """Give an actor a role here: ``owner``, ``writer``, ``reader`` or ``revealer``."""
        await self._bridge.run(self._sync.grant, actor, role)

    async def revoke(self, actor: Actor, role: str) -> None:
        """Take a role back. Effective at the actor's next operation, in every process."""
        await self._bridge.run(self._sync.revoke, actor, role)

    async def hold(
        self,
        reason: str,
        *,
        collection: str | None = None,
        record: RecordId | None = None,
        subject: str | Sequence[str] = (),
    ) -> Hold:
        """Keep the tenant, or a collection of it, one record of that collection, or a subject, until released.

        See :meth:`securevec.Tenant.hold`.
        """
        return await self._bridge.run(self._sync.hold, reason, collection=collection, record=record, subject=subject)

    async def holds(self) -> list[Hold]:
        """Every hold of the tenant, released ones too, oldest first."""
        return await self._bridge.run(self._sync.holds)

    async def hold_reason(self, hold_id: str) -> str:
        """Why a hold was placed."""
        return await self._bridge.run(self._sync.hold_reason, hold_id)

    async def release(self, hold_id: str) -> None:
        """End a hold. For the operator: an owner places holds and does not release them."""
        await self._bridge.run(self._sync.release, hold_id)

    async def purge(self, *, unnamed: bool = False) -> PurgeReport:
        """Remove the bytes of deleted and replaced records from the engine's files, in each collection of the tenant.

        See :meth:`securevec.Tenant.purge`.
        """
        return await self._bridge.run(self._sync.purge, unnamed=unnamed)
