"""What the key store holds: wrapped keys, tombstones, and notes of unfinished destructions (docs/formats.md section 2).

Statements only. Whether a row is genuine is decided when its key is unwrapped (wrap.py), which key may be used is
decided by the ring (keyring.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.errors import KeyRejected
from securevec.keys.keyfile import KeyFile
from securevec.keys.keytables import (
    BY_ID,
    DELETE_KEY,
    FORGET_NAMES,
    INSERT_KEY,
    NAMES,
    OF_USE,
    REPLACE_KEY,
    REWRAP_KEY,
    SELECT_KEYS,
    SET_BLOCKS,
    blocks,
    insert_values,
    read_row,
)

_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}\Z")


class Pending(NamedTuple):
    """A destruction whose rows are gone and whose search of the live files is not finished.

    ``tags`` are the last 16 bytes of each wrapped key, the tag of its GCM: they find the wrapped key in a file, and say
    nothing of the key.
    """

    key_ids: tuple[bytes, ...]
    begun_ms: int
    tags: tuple[bytes, ...]


class Tombstone(NamedTuple):
    """What stays of a destroyed key. ``evidence`` is empty until its removal was shown."""

    key_id: bytes
    destroyed_ms: int
    evidence: str


class KeyStore(KeyFile):
    """The rows of ``keys.db``. Every method raises as :class:`KeyFile`, and :class:`KeyRejected` for altered rows."""

    def row(self, key_id: bytes) -> KeyRow | None:
        rows = self._rows(BY_ID, (key_id,))
        return rows[0] if rows else None

    def active(self, use: KeyUse) -> KeyRow | None:
        """The row new values may be sealed with, for this use."""
        rows = self._rows(f"{OF_USE} AND k.state = 0", (use.tenant, use.collection, use.kind, use.purpose, use.epoch))
        return rows[0] if rows else None

    def versions(self, use: KeyUse) -> list[KeyRow]:
        """The rows of a key that has numbered versions, oldest first. Raises :class:`KeyRejected` for no number."""
        found = self._rows(
            "u.kind = ?1 AND u.purpose = ?2 AND p.tenant = ?3 AND p.collection = ?4",
            (use.kind, use.purpose, use.tenant, use.collection),
        )
        return sorted(found, key=lambda row: number_of(row.use))

    def rows_of_tenant(self, tenant: bytes) -> list[KeyRow]:
        return self._rows("p.tenant = ?", (tenant,))

    def rows_of_epoch(self, tenant: bytes, collection: bytes, epoch: str) -> list[KeyRow]:
        return self._rows(
            "u.kind = 'dek' AND p.tenant = ? AND p.collection = ? AND e.name = ?", (tenant, collection, epoch)
        )

    def rows_of_collection(self, tenant: bytes, collection: bytes) -> list[KeyRow]:
        """The DEKs of a collection, of every epoch and purpose."""
        return self._rows(
            "u.kind = 'dek' AND p.tenant = ? AND p.collection = ? ORDER BY e.name, u.purpose, k.created_ms, k.key_id",
            (tenant, collection),
        )

    def rows_bound(self, tenant: bytes, kind: str, name: bytes) -> list[KeyRow]:
        """The keys of one person or record."""
        return self._rows("p.tenant = ? AND p.collection = ? AND u.kind = ?", (tenant, name, kind))

    def all_rows(self, *, tenant: bytes = b"", kind: str = "") -> list[KeyRow]:
        """Every row, or those of one tenant, or of one kind."""
        return self._rows(
            "(?1 = x'' OR p.tenant = ?1) AND (?2 = '' OR u.kind = ?2)"
            " ORDER BY p.tenant, u.kind, p.collection, e.name, u.purpose, k.created_ms, k.key_id",
            (tenant, kind),
        )

    def rows_under(self, id_bytes: int) -> list[KeyRow]:
        """The rows whose wrapping key has an id of this length: 8 is a root key."""
        return self._rows("length(w.wrapping_id) = ?", (id_bytes,))

    def insert(self, row: KeyRow) -> None:
        self._write(INSERT_KEY, row)

    def replace(self, row: KeyRow) -> None:
        """Put a row in the place of the one with the same key id (a key wrapped again, or in another state)."""
        self._write(REPLACE_KEY, row)

    def rewrap(self, row: KeyRow) -> None:
        """Put a key wrapped again in the place of the row with the same key id."""
        self._changed = True
        values = insert_values(row)
        self._run(NAMES[-1], values)
        self._run(REWRAP_KEY, values)

    def drop(self, row: KeyRow) -> None:
        """Delete a row without a tombstone: its key was replaced, what it wrapped is wrapped under another."""
        self._changed = True
        self._run(DELETE_KEY, (row.key_id,))

    def forget_names(self) -> None:
        """Delete ids and words that no row names any more."""
        for statement in FORGET_NAMES:
            self._run(statement)

    def _write(self, statement: str, row: KeyRow) -> None:
        self._changed = True
        values = insert_values(row)
        for each in (*NAMES, statement):
            self._run(each, values)

    def set_leased(self, key_id: bytes, leased: int) -> None:
        """``leased`` in messages; kept in whole blocks."""
        self._run(SET_BLOCKS, (key_id, blocks(leased)))

    # -- destruction

    def is_destroyed(self, key_id: bytes) -> bool:
        return bool(self._run("SELECT 1 FROM destroyed WHERE key_id = ?", (key_id,)))

    def destroyed_of_tenant(self, tenant: bytes) -> list[Tombstone]:
        """Every destroyed key of a tenant."""
        found = self._run(
            "SELECT key_id, destroyed_ms, evidence FROM destroyed WHERE tenant = ? ORDER BY key_id", (tenant,)
        )
        return [Tombstone(*columns) for columns in found]

    def destroyed_ids(self) -> list[bytes]:
        return [key_id for (key_id,) in self._run("SELECT key_id FROM destroyed ORDER BY key_id")]

    def tenant_destroyed(self, tenant: bytes) -> bool:
        return bool(self._run("SELECT 1 FROM destroyed WHERE tenant = ? AND kind = 'kek' LIMIT 1", (tenant,)))

    def has_kind(self, kind: str) -> bool:
        """Whether any key of this kind was ever held."""
        return bool(self._run("SELECT 1 FROM uses WHERE kind = ? LIMIT 1", (kind,)))

    def holds_kind(self, tenant: bytes, kind: str) -> bool:
        """Whether a tenant has a key of this kind, or had one that was destroyed."""
        return bool(
            self._run("SELECT 1 FROM destroyed WHERE tenant = ? AND kind = ? LIMIT 1", (tenant, kind))
            or self._run(
                "SELECT 1 FROM places p JOIN keys k ON k.place = p.place JOIN uses u ON u.use = k.use"
                " WHERE p.tenant = ? AND u.kind = ? LIMIT 1",
                (tenant, kind),
            )
        )

    def unshown(self, tenant: bytes, kind: str) -> list[bytes]:
        """Destroyed keys whose removal from the live files was not shown yet."""
        found = self._run(
            "SELECT key_id FROM destroyed WHERE tenant = ? AND kind = ? AND evidence = ''", (tenant, kind)
        )
        return [key_id for (key_id,) in found]

    def bury(self, rows: Sequence[KeyRow], *, now_ms: int, forget: bool = True) -> None:
        """Delete rows and leave their tombstones, without evidence yet. Without ``forget`` what no row names any more
        is left for the next time: looking for it reads the whole table."""
        self._changed = self._changed or bool(rows)
        for row in rows:
            self._run(
                "INSERT OR IGNORE INTO destroyed (key_id, kind, tenant, destroyed_ms, evidence) VALUES (?,?,?,?,'')",
                (row.key_id, row.use.kind, row.use.tenant, now_ms),
            )
            self._run(DELETE_KEY, (row.key_id,))
        if forget:
            self.forget_names()

    def pending(self, scope: str) -> Pending | None:
        found = self._run("SELECT key_ids, begun_ms FROM pending_destruction WHERE scope = ?", (scope,))
        if not found:
            return None
        joined, begun_ms = found[0]
        if not joined or len(joined) % 32:
            raise _altered()
        parts = [joined[start : start + 16] for start in range(0, len(joined), 16)]
        return Pending(tuple(parts[0::2]), begun_ms, tuple(parts[1::2]))

    def set_pending(self, scope: str, pending: Pending) -> None:
        self._run(
            "INSERT OR REPLACE INTO pending_destruction (scope, key_ids, begun_ms) VALUES (?,?,?)",
            (scope, b"".join(map(b"".join, zip(pending.key_ids, pending.tags, strict=True))), pending.begun_ms),
        )

    def pending_scopes(self, prefix: str) -> list[str]:
        """Scopes that begin with ``prefix`` and whose destruction is not finished."""
        found = self._run(
            "SELECT scope FROM pending_destruction WHERE substr(scope, 1, ?) = ? ORDER BY scope", (len(prefix), prefix)
        )
        return [scope for (scope,) in found]

    def set_evidence(self, key_ids: Sequence[bytes], evidence: str) -> None:
        """Write the evidence on these tombstones; one that has some keeps it."""
        for key_id in key_ids:
            self._run("UPDATE destroyed SET evidence = ? WHERE key_id = ? AND evidence = ''", (evidence, key_id))

    def clear_pending(self, scope: str) -> None:
        self._run("DELETE FROM pending_destruction WHERE scope = ?", (scope,))

    def _rows(self, where: str, values: Sequence[object]) -> list[KeyRow]:
        found = self._run(SELECT_KEYS + where, values)
        return [read_row(columns) for columns in found]


def number_of(use: KeyUse) -> int:
    """The number of a version. Raises :class:`KeyRejected` for what is none."""
    if _VERSION.match(use.epoch) is None:
        raise _altered()
    return int(use.epoch)


def _altered() -> KeyRejected:
    return KeyRejected("A row of the key store was altered.", next_step="Restore keys.db from a backup.")
