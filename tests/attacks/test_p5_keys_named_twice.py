"""P5: a row that names the key of another row, beside that row, makes the key into nothing it was not.

A row says which key it holds, and a row that does not open is looked up again by that id, since another process may
have wrapped it anew. Whoever edits the file may give two rows one id.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.errors import KeyRejected
from securevec.types import CollectionId
from tests.support.keybench import EPOCH, Bench

LATER = "r0/later"


def plant(bench: Bench, use: KeyUse, like: KeyRow, *, wrapping_id: bytes | None = None) -> None:
    """In the place of the active row of ``use``, one that names the key of ``like``."""
    store = bench.ring._store
    with store.transaction():
        there = store.active(use)
        if there is not None:
            store.drop(there)
        store.insert(replace(like, use=use, wrapping_id=like.wrapping_id if wrapping_id is None else wrapping_id))
    bench.ring._open.forget()


def row_of(bench: Bench, use: KeyUse) -> KeyRow:
    row = bench.ring._store.active(use)
    assert row is not None
    return row


def of_acme(bench: Bench, kind: str, purpose: str, collection: bytes = b"", epoch: str = "") -> KeyUse:
    return KeyUse(kind, purpose, bytes.fromhex(bench.acme), collection, epoch)


def test_a_key_of_a_tenant_is_not_taken_for_another_by_a_row_that_seems_wrapped_anew(bench: Bench) -> None:
    audit = of_acme(bench, "tenant", "audit")
    plant(bench, audit, row_of(bench, of_acme(bench, "tenant", "token")), wrapping_id=bytes(16))
    with pytest.raises(KeyRejected):
        bench.ring.tenant_key(bench.acme, "audit")


def test_a_key_of_the_installation_is_not_taken_for_another_either(bench: Bench) -> None:
    actors = KeyUse("installation", "actors")
    plant(bench, actors, row_of(bench, KeyUse("installation", "names")), wrapping_id=bytes(8))
    with pytest.raises(KeyRejected):
        bench.ring.installation_key("actors")


def test_nothing_of_a_tenant_is_wrapped_under_the_key_of_another_tenant(bench: Bench) -> None:
    theirs = row_of(bench, KeyUse("kek", "kek", bytes.fromhex(bench.globex)))
    plant(bench, of_acme(bench, "kek", "kek"), theirs, wrapping_id=bytes(8))
    with pytest.raises(KeyRejected):
        bench.ring.create_filter_key(bench.acme, CollectionId("ab" * 16))


def test_the_number_of_the_list_of_models_is_not_lowered_with_another_key(bench: Bench) -> None:
    bench.ring.keep_models(5)
    store, other = bench.ring._store, row_of(bench, KeyUse("installation", "names"))
    with store.transaction():
        store.drop(row_of(bench, KeyUse("installation", "models", epoch="5")))
    plant(bench, KeyUse("installation", "models", epoch="3"), other, wrapping_id=bytes(8))
    with pytest.raises(KeyRejected):
        bench.ring.models_seen()


@pytest.mark.parametrize(
    ("purpose", "epoch"), [("body", LATER), ("vault", EPOCH)], ids=["another epoch", "another purpose"]
)
@pytest.mark.parametrize("opened", [True, False], ids=["the key is open", "it is not"])
def test_nothing_is_sealed_for_one_epoch_or_purpose_under_the_key_of_another(
    bench: Bench, purpose: str, epoch: str, opened: bool
) -> None:
    collection = bytes.fromhex(bench.collection)
    own = row_of(bench, of_acme(bench, "dek", "body", collection, EPOCH))
    plant(bench, of_acme(bench, "dek", purpose, collection, epoch), own)
    if opened:
        bench.ring.key_by_id(bench.key_id)
    with pytest.raises(KeyRejected):
        bench.ring.data_key(bench.acme, bench.collection, "body" if purpose == "body" else "vault", epoch)


@pytest.mark.parametrize("opened", [True, False], ids=["the key is open", "it is not"])
def test_nothing_of_a_person_is_bound_to_the_key_of_another(bench: Bench, opened: bool) -> None:
    anna, bert = b"a" * 16, b"b" * 16
    key = bench.ring.subject_keys(bench.acme, [anna])[anna]
    own = row_of(bench, of_acme(bench, "subject", "subject", anna))
    plant(bench, of_acme(bench, "subject", "subject", bert), own)
    if opened:
        bench.ring.bound_key(key.key_id)
    with pytest.raises(KeyRejected):
        bench.ring.subject_keys(bench.acme, [bert])


def test_no_generation_of_a_record_is_bound_to_the_key_of_the_one_before(bench: Bench) -> None:
    ref = b"r" * 16
    bench.ring.document_keys(bench.acme, {ref: 1})
    own = row_of(bench, of_acme(bench, "document", "document", ref, "1"))
    plant(bench, of_acme(bench, "document", "document", ref, "2"), own)
    with pytest.raises(KeyRejected):
        bench.ring.document_keys(bench.acme, {ref: 2})
