"""Which key signs the heads of a log, and how one key hands over to the next.

An exchange is a signed note (:mod:`securevec.audit.checkpoint`) that both keys sign:

    securevec/<log id>/signing-keys
    <number>                    1 for the first exchange
    <old public key>            base64 of 32 bytes
    <new public key>
    <size>                      lines of the log of writers before this exchange
    <root>                      base64 of their root
    <time>                      UTC ms, as whoever exchanged it says
    retired | compromised

It stands as a line of its own in the log of writers. What comes before it there, and its own line, is under heads of
the old key; what comes after, under heads of the new one. That place is what dates it: times are the signer's word.
"""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

import orjson

from securevec.audit.checkpoint import Checkpoint, Signer, decode_root, open_note, open_text, sign_text
from securevec.audit.scan import parse_line
from securevec.crypto.sign import SUCCESSION
from securevec.errors import AuditTampered, UsageError

EVENT: Final = "succession"
MARK: Final = b'"event":"succession"'
_ORIGIN: Final = re.compile(r"securevec/([0-9a-f]{32})/signing-keys\Z")
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")

_END: Final = "-----END SECUREVEC KEY SUCCESSION-----"
_EXPORT: Final = "Write a key file with: securevec keys export-public."

Reason = Literal["retired", "compromised"]


@dataclass(frozen=True, slots=True)
class Succession:
    """One exchange, both signatures checked. ``old`` and ``new`` are raw public keys; ``size`` lines with the 32-byte
    ``root`` stood in the log of writers before it; ``note`` is the whole signed text."""

    log_id: str
    number: int
    old: bytes
    new: bytes
    size: int
    root: bytes
    time_ms: int
    compromised: bool
    note: bytes


def sign_succession(
    log_id: str, *, number: int, old: Signer, new: Signer, size: int, root: bytes, time_ms: int, compromised: bool
) -> bytes:
    """The note of an exchange, signed by both keys."""
    name = _origin(log_id)
    keys = [base64.b64encode(key).decode() for key in (old.public, new.public)]
    reason: Reason = "compromised" if compromised else "retired"
    fields = [name, str(number), *keys, str(size), base64.b64encode(root).decode(), str(time_ms), reason]
    text = "".join(f"{each}\n" for each in fields).encode()
    second = sign_text(text, name, new).rpartition(b"\n\n")[2]
    return sign_text(text, name, old) + second


def open_succession(note: bytes) -> Succession:
    """The exchange in a note, if both keys that it names signed it. Raises :class:`AuditTampered`."""
    fields = note.partition(b"\n\n")[0].decode(errors="replace").split("\n")
    origin = _ORIGIN.match(fields[0])
    if len(fields) != 8 or origin is None or fields[7] not in ("retired", "compromised"):
        _bad("cannot be read")
    if any(_NUMBER.match(fields[place]) is None for place in (1, 4, 6)):
        _bad("cannot be read")
    old, new, root = decode_root(fields[2]), decode_root(fields[3]), decode_root(fields[5])
    for public in (old, new):
        open_text(note, fields[0], public)
    number, size, time_ms = (int(fields[place]) for place in (1, 4, 6))
    return Succession(origin[1], number, old, new, size, root, time_ms, fields[7] == "compromised", note)


class Keychain:
    """The keys of one log, oldest first, as far as exchanges are known. ``pinned`` is the key there is no other word
    for: without exchanges it is the only one."""

    __slots__ = ("_log_id", "_pinned", "limits", "successions")

    def __init__(self, log_id: str, pinned: bytes, successions: Sequence[Succession] = ()) -> None:
        self._log_id = log_id
        self._pinned = pinned
        self.successions: list[Succession] = []
        self.limits: list[Mapping[str, int]] = []
        """For each exchange, how far the log of writers said that each writer had got before it."""
        for each in successions:
            self.extend(each)

    def copy(self) -> Keychain:
        other = Keychain(self._log_id, self._pinned)
        other.successions, other.limits = list(self.successions), list(self.limits)
        return other

    @property
    def keys(self) -> list[bytes]:
        if not self.successions:
            return [self._pinned]
        return [self.successions[0].old, *(each.new for each in self.successions)]

    @property
    def current(self) -> bytes:
        """The key that signs what comes next."""
        return self.keys[-1]

    def extend(self, succession: Succession, sizes: Mapping[str, int] | None = None) -> None:
        """Add the next exchange; ``sizes`` is how far each writer had got.

        Raises :class:`AuditTampered` for one that does not follow those before.
        """
        follows = not self.successions or succession.old == self.current
        grows = not self.successions or succession.size > self.successions[-1].size
        if (
            succession.log_id != self._log_id
            or succession.number != len(self.successions) + 1
            or not (follows and grows)
        ):
            _bad("does not follow the exchange before it")
        # The first exchange may lead to the pinned key: nobody had heard of the one before it.
        if succession.new == succession.old or (self.successions and succession.new in self.keys):
            _bad("brings a key back that was given up")
        self.successions.append(succession)
        self.limits.append(dict(sizes or {}))

    def require_pinned(self) -> None:
        """Raises :class:`AuditTampered` unless the pinned key is one of the chain's."""
        if self._pinned not in self.keys:
            _bad("is not of the pinned key, and no exchange leads to it")

    def ended(self, public: bytes) -> Succession | None:
        """The exchange that retired one of these keys, if it was retired."""
        return next((each for each in self.successions if each.old == public), None)

    def signer_of(self, size: int) -> bytes:
        """The key for heads of the log of writers of ``size`` lines."""
        return next((each.old for each in self.successions if size <= each.size + 1), self.current)

    def open_head(self, note: bytes, origin: str) -> Checkpoint:
        """A head of the log of writers, under the key of its place. Raises :class:`AuditTampered`."""
        said = note.split(b"\n", 2)
        size = int(said[1]) if len(said) == 3 and said[1].isdigit() and len(said[1]) < 17 else 0
        return open_note(note, self.signer_of(size), origin)

    def open_writers_head(self, note: bytes, origin: str, writer: str) -> Checkpoint:
        """A head of one writer. A key that was given up signs none that is further than the log of writers knew when
        it was: with a copy of it nothing can be added. Raises :class:`AuditTampered`."""
        for place, public in reversed(list(enumerate(self.keys))):
            try:
                head = open_note(note, public, origin)
            except AuditTampered:
                if place == 0:
                    raise
                continue
            if place < len(self.limits) and head.size > self.limits[place].get(writer, 0):
                raise AuditTampered(
                    "A checkpoint of the audit log is signed with a key that had been given up before.",
                    position="checkpoint",
                )
            return head
        raise AssertionError("a chain has a key")


def line_of(note: bytes, *, time_ms: int) -> bytes:
    """The line of the log of writers that carries an exchange, without its newline."""
    entry = {"event": EVENT, "note": note.decode(), "time": time_ms, "v": 1}
    return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)


def succession_in(raw: bytes) -> Succession | None:
    """The exchange in a raw line, or nothing when the line is of another kind. Raises :class:`AuditTampered`."""
    line = parse_line(raw) if MARK in raw else None
    if line is None or line.get("event") != EVENT:
        return None
    note = line.get("note")
    if set(line) != {"event", "note", "time", "v"} or not isinstance(note, str):
        _bad("cannot be read")
    return open_succession(note.encode())


def to_pem(successions: Sequence[Succession]) -> str:
    """Exchanges as text blocks, to stand behind a public key in its file (RFC 7468)."""
    return "".join(
        f"{SUCCESSION}\n{chr(10).join(textwrap.wrap(base64.b64encode(each.note).decode(), 64))}\n{_END}\n"
        for each in successions
    )


def from_pem(data: bytes) -> list[bytes]:
    """The notes of exchanges in a key file, oldest first; none is checked. Raises :class:`UsageError`."""
    try:
        blocks = [part.split(_END)[0] for part in data.decode("ascii").split(SUCCESSION)[1:]]
        return [base64.b64decode("".join(block.split()), validate=True) for block in blocks]
    except (UnicodeDecodeError, binascii.Error) as error:
        raise UsageError("The exchanges of keys in this file cannot be read.", next_step=_EXPORT) from error


def chain_in(data: bytes, *, pinned: bytes) -> Keychain | None:
    """The chain in a key file, whole and holding the pinned key; nothing when it has no exchanges.

    Raises :class:`UsageError` and :class:`AuditTampered`.
    """
    found = [open_succession(note) for note in from_pem(data)]
    if not found:
        return None
    chain = Keychain(found[0].log_id, pinned, found)
    chain.require_pinned()
    return chain


def _origin(log_id: str) -> str:
    return f"securevec/{log_id}/signing-keys"


def _bad(what: str) -> NoReturn:
    raise AuditTampered(f"An exchange of signing keys {what}.", position="signing-keys")
