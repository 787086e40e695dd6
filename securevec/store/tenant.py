"""One tenant as one actor sees it. No method takes a tenant, a namespace or a key: they come from the handle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from securevec.binding import Wanted, as_cloak
from securevec.crypto.cloak import Cloak
from securevec.errors import (
    CollectionNotFound,
    PolicyDenied,
    SecurevecError,
    UsageError,
)
from securevec.files.options import FileOptions
from securevec.files.preview import preview_files
from securevec.files.report import FilesPreview
from securevec.guard import Admission, admit
from securevec.jobs import advance
from securevec.people.erase import FENCE, SubjectErasure, fence_end, request_erasure, result_of
from securevec.people.export import SubjectExport, export
from securevec.people.find import SubjectReport, find
from securevec.policy import Actor, check_role
from securevec.reopen import name_of
from securevec.rows.validate import check_name
from securevec.schema import Record, describe
from securevec.state.runtime import Runtime, Scope
from securevec.store.collection import Collection
from securevec.store.lifetimes import TenantLifetimes, find_collection
from securevec.store.machines import MACHINES
from securevec.store.making import create, open_as_made, open_as_wanted
from securevec.store.sketch import sketched
from securevec.types import KeyScope, TenantId
from securevec.writing.report import Progress

R = TypeVar("R", bound=Record)
_SNAKE = str.maketrans({letter: f"_{letter.lower()}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


class Tenant(TenantLifetimes):
    """A tenant handle. ``repr`` shows nothing; the tenant's random id is :attr:`id`."""

    def __init__(self, runtime: Runtime, scope: Scope) -> None:
        self._runtime = runtime
        self._scope = scope

    @property
    def id(self) -> TenantId:
        return self._scope.tenant

    def __repr__(self) -> str:
        return f"Tenant(id={self._scope.tenant})"

    def collection(
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
    ) -> Collection[R]:
        """The collection of this record class, made if absent.

        Args:
            record: a :class:`securevec.Record` subclass.
            name: default is the class name in snake case.
            retention: how long records are kept, such as ``180d``; ``None`` keeps them until deleted.
            vault: whether originals of replaced values are kept sealed apart, for ``hits.restore``.
            classification: a label sealed with every record, which rules of retention and of models name. Fixed when
                the collection is made; ``None`` makes an ``internal`` one, and opens any.
            operators: what replaces each entity, for example ``{"CARD": "mask", "DATE": "generalise"}``
                (docs/detection.md has the list).
            hybrid: whether ``search(..., hybrid=True)`` is possible: each point then also carries the keyed words of
                its anonymized text, whose equality and frequency the store sees. Fixed when the collection is made;
                ``None`` makes one without, and opens either.
            cloak: keyed geometry-preserving obfuscation of the vectors, which is not encryption
                (docs/threat-model.md): ``"rotate"``, or ``Cloak(noise=2.0)``. As ``hybrid``, fixed when it is made.
            key_scope: ``"document"`` seals each record under a key of its own too, which dies with it (docs/keys.md).
            accept_new_detector: go on with a newer detector or other operators than the collection was made with.
                Records already stored keep what was replaced then.

        Raises:
            CollectionMismatch: it exists with another model, schema, detector, operators, retention or vault.
            RetentionConflict: its own retention would be shorter than a minimum that applies to it.
            HybridUnavailable: ``hybrid``, on a store that keeps no terms (Chroma).
            PolicyDenied: the actor may not create it, or may not use it.
        """
        schema = describe(record)
        label = check_name("collection", _named_after(record) if name is None else name)
        wanted = Wanted(schema, retention, vault, classification, operators, hybrid, as_cloak(cloak), key_scope)
        runtime, scope = self._runtime, self._scope
        row = find_collection(runtime, scope.tenant, label) or create(runtime, scope, label, wanted)
        opened = open_as_wanted(runtime, scope, row, record, wanted, accept_new_detector=accept_new_detector)
        return Collection(runtime, opened, record)

    def existing_collection(self, name: str, *, accept_new_detector: bool = False) -> Collection[Record]:
        """A collection by name, its record class rebuilt from what it remembers.

        ``accept_new_detector`` goes on with the store's detector where the collection was filled under another one;
        records already stored keep what was replaced then, until they are ingested again.

        Raises :class:`CollectionNotFound`, :class:`CollectionMismatch`, :class:`PolicyDenied`.
        """
        if isinstance(cast("object", name), type):
            raise UsageError("A collection is opened by its class with collection(CLASS), and by its name here.")
        row = find_collection(self._runtime, self._scope.tenant, check_name("collection", name))
        if row is None:
            raise CollectionNotFound("The tenant has no such collection.")
        opened, record = open_as_made(self._runtime, self._scope, row, accept_new_detector=accept_new_detector)
        return Collection(self._runtime, opened, record)

    def preview_files(
        self,
        record: type[Record],
        paths: Sequence[str | Path],
        *,
        operators: Mapping[str, Any] | None = None,
        options: FileOptions | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> FilesPreview:
        """As :meth:`Collection.preview_files`, for a collection of this record class that is not made yet."""
        scope = sketched(self._runtime, self._scope, record, operators)
        return preview_files(
            self._runtime, scope, paths, options=options or FileOptions(), stored=False, progress=progress
        )

    def collections(self) -> Sequence[str]:
        """Names of the tenant's collections."""
        admission = admit(self._runtime, self._scope, permission="count", action="count")
        try:
            names = sorted(name_of(self._runtime, row) for row in self._runtime.control.collections(self._scope.tenant))
            admission.recheck()
        except SecurevecError as error:
            admission.failure(error)
            raise
        admission.note(counts={"collections": len(names)})
        return names

    def find_subject(self, *identifiers: str) -> SubjectReport:
        """The records that are about, or mention, whom these values name: e-mail addresses, phone numbers, ids, names.

        A name may be several people's, so a record that only mentions it is listed as ``by_name_only``.

        Raises :class:`UsageError`, :class:`LimitExceeded`, and :class:`RecordChanged` when others replace these records
        all the time.
        """
        admission = admit(self._runtime, self._scope, permission="subject.find", action="subject.find")
        with admission.reading():
            return find(self._runtime, admission, identifiers)

    def export_subject(
        self, *identifiers: str, reveal: bool = False, include_name_matches: bool = False
    ) -> SubjectExport:
        """What is stored about whom these values name: records about them in full, and the passages that mention them.

        Args:
            identifiers: as for :meth:`find_subject`.
            reveal: put back their own values, and nobody else's. Needs the permission ``reveal``.
            include_name_matches: also records that match by a name only.

        Raises:
            PolicyDenied: the actor may not export, or may not reveal.
            VaultDisabled: ``reveal``, and a collection that holds them keeps no originals.
            RecordChanged: others replace these records all the time.
        """
        revealing: Admission | None = None
        if reveal:
            revealing = admit(self._runtime, self._scope, permission="reveal", action="restore")
            revealing.note()
        admission = admit(self._runtime, self._scope, permission="subject.export", action="subject.export")
        with admission.reading():
            return export(
                self._runtime, admission, identifiers, revealing=revealing, include_name_matches=include_name_matches
            )

    def erase_subject(
        self, *identifiers: str, until: datetime | str = FENCE, include_name_matches: bool = False
    ) -> SubjectErasure:
        """Erase people: records about them are deleted, records that mention them stored again without them.

        They are hidden from every reader when the job is accepted, before anything is deleted, and nothing about them
        is written until the fence ends. When another process holds the engine, it does the rest; the result then says
        what it waits for. One call for many people costs little more than for one.

        Args:
            identifiers: e-mail addresses, phone numbers, customer ids, of one or of many people. A name leads to the
                records declared to be about it.
            until: when writes about them are accepted again: a duration from now, such as ``30d``, or a time.
            include_name_matches: also erase what matches by a name only. It may be somebody else's.

        Raises:
            LegalHold: a hold keeps a record; nothing is erased. The refusal is audited.
            PolicyDenied: the actor may not erase, or may only see some of the records.
        """
        runtime = self._runtime
        until_ms = fence_end(until, now_ms=runtime.clock.now_ms())
        admission = admit(runtime, self._scope, permission="subject.erase", action="subject.erase")
        try:
            if admission.decision.row_filter is not None:
                raise PolicyDenied("The policy narrows what this actor may see, and an erasure leaves nothing out.")
            job = request_erasure(
                runtime, admission, identifiers, until_ms=until_ms, include_name_matches=include_name_matches
            )
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        return result_of(runtime, advance(runtime, MACHINES, job))

    def grant(self, actor: Actor, role: str) -> None:
        """Give an actor a role here: ``owner``, ``writer``, ``reader`` or ``revealer``."""
        names, control = self._runtime.names, self._runtime.control
        checked, token = check_role(role), names.actor_token(actor)
        sealed = names.seal(actor.name, row=token, kind="actor-name")

        def change() -> None:
            now_ms = self._runtime.clock.now_ms()
            control.remember_principal(token, sealed, now_ms)
            control.grant(self._scope.tenant, token, checked, now_ms)

        self._change_role(actor, checked, "granted", change)

    def revoke(self, actor: Actor, role: str) -> None:
        """Take a role back. Effective at the actor's next operation, in every process."""
        checked, token = check_role(role), self._runtime.names.actor_token(actor)
        self._change_role(
            actor, checked, "revoked", lambda: self._runtime.control.revoke(self._scope.tenant, token, checked)
        )

    def _change_role(self, actor: Actor, role: str, change: str, carry_out: Callable[[], None]) -> None:
        """Intent, change, result: a role that could not be recorded is not granted."""
        admission = admit(self._runtime, self._scope, permission="grant", action="grant")
        about, detail = (self._runtime.names.actor_ref(actor),), {"role": role, "change": change}
        admission.note(phase="intent", actors=about, detail=detail)
        try:
            carry_out()
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        admission.note(phase="result", actors=about, detail=detail)


def _named_after(record: type[Record]) -> str:
    """The name of the class in snake case."""
    return record.__name__.translate(_SNAKE).lstrip("_")
