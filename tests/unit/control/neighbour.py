"""A tenant beside the one that the tests are about, with the same records and people, for whom everything is otherwise:
held, kept by a minimum, erased, being erased, over its quota and in the middle of a batch. None of it is another's."""

from __future__ import annotations

import json

from securevec.control.jobs import SUBJECT_ERASE, Erasure
from securevec.control.rows import JobItem, NewRecord, RetentionRule
from securevec.control.store import ControlStore
from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, JANE, NOW, SAM, ref

NEIGHBOUR = TenantId("b7" * 16)
HOUSE = CollectionId("d7" * 16)
NUMBERS = range(1, 10)
KIM = b"kim".ljust(16, b".")
"""Known there, and in no record."""
PART = b"part".ljust(16, b".")


def move_in(store: ControlStore) -> None:
    """Their collection is there already."""
    late = NOW * 1_000
    for name, about in (("n-live", JANE), ("n-open", SAM)):
        store.begin_batch(
            tenant=NEIGHBOUR,
            collection=HOUSE,
            request_id=name,
            writer="w-neighbour",
            fence=1,
            rows=[NewRecord(ref(each), 7, b"n" * 16, None, "r0/never", NOW, 70, (about,)) for each in NUMBERS],
            lease_until_ms=late,
            now_ms=NOW,
        )
        if name == "n-live":
            store.commit_batch(request_id=name, fence=1)
            store.finish_batch(request_id=name)
    known = [(token, "PERSON") for token in (JANE, SAM, KIM)]
    store.add_tokens(NEIGHBOUR, known, [(PART, JANE, b"n-jane"), (PART, KIM, b"n-kim")])
    store.set_quota(NEIGHBOUR, max_points=1, max_bytes=1)
    for job_id, tokens in (("n-erased", [SAM]), ("n-erasing", [JANE])):
        store.begin_job(
            kind=SUBJECT_ERASE,
            tenant=NEIGHBOUR,
            job_id=job_id,
            request_id=job_id,
            fence=1,
            data=json.dumps({"tokens": [token.hex() for token in tokens], "shared": []}),
            items=lambda tx: [JobItem(place, ref(1), 1, 7, "delete") for place in (HOUSE, COLLECTION)],
            now_ms=NOW,
            erase=Erasure(tokens, late),
        )
    store.finish_job("n-erased", receipt=b"receipt", now_ms=NOW)
    store.put_rule(RetentionRule(NEIGHBOUR, "", "", b"", None, late, NOW), check=lambda rules, collections: None)
    for name, place, held, people in (
        ("n-all", None, None, ()),
        ("n-house", HOUSE, None, ()),
        ("n-one", HOUSE, ref(1), ()),
        ("n-jane", None, None, (JANE, SAM)),
    ):
        store.add_hold(name, NEIGHBOUR, place, held, b"sealed reason", NOW, subject=people)
    for event in store.outbox_pending():
        store.outbox_done(event.id)
