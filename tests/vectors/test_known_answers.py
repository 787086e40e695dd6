"""The bytes this release writes are the committed ones, and a reader written from docs/formats.md alone agrees."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from securevec.crypto.armour import from_text
from securevec.crypto.context import Place
from securevec.crypto.envelope import SubjectKey, data_key, open_sealed, read_key_id
from securevec.crypto.secret import Secret
from securevec.crypto.sign import load_public_pem, verify
from securevec.crypto.wrap import KeyRow, KeyUse, WrappingKey
from tests.vectors import generate, independent

KNOWN: dict[str, Any] = json.loads(generate.ANSWERS.read_text(encoding="utf-8"))
IDS: dict[str, Any] = KNOWN["identifiers"]
raw = bytes.fromhex


def test_this_release_writes_the_committed_bytes() -> None:
    assert generate.answers() == generate.ANSWERS.read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", KNOWN["envelopes"], ids=lambda entry: str(entry["name"]))
def test_envelopes_are_read_by_both(entry: dict[str, Any]) -> None:
    blob, tenant, collection = raw(entry["envelope"]), raw(entry["tenant"]), raw(entry["collection"])
    point = UUID(entry["point"])
    assert independent.read_text(entry["text"]) == blob == from_text(entry["text"])
    read = independent.open_envelope(
        raw(entry["dek"]),
        blob,
        tenant=tenant,
        collection=collection,
        epoch=entry["epoch"],
        point=point.bytes,
        field=entry["field"],
        subject_key=raw(entry["subject_key"]),
    )
    assert read == raw(entry["plaintext"])
    bound = independent.envelope_aad(
        blob[: 40 if entry["subject_key"] else 24], tenant, collection, entry["epoch"], point.bytes, entry["field"]
    )
    assert bound.hex() == entry["aad"]
    assert read_key_id(blob) == raw(entry["key_id"])
    key = data_key(
        Secret(raw(entry["dek"])),
        key_id=raw(entry["key_id"]),
        tenant=tenant,
        collection=collection,
        purpose="body",
        epoch=entry["epoch"],
    )
    subject = SubjectKey(blob[24:40], Secret(raw(entry["subject_key"]))) if entry["subject_key"] else None
    assert open_sealed(key, blob, Place(tenant, collection, point, entry["field"]), subject=subject) == read


@pytest.mark.parametrize("entry", KNOWN["wraps"], ids=lambda entry: str(entry["purpose"]))
def test_wrapped_keys_are_read_by_both(entry: dict[str, str]) -> None:
    tenant, collection = raw(entry["tenant"]), raw(entry["collection"])
    secret = independent.unwrap(
        raw(entry["wrapping_key"]),
        raw(entry["wrapped"]),
        kind=entry["kind"],
        tenant=tenant,
        collection=collection,
        purpose=entry["purpose"],
        epoch=entry["epoch"],
        key_id=raw(entry["key_id"]),
        wrapping_key_id=raw(entry["wrapping_key_id"]),
        state=entry["state"],
    )
    assert secret == raw(entry["secret"])
    committed = independent.commitment(secret, entry["kind"], tenant, collection, entry["purpose"], entry["epoch"])
    assert committed == raw(entry["commitment"])
    assert committed[:16] == raw(entry["key_id"])
    use = KeyUse(entry["kind"], entry["purpose"], tenant, collection, entry["epoch"])
    wrapping_id = raw(entry["wrapping_key_id"])
    row = KeyRow(committed[:16], use, entry["state"], wrapping_id, raw(entry["wrapped"]), 0, 0)
    assert WrappingKey(Secret(raw(entry["wrapping_key"])), wrapping_id).unwrap(row) == Secret(secret)


def test_the_independent_reader_refuses_what_it_should() -> None:
    """A positive control: a reader that opens everything would agree with anything."""
    entry = KNOWN["envelopes"][1]
    with pytest.raises(InvalidTag):
        independent.open_envelope(
            raw(entry["dek"]),
            raw(entry["envelope"]),
            tenant=raw(entry["tenant"]),
            collection=raw(entry["collection"]),
            epoch=entry["epoch"],
            point=UUID(entry["point"]).bytes,
            field="vault",
        )


def test_the_root_key_file_is_read_by_both() -> None:
    assert independent.read_root_key_file(KNOWN["root"]["file"]) == (KNOWN["root"]["id"], raw(KNOWN["root"]["key"]))


def test_the_passphrase_gives_the_key_of_rfc_9106_at_these_costs() -> None:
    entry = KNOWN["passphrase"]
    stretched = Argon2id(
        salt=raw(entry["salt"]),
        length=32,
        iterations=entry["iterations"],
        lanes=entry["lanes"],
        memory_cost=entry["memory_kib"],
    ).derive(entry["passphrase"].encode())
    assert stretched.hex() == entry["key"]


@pytest.mark.parametrize("entry", IDS["records"], ids=lambda entry: str(entry["value"]))
def test_record_refs_are_derived_by_both(entry: dict[str, str]) -> None:
    assert independent.record_ref(raw(IDS["key"]), raw(IDS["collection"]), raw(entry["typed"])).hex() == entry["ref"]


def test_typed_record_ids_are_those_of_the_page() -> None:
    typed = {entry["value"]: raw(entry["typed"]) for entry in IDS["records"]}
    assert typed == {
        "T-1": b"sT-1",
        "": b"s",
        "Zoë 😀": "sZoë 😀".encode(),
        "int 7": b"i7",
        "int -7": b"i-7",
        "uuid 7": b"u" + bytes(15) + b"\x07",
    }


@pytest.mark.parametrize("entry", IDS["points"], ids=lambda entry: str(entry["generation"]))
def test_point_ids_are_derived_by_both(entry: dict[str, Any]) -> None:
    found = independent.point_id(
        raw(IDS["key"]), raw(IDS["collection"]), raw(entry["ref"]), entry["generation"], entry["chunk"]
    )
    assert UUID(bytes=found) == UUID(entry["point"])


def test_tags_names_and_digests_are_derived_by_both() -> None:
    key, tenant, collection = raw(IDS["key"]), raw(IDS["tenant"]), raw(IDS["collection"])
    assert independent.shard(key, tenant, collection).hex() == IDS["shard"]
    assert independent.tenant_tag(key, tenant).hex() == IDS["tenant_tag"]
    assert independent.collection_tag(key, tenant, collection).hex() == IDS["collection_tag"]
    for entry in IDS["names"]:
        assert independent.tenant_name_token(key, entry["name"]).hex() == entry["tenant_token"]
        assert independent.collection_name_token(key, tenant, entry["name"]).hex() == entry["collection_token"]
    for entry in IDS["subjects"]:
        assert independent.subject_token(key, entry["entity"], entry["normalized"]).hex() == entry["token"]
        second = hashlib.shake_256(b"securevec known answer token version 2").digest(32)
        assert independent.next_subject_token(second, raw(entry["token"])).hex() == entry["next_token"]
    for entry in IDS["filters"]:
        token = independent.filter_token(key, collection, entry["field"], entry["type"], raw(entry["canonical"]))
        assert token.hex() == entry["token"]
    content = IDS["content"]
    digest = independent.content_digest(key, collection, raw(content["canonical"]), raw(content["identity"]))
    assert digest.hex() == content["digest"]
    files = IDS["files"]
    assert independent.source_token(key, collection, b"/srv/docs").hex() == files["source"]
    made = independent.file_digest(key, collection, bytes(16), raw(files["content"]), raw(files["how"]))
    assert made.hex() == files["digest"]
    assert independent.member_token(key, collection, b"rows/a.csv").hex() == files["member"]


def test_signatures_and_the_public_key_file_are_read_by_both() -> None:
    entry = KNOWN["signing"]
    public, message, signature = raw(entry["public"]), raw(entry["message"]), raw(entry["signature"])
    assert independent.read_public_pem(entry["pem"]) == public == load_public_pem(entry["pem"].encode())
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    verify(public, signature, message)
