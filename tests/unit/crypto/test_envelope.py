"""Round trips and limits of the envelope; attacks on it are in tests/attacks/test_p4_envelope.py."""

from __future__ import annotations

import os
import pickle
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.crypto.armour import from_text, to_text
from securevec.crypto.context import Place, aad
from securevec.crypto.envelope import (
    DataKey,
    SubjectKey,
    data_key,
    open_sealed,
    read_key_id,
    seal,
    seal_batch,
)
from securevec.crypto.header import SUBJECT_BOUND, header_bytes, overhead
from securevec.crypto.padding import pad, unpad
from securevec.crypto.secret import Secret
from securevec.errors import EnvelopeRejected, LimitExceeded, UsageError
from securevec.limits import MAX_RECORD_BYTES

TENANT, COLLECTION = os.urandom(16), os.urandom(16)


def make_key(suite: int = 1, secret: Secret | None = None, key_id: bytes | None = None) -> DataKey:
    return data_key(
        secret or Secret.random(),
        key_id=key_id or os.urandom(16),
        tenant=TENANT,
        collection=COLLECTION,
        purpose="body",
        epoch="r0/never",
        suite=suite,
    )


KEY = make_key()
OF_SUITE = {suite: make_key(suite) for suite in (1, 2, 3, 4)}
SUITES = pytest.mark.parametrize("suite", [1, 2, 3, 4])


def at(point: UUID, field: str = "body") -> Place:
    return Place(tenant=TENANT, collection=COLLECTION, point=point, field=field)


@given(st.binary(max_size=4096), st.uuids(), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, point: UUID, field: str) -> None:
    blob = seal(KEY, plaintext, at(point, field))
    assert len(blob) == len(plaintext) + 52
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


@pytest.mark.parametrize("suite", [1, 2])
def test_a_value_over_the_limit_is_not_opened_under_a_persons_key_either(suite: int) -> None:
    place, key, person = at(uuid4()), OF_SUITE[suite], SubjectKey(os.urandom(16), Secret.random())
    header = header_bytes(suite, SUBJECT_BOUND, key.key_id, person.key_id)
    nonce = os.urandom(key._nonce)
    sealed = key._cipher(suite, person).encrypt(nonce, bytes(MAX_RECORD_BYTES + 1), aad(header, place, key.epoch))
    with pytest.raises(EnvelopeRejected):
        open_sealed(key, header + nonce + sealed, place, subject=person)


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


@SUITES
@given(plaintext=st.binary(max_size=200), point=st.uuids())
def test_every_suite_opens_what_it_sealed_and_adds_what_the_page_says(
    suite: int, plaintext: bytes, point: UUID
) -> None:
    key, place = OF_SUITE[suite], at(point)
    one, (other,) = seal(key, plaintext, place), seal_batch(key, [(plaintext, place)])
    added = {1: 52, 2: 96, 3: 52, 4: 52}[suite]
    assert len(one) == len(other) == len(plaintext) + added == len(plaintext) + overhead(suite)
    assert open_sealed(key, one, place) == open_sealed(key, other, place) == plaintext


def test_a_key_that_seals_in_one_suite_opens_what_it_sealed_in_others() -> None:
    """Mixed versions are readable: a suite changes with the next write, and what is stored stays."""
    secret, key_id, place = Secret.random(), os.urandom(16), at(uuid4())
    keys = [make_key(suite, secret, key_id) for suite in (1, 2, 3, 4)]
    for sealing in keys:
        blob = seal(sealing, b"value", place)
        assert [open_sealed(opening, blob, place) for opening in keys] == [b"value"] * 4


@SUITES
def test_a_subjects_value_needs_the_subjects_key_besides(suite: int) -> None:
    key, place = OF_SUITE[suite], at(uuid4())
    subject, other = (SubjectKey(os.urandom(16), Secret.random()) for _ in range(2))
    blob = seal(key, b"value", place, subject=subject)
    assert len(blob) == 5 + overhead(suite, subject=True)
    assert open_sealed(key, blob, place, subject=subject) == b"value"
    unbound = seal(key, b"value", place)
    for blob_, held in (
        (blob, None),
        (blob, other),
        (blob, SubjectKey(subject.key_id, Secret.random())),
        (blob, SubjectKey(other.key_id, subject.secret)),
        (unbound, subject),
        # The subject's id cut out, and put in.
        (header_bytes(suite, 0, key.key_id) + blob[40:], None),
        (header_bytes(suite, SUBJECT_BOUND, key.key_id, subject.key_id) + unbound[24:], subject),
    ):
        with pytest.raises(EnvelopeRejected):
            open_sealed(key, blob_, place, subject=held)


def test_a_subject_key_hides_and_does_not_travel() -> None:
    subject = SubjectKey(os.urandom(16), Secret.random())
    assert "hidden" in repr(subject)
    with pytest.raises(TypeError):
        pickle.dumps(subject)


@given(st.binary(max_size=300))
def test_padding_comes_off_as_it_went_on(plaintext: bytes) -> None:
    padded = pad(plaintext, "power-of-two")
    assert len(padded) in {64, 128, 256, 512}
    assert unpad(padded) == plaintext
    assert unpad(pad(plaintext, 301)) == plaintext
    assert len(pad(plaintext, 301)) == 301


@pytest.mark.parametrize("size", [0, 63, 64, 127, MAX_RECORD_BYTES - 1])
def test_padding_hides_the_length_up_to_the_next_power_of_two(size: int) -> None:
    padded = pad(bytes(size), "power-of-two")
    assert len(padded) == min(max(64, 1 << size.bit_length()), MAX_RECORD_BYTES)


def test_padded_values_of_unlike_lengths_are_sealed_alike_and_open() -> None:
    places = [at(uuid4()) for _ in range(3)]
    values = [b"", b"a longer value", b"x" * 63]
    blobs = seal_batch(KEY, list(zip(values, places, strict=True)), padding="power-of-two")
    assert {len(blob) for blob in blobs} == {64 + 52}
    assert [open_sealed(KEY, blob, place) for blob, place in zip(blobs, places, strict=True)] == values
    with pytest.raises(EnvelopeRejected):
        open_sealed(KEY, blobs[0][:5] + b"\0" + blobs[0][6:], places[0])


@pytest.mark.parametrize("padding", [0, -1, True, MAX_RECORD_BYTES + 1, "power of two", 3.5, None])
def test_a_padding_that_is_none_is_refused(padding: object) -> None:
    with pytest.raises(UsageError):
        pad(b"value", padding)  # type: ignore[arg-type]  # the wrong type is what is tested


@pytest.mark.parametrize(("size", "to"), [(10, 10), (11, 10), (MAX_RECORD_BYTES, MAX_RECORD_BYTES)])
def test_a_value_that_leaves_no_room_for_padding_is_refused(size: int, to: int) -> None:
    with pytest.raises(LimitExceeded):
        pad(bytes(size), to)


@pytest.mark.parametrize("padded", [b"", bytes(64), b"value", b"value\x80\0\x01"])
def test_what_was_never_padded_is_refused(padded: bytes) -> None:
    with pytest.raises(EnvelopeRejected):
        unpad(padded)
