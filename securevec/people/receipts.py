"""What the receipt of a person's erasure says, artefact by artefact. It names nobody: subjects are keyed references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from securevec.control.rows import JobRow
from securevec.proof import own_keys
from securevec.proof.purging import ProbeOutcome
from securevec.proof.receipt import Artefact, control_rows
from securevec.proof.shredding import in_backups
from securevec.state.runtime import Runtime

_COPIES = "copies of the store's files taken before completed_ms"


def predicate(runtime: Runtime, job: JobRow, data: Mapping[str, Any], listed: Sequence[Artefact]) -> dict[str, object]:
    """The predicate (docs/formats.md 8), but for what every receipt has. The job's data is what it was when the last
    step began."""
    manifest: Mapping[str, Any] = data["manifest"]
    # Of the keys that died with it: `receipt verify` says what became of the root key they stood under.
    root = data["keys"].get("root") or data["documents"].get("root")
    return {
        "kind": "subject",
        "requested_ms": data["requested"]["ms"],
        "effective_ms": job.created_ms,
        "fenced_until_ms": data["until_ms"],
        "completed_ms": runtime.clock.now_ms(),
        "actor": data["requested"]["by"],
        "subjects": list(data["subjects"]),
        "names_included": data["names"],
        "manifest": {
            "deleted": sum(entry["deleted"]["records"] for entry in manifest.values()),
            "redacted": sum(entry["redacted"]["records"] for entry in manifest.values()),
            "chunks": sum(entry[what]["chunks"] for entry in manifest.values() for what in ("deleted", "redacted")),
            "collections": len(manifest),
        },
        "artefacts": [artefact.to_json() for artefact in listed],
        **({"root": root} if root else {}),
    }


def artefacts(data: Mapping[str, Any]) -> list[Artefact]:
    """One entry per thing, from the manifest, the purges and what was read back."""
    listed: list[Artefact] = []
    for collection, entry in data["manifest"].items():
        outcome = ProbeOutcome.from_json(data["purges"][collection])
        listed += _of_collection(collection, entry, outcome, data["kept"].get(collection, 0))
    listed.append(
        control_rows(
            "control rows and subject tokens",
            scrubbed=data["scrubbed"],
            residual="the tombstones (keyed tokens), which refuse writes until fenced_until_ms and hide what was there "
            "before; copies of control.db taken earlier hold keyed references",
        )
    )
    shredded = data["keys"]["destroyed"] if "keys" in data else []
    if shredded:
        listed.append(_subject_keys(data["keys"]))
    if data.get("documents"):
        listed.append(own_keys.artefact(data["documents"]))
    listed.append(
        Artefact(
            artefact="data keys",
            method="none: they also seal other people's records",
            verdict="kept",
            evidence="what they sealed for the erased records was removed instead, as said above",
            residual=f"{_COPIES} open with these keys until the keys die with their expiry bucket or the tenant"
            + (", except what was bound to the destroyed subject keys" if shredded else ""),
        )
    )
    if data["others"]:
        listed.append(
            Artefact(
                artefact="other collections of the tenant",
                method="none: no record there is about the subject or mentions them",
                verdict="unverified",
                evidence=f"{data['others']} collections hold none of the subject's tokens; their files were not read",
                residual="bytes of records that were replaced or deleted there earlier, until a purge",
            )
        )
    if data["by_name_only"]:
        listed.append(
            Artefact(
                artefact="records that match by a name only",
                method="none: a name may be several people's",
                verdict="kept",
                evidence=f"{data['by_name_only']} records mention the name and no identifier",
                residual="they are erased on request: include_name_matches",
            )
        )
    return listed


def _subject_keys(keys: Mapping[str, Any]) -> Artefact:
    planned, destroyed = len(keys["planned"]), len(keys["destroyed"])
    return Artefact(
        artefact="subject keys",
        method="cryptographic erase (NIST SP 800-88r2): rows deleted, VACUUM, search for the wrapped bytes",
        verdict="removed from live files" if destroyed >= planned else "unverified",
        evidence=f"{destroyed} of {max(planned, destroyed)} keys; {keys['evidence']}; destroyed at {keys['ms']} ms, "
        "before anything was deleted",
        residual=f"{in_backups(keys.get('root'))}; records that mention the subject are sealed under other keys",
    )


def _of_collection(collection: str, entry: Mapping[str, Any], outcome: ProbeOutcome, kept: int) -> list[Artefact]:
    deleted, redacted = entry["deleted"], entry["redacted"]
    place = f"collection {collection} ({outcome.backend})"
    chunks = deleted["chunks"] + redacted["chunks"]
    counts = f"{chunks} points of {deleted['records']} records about and {redacted['records']} mentioning; 0 left"
    # A plan of an earlier build did not look.
    before, cut = deleted.get("before", 0), redacted.get("before", 0)
    points = outcome.artefact(
        f"points of {place}: sealed bodies, vault originals and vectors",
        method="delete by id, purge, read back",
        counts=counts + (f"; {before + cut} of the records others had dealt with before" if before + cut else ""),
    )
    listed = [points]
    if redacted["records"]:
        lost = redacted["records"] - kept
        listed.append(
            Artefact(
                artefact=f"mentions in {place}",
                method="replaced by [ERASED] from the span table, embedded again as a new generation",
                verdict=points.verdict,
                evidence=f"{kept} records stored again without the subject, {lost} removed as a whole"
                + (f"; {cut} of these by others, before this erasure came to them" if cut else ""),
                residual="what the detector did not find in these texts was not replaced",
            )
        )
    return listed
