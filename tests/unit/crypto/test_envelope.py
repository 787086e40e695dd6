"""Round trips and limits of the envelope; attacks on it are in tests/attacks/test_p4_envelope.py."""

from __future__ import annotations

import os
import pickle
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.crypto.context import Place, aad
from securevec.crypto.envelope import (
    OVERHEAD,
    DataKey,
    data_key,
    from_text,
    open_sealed,
    read_key_id,
    seal,
    seal_batch,
    to_text,
)
from securevec.crypto.secret import Secret
from securevec.errors import EnvelopeRejected, LimitExceeded, UsageError
from securevec.limits import MAX_RECORD_BYTES

TENANT, COLLECTION = os.urandom(16), os.urandom(16)


def make_key() -> DataKey:
    return data_key(
        Secret.random(),
        key_id=os.urandom(16),
        tenant=TENANT,
        collection=COLLECTION,
        purpose="body",
        epoch="r0/never",
    )


KEY = make_key()


def at(point: UUID, field: str = "body") -> Place:
    return Place(tenant=TENANT, collection=COLLECTION, point=point, field=field)


@given(st.binary(max_size=4096), st.uuids(), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, point: UUID, field: str) -> None:
    blob = seal(KEY, plaintext, at(point, field))
    assert len(blob) == len(plaintext) + OVERHEAD == len(plaintext) + 52
    assert read_key_id(blob) == KEY.key_id
    assert open_sealed(KEY, from_text(to_text(blob)), at(point, field)) == plaintext


@given(st.lists(st.tuples(st.binary(max_size=64), st.uuids(), st.sampled_from(["body", "vault"])), max_size=20))
def test_a_batch_opens_one_by_one(items: list[tuple[bytes, UUID, str]]) -> None:
    placed = [(plaintext, at(point, field)) for plaintext, point, field in items]
    blobs = seal_batch(KEY, placed)
    assert [open_sealed(KEY, blob, place) for blob, (_, place) in zip(blobs, placed, strict=True)] == [
        plaintext for plaintext, _ in placed
    ]
    assert len({blob[24:36] for blob in blobs}) == len(blobs)


def test_the_cached_parts_of_the_aad_are_the_whole_aad() -> None:
    place = at(uuid4(), "vault")
    blob = seal(KEY, b"value", place)
    bound = aad(blob[:24], place, KEY.epoch)
    assert KEY._aead.decrypt(blob[24:36], blob[36:], bound) == b"value"


@pytest.mark.parametrize("size", [0, 1, MAX_RECORD_BYTES])
def test_every_size_up_to_the_limit_opens(size: int) -> None:
    place = at(uuid4())
    assert len(open_sealed(KEY, seal(KEY, bytes(size), place), place)) == size


def test_a_value_over_the_limit_is_not_sealed_and_not_opened() -> None:
    place = at(uuid4())
    with pytest.raises(LimitExceeded):
        seal(KEY, bytes(MAX_RECORD_BYTES + 1), place)
    with pytest.raises(LimitExceeded):
        seal_batch(KEY, [(b"small", place), (bytes(MAX_RECORD_BYTES + 1), place)])
    nonce = os.urandom(12)
    sealed = KEY._aead.encrypt(nonce, bytes(MAX_RECORD_BYTES + 1), aad(KEY._header, place, KEY.epoch))
    with pytest.raises(EnvelopeRejected):
        open_sealed(KEY, KEY._header + nonce + sealed, place)


def test_a_key_seals_only_for_its_own_tenant_and_collection() -> None:
    for place in (
        Place(tenant=os.urandom(16), collection=COLLECTION, point=uuid4(), field="body"),
        Place(tenant=TENANT, collection=os.urandom(16), point=uuid4(), field="body"),
    ):
        with pytest.raises(UsageError):
            seal(KEY, b"value", place)
        with pytest.raises(UsageError):
            seal_batch(KEY, [(b"value", place)])


def test_a_data_key_hides_and_does_not_travel() -> None:
    assert KEY.key_id.hex() not in repr(KEY)
    assert "hidden" in repr(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
