"""Texts of an answer handed out for a model: allowed by the list of models, read again, and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from securevec.egress.gate import require_model
from securevec.errors import RecordNotFound, SecurevecError, UsageError
from securevec.guard import Admission, admit
from securevec.keys.keyview import KeyView
from securevec.points.body import chunk_view
from securevec.policy.models import Use
from securevec.reading.hits import Hit
from securevec.reading.judge import erased, judge
from securevec.reading.opening import fetch_only
from securevec.reading.released import Released, ReleasedText, Wish
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef


def release(
    runtime: Runtime,
    collection: CollectionScope,
    wish: Wish,
    hits: Sequence[Hit[Record]],
    worded: Callable[[], Sequence[str]],
    separator: str,
) -> Released:
    """See :meth:`SearchResult.for_model`. ``worded`` says the hits' texts as they are to leave, one each, in order.

    The list is asked before anything is read, and again before anything is handed out.
    """
    named: dict[str, Any] = {"model": wish.model, "purpose": wish.purpose}  # callers may be untyped
    for name, said in named.items():
        if type(said) is not str or not said.strip():
            raise UsageError(
                f"A release names its {name}.", next_step='For example for_model("gpt-5", purpose="chat").'
            )
    scope = replace(collection.scope, actor=replace(collection.scope.actor, purpose=wish.purpose))
    use = Use(
        wish.model,
        "chat",
        collection.tenant,
        collection.classification,
        originals=wish.originals,
        provider=wish.provider,
        region=wish.region,
    )
    admission = admit(runtime, scope, permission="release", action="release", collection=collection.collection)
    detail: dict[str, str | int | bool] = {"model": runtime.names.model_token(wish.model), "revealed": wish.originals}
    try:
        require_model(runtime, use, collection.collection)
        # Originals are read here, where they are asked for.
        texts = tuple(ReleasedText(hit.id, text) for hit, text in zip(hits, worded(), strict=True))
        refs, keys = _still_so(runtime, collection, admission, hits)
        require_model(runtime, use, collection.collection)
        admission.recheck()
    except SecurevecError as error:
        admission.fenced(error)
        admission.failure(error, detail=detail)
        raise
    admission.note(
        counts={"hits": len(texts), "characters": sum(len(each.text) for each in texts)},
        record_ids=refs,
        detail=detail,
        keys=keys,
    )
    prompt = separator.join(each.text for each in texts)
    return Released(wish.model, texts, prompt, wish.originals, admission.request_id)


def _still_so(
    runtime: Runtime, collection: CollectionScope, admission: Admission, hits: Sequence[Hit[Record]]
) -> tuple[list[RecordRef], KeyView]:
    """The refs of the hits' records, once each hit says what its point says, opened here and now.

    Raises :class:`RecordNotFound` for a hit of somewhere else, for one that was altered since it was found, and for a
    record that was deleted, replaced, erased, or has expired since.
    """
    keys = runtime.keys.view()
    if not hits:
        return [], keys
    points = fetch_only(runtime, collection, sorted({hit.point for hit in hits}))
    verdicts = judge(runtime, collection, points, where=admission.decision.row_filter, keys=keys)
    found = {judged.point.id: judged for judged in verdicts.accepted}
    # Asked after the points were read: what was deleted or erased meanwhile does not leave.
    gone = erased(runtime, collection, [(judged.ref, judged.body) for judged in verdicts.accepted])
    live = runtime.control.live(collection.collection, [judged.ref for judged in verdicts.accepted])
    for hit in hits:
        judged = found.get(hit.point)
        if (
            judged is None
            or (judged.ref, judged.body.generation) in gone
            or live.get(judged.ref) != judged.body.generation
        ):
            raise RecordNotFound(
                "A record of this result was deleted, replaced or altered since the search.",
                next_step="Search again, and release what is found then.",
            )
        text, spans = chunk_view(judged.body, collection.embedded_fields)
        if (hit.id, hit.text, hit.spans) != (judged.body.record_id, text, spans):
            raise RecordNotFound(
                "A hit does not say what the collection holds there.", next_step="Release hits as they were found."
            )
    return [judged.ref for judged in verdicts.accepted], keys
