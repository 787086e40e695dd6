"""The read journey, read top to bottom.

admit                     fence, policy (which may add a row filter)
anonymize the query       detector, then the tenant's known tokens: the same surrogates as in the stored text
embed                     AnonymizedText only
query                     namespace from the handle in hand, never from an argument; under each cloak that there is
judge each hit            open in this place; expiry, generation and filters on the sealed values; refill up to k
read chunk 0              for hits further into a record, whose fields lie there
recheck                   fence again: what was deleted meanwhile is not answered
audit (durable)           and only then the hits
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from securevec import limits
from securevec.errors import IsolationViolation, RecordNotFound, SecurevecError
from securevec.filters import Compare, Exists, Expr, Not, Or, all_of, matches
from securevec.guard import Admission, admit
from securevec.keys.keyview import KeyView
from securevec.points.body import Body, RecordId, chunk_view
from securevec.points.protect import EXPIRY_KEY
from securevec.reading.asking import ask, fused, ranked_again
from securevec.reading.cloaking import FETCH, scored_again
from securevec.reading.hits import Hit, SearchResult, record_of
from securevec.reading.judge import Asked, Judged, erased, judge
from securevec.reading.live import first_chunks, live_record
from securevec.reading.narrow import Narrow
from securevec.reading.question import Question, check_hybrid, check_k, hint_of, question_of
from securevec.reading.releasing import release
from securevec.reading.revealing import originals_at
from securevec.retention.rules import expired
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix, RecordRef

R = TypeVar("R", bound=Record)

_REFILL_FACTOR = 4
"""How much further each refill looks when hits were dropped."""


EVERYTHING = Narrow()

OVERTAKEN_TWICE = 2
"""How often a search that was overtaken by a replacement asks again: the store answered with what was live then, and
the manifest was read when it no longer was."""


def search(
    runtime: Runtime,
    collection: CollectionScope,
    text: str | None,
    *,
    record_class: type[R],
    where: Expr | None = None,
    k: int = 10,
    vector: Matrix | None = None,
    narrow: Narrow = EVERYTHING,
    hybrid: bool = False,
) -> SearchResult[R]:
    """The ``k`` nearest chunks to a query text, or to a given vector. See :meth:`Collection.search`."""
    k = check_k(k)
    check_hybrid(collection, hybrid, narrow)
    admission = admit(runtime, collection.scope, permission="search", action="search", collection=collection.collection)
    with admission.reading():
        question = question_of(runtime, collection, admission, text, vector, where, hybrid=hybrid)
        found = answer(runtime, collection, question, k, narrow, record_class)
        admission.recheck()
    return deliver(runtime, collection, admission, question, found)


@dataclass(frozen=True, slots=True, repr=False)
class Answer(Generic[R]):
    """The hits of one question, before they are audited."""

    hits: list[Hit[R]]
    refs: list[RecordRef]
    violations: int
    passed_over: int
    complete: bool
    keys: KeyView


def answer(
    runtime: Runtime, collection: CollectionScope, question: Question, k: int, narrow: Narrow, record_class: type[R]
) -> Answer[R]:
    """Ask the store and judge what it says. The caller rechecks its admission and only then delivers."""
    again = OVERTAKEN_TWICE
    while True:
        found = _ask(runtime, collection, question, k, narrow)
        whole, replaced = _still_live(runtime, collection, found.whole[:k], found.asked)
        if not (replaced and again):
            break
        again -= 1
    return Answer(
        hits=[_hit(collection, judged, first, record_class) for judged, first in whole],
        refs=[judged.ref for judged, _ in whole],
        violations=found.violations,
        passed_over=found.passed_over,
        complete=len(whole) == k or found.exhausted,
        keys=found.keys,
    )


def looked_at_again(
    runtime: Runtime,
    collection: CollectionScope,
    answers: Sequence[Answer[R]],
    ask_again: Callable[[int], Answer[R]],
) -> list[Answer[R]]:
    """Answers that waited for others: without what was deleted or erased since. One of which a record was replaced,
    which is there in another generation, is asked for again by its number."""
    looked, again = list(answers), OVERTAKEN_TWICE
    while True:
        kept, overtaken = _still_shown(runtime, collection, looked)
        if not (overtaken and again):
            return kept
        again -= 1
        for number in overtaken:
            looked[number] = ask_again(number)


def _still_shown(
    runtime: Runtime, collection: CollectionScope, answers: Sequence[Answer[R]]
) -> tuple[list[Answer[R]], list[int]]:
    """The answers as they may be shown now, and the numbers of those of which a record was replaced."""
    refs = list(dict.fromkeys(ref for found in answers for ref in found.refs))
    live = runtime.control.live(collection.collection, refs) if refs else {}
    hidden: set[tuple[bytes, int]] = set()
    if refs and runtime.control.fence(collection.tenant).tombstoned:
        hidden = runtime.control.hidden_records(collection.tenant, collection.collection, refs)
    shown: list[Answer[R]] = []
    overtaken: list[int] = []
    for number, found in enumerate(answers):
        pairs = list(zip(found.hits, found.refs, strict=True))
        kept = [
            (hit, ref) for hit, ref in pairs if live.get(ref) == hit.generation and (ref, hit.generation) not in hidden
        ]
        shown.append(replace(found, hits=[hit for hit, _ in kept], refs=[ref for _, ref in kept]))
        if any(live.get(ref, hit.generation) != hit.generation for hit, ref in pairs):
            overtaken.append(number)
    return shown, overtaken


def deliver(
    runtime: Runtime, collection: CollectionScope, admission: Admission, question: Question, found: Answer[R]
) -> SearchResult[R]:
    """Audit an answer, durably, and hand it out."""
    admission.note(
        counts={"hits": len(found.hits), "violations": found.violations, "dropped": found.passed_over},
        redactions=question.redactions,
        record_ids=found.refs,
        query=question.audit_key,
        keys=found.keys,
    )
    return SearchResult(
        found.hits,
        violations=found.violations,
        complete=found.complete,
        request_id=admission.request_id,
        restorer=lambda places: originals_at(runtime, collection, places),
        releaser=partial(release, runtime, collection),
    )


def get(runtime: Runtime, collection: CollectionScope, record_id: RecordId, *, record_class: type[R]) -> R:
    """One record by id. Raises :class:`RecordNotFound`, and :class:`IsolationViolation` when it was altered."""
    admission = admit(runtime, collection.scope, permission="get", action="get", collection=collection.collection)
    row_filter = admission.decision.row_filter
    try:
        ref = collection.record_ref(runtime, record_id)
        body = live_record(runtime, collection, ref)
        if row_filter is not None and not matches(row_filter, body.filters):
            raise RecordNotFound("The collection has no such record.")
        record = record_of(collection, body, record_class)
        row = runtime.control.current(collection.collection, [ref]).get(ref)
        if row is None or row.generation != body.generation or erased(runtime, collection, [(ref, body)]):
            raise RecordNotFound("The record was deleted or replaced while it was read.")
        if expired(body.expires_ms, now_ms=runtime.clock.now_ms()):
            raise RecordNotFound("The record fell due while it was read.")
        admission.recheck()
    except SecurevecError as error:
        admission.fenced(error)
        admission.failure(error)
        raise
    admission.note(counts={"hits": 1}, record_ids=[ref])
    return record


@dataclass(frozen=True, slots=True)
class _Found:
    """Accepted points with the first chunk of their record, best first, what became of the others, and the look at the
    key store they were opened under."""

    whole: list[tuple[Judged, Body]]
    violations: int
    passed_over: int
    exhausted: bool
    keys: KeyView
    asked: Asked | None
    """What the manifest said of them, where there were any."""


def _ask(runtime: Runtime, collection: CollectionScope, question: Question, k: int, narrow: Narrow) -> _Found:
    """Query and judge, looking further until ``k`` whole hits passed or the store has no more."""
    hint, due_stand_in_the_way = question.hint, False
    cloaks = collection.cloaks(runtime)
    noisy = collection.cloak is not None and bool(collection.cloak.noise) and question.words is None
    limit = min((k * FETCH if noisy else k) + narrow.ahead, limits.MAX_K * _REFILL_FACTOR)
    again = OVERTAKEN_TWICE
    while True:
        pushed = _not_due(hint.pushed, now_ms=runtime.clock.now_ms()) if due_stand_in_the_way else hint.pushed
        shown = ask(runtime, collection, question, hint, pushed, cloaks, limit=limit)
        if not shown.points and pushed is None and _has_records(runtime, collection):
            # What was written since is there when it is asked for again; what was deleted is in no manifest by then.
            if not again:
                raise IsolationViolation(
                    "The store shows nothing of a collection whose manifest names records as live.",
                    next_step="Put the store's files back from a backup, or ingest again.",
                )
            again -= 1
            continue
        keys = runtime.keys.view()
        if cloaks is not None and cloaks.numbers != keys.cloak_versions(collection.tenant, collection.collection):
            # The cloak's key began to be exchanged, or was, after the question was put: what moved was not asked for.
            cloaks = collection.cloaks(runtime)
            continue
        if hint.keys is not None and hint.keys != (
            current := keys.filter_keys(collection.tenant, collection.collection)
        ):
            # A re-indexing began after the question was put in the store's terms: what it rewrote was not asked for.
            hint = hint_of(runtime, collection, question.where, current)
            continue
        verdicts = judge(
            runtime, collection, shown.points, where=question.where, hint=hint.pushed, keys=keys, under=hint.keys
        )
        accepted, astray = shown.in_place(verdicts.accepted)
        if cloaks is not None and ranked_again(question, cloaks):
            accepted = fused(runtime, collection, question, hint, accepted, limit=limit)
        whole, halves = _with_first_chunks(runtime, collection, accepted)
        violations = verdicts.violations + halves + astray
        if violations * 2 > verdicts.examined:
            raise IsolationViolation(
                "More than half of what the store returned does not belong to this tenant and collection.",
                next_step="Stop writing to this store and run: securevec audit tail",
            )
        if (verdicts.overtaken or verdicts.outlived) and again:
            again -= 1
            continue
        if noisy:
            whole = scored_again(runtime, collection, [asked.vector for asked in question.wordings], whole)
        whole = narrow.keep(whole)
        exhausted = shown.exhausted(narrow, cloaks)
        if len(whole) >= k or exhausted or limit >= limits.MAX_K * _REFILL_FACTOR:
            return _Found(whole, violations, verdicts.passed_over, exhausted, keys, verdicts.asked)
        limit = min(limit * _REFILL_FACTOR, limits.MAX_K * _REFILL_FACTOR)
        if verdicts.passed_over and runtime.backend().capabilities.cheap_range_filter:
            due_stand_in_the_way = True


def _has_records(runtime: Runtime, collection: CollectionScope) -> bool:
    now_ms = runtime.clock.now_ms()
    return bool(runtime.control.live_after(collection.collection, b"", limit=1, now_ms=now_ms))


def _not_due(pushed: Expr | None, *, now_ms: int) -> Expr:
    """The filter, and not due by the hint in the store's own copy.

    Asked for only where due records stood in the way: the retention job removes them, so a search seldom meets one and
    should not pay for a condition on every point.
    """
    lasting = Or((Not(Exists(EXPIRY_KEY)), Compare(EXPIRY_KEY, "gt", now_ms)))
    return lasting if pushed is None else all_of([pushed, lasting])


def _with_first_chunks(
    runtime: Runtime, collection: CollectionScope, accepted: Sequence[Judged]
) -> tuple[list[tuple[Judged, Body]], int]:
    """Each point with the first chunk of its record, and how many lack it though the record is live.

    Half a record is not an answer. One that was replaced or deleted since has lost its first chunk by right.
    """
    firsts = first_chunks(runtime, collection, accepted)
    whole: list[tuple[Judged, Body]] = []
    halves: list[Judged] = []
    for judged in accepted:
        first = judged.body if judged.body.chunk == 0 else firsts.get((judged.ref, judged.body.generation))
        if first is None:
            halves.append(judged)
        else:
            whole.append((judged, first))
    live = runtime.control.live(collection.collection, [half.ref for half in halves]) if halves else {}
    hidden = erased(runtime, collection, [(half.ref, half.body) for half in halves])
    lacking = [(half.ref, half.body.generation) for half in halves if live.get(half.ref) == half.body.generation]
    return whole, sum(each not in hidden for each in lacking)


def _still_live(
    runtime: Runtime, collection: CollectionScope, whole: Sequence[tuple[Judged, Body]], asked: Asked | None
) -> tuple[list[tuple[Judged, Body]], bool]:
    """Without the records that were deleted, replaced or erased while this search ran, or are due by now; and whether
    one was replaced, which is there in another generation.

    The manifest is read anew, unless nobody has committed anything since it was ``asked``.
    """
    if not whole:
        return [], False
    version = runtime.control.version()
    if asked is not None and version == asked.version:
        live = asked.live()
    else:
        live = runtime.control.live(collection.collection, [judged.ref for judged, _ in whole])
    hidden = erased(runtime, collection, [(judged.ref, judged.body) for judged, _ in whole], version=version)
    now_ms = runtime.clock.now_ms()
    kept = [
        (judged, first)
        for judged, first in whole
        if live.get(judged.ref) == judged.body.generation
        and (judged.ref, judged.body.generation) not in hidden
        and not expired(judged.body.expires_ms, now_ms=now_ms)
    ]
    return kept, any(live.get(judged.ref, judged.body.generation) != judged.body.generation for judged, _ in whole)


def _hit(collection: CollectionScope, judged: Judged, first: Body, record_class: type[R]) -> Hit[R]:
    text, spans = chunk_view(judged.body, collection.embedded_fields)
    body, point = judged.body, judged.point
    # In the order of the fields: naming them takes as long as all else here.
    return Hit(
        body.record_id,
        point.score,
        record_of(collection, first, record_class),
        text,
        body.chunk,
        body.chunks,
        point.id,
        body.generation,
        spans,
    )
