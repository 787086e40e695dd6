"""The end of a retention job: what its receipt says. Counts come from the list of the job and from its verification."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from securevec.control.rows import JobRow
from securevec.proof import own_keys
from securevec.proof.purging import ProbeOutcome
from securevec.proof.receipt import Artefact
from securevec.proof.shredding import key_artefact, root_of
from securevec.proof.signing_off import sign_off
from securevec.state.runtime import Runtime


def finish(runtime: Runtime, job: JobRow, data: dict[str, Any]) -> JobRow:
    """Record the result, sign the receipt, and hand it in. With the last of several jobs the control store's file is
    rewritten: what they had kept, sealed, of what they looked for is gone from it then."""
    if not any(each.kind == job.kind and each.job_id != job.job_id for each in runtime.control.jobs(open_only=True)):
        runtime.control.scrub()
    result = data["result"]
    keys = sum(len(entry["destroyed"]) for entry in keys_of(data))
    completed_ms = runtime.clock.now_ms()
    predicate: dict[str, object] = {
        "kind": "retention",
        "plan": data["plan"],
        "requested_ms": data["requested"]["ms"],
        "completed_ms": completed_ms,
        "actor": data["requested"]["by"],
        "manifest": {
            "records": data["manifest"]["records"],
            "chunks": data["manifest"]["chunks"],
            "collections": len(data["collections"]),
            "keys": keys,
        },
        "result": {"records": result["records"], "chunks": result["chunks"]},
        "exceptions": _exceptions(data),
        "artefacts": [artefact.to_json() for artefact in _artefacts(data)],
        "root": root_of(runtime),
    }
    # What was going to be deleted, in full: ids, not names. Its digest is the receipt's subject.
    listed = [[item.collection, item.ref.hex(), item.generation] for item in runtime.control.job_items(job.job_id)]
    receipt = sign_off(
        runtime,
        job,
        predicate,
        manifest=orjson.dumps([data["plan"], listed]),
        action="retention.apply",
        counts={"deleted": result["records"], "chunks": result["chunks"], "keys": keys},
        detail={"digest": data["plan"]["digest"]},
    )
    return runtime.control.finish_job(job.job_id, receipt=receipt, now_ms=completed_ms)


def keys_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Every epoch whose keys the job destroyed, those of rounds before the last one too (a hold was released then)."""
    earlier: list[dict[str, Any]] = data.get("before", {}).get("keys", [])
    return [*earlier, *data["keys"]]


def _removals(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What was seen around each removal, by collection. A later one looked for nothing that an earlier one removed, so
    it says nothing of that, and both are told."""
    earlier = [(str(collection), seen) for collection, seen in data.get("before", {}).get("collections", [])]
    return sorted([*earlier, *data["collections"].items()], key=lambda each: each[0])


def _exceptions(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Due records that stayed, by what keeps them: those the plan left out, and those held since."""
    held = Counter(data["held"]) + Counter(data["result"]["held"])
    stayed: list[dict[str, Any]] = [
        {"kind": "legal-hold", "ref": hold_id, "records": records} for hold_id, records in sorted(held.items())
    ]
    young = data["result"]["minimum"] + sum(each["kept_by_minimum"] for each in data["manifest"]["collections"])
    if young:
        stayed.append({"kind": "statutory-minimum", "ref": "", "records": young})
    return stayed


def _artefacts(data: dict[str, Any]) -> list[Artefact]:
    planned = {entry["collection"]: entry for entry in data["manifest"]["collections"]}
    made = [
        ProbeOutcome.from_json(seen).artefact(
            f"due points of collection {collection} ({seen['backend']})",
            method="delete by id, read back, purge by copy",
            counts=f"{planned[collection]['chunks']} in the manifest, those that went read back as absent by id",
        )
        for collection, seen in _removals(data)
    ]
    made += [
        key_artefact(
            entry,
            f"keys of collection {entry['collection']}, epoch {entry['epoch']}",
        )
        for entry in keys_of(data)
    ]
    return made + ([own_keys.artefact(data["documents"])] if data.get("documents") else [])
