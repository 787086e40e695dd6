"""What a backup says of itself: every file with its size and SHA-256, under the installation's signature.

The manifest is a C2SP signed note (:mod:`securevec.audit.checkpoint`) under the key name
``securevec/<installation id>/backup``: one line of JSON, keys sorted. The same bytes lie in each of the three parts, so
that each can be kept elsewhere and still be recognised (docs/formats.md section 11).
"""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import orjson

from securevec.audit import Head, Keychain
from securevec.audit.checkpoint import Signer, open_text, sign_text
from securevec.clock import from_ms
from securevec.errors import AuditTampered, BackupRejected

NAME: Final = "MANIFEST"
FORMAT: Final = 1
Part = Literal["data", "control", "keys"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
Engine = Literal["embedded", "server", "volatile"]

_MAX_BYTES: Final = 256 * 1024 * 1024
_HEX32: Final = re.compile(r"[0-9a-f]{32}\Z")
_ORIGIN: Final = re.compile(rb"\n\n\xe2\x80\x94 securevec/([0-9a-f]{32})/backup [A-Za-z0-9+/=]+\n\Z")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a part: its path below it, bytes, and SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's content. ``tenants``, ``collections`` and ``records`` are counts; times are UTC ms.

    ``engine`` is ``embedded`` when the vector store's files are part of it, ``server`` when the store is a server that
    its own snapshots back up, ``volatile`` when points do not outlive a process. ``head`` is the audit log's.
    """

    backup: str
    installation: str
    created_ms: int
    backend: str
    engine: Engine
    release: str
    home: str
    """What ``VERSION`` of the home said."""
    tenants: int
    collections: int
    records: int
    head: Head
    parts: Mapping[Part, tuple[FileEntry, ...]] = field(repr=False)

    @property
    def files(self) -> int:
        return sum(len(entries) for entries in self.parts.values())

    @property
    def size(self) -> int:
        """Bytes of all files, as they read: an engine's files are mostly holes and take far less."""
        return sum(entry.size for entries in self.parts.values() for entry in entries)

    def sign(self, signer: Signer) -> bytes:
        """The bytes of the file ``MANIFEST``."""
        said = {
            "format": FORMAT,
            "backup": self.backup,
            "installation": self.installation,
            "created_ms": self.created_ms,
            "backend": self.backend,
            "engine": self.engine,
            "release": self.release,
            "home": self.home,
            "counts": {"tenants": self.tenants, "collections": self.collections, "records": self.records},
            "audit": {"size": self.head.size, "root": self.head.root, "note": self.head.note.decode()},
            "parts": {
                part: [[entry.path, entry.size, entry.sha256] for entry in entries]
                for part, entries in self.parts.items()
            },
        }
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS) + b"\n"
        return sign_text(text, _name(self.installation), signer)


def installation_of(note: bytes) -> str:
    """The installation that a manifest, or a list of deletions, says it is of. Nothing is verified yet.

    Raises :class:`BackupRejected`.
    """
    found = _ORIGIN.search(note[-1024:])
    if found is None:
        raise BackupRejected("This is not a securevec backup, or its manifest was cut.")
    return found[1].decode()


def open_manifest(note: bytes, *, chain: Keychain) -> Manifest:
    """The manifest, if a key of the chain signed it, over a head of the audit log from the time of that key.

    Raises :class:`BackupRejected`.
    """
    for public in chain.keys[:-1]:
        with contextlib.suppress(BackupRejected):
            manifest, retired = read_manifest(open_signed(note, public=public)), chain.ended(public)
            if retired is not None and manifest.head.size > retired.size + 1:
                break
            return manifest
    return read_manifest(open_signed(note, public=chain.current))


def open_signed(note: bytes, *, public: bytes) -> bytes:
    """The text of a note of a backup, if this key signed it. Raises :class:`BackupRejected`."""
    name = _name(installation_of(note))
    try:
        return open_text(note, name, public)
    except AuditTampered as error:
        raise BackupRejected(
            "The manifest was changed after it was signed, or another installation signed it.",
            next_step="Use the key of the installation that made the backup.",
        ) from error


def unverified(note: bytes) -> Manifest:
    """What a manifest says, its signature unchecked. Raises :class:`BackupRejected` for what is none."""
    installation_of(note)
    return read_manifest(note.rpartition(b"\n\n")[0] + b"\n")


def sign_for(installation: str, text: bytes, signer: Signer) -> bytes:
    return sign_text(text, _name(installation), signer)


def read_manifest(text: bytes) -> Manifest:
    try:
        said: dict[str, Any] = orjson.loads(text)
        if said["format"] != FORMAT:
            raise BackupRejected("The backup is of another release.", next_step="Use that release, or a newer one.")
        if set(said["parts"]) != set(PARTS) or _HEX32.match(said["installation"]) is None:
            raise BackupRejected("The manifest of the backup cannot be read.")
        counts = said["counts"]
        from_ms(int(said["created_ms"]))  # a time that no calendar has is shown to nobody
        return Manifest(
            backup=str(said["backup"]),
            installation=said["installation"],
            created_ms=int(said["created_ms"]),
            backend=str(said["backend"]),
            engine=said["engine"],
            release=str(said["release"]),
            home=str(said["home"]),
            tenants=int(counts["tenants"]),
            collections=int(counts["collections"]),
            records=int(counts["records"]),
            head=Head(int(said["audit"]["size"]), str(said["audit"]["root"]), str(said["audit"]["note"]).encode()),
            parts={part: tuple(_entry(entry) for entry in said["parts"][part]) for part in PARTS},
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise BackupRejected("The manifest of the backup cannot be read.") from error


def read_bounded(path: Path) -> bytes:
    """A signed note, whole. Raises ``OSError``, and :class:`BackupRejected` for more than any note has."""
    with path.open("rb") as file:
        note = file.read(_MAX_BYTES + 1)
    if len(note) > _MAX_BYTES:
        raise BackupRejected("The file is too large to be of a backup.")
    return note


def read_note(directory: Path) -> bytes:
    """The bytes of a part's ``MANIFEST``. Raises :class:`BackupRejected`."""
    try:
        if not stat.S_ISREG((directory / NAME).lstat().st_mode):
            raise BackupRejected("The manifest of the backup is not a regular file.")  # a pipe would be waited for
        return read_bounded(directory / NAME)
    except FileNotFoundError as error:
        raise BackupRejected(
            "There is no backup here, or it was not finished.",
            next_step="Is the path right? If so, make another one: securevec backup create DIR",
        ) from error
    except OSError as error:
        raise BackupRejected("The manifest of the backup cannot be read.") from error


def _entry(listed: list[Any]) -> FileEntry:
    path, size, digest = listed
    parts = str(path).split("/")
    # Files are copied before the key is open that checks the signature: no path is let out of its directory.
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or "\0" in path:
        raise BackupRejected("The manifest of the backup names a file outside it.")
    return FileEntry(str(path), int(size), str(digest))


def _name(installation: str) -> str:
    return f"securevec/{installation}/backup"
