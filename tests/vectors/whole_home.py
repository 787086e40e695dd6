"""A second reader of a whole home: docs/formats.md, sections 1, 2, 4, 5, 6, 7, 8, 9 and 11.

Written from that page only, on the standard library, ``cryptography`` and ``independent``. It imports nothing of
securevec and asserts instead of raising: whoever calls it gets what stands in the files or a failure.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.vectors import independent as page

WORDS = re.compile(r"(\d+) `([\w-]+)`")


# -- MessagePack, as far as section 5.1 uses it


def unpack(data: bytes) -> Any:
    value, end = _value(data, 0)
    assert end == len(data)
    return value


def _value(data: bytes, at: int) -> tuple[Any, int]:
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    if first >= 0xE0:
        return first - 256, at
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at
    if first == 0xCB:
        return struct.unpack_from(">d", data, at)[0], at + 8
    if 0xCC <= first <= 0xD3:
        form = "BHIQbhiq"[first - 0xCC]
        return struct.unpack_from(f">{form}", data, at)[0], at + struct.calcsize(form)
    kind, length, at = _head(data, first, at)
    if kind in ("text", "bytes"):
        held = data[at : at + length]
        return (held.decode() if kind == "text" else held), at + length
    parts: list[Any] = []
    for _ in range(length * (2 if kind == "map" else 1)):
        part, at = _value(data, at)
        parts.append(part)
    return (dict(zip(parts[::2], parts[1::2], strict=True)) if kind == "map" else parts), at


def _head(data: bytes, first: int, at: int) -> tuple[str, int, int]:
    for kind, mask, room in (("map", 0x80, 16), ("list", 0x90, 16), ("text", 0xA0, 32)):
        if mask <= first < mask + room:
            return kind, first - mask, at
    kind, width = {
        **{0xC4 + n: ("bytes", 1 << n) for n in range(3)},
        **{0xD9 + n: ("text", 1 << n) for n in range(3)},
        **{0xDC + n: ("list", 2 << n) for n in range(2)},
        **{0xDE + n: ("map", 2 << n) for n in range(2)},
    }[first]
    return kind, int.from_bytes(data[at : at + width], "big"), at + width


# -- the home


def rows(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


class Home:
    def __init__(self, place: Path, key_file: Path, formats: str) -> None:
        self.place = place
        assert (place / "VERSION").read_text() == "securevec-home 3\n"
        self.installation = json.loads((place / "installation.json").read_text())
        assert self.installation["format"] == 1
        root_id, root = page.read_root_key_file(key_file.read_text())
        assert self.installation["key_provider"] == {"kind": "file", "key_id": root_id}
        self.words = {int(number): word for number, word in WORDS.findall(formats.partition("\nWords: ")[2])}
        self.keys = self._unwrapped(place / "keys" / "keys.db", bytes.fromhex(root_id), root)

    def _unwrapped(self, path: Path, root_id: bytes, root: bytes) -> dict[bytes, tuple[tuple[Any, ...], bytes]]:
        """Section 2: each key by its id, with its kind, purpose, tenant, collection and epoch."""
        assert rows(path, "PRAGMA user_version") == [(3,)]
        assert rows(path, "SELECT count FROM changes") == rows(path, "PRAGMA application_id")
        wrapping, opened = {root_id: root}, {}
        listed = rows(
            path,
            "SELECT k.key_id, u.kind, u.purpose, p.tenant, p.collection, e.name, k.state, w.wrapping_id, k.wrapped"
            " FROM keys k JOIN places p USING (place) JOIN uses u USING (use) JOIN epochs e USING (epoch)"
            " JOIN wrappings w USING (wrapping) ORDER BY u.kind = 'installation' DESC, u.kind = 'kek' DESC",
        )
        for key_id, kind, purpose, tenant, collection, epoch, state, by, wrapped in listed:
            use = {"kind": kind, "purpose": purpose, "tenant": tenant, "collection": collection, "epoch": epoch}
            word = ("active", "full", "rolled")[state % 8]
            secret = page.unwrap(wrapping[by], wrapped, key_id=key_id, wrapping_key_id=by, state=word, **use)
            assert page.commitment(secret, kind, tenant, collection, purpose, epoch)[:16] == key_id
            opened[key_id] = ((kind, purpose, tenant, collection, epoch), secret)
            if kind == "kek":
                wrapping[key_id] = secret
        return opened

    def key(self, kind: str, purpose: str, tenant: bytes = b"", collection: bytes = b"", epoch: str = "") -> bytes:
        (secret,) = (held for use, held in self.keys.values() if use == (kind, purpose, tenant, collection, epoch))
        return secret

    def control(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return rows(self.place / "control.db", statement, *values)

    def name(self, sealed: bytes, row: bytes, field: str) -> str:
        """Section 4, sealed names."""
        (use, dek) = self.keys[sealed[8:24]]
        assert use[:2] == ("installation", "names")
        return page.open_envelope(dek, sealed, tenant=b"", collection=b"", epoch="", point=row, field=field).decode()

    def opened(self, text: str, tenant: bytes, collection: bytes, point: bytes, field: str) -> Any:
        """Sections 3.1 and 5: a sealed value of a point."""
        blob = page.read_text(text)
        (use, dek) = self.keys[blob[8:24]]
        assert use[:4] == ("dek", field, tenant, collection)
        person = self.keys[blob[24:40]][1] if blob[5] & 1 else b""
        return unpack(
            page.open_envelope(
                dek,
                blob,
                tenant=tenant,
                collection=collection,
                epoch=use[4],
                point=point,
                field=field,
                subject_key=person,
            )
        )

    def points(self, shard: str) -> dict[bytes, tuple[str, str | None, dict[str, Any]]]:
        """Sections 5.3 and 6: point id, body, vault and the clear payload, of Chroma in this process."""
        place = self.place / "engine" / "chroma"
        assert (place / "VERSION").read_text() == "securevec-chroma 2\n"
        generation = place / shard / (place / shard / "CURRENT").read_text().removesuffix("\n")
        kept = rows(generation / "sealed.sqlite3", "SELECT id, b, v, clear FROM kept")
        return {point: (body, vault, unpack(clear)) for point, body, vault, clear in kept}

    def word(self, stored: int | str) -> str:
        return self.words[stored] if isinstance(stored, int) else stored

    def signer(self) -> Ed25519PublicKey:
        return Ed25519PrivateKey.from_private_bytes(self.key("installation", "sign")).public_key()


def text_of(stored: Any) -> Any:
    return page.packed_text(stored) if isinstance(stored, bytes) else stored


# -- sections 7, 8 and 11


def reference(key: bytes, domain: str, value: bytes) -> str:
    """The digits of a keyed reference."""
    return page.mac16(key, b"securevec/audit-ref/v1" + page.prefixed(domain.encode()) + page.prefixed(value)).hex()


def note_text(note: bytes, name: str, key: Ed25519PublicKey) -> str:
    """The text of a signed note."""
    text, _, signature = note.decode().partition("\n\n")
    dash, signed_by, encoded = signature.removesuffix("\n").split(" ")
    assert (dash, signed_by) == ("—", name)
    raw, public = base64.b64decode(encoded, validate=True), key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert raw[:4] == hashlib.sha256(f"{name}\n".encode() + b"\x01" + public).digest()[:4]
    key.verify(raw[4:], f"{text}\n".encode())
    return f"{text}\n"


def tree_root(lines: list[bytes]) -> bytes:
    """RFC 6962, section 2.1."""
    if not lines:
        return hashlib.sha256(b"").digest()
    if len(lines) == 1:
        return hashlib.sha256(b"\0" + lines[0]).digest()
    split = 1
    while split * 2 < len(lines):
        split *= 2
    return hashlib.sha256(b"\1" + tree_root(lines[:split]) + tree_root(lines[split:])).digest()


def log_lines(directory: Path, origin: str, key: Ed25519PublicKey) -> list[bytes]:
    """Lines of a writer, or of the log of writers, up to its checkpoint."""
    lines: list[bytes] = []
    for segment in sorted(directory.glob("seg-*.jsonl")):
        lines += segment.read_bytes().splitlines()
    name, size, root = note_text((directory / "checkpoint").read_bytes(), origin, key).splitlines()
    assert name == origin
    assert base64.b64decode(root) == tree_root(lines[: int(size)])
    assert (directory / "checkpoints.log").read_bytes().endswith((directory / "checkpoint").read_bytes() + b"\n")
    return lines[: int(size)]


def statement_of(receipt: dict[str, Any], key: Ed25519PublicKey) -> dict[str, Any]:
    """Section 8: what a receipt says, its signature checked."""
    kind, payload = receipt["payloadType"].encode(), base64.b64decode(receipt["payload"], validate=True)
    assert kind == b"application/vnd.in-toto+json"
    (signature,) = receipt["signatures"]
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert signature["keyid"] == hashlib.sha256(raw).hexdigest()
    said = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    key.verify(base64.b64decode(signature["sig"], validate=True), said)
    statement: dict[str, Any] = json.loads(payload)
    return statement


def digest_of(statement: dict[str, Any]) -> str:
    """What the audit log knows a receipt by."""
    predicate = {name: value for name, value in statement["predicate"].items() if name != "audit"}
    said = json.dumps(statement | {"predicate": predicate}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def files_of(backup: Path, parts: dict[str, list[list[Any]]]) -> Iterator[bool]:
    """Whether each file that the manifest names is there as it says."""
    for part, listed in parts.items():
        for path, size, digest in listed:
            held = (backup / part / path).read_bytes()
            yield (len(held), hashlib.sha256(held).hexdigest()) == (size, digest)
