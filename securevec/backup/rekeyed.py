"""Records of a backup whose keys were exchanged after it: kept readable where that can be, and never served unreadable.

A collection that was sealed anew, or a held record that moved to its hold's key, took its old data keys with it. The
backup's points are still under those. Where the backup's own copy of the key store is used, the records are sealed anew
under new keys before the old ones are destroyed again: they live in the newer state, and may be evidence. Where the
newer key store is used, the old keys are nowhere any more: then nobody reads these records, and they are removed and
counted.

Filter keys leave no trace when they are retired: a store of tokens of an older one would answer every filter with
nothing. Such a collection is indexed anew.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from securevec.audit import request_id
from securevec.audit.event import Action
from securevec.backup.scope import scope_of
from securevec.binding import key_scope_of
from securevec.control.rows import CollectionRow, ManifestRow
from securevec.errors import CheckFailed
from securevec.guard import Admission
from securevec.limits import MAX_BATCH
from securevec.policy import Actor, Decision, Permission
from securevec.removal import remove_batch
from securevec.reopen import description_of
from securevec.resealing import reseal
from securevec.retention.jobs import advance
from securevec.runtime import Runtime
from securevec.sheets import Sealed, named_keys, sheets
from securevec.store.machines import MACHINES
from securevec.types import CollectionId, TenantId
from securevec.verbs.reindex import carries_other_tokens, request_reindex


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
    return Admission(
        runtime=runtime,
        scope=scope_of(runtime, actor, row.tenant),
        permission=permission,
        action=action,
        collection=row.collection,
        request_id=request_id(),
        fence=fence,
        decision=Decision(True, "admin-operates"),
        started_ns=time.monotonic_ns(),
    )


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
