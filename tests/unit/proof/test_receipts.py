"""P5: a receipt is believed only as it was issued, by the key that was pinned, and only if it is a receipt."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from securevec.audit import Keychain
from securevec.crypto.secret import Secret
from securevec.crypto.sign import SigningKey
from securevec.errors import ReceiptInvalid
from securevec.proof.receipt import MAX_RECEIPT_BYTES, issue, read, sign, statement, unverified

KEY = SigningKey(Secret(bytes(range(32))))
OTHER = SigningKey(Secret(bytes(range(1, 33))))
PREDICATE: dict[str, object] = {"tenant": "a1" * 16, "job": "j-1", "kind": "tenant", "artefacts": []}
RECEIPT = issue(PREDICATE, manifest=b"what was to be deleted", key=KEY)


def refuse(data: bytes, public: bytes = KEY.public) -> None:
    with pytest.raises(ReceiptInvalid):
        read(data, public=public)


def changed(**members: Any) -> bytes:
    """The envelope with other members; ``None`` takes one out."""
    envelope = {**orjson.loads(RECEIPT), **members}
    return orjson.dumps({name: value for name, value in envelope.items() if value is not None})


def test_a_receipt_is_read_as_it_was_issued() -> None:
    found = read(RECEIPT, public=KEY.public)
    assert found.predicate == PREDICATE
    assert read(changed(), public=KEY.public).predicate == PREDICATE, "how the envelope is laid out says nothing"


def test_every_changed_byte_of_what_is_signed_is_noticed() -> None:
    payload = base64.b64decode(orjson.loads(RECEIPT)["payload"])
    for at in range(len(payload)):
        forged = bytearray(payload)
        forged[at] ^= 1
        refuse(changed(payload=base64.b64encode(forged).decode()))


def test_another_key_does_not_sign_for_the_pinned_one() -> None:
    refuse(RECEIPT, OTHER.public)
    (entry,) = orjson.loads(issue(PREDICATE, manifest=b"", key=OTHER))["signatures"]
    (mine,) = orjson.loads(RECEIPT)["signatures"]
    refuse(changed(signatures=[{**entry, "keyid": mine["keyid"]}]))
    refuse(changed(signatures=[entry, mine]))
    refuse(changed(signatures=[mine, mine]))
    refuse(changed(signatures=[]))


@pytest.mark.parametrize(
    "members",
    [
        {"payloadType": "application/json"},
        {"payloadType": None},
        {"signatures": None},
        {"signatures": "none"},
        {"payload": 1},
        {"payload": "not base64!"},
        {"more": 1},
    ],
)
def test_what_is_no_envelope_of_a_receipt_is_refused(members: dict[str, Any]) -> None:
    refuse(changed(**members))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff"])
def test_what_is_no_receipt_at_all_is_refused(data: bytes) -> None:
    refuse(data)


def test_a_file_too_large_to_be_a_receipt_is_not_read() -> None:
    refuse(RECEIPT + b" " * MAX_RECEIPT_BYTES)


@pytest.mark.parametrize(
    "members",
    [
        {"_type": "https://in-toto.io/Statement/v2"},
        {"predicateType": "https://securevec.dev/another/v1"},
        {"predicate": {**PREDICATE, "artefacts": "none"}},
        {"predicate": {"tenant": "a1" * 16}},
        {"predicate": None},
        {"predicate": {**PREDICATE, "artefacts": ["none"]}},
        {"predicate": {**PREDICATE, "exceptions": {}}},
        {"predicate": {**PREDICATE, "manifest": [3]}},
        {"predicate": {**PREDICATE, "plan": "x"}},
        {"predicate": {**PREDICATE, "completed_ms": 10**17}},
        {"predicate": {**PREDICATE, "requested_ms": "yesterday"}},
    ],
)
def test_another_statement_of_the_same_key_is_no_receipt(members: dict[str, Any]) -> None:
    """What this key signs for another purpose, or in another version, proves no erasure; and whoever shows a receipt,
    also one that nobody signed, finds what it shows."""
    said = {**statement(PREDICATE, manifest=b""), **members}
    refuse(sign(said, key=KEY))
    with pytest.raises(ReceiptInvalid):
        unverified(sign(said, key=KEY))


@pytest.mark.parametrize("signatures", [[b""], [b"s" * 63], [b"s" * 64, b"s" * 64], []])
def test_what_has_no_signature_of_the_right_length_is_not_shown_as_a_receipt(signatures: list[bytes]) -> None:
    envelope = orjson.loads(RECEIPT)
    assert unverified(RECEIPT)["predicate"] == PREDICATE
    envelope["signatures"] = [{"keyid": "k", "sig": base64.b64encode(each).decode()} for each in signatures]
    with pytest.raises(ReceiptInvalid):
        unverified(orjson.dumps(envelope))


def test_exchanges_of_keys_that_do_not_hold_the_pinned_one_are_refused() -> None:
    with pytest.raises(ReceiptInvalid, match="exchanges"):
        read(RECEIPT, public=KEY.public, chain=Keychain("l" * 32, OTHER.public))
    assert read(RECEIPT, public=KEY.public, chain=Keychain("l" * 32, KEY.public)).predicate == PREDICATE
