"""Records of a backup whose keys were exchanged after it: kept readable where that can be, and never served unreadable.

A collection that was sealed anew, or a held record that moved to its hold's key, took its old data keys with it. The
backup's points are still under those. Where the backup's own copy of the key store is used, the records are sealed anew
under new keys before the old ones are destroyed again: they live in the newer state, and may be evidence. Where the
newer key store is used, the old keys are nowhere any more: then nobody reads these records, and they are removed and
counted.

Filter keys leave no trace when they are retired: a store of tokens of an older one would answer every filter with
nothing. Such a collection is indexed anew.

A cloak key that was exchanged was destroyed. Where the backup's own copy is used, the vectors are brought under another
key before it is destroyed again. Where the newer key store is used, nobody takes the old cloak off any more, and no
search would find what is meant: that restore is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from securevec.audit.event import Action
from securevec.backup.scope import repeated, scope_of
from securevec.binding import cloak_of, key_scope_of
from securevec.control.rows import CollectionRow, ManifestRow
from securevec.errors import BackupRejected, CheckFailed
from securevec.guard import Admission
from securevec.jobs import advance
from securevec.keys.cloaks import PURPOSE as CLOAK
from securevec.limits import MAX_BATCH
from securevec.policy import Actor, Permission
from securevec.reading.sheets import Sealed, named_keys, sheets
from securevec.rekeying.recloak import request_recloak
from securevec.rekeying.reindex import carries_other_tokens, request_reindex
from securevec.removing.batch import remove_batch
from securevec.reopen import description_of
from securevec.state.runtime import Runtime
from securevec.store.machines import MACHINES
from securevec.types import CollectionId, TenantId
from securevec.writing.resealing import reseal


def admission_of(
    runtime: Runtime,
    actor: Actor,
    row: CollectionRow,
    fence: int,
    *,
    permission: Permission = "delete",
    action: Action = "delete",
) -> Admission:
    """The right to repeat what somebody did: whoever did it was asked then."""
    scope = scope_of(runtime, actor, row.tenant)
    return repeated(runtime, scope, permission=permission, action=action, collection=row.collection, fence=fence)


def collections(runtime: Runtime) -> Iterator[tuple[CollectionRow, int]]:
    """Every collection of an active tenant, with the tenant's fence."""
    for tenant in runtime.control.tenants():
        if tenant.state == "active":
            for row in runtime.control.collections(tenant.tenant):
                yield row, tenant.fence


def keep_readable(runtime: Runtime, actor: Actor, doomed: Iterable[bytes]) -> int:
    """Seal the records anew whose data keys are about to be destroyed, and live in this key store. Returns how many.

    One that the store does not show as it was written stays as it is, and is not readable afterwards.
    """
    going = set(doomed)
    mine: dict[str, set[bytes]] = defaultdict(set)
    for key in runtime.keys.list_keys(kind="dek"):
        if bytes.fromhex(key.key_id) in going:
            mine[key.collection].add(bytes.fromhex(key.key_id))
    kept = 0
    for row, fence in collections(runtime):
        if row.collection in mine:
            runtime.keys.roll(row.tenant, row.collection, mine[row.collection])
            admission = admission_of(runtime, actor, row, fence, permission="tenant.manage", action="key.reseal")
            kept += _seal_anew(runtime, admission, _place(runtime, row), frozenset(mine[row.collection]))
    return kept


def _seal_anew(runtime: Runtime, admission: Admission, place: Sealed, old: frozenset[bytes]) -> int:
    kept = 0
    for sheet in sheets(runtime, place.collection):
        named = named_keys(runtime, place, sheet)
        rows = [row for row in sheet if not named.get(row.ref, frozenset()).isdisjoint(old)]
        try:
            reseal(runtime, admission, place, rows)
            kept += len(rows)
        except CheckFailed:
            kept += sum(_sealed_alone(runtime, admission, place, row) for row in rows)
    if kept:
        runtime.backend().purge(namespace=place.namespace)
    return kept


def _sealed_alone(runtime: Runtime, admission: Admission, place: Sealed, row: ManifestRow) -> bool:
    try:
        reseal(runtime, admission, place, [row])
    except CheckFailed:
        return False
    return True


def drop_unreadable(runtime: Runtime, actor: Actor) -> int:
    """Remove the records that no key opens any more: theirs were destroyed after the backup. Returns how many."""
    dead = frozenset(runtime.keys.destroyed_ids())
    dropped = 0
    if not dead:
        return 0
    for row, fence in collections(runtime):
        place = _place(runtime, row)
        admission = admission_of(runtime, actor, row, fence)
        for sheet in sheets(runtime, row.collection):
            named = named_keys(runtime, place, sheet)
            lost = [each.ref for each in sheet if not named.get(each.ref, frozenset()).isdisjoint(dead)]
            dropped += _removed(runtime, admission, place, lost)
        if key_scope_of(description_of(runtime, row)) == "document":
            for part in _without_key(runtime, row.tenant, row.collection):
                dropped += _removed(runtime, admission, place, part)
    return dropped


def _removed(runtime: Runtime, admission: Admission, place: Sealed, refs: Sequence[bytes]) -> int:
    return len(remove_batch(runtime, admission, place.namespace, refs)[1]) if refs else 0


def _without_key(runtime: Runtime, tenant: TenantId, collection: CollectionId) -> Iterator[list[bytes]]:
    """Live records whose own key was destroyed after the backup, also those that the store does not show."""
    after = b""
    while rows := runtime.control.refs_after(collection, after, limit=MAX_BATCH):
        after = rows[-1][0]
        alive = runtime.keys.documents_alive(tenant, rows)
        lost = [ref for ref, _ in rows if ref not in alive]
        if lost:
            yield lost


def require_cloaks(runtime: Runtime) -> None:
    """Raises :class:`BackupRejected` where vectors are under a cloak key that the key store no longer has."""
    for row, _ in collections(runtime):
        description = description_of(runtime, row)
        cloak = cloak_of(description)
        if cloak is None:
            continue
        digests = runtime.keys.cloak_digests(row.tenant, row.collection, cloak, dimension=row.dimension)
        if orjson.loads(row.identity).get("cloak") not in digests:
            raise BackupRejected(
                "The cloak key of a collection was exchanged after this backup; with the newer key store nobody takes "
                "the old cloak off its vectors.",
                next_step="At the home that was backed up: securevec backup tombstones FILE --since BACKUP. Then, "
                "with the backup's own keys: securevec backup restore BACKUP --tombstones FILE",
            )


def cloak_anew(runtime: Runtime, actor: Actor, doomed: Iterable[bytes]) -> int:
    """Bring vectors under another key whose cloak key is about to be destroyed, and destroy that one. Returns how many
    collections those were. Raises what stops it."""
    going = {key_id.hex() for key_id in doomed}
    done: set[str] = set()
    while mine := _cloak_keys(runtime) & going:
        for row, fence in list(collections(runtime)):
            if not _cloak_keys(runtime, row).isdisjoint(mine):
                admission = admission_of(runtime, actor, row, fence, permission="tenant.manage", action="key.recloak")
                job = request_recloak(runtime, admission, row.collection)
                advance(runtime, MACHINES, job).raise_if_incomplete()
                done.add(row.collection)
    return len(done)


def _cloak_keys(runtime: Runtime, only: CollectionRow | None = None) -> set[str]:
    """The ids of the cloak keys of collections whose tenant is active."""
    rows = [only] if only is not None else [row for row, _ in collections(runtime)]
    places = {(row.tenant, row.collection) for row in rows}
    return {
        key.key_id
        for key in runtime.keys.list_keys(kind="tenant")
        if key.purpose == CLOAK and (key.tenant, key.collection) in places
    }


def index_anew(runtime: Runtime, actor: Actor, versions: Mapping[str, int]) -> int:
    """Make tokens and terms anew where they are not those of the key, or the newer state had retired that key
    (``versions``, by collection). Returns how many collections those were. Raises what stops it."""
    held = runtime.keys.filter_versions()
    done = 0
    for row, fence in list(collections(runtime)):
        version = held.get(row.collection, 0)
        retired = version < versions.get(row.collection, 0)
        if retired or (version > 1 and carries_other_tokens(runtime, _place(runtime, row))):
            admission = admission_of(runtime, actor, row, fence, permission="tenant.manage", action="key.reindex")
            job = request_reindex(runtime, admission, row.collection)
            advance(runtime, MACHINES, job).raise_if_incomplete()
            done += 1
    return done


def _place(runtime: Runtime, row: CollectionRow) -> Sealed:
    return Sealed(row.tenant, row.collection, runtime.names.namespace(row.tenant, row.collection), row.vault)
