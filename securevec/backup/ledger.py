"""What was deleted, erased, revoked or held after a backup: what a restore repeats before anybody reads.

A control store keeps tombstones of tenants, people and keys, and of a record nothing: that it is gone shows only in
that its manifest does not name it. So the list is made against a backup: every record that the backup names and the
newer store does not was deleted since. It is a signed note like the manifest (docs/formats.md section 11), and holds
ids and keyed tokens only.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from securevec.audit.checkpoint import Signer
from securevec.audit.succession import Keychain, open_succession
from securevec.backup.manifest import installation_of, open_signed, sign_for
from securevec.backup.tokenkeys import seal_token_keys
from securevec.control.replaying import SELECT_REFS
from securevec.control.store import ControlStore
from securevec.errors import AuditTampered, BackupRejected
from securevec.keys.keyring import KeyRing
from securevec.types import CollectionId, TenantId

FORMAT: Final = 1
_KIND: Final = "tombstones"
_PAGE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything a newer state knows. ``gone`` lists record refs by collection; ``older`` counts the records that were
    replaced since; ``filters`` are the versions of filter keys by collection, ``pseudonyms`` those of pseudonym keys by
    tenant, ``token_keys``, by tenant, those of its token key from the second on, sealed: tombstones of this state are
    made under the last. ``waiting``, by tenant, are tokens of people whose erasure is accepted and has not ended, as
    where a hold stops it, and ``going``, by collection, the records that it is to delete. Times are UTC ms."""

    installation: str
    backup: str
    made_ms: int
    floor_ms: int
    audit_size: int
    revision: str
    tenants: Mapping[str, str] = field(repr=False)
    grants: Mapping[str, list[tuple[bytes, str]]] = field(repr=False)
    authority: Mapping[str, list[tuple[Any, ...]]] = field(repr=False)
    tombstones: list[tuple[TenantId, bytes, int, int]] = field(repr=False)
    token_keys: Mapping[str, list[bytes]] = field(repr=False)
    keys: list[bytes] = field(repr=False)
    gone: Mapping[str, list[bytes]] = field(repr=False)
    older: int
    filters: Mapping[str, int] = field(repr=False)
    pseudonyms: Mapping[str, int] = field(repr=False)
    waiting: Mapping[str, list[bytes]] = field(repr=False)
    going: Mapping[str, list[bytes]] = field(repr=False)

    @property
    def records(self) -> int:
        return sum(len(refs) for refs in self.gone.values())

    def sign(self, signer: Signer, chain: Keychain) -> bytes:
        """``chain`` is told too: whoever restores the backup may hold an earlier key."""
        said = {
            "format": FORMAT,
            "kind": _KIND,
            "installation": self.installation,
            "backup": self.backup,
            "made_ms": self.made_ms,
            "floor_ms": self.floor_ms,
            "audit_size": self.audit_size,
            "revision": self.revision,
            "tenants": dict(self.tenants),
            "grants": {tenant: [[token.hex(), role] for token, role in each] for tenant, each in self.grants.items()},
            "authority": {
                table: [[_packed(cell) for cell in row] for row in rows] for table, rows in self.authority.items()
            },
            "tombstones": [[tenant, token.hex(), at, until] for tenant, token, at, until in self.tombstones],
            "token_keys": {tenant: [key.hex() for key in each] for tenant, each in self.token_keys.items()},
            "keys": [key.hex() for key in self.keys],
            "gone": {collection: [ref.hex() for ref in refs] for collection, refs in self.gone.items()},
            "older": self.older,
            "filters": dict(self.filters),
            "pseudonyms": dict(self.pseudonyms),
            "waiting": {tenant: [token.hex() for token in each] for tenant, each in self.waiting.items()},
            "going": {collection: [ref.hex() for ref in refs] for collection, refs in self.going.items()},
            "signing_keys": [each.note.decode() for each in chain.successions],
        }
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS) + b"\n"
        return sign_for(self.installation, text, signer)


def open_ledger(note: bytes, *, public: bytes) -> Ledger:
    """The list, if this 32-byte key, or one that it handed over to, signed it. Raises :class:`BackupRejected`."""
    try:
        said: dict[str, Any] = orjson.loads(open_signed(note, public=_successor(note, public)))
        if said.get("kind") != _KIND or said["format"] != FORMAT:
            raise BackupRejected("This is not a list of deletions of this release.")
        return Ledger(
            installation=said["installation"],
            backup=said["backup"],
            made_ms=said["made_ms"],
            floor_ms=said["floor_ms"],
            audit_size=said["audit_size"],
            revision=said["revision"],
            tenants=said["tenants"],
            grants={
                tenant: [(bytes.fromhex(token), role) for token, role in each]
                for tenant, each in said["grants"].items()
            },
            authority={
                table: [tuple(_unpacked(cell) for cell in row) for row in rows]
                for table, rows in said["authority"].items()
            },
            tombstones=[
                (TenantId(tenant), bytes.fromhex(token), at, until) for tenant, token, at, until in said["tombstones"]
            ],
            token_keys={tenant: [bytes.fromhex(key) for key in each] for tenant, each in said["token_keys"].items()},
            keys=[bytes.fromhex(key) for key in said["keys"]],
            gone={collection: [bytes.fromhex(ref) for ref in refs] for collection, refs in said["gone"].items()},
            older=said["older"],
            filters={collection: int(version) for collection, version in said["filters"].items()},
            pseudonyms={tenant: int(version) for tenant, version in said["pseudonyms"].items()},
            # A list of an earlier build does not tell: there all of them were done again, whatever a hold said.
            waiting={
                tenant: [bytes.fromhex(token) for token in each] for tenant, each in said.get("waiting", {}).items()
            },
            going={
                collection: [bytes.fromhex(ref) for ref in refs] for collection, refs in said.get("going", {}).items()
            },
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupRejected(
            "The list of deletions cannot be read.", next_step="Name one that securevec backup tombstones wrote."
        ) from error


def _successor(note: bytes, public: bytes) -> bytes:
    """The key at the end of the exchanges in the list, if they hold ``public``: it must have signed the list."""
    said: dict[str, Any] = orjson.loads(note.rpartition(b"\n\n")[0])
    try:
        found = [open_succession(each.encode()) for each in said["signing_keys"]]
        chain = Keychain(installation_of(note), public, found)
        chain.require_pinned()
    except AuditTampered as error:
        raise BackupRejected("The list of deletions is of another installation, or was altered.") from error
    return chain.current


def ledger_since(
    backup_control: Path, *, backup: str, installation: str, control: ControlStore, keys: KeyRing, now_ms: int
) -> Ledger:
    """What ``control`` and ``keys``, of now, know that the backup's ``control.db`` does not.

    Raises :class:`BackupRejected` when that file cannot be read.
    """
    gone: dict[str, list[bytes]] = {}
    older = 0
    for collection, page in _records(backup_control):
        live = control.live(CollectionId(collection), [ref for ref, _ in page])
        missing = [ref for ref, _ in page if ref not in live]
        if missing:
            gone.setdefault(collection, []).extend(missing)
        older += sum(1 for ref, generation in page if live.get(ref, generation) != generation)
    tenants = control.tenants()
    head = control.audit_head()
    return Ledger(
        installation=installation,
        backup=backup,
        made_ms=now_ms,
        floor_ms=max(now_ms, control.time_floor()),
        audit_size=head[0] if head else 0,
        revision=control.revision(),
        tenants={row.tenant: row.state for row in tenants},
        grants={row.tenant: control.grants(row.tenant) for row in tenants},
        authority=control.authority(),
        tombstones=control.tombstones(),
        token_keys={
            row.tenant: seal_token_keys(keys, row.tenant, version)
            for row in tenants
            if row.state in ("active", "suspended") and (version := control.token_version(row.tenant)) > 1
        },
        keys=keys.destroyed_ids(),
        gone=gone,
        older=older,
        filters=keys.filter_versions(),
        pseudonyms=keys.pseudonym_versions(),
        waiting=control.waiting_tokens(),
        going=control.going_refs(),
    )


def _records(control: Path) -> Iterator[tuple[str, list[tuple[bytes, int]]]]:
    """Live records of the copy, a page of one collection at a time. The file is only read, and not locked."""
    try:
        uri = f"{control.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            collections = [row[0] for row in connection.execute("SELECT collection FROM collection ORDER BY 1")]
            for collection in collections:
                after = b""
                while page := connection.execute(SELECT_REFS, (collection, after, _PAGE)).fetchall():
                    yield collection, page
                    after = page[-1][0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BackupRejected("The control store of the backup cannot be read.") from error


def _packed(cell: object) -> object:
    return {"b": base64.b64encode(cell).decode()} if isinstance(cell, bytes) else cell


def _unpacked(cell: Any) -> object:
    return base64.b64decode(cell["b"], validate=True) if isinstance(cell, dict) else cell
