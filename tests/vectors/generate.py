"""Writes known_answers.json: what this release writes for fixed inputs. Run from the repository's root:

    python -m tests.vectors.generate

A change of that file is a change of the format. It must come with a new version and keep the old answers readable.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from securevec.crypto import derive
from securevec.crypto.armour import to_text
from securevec.crypto.context import Place, aad
from securevec.crypto.envelope import SubjectKey, data_key, seal
from securevec.crypto.kdf import argon2id
from securevec.crypto.padding import Padding
from securevec.crypto.root import root_key_id
from securevec.crypto.secret import Secret
from securevec.crypto.sign import SigningKey
from securevec.crypto.wrap import ACTIVE, FULL, KeyUse, WrappingKey, commit
from securevec.keyproviders.file import FileRoot
from securevec.types import CollectionId, RecordRef, TenantId

ANSWERS: Final = Path(__file__).with_name("known_answers.json")

TENANT: Final = TenantId("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
COLLECTION: Final = CollectionId("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf")
EPOCH: Final = "r15552000000/b1798761600000"


def fixed(name: str, length: int = 32) -> bytes:
    """Bytes that depend on the name only."""
    return hashlib.shake_256(b"securevec known answer " + name.encode()).digest(length)


@contextmanager
def fixed_randomness(name: str) -> Generator[None, None, None]:
    """Nonces and salts come from the name inside, so that sealing gives the same bytes every time."""
    real, calls = os.urandom, iter(range(1_000_000))
    os.urandom = lambda length: fixed(f"{name}/{next(calls)}", length)
    try:
        yield
    finally:
        os.urandom = real


def root_entry() -> dict[str, object]:
    root = FileRoot(Secret(fixed("root")))
    return {"key": fixed("root").hex(), "id": root.key_id, "file": root._content()}


def passphrase_entry() -> dict[str, object]:
    secret = argon2id("correct horse battery staple", salt=fixed("salt", 16), memory_kib=65_536, iterations=3, lanes=4)
    return {
        "passphrase": "correct horse battery staple",
        "salt": fixed("salt", 16).hex(),
        "memory_kib": 65_536,
        "iterations": 3,
        "lanes": 4,
        "key": secret.bytes().hex(),
        "id": root_key_id(secret),
    }


def wrap_entries() -> Iterator[dict[str, object]]:
    tenant, collection = bytes.fromhex(TENANT), bytes.fromhex(COLLECTION)
    root = WrappingKey(Secret(fixed("root")), bytes.fromhex(root_key_id(Secret(fixed("root")))))
    kek_row = root.wrap(Secret(fixed("kek")), KeyUse("kek", "kek", tenant), created_ms=0)
    kek = WrappingKey(Secret(fixed("kek")), kek_row.key_id)
    for name, wrapping_name, wrapping, use, state in (
        ("sign", "root", root, KeyUse("installation", "sign"), ACTIVE),
        ("kek", "root", root, KeyUse("kek", "kek", tenant), ACTIVE),
        ("token", "kek", kek, KeyUse("tenant", "token", tenant), ACTIVE),
        ("dek", "kek", kek, KeyUse("dek", "body", tenant, collection, EPOCH), ACTIVE),
        ("subject", "kek", kek, KeyUse("subject", "subject", tenant, fixed("subject token", 16)), ACTIVE),
        ("document", "kek", kek, KeyUse("document", "document", tenant, fixed("record ref", 16), "7"), ACTIVE),
        ("full dek", "kek", kek, KeyUse("dek", "vault", tenant, collection, "r0/never"), FULL),
    ):
        row = wrapping.wrap(Secret(fixed(name)), use, created_ms=0, state=state)
        yield {
            "wrapping_key": fixed(wrapping_name).hex(),
            "wrapping_key_id": row.wrapping_id.hex(),
            "secret": fixed(name).hex(),
            "kind": use.kind,
            "purpose": use.purpose,
            "tenant": use.tenant.hex(),
            "collection": use.collection.hex(),
            "epoch": use.epoch,
            "state": row.state,
            "commitment": commit(Secret(fixed(name)), use).hex(),
            "key_id": row.key_id.hex(),
            "wrapped": row.wrapped.hex(),
        }


def envelope_entries() -> Iterator[dict[str, object]]:
    subject = SubjectKey(fixed("subject id", 16), Secret(fixed("subject")))
    kilobyte = fixed("plaintext", 1024)
    entries: tuple[tuple[str, bytes, str, str, str, str, int, SubjectKey | None, Padding | None], ...] = (
        ("empty", b"", "body", EPOCH, TENANT, COLLECTION, 1, None, None),
        ("text", b'{"v":1}', "body", EPOCH, TENANT, COLLECTION, 1, None, None),
        ("vault", "Zoë\0".encode(), "vault", "r0/never", TENANT, COLLECTION, 1, None, None),
        ("name", b"acme", "tenant-name", "", "", "", 1, None, None),
        ("kilobyte", kilobyte, "body", EPOCH, TENANT, COLLECTION, 1, None, None),
        ("committing", kilobyte, "body", EPOCH, TENANT, COLLECTION, 2, None, None),
        ("siv", kilobyte, "body", EPOCH, TENANT, COLLECTION, 3, None, None),
        ("chacha", kilobyte, "body", EPOCH, TENANT, COLLECTION, 4, None, None),
        ("subject", b"hers", "vault", EPOCH, TENANT, COLLECTION, 1, subject, None),
        ("padded", b"short", "body", EPOCH, TENANT, COLLECTION, 1, None, "power-of-two"),
        ("padded empty", b"", "body", EPOCH, TENANT, COLLECTION, 1, None, 16),
        ("subject and padding", b"hers", "vault", EPOCH, TENANT, COLLECTION, 2, subject, "power-of-two"),
    )
    for name, plaintext, field, epoch, tenant, collection, suite, bound_to, padding in entries:
        raw_tenant, raw_collection = bytes.fromhex(tenant), bytes.fromhex(collection)
        point = UUID(bytes=fixed(f"point {name}", 16))
        key = data_key(
            Secret(fixed("dek")),
            key_id=fixed("key id", 16),
            tenant=raw_tenant,
            collection=raw_collection,
            purpose="body",
            epoch=epoch,
            suite=suite,
        )
        place = Place(raw_tenant, raw_collection, point, field)
        with fixed_randomness(f"seal {name}"):
            blob = seal(key, plaintext, place, subject=bound_to, padding=padding)
        yield {
            "name": name,
            "suite": suite,
            "dek": fixed("dek").hex(),
            "key_id": key.key_id.hex(),
            "subject_key": bound_to.secret.bytes().hex() if bound_to else "",
            "tenant": tenant,
            "collection": collection,
            "epoch": epoch,
            "point": str(point),
            "field": field,
            "plaintext": plaintext.hex(),
            "aad": aad(blob[: 40 if bound_to else 24], place, epoch).hex(),
            "envelope": blob.hex(),
            "text": to_text(blob),
        }


def identifier_entries() -> dict[str, object]:
    key = fixed("tenant key")
    ids: tuple[tuple[str, object], ...] = (
        ("T-1", "T-1"),
        ("", ""),
        ("Zoë 😀", "Zoë 😀"),
        ("int 7", 7),
        ("int -7", -7),
        ("uuid 7", UUID(int=7)),
    )
    records: list[dict[str, object]] = []
    for shown, value in ids:
        typed = derive.typed_record_id(value)
        ref = derive.record_ref(key, COLLECTION, typed)
        records.append({"value": shown, "typed": typed.hex(), "ref": ref.hex()})
    ref = RecordRef(bytes.fromhex(str(records[0]["ref"])))
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    values: tuple[tuple[str, str, str | int | float | bool | datetime], ...] = (
        ("s", "6f70656e", "open"),
        ("s", "", ""),
        ("i", b"7".hex(), 7),
        ("i", b"7".hex(), 7.0),
        ("i", b"-1".hex(), -1),
        ("i", b"1767323045678".hex(), moment),
        ("f", "3fe0000000000000", 0.5),
        ("f", "bfb999999999999a", -0.1),
        ("b", "01", True),
        ("b", "00", False),
    )
    return {
        "key": key.hex(),
        "tenant": TENANT,
        "collection": COLLECTION,
        "records": records,
        "points": [
            {
                "ref": ref.hex(),
                "generation": generation,
                "chunk": chunk,
                "point": str(derive.point_id(key, COLLECTION, ref, generation, chunk)),
            }
            for generation, chunk in ((1, 0), (1, 1), (2, 0), (2**64 - 1, 2**32 - 1))
        ],
        "shard": derive.shard(key, TENANT, COLLECTION),
        "tenant_tag": derive.tenant_tag(key, TENANT),
        "collection_tag": derive.collection_tag(key, TENANT, COLLECTION),
        "names": [
            {
                "name": name,
                "tenant_token": derive.tenant_name_token(key, name).hex(),
                "collection_token": derive.collection_name_token(key, TENANT, name).hex(),
            }
            for name in ("acme", "Zoë GmbH")
        ],
        "subjects": [
            {
                "entity": entity,
                "normalized": value,
                "token": derive.subject_token(key, entity, value).hex(),
                "next_token": derive.lift([fixed("token version 2")], derive.subject_token(key, entity, value)).hex(),
            }
            for entity, value in (("EMAIL", "jane@example.com"), ("PERSON", "zoë"), ("PHONE", "4915112345678"))
        ],
        "filters": [
            {
                "field": "status",
                "type": tag,
                "canonical": canonical,
                "token": derive.filter_token(key, COLLECTION, "status", value),
            }
            for tag, canonical, value in values
        ],
        "content": {
            "canonical": b'{"id":"T-1"}'.hex(),
            "identity": fixed("identity").hex(),
            "digest": derive.content_digest(key, COLLECTION, b'{"id":"T-1"}', fixed("identity")).hex(),
        },
        "files": {
            "source": derive.source_token(key, COLLECTION, b"/srv/docs").hex(),
            "content": fixed("file").hex(),
            "how": fixed("how").hex(),
            "digest": derive.file_digest(key, COLLECTION, RecordRef(bytes(16)), fixed("file"), fixed("how")).hex(),
            "member": derive.member_token(key, COLLECTION, b"rows/a.csv").hex(),
        },
    }


def signing_entry() -> dict[str, object]:
    key = SigningKey(Secret(fixed("sign")))
    return {
        "seed": fixed("sign").hex(),
        "public": key.public.hex(),
        "pem": key.public_pem().decode("ascii"),
        "message": b"checkpoint".hex(),
        "signature": key.sign(b"checkpoint").hex(),
    }


def answers() -> str:
    """The content of known_answers.json."""
    everything = {
        "root": root_entry(),
        "passphrase": passphrase_entry(),
        "wraps": list(wrap_entries()),
        "envelopes": list(envelope_entries()),
        "identifiers": identifier_entries(),
        "signing": signing_entry(),
    }
    return json.dumps(everything, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    ANSWERS.write_text(answers(), encoding="utf-8")
