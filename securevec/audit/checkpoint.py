"""Signed heads of a log: C2SP ``signed-note`` with a ``tlog-checkpoint`` text, so that any C2SP tool can read them.

    <origin>                     securevec/<log id>/<writer id>, also the key name
    <size>                       decimal, number of lines
    <root>                       base64 of the 32-byte RFC 6962 root

    — <key name> <base64(4-byte key id || 64-byte Ed25519 signature over the text above the empty line)>

A note must be read strictly: what two readers understand differently is a way to sign one thing and show another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Protocol

from securevec.crypto import sign
from securevec.errors import AuditTampered, CheckFailed

_ED25519: Final = b"\x01"
SIZE: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_NAME: Final = re.compile(r"[^\s+]+\Z")
_CONTROL: Final = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_MAX_SIGNATURES: Final = 16


class Signer(Protocol):
    """What signs heads: :class:`securevec.crypto.sign.SigningKey`."""

    @property
    def public(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


class Signers(Protocol):
    """What holds the key that signs: the key ring, or one :class:`securevec.crypto.sign.SigningKey`."""

    def in_force(self, public: bytes | None) -> Signer:
        """The key the log names as in force, ``None`` while it names none. Raises :class:`KeyRejected` when it is not
        held, and :class:`KeyUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head whose signature was checked: ``size`` lines with the 32-byte ``root``."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A head kept outside the log (the control store, a file elsewhere). ``root`` is base64 as in the note."""

    size: int
    root: str
    note: bytes = b""


def key_id(name: str, public: bytes) -> bytes:
    """First 4 bytes of SHA-256(key name || 0x0A || 0x01 || 32-byte public key)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def sign_text(text: bytes, name: str, signer: Signer) -> bytes:
    """A signed note over ``text`` (which ends in a newline) under the key name ``name``."""
    if not _NAME.match(name) or not text.endswith(b"\n"):
        raise ValueError("a note's text ends in a newline and its key name has no spaces and no plus")
    blob = base64.b64encode(key_id(name, signer.public) + signer.sign(text))
    return text + "\n— ".encode() + name.encode() + b" " + blob + b"\n"


def open_text(note: bytes, name: str, public: bytes) -> bytes:
    """The text of a note signed by this key. Raises :class:`AuditTampered` on anything else.

    Signature lines of other keys (witnesses) are allowed and ignored, as C2SP asks; malformed ones are not.
    """
    text, separator, tail = note.rpartition(b"\n\n")
    if not separator or not tail.endswith(b"\n"):
        raise _bad("has no signature")
    text += b"\n"
    try:
        text.decode()
        lines = tail.decode()[:-1].split("\n")
    except UnicodeDecodeError as error:
        raise _bad("is not UTF-8") from error
    if len(lines) > _MAX_SIGNATURES or _CONTROL.search(note):
        raise _bad("is malformed")
    wanted, verified = key_id(name, public), False
    for line in lines:
        signer, blob = _signature_line(line)
        if signer != name or blob[:4] != wanted:
            continue
        try:
            sign.verify(public, blob[4:], text)
        except CheckFailed as error:
            raise _bad("has a signature that does not match") from error
        verified = True
    if not verified:
        raise _bad("is not signed by this log's key")
    return text


def sign_note(origin: str, size: int, root: bytes, signer: Signer) -> bytes:
    """A signed checkpoint: ``size`` lines with the 32-byte ``root``."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return sign_text(text.encode(), origin, signer)


def open_note(data: bytes, public: bytes, origin: str) -> Checkpoint:
    """The checkpoint in a note of this origin and key. Raises :class:`AuditTampered` on anything else."""
    lines = open_text(data, origin, public).decode().split("\n")
    if len(lines) != 4 or lines[0] != origin or not SIZE.match(lines[1]):
        raise _bad("does not describe this log")
    return Checkpoint(origin, int(lines[1]), decode_root(lines[2]))


def decode_root(text: str) -> bytes:
    """32 bytes from base64, read strictly. Raises :class:`AuditTampered`."""
    try:
        root = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("holds a root that cannot be read") from error
    # A second spelling of the same bytes would be a second note with the same meaning.
    if len(root) != 32 or base64.b64encode(root).decode() != text:
        raise _bad("holds a root that cannot be read")
    return root


def _signature_line(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("has a malformed signature line") from error
    if dash != "—" or not _NAME.match(name) or len(blob) < 5 or base64.b64encode(blob).decode() != encoded:
        raise _bad("has a malformed signature line")
    return name, blob


def _bad(what: str) -> AuditTampered:
    return AuditTampered(f"A checkpoint of the audit log {what}.", position="checkpoint")
