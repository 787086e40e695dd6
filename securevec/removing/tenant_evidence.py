"""What a tenant deletion plans, removes, and can show of it. Each artefact of the receipt is made here.

A verdict is ``removed from live files`` only when something was seen that would have been different otherwise: a byte
probe that found the data before and not after, a value that opened before and not after, counts that agree with the
manifest. Whatever could not be looked at is ``unverified``; nothing is claimed from an operation's return value alone.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any, Final

from securevec.backend import VectorBackend
from securevec.errors import SecurevecError, WriteNotAcknowledged
from securevec.proof.probe import Needles
from securevec.proof.purging import ProbeOutcome, drop_with_proof, found_in_own_files, own_files, sample
from securevec.proof.receipt import Artefact, control_rows
from securevec.proof.shredding import doom, key_artefact, require_shredded
from securevec.state.runtime import Runtime
from securevec.types import Namespace, TenantId

PROBE_POINTS: Final = 3
"""Points of each namespace whose sealed text and vector are looked for byte by byte."""


def plan(runtime: Runtime, tenant: TenantId) -> dict[str, Any]:
    """The manifest: read behind the closed fence, so nothing can be added to what it lists."""
    collections: list[dict[str, Any]] = []
    for row in runtime.control.collections(tenant):
        records, chunks = runtime.control.count_live(row.collection, now_ms=0)
        namespace = runtime.names.namespace(tenant, row.collection)
        collections.append(
            {
                "collection": row.collection,
                "shard": namespace.shard,
                "tenant_tag": namespace.tenant_tag,
                "collection_tag": namespace.collection_tag,
                "records": records,
                "chunks": chunks,
            }
        )
    return {
        "collections": collections,
        "records": sum(entry["records"] for entry in collections),
        "chunks": sum(entry["chunks"] for entry in collections),
        "keys": doom(runtime, runtime.keys.list_keys(tenant=tenant)),
    }


def watch(runtime: Runtime, entry: dict[str, Any]) -> dict[str, int]:
    """What is there before a namespace is dropped: points, and how many needles of them the byte probe finds.

    Kept with the job, so that a process killed right after the drop takes nothing of the proof with it. Counts only:
    the needles themselves are sealed texts and vectors, and must not outlive what they are of.
    """
    backend = runtime.backend()
    namespace = _namespace(entry)
    # A shard too damaged to be read cannot be probed, and must be dropped all the same.
    with contextlib.suppress(SecurevecError):
        needles = sample(backend, namespace, PROBE_POINTS)
        return {
            "points": backend.count(namespace=namespace),
            "needles": len(needles),
            "control": found_in_own_files(runtime, namespace, needles),
        }
    return {"points": 0, "needles": 0, "control": 0}


def remove(runtime: Runtime, entry: dict[str, Any], seen: dict[str, int]) -> dict[str, Any]:
    """Drop one namespace, with a byte probe around it where the files are ours to read.

    A namespace that an interrupted run dropped already is answered for by what was ``seen`` before, if it left no file.
    """
    backend = runtime.backend()
    namespace = _namespace(entry)
    needles = Needles((), ())
    with contextlib.suppress(SecurevecError):
        needles = sample(backend, namespace, PROBE_POINTS)
    outcome = drop_with_proof(runtime, namespace, needles)
    _require_empty(backend, namespace)
    if not len(needles):
        outcome = replace(outcome, points=max(outcome.points, seen["points"]))
        if seen["control"] and not own_files(runtime, namespace):
            outcome = replace(outcome, needles=seen["needles"], control=seen["control"])
    return outcome.to_json()


def require_removed(runtime: Runtime, manifest: dict[str, Any]) -> None:
    """Read back that every namespace is gone. Raises :class:`WriteNotAcknowledged`."""
    backend = runtime.backend()
    for entry in manifest["collections"]:
        # Again: a write that was under way when the fence closed may have landed after the first drop.
        backend.drop(namespace=_namespace(entry))
        _require_empty(backend, _namespace(entry))
    left = set(backend.namespaces())
    if any(entry["shard"] in left or entry["tenant_tag"] in left for entry in manifest["collections"]):
        raise WriteNotAcknowledged("The store still lists a namespace it was told to drop.")


def artefacts(runtime: Runtime, tenant: TenantId, data: dict[str, Any]) -> list[Artefact]:
    """The artefacts of the receipt. Raises :class:`WriteNotAcknowledged` when a destroyed key still opens something."""
    manifest: dict[str, Any] = data["manifest"]
    return [
        _key_artefact(runtime, tenant, data),
        *(
            _engine_artefact(entry, removal)
            for entry, removal in zip(manifest["collections"], data["removals"], strict=True)
        ),
        control_rows(
            "control rows, names and subject tokens",
            scrubbed=data["scrubbed"],
            residual="copies of control.db taken earlier hold sealed names and keyed references"
            + ("" if data["scrubbed"] else "; bytes of the deleted rows until the write-ahead log is emptied"),
        ),
    ]


def _require_empty(backend: VectorBackend, namespace: Namespace) -> None:
    if backend.count(namespace=namespace):
        raise WriteNotAcknowledged("The store still counts points of a namespace it was told to drop.")


def _namespace(entry: dict[str, Any]) -> Namespace:
    return Namespace(entry["shard"], entry["tenant_tag"], entry["collection_tag"])


def _key_artefact(runtime: Runtime, tenant: TenantId, data: dict[str, Any]) -> Artefact:
    require_shredded(runtime, tenant, data["keys"])
    return key_artefact(
        data["keys"],
        "tenant keys (KEK, tenant keys, DEKs)",
    )


def _engine_artefact(entry: dict[str, Any], removal: dict[str, Any]) -> Artefact:
    outcome = ProbeOutcome.from_json(removal)
    counted = f"{entry['chunks']} in the manifest, {outcome.points} dropped, 0 counted after"
    artefact = outcome.artefact(
        f"points of collection {entry['collection']} ({outcome.backend})",
        method="drop namespace, read back",
        counts=counted,
    )
    if entry["chunks"] == 0 and outcome.ran and not outcome.needles and outcome.bytes_removed is True:
        evidence = f"{counted}; byte probe: the namespace was empty"
        return replace(artefact, verdict="removed from live files", evidence=evidence)
    return artefact if outcome.points >= entry["chunks"] else replace(artefact, verdict="unverified")
