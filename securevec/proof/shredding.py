"""The one way in which keys die: of a tenant, of an expiry bucket, of a collection that is sealed anew.

    1. ``doom``     which keys, and a value sealed under each kind: written down with the job, before any of them dies
    2. ``shred``    intent to the audit log, durable
    3.              one transaction buries the rows: from here on no process uses the keys, whatever it had cached
    4.              the key store is rewritten, its directory and the rest of the home searched for the wrapped keys
    5.              result to the audit log
    6. ``require_shredded``  the value sealed before no longer opens
    7. ``key_artefact``      what the receipt says of it

Each step may be repeated: what is buried stays so, and the tombstones remember the evidence. Rows and vectors are
removed by the job that calls this. A legal hold is judged before: by whoever decides what is doomed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from securevec.control.rows import JobRow
from securevec.crypto.armour import from_text, to_text
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, read_key_id, seal
from securevec.errors import KeyDestroyed, UnknownKey, WriteNotAcknowledged
from securevec.jobs import note
from securevec.keys.keyview import KeyInfo
from securevec.proof.receipt import Artefact
from securevec.proof.residue import refuse_residue
from securevec.state import home as homes
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, TenantId

METHOD: Final = "cryptographic erase (NIST SP 800-88r2): rows deleted, VACUUM, search of the home for the wrapped bytes"


def doom(runtime: Runtime, keys: Sequence[KeyInfo], *, collection: str = "", epoch: str = "") -> dict[str, Any]:
    """Keys that are to die together, as a job keeps them: their ids, and a value that opens now and must not later."""
    body = next((key for key in keys if key.purpose == "body"), None)
    return {
        "collection": collection,
        "epoch": epoch,
        "key_ids": sorted(key.key_id for key in keys),
        "probe": sealed_probe(runtime, body.key_id) if body is not None else None,
    }


def shred(
    runtime: Runtime, job: JobRow, entry: Mapping[str, Any], destroy: Callable[[], object] | None = None
) -> dict[str, Any]:
    """Destroy the keys of an entry, or finish an earlier attempt. The entry with what became of them.

    ``destroy`` is the ring's way for a whole tenant or bucket; without it the keys die by their ids. Raises
    :class:`KeyUnavailable` when it is not done: the same step continues.
    """
    key_ids: list[str] = entry["key_ids"]
    collection = CollectionId(entry["collection"])
    detail: dict[str, str | int | bool] = {"epoch": entry["epoch"]} if entry["epoch"] else {}
    counts = {"keys": len(key_ids)}
    note(runtime, job, action="key.destroy", phase="intent", collection=collection, counts=counts, detail=detail)
    if destroy is None:
        runtime.keys.destroy_deks(job.tenant, collection, key_ids)
    else:
        destroy()
    runtime.keys.search_elsewhere(job.tenant, partial(refuse_residue, runtime.home))
    gone = runtime.keys.destroyed(job.tenant, key_ids)
    done = {"destroyed": list(gone.key_ids), "evidence": gone.evidence, "ms": gone.destroyed_ms}
    counts = {"keys": len(gone.key_ids)}
    note(runtime, job, action="key.destroy", phase="result", collection=collection, counts=counts, detail=detail)
    return {**entry, **done, "root": root_of(runtime)}


def require_shredded(runtime: Runtime, tenant: TenantId, entry: Mapping[str, Any]) -> None:
    """Raises :class:`WriteNotAcknowledged` when a value sealed before its key was destroyed still opens."""
    if entry["probe"] is not None:
        require_dead(runtime, tenant, entry["probe"])


def root_of(runtime: Runtime) -> dict[str, Any]:
    """The root key that the key store stands under now, how often it was exchanged before, how many earlier ones are
    kept, and whether giving one up makes key-store backups of its time useless (docs/keys.md)."""
    said = homes.described(runtime.home)
    kind, ours = said.key_provider.get("kind"), said.key_provider.get("ours")
    return {
        "key_id": runtime.keys.root_id(),
        "rotations": len(said.retired_roots) + len(said.previous_key_providers),
        "kept": len(said.previous_key_providers),
        "ratchet": kind in ("file", "pkcs11") or (kind == "aws-kms" and ours is True),
    }


def in_backups(root: Mapping[str, Any] | None) -> str:
    """From when on keys that were destroyed under this root key are gone from key-store backups too, in words."""
    words = "effective in backups when key-store backups taken before completed_ms have expired"
    if root is None or not root["ratchet"]:
        return words
    return (
        f"{words}, or when root key {root['key_id']} has been given up (securevec keys rotate root; rotations until "
        f"completed_ms: {root['rotations']})"
    )


def key_artefact(entry: Mapping[str, Any], name: str, *, residual: str = "") -> Artefact:
    """What a receipt says of the keys of an entry that was shredded. ``residual`` is what may remain besides."""
    destroyed, wanted = len(entry["destroyed"]), len(entry["key_ids"])
    if not destroyed:
        shown = "this key store held none of them"
    else:
        shown = f"{destroyed} of {wanted} keys; {entry['evidence']}"
    if entry["probe"] is not None:
        shown += "; a value sealed before no longer opens"
    whole = 0 < destroyed == wanted
    remains = "; ".join(filter(None, (in_backups(entry.get("root")), residual)))
    return Artefact(name, METHOD, "removed from live files" if whole else "unverified", shown, remains)


def sealed_probe(runtime: Runtime, key_id: str) -> dict[str, str]:
    """A value sealed under a body DEK, to show later that it no longer opens (:func:`require_dead`)."""
    key = runtime.keys.key_by_id(bytes.fromhex(key_id))
    point = uuid4()
    place = Place(tenant=key.tenant, collection=key.collection, point=point, field="body")
    return {
        "envelope": to_text(seal(key, b"securevec deletion probe", place)),
        "point": point.hex,
        "collection": key.collection.hex(),
    }


def require_dead(runtime: Runtime, tenant: TenantId, probe: Mapping[str, str]) -> None:
    """Raises :class:`WriteNotAcknowledged` when a value sealed before its key was destroyed still opens."""
    envelope = from_text(probe["envelope"])
    place = Place(
        tenant=bytes.fromhex(tenant),
        collection=bytes.fromhex(probe["collection"]),
        point=UUID(hex=probe["point"]),
        field="body",
    )
    with contextlib.suppress(KeyDestroyed, UnknownKey):
        open_sealed(runtime.keys.key_by_id(read_key_id(envelope)), envelope, place)
        raise WriteNotAcknowledged("A value sealed under a destroyed key still opens.")
