"""The way back: what was replaced in the texts of an answer, for who may reveal it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from securevec.errors import RecordNotFound, SecurevecError, VaultDisabled
from securevec.guard import admit
from securevec.points.body_format import decode_vault
from securevec.reading.hits import OriginalAt
from securevec.reading.judge import Judged, erased, judge
from securevec.reading.opening import fetch_only, open_envelope
from securevec.retention.rules import expired
from securevec.state.runtime import CollectionScope, Runtime


def originals_at(
    runtime: Runtime, collection: CollectionScope, places: Sequence[OriginalAt]
) -> Mapping[OriginalAt, str]:
    """Open the vaults of these places for an actor that may reveal; audited, and fenced before and after."""
    admission = admit(
        runtime, collection.scope, permission="reveal", action="restore", collection=collection.collection
    )
    try:
        if not collection.vault:
            raise VaultDisabled("This collection keeps no originals, so nothing can be restored.")
        ids = sorted({place.point for place in places})
        points = fetch_only(runtime, collection, ids)
        verdicts = judge(runtime, collection, points, where=admission.decision.row_filter)
        if len(verdicts.accepted) != len(ids):
            raise RecordNotFound("A record of this result was deleted, replaced or altered since the search.")
        keys = runtime.keys.view()
        vaults = {
            judged.point.id: decode_vault(open_envelope(keys, collection, judged.point, payload_key="v", path="vault"))
            for judged in verdicts.accepted
        }
        originals: dict[OriginalAt, str] = {}
        for place in places:
            vault = vaults[place.point]
            held = vault.spans if place.field is None else vault.fields.get(place.field)
            if held is None or place.index >= len(held):
                raise RecordNotFound("A value of this result is no longer kept.")
            originals[place] = held[place.index]
        _require_still_there(runtime, collection, verdicts.accepted)
        admission.recheck()
    except SecurevecError as error:
        admission.fenced(error)
        admission.failure(error)
        raise
    admission.note(counts={"restored": len(originals)}, record_ids=[judged.ref for judged in verdicts.accepted])
    return originals


def _require_still_there(runtime: Runtime, collection: CollectionScope, opened: Sequence[Judged]) -> None:
    """The last look before originals leave. Raises :class:`RecordNotFound` when a record was deleted, replaced or
    erased while they were read, or is due by now."""
    live = runtime.control.live(collection.collection, list({judged.ref for judged in opened})) if opened else {}
    # After the generations: one that was live then, and is redacted since, is one nobody hides any more.
    hidden = erased(runtime, collection, [(judged.ref, judged.body) for judged in opened])
    now_ms = runtime.clock.now_ms()
    for judged in opened:
        body = judged.body
        if (
            live.get(judged.ref) != body.generation
            or (judged.ref, body.generation) in hidden
            or expired(body.expires_ms, now_ms=now_ms)
        ):
            raise RecordNotFound(
                "A record of this result was deleted, replaced or erased while its originals were read."
            )
