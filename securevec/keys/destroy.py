"""Removal of keys, with evidence: delete, rewrite the file, then search the live files for what was removed.

1. One transaction deletes the rows, leaves tombstones and a note of the unfinished work. From here on the keys are
   unusable in every process.
2. ``VACUUM`` rewrites the file from its live rows.
3. With everybody else shut out, every file of the directory is searched for the wrapped keys that step 1 read.
4. The evidence is written on the tombstones. The note stays until the rest of the home was searched too, by who knows
   its files (:func:`search_elsewhere`).

Killed after step 1, a second call starts at step 2. By then nobody knows the wrapped keys, so instead of a search the
directory must hold the rewritten file and nothing else. The tombstones remember which of the two it was, so a call
repeated after the end claims no more than the one that ended it. What this shows is removal from live files; blocks
the file system freed, and backups, are out of its reach, and the evidence says no more than it knows.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from securevec.crypto.wrap import KeyRow
from securevec.errors import KeyUnavailable
from securevec.keys.keystore import KeyStore, Pending

REMOVED: Final = "removed from live files"
REMOVED_UNSEARCHED: Final = "removed from live files (resumed: file rewritten and alone in its directory, not searched)"
REWRITTEN: Final = "removed from live files (file rewritten and alone in its directory, home searched for the ids)"
SEARCH: Final = "search:"
"""Before the scope of a destruction that is done in the key store, and whose keys are still to be looked for in the
rest of the home."""
NOTHING_HELD: Final = "no keys were held"

Search = Callable[[Sequence[bytes]], None]
"""Looks for each of these 16 bytes in the home outside the key store, and raises when it finds some."""

_CHUNK: Final = 4 * 1024 * 1024
_FEW: Final = 64
"""Keys that are looked for one after another."""


@dataclass(frozen=True, slots=True)
class KeyDestruction:
    """What was destroyed: key ids in hex, when (UTC ms), and on what evidence.

    Where bytes of a key are still found there is none of these: it raises.
    """

    key_ids: tuple[str, ...]
    destroyed_ms: int
    evidence: str


def destroy(
    store: KeyStore, scope: str, rows_of_scope: Callable[[], Sequence[KeyRow]], *, now_ms: int
) -> KeyDestruction | None:
    """Destroy the keys of a scope, or finish an earlier attempt. ``None`` when there is nothing to destroy or finish.

    Raises :class:`KeyUnavailable` when the store is busy (nothing or only step 1 is done; the same call continues) and
    when the bytes of a destroyed key are still found.
    """
    with store.lock:
        with store.transaction():
            rows = rows_of_scope()
            pending = store.pending(scope)
            # Keys of an attempt cut short, whose wrapped bytes nobody knows any more.
            earlier = pending.key_ids if pending is not None else ()
            if rows:
                tags = dict(zip(earlier, pending.tags, strict=True)) if pending is not None else {}
                tags |= {row.key_id: row.wrapped[-16:] for row in rows}
                key_ids = tuple(sorted(tags))
                pending = Pending(key_ids, now_ms, tuple(tags[key_id] for key_id in key_ids))
                store.set_pending(scope, pending)
                store.bury(rows, now_ms=now_ms)
        if pending is None:
            return None
        store.vacuum()
        with store.exclusive():
            if rows:
                _refuse_residue(store.directory, [row.wrapped for row in rows])
                # A copy from before a rotation holds the key under another wrapping. The store itself keeps its id.
                _refuse_residue(store.directory, [row.key_id for row in rows], but=store.path)
            if earlier:
                _refuse_other_files(store.directory, store.path)
        evidence = REMOVED_UNSEARCHED if earlier else REMOVED
        with store.transaction():
            store.set_evidence(pending.key_ids, evidence)
            store.set_pending(f"{SEARCH}{scope}:{pending.key_ids[0].hex()}", pending)
            store.clear_pending(scope)
    return KeyDestruction(
        key_ids=tuple(key_id.hex() for key_id in pending.key_ids),
        destroyed_ms=pending.begun_ms,
        evidence=evidence,
    )


def sweep(store: KeyStore, tenant: bytes, kind: str, search: Search) -> str:
    """Show the removal of keys that were destroyed one by one: rewrite the file, have nothing beside it, and have
    ``search`` look for their ids in the rest of the home (of their wrapped bytes nobody knows any more).

    Returns the evidence. Raises as :func:`destroy`, and what ``search`` raises: then the next call begins again.
    """
    with store.lock:
        key_ids = store.unshown(tenant, kind)
        if key_ids:
            with store.transaction():
                store.forget_names()
            store.vacuum()
            with store.exclusive():
                _refuse_other_files(store.directory, store.path)
    if key_ids:
        search(key_ids)
        with store.lock, store.transaction():
            store.set_evidence(key_ids, REWRITTEN)
    return REWRITTEN


def drop_shown(store: KeyStore, rows_of_scope: Callable[[], Sequence[KeyRow]]) -> str:
    """Delete keys under which nothing is sealed, so that no tombstone is needed, and show that they are gone as
    :func:`destroy` does. Returns the evidence. Repeated, it finds no rows, and says what can be said then."""
    with store.lock:
        with store.transaction():
            rows = rows_of_scope()
            for row in rows:
                store.drop(row)
            if rows:
                store.forget_names()
        store.vacuum()
        with store.exclusive():
            if rows:
                _refuse_residue(store.directory, [each for row in rows for each in (row.wrapped, row.key_id)])
            else:
                _refuse_other_files(store.directory, store.path)
    return REMOVED if rows else REMOVED_UNSEARCHED


def search_elsewhere(store: KeyStore, tenant: str | None, search: Search) -> int:
    """Have ``search`` look for the destroyed keys of a tenant, or of all, that nobody looked for yet outside the key
    store; returns how many. It is given twice 16 bytes of each and raises when it finds some: then the next call looks
    again.
    """
    with store.lock:
        scopes = [scope for scope in store.pending_scopes(SEARCH) if tenant is None or tenant in scope.split(":")]
        held = {scope: pending for scope in scopes if (pending := store.pending(scope)) is not None}
    # The ids too: a copy from before a rotation holds the key under another wrapping.
    tags = [tag for pending in held.values() for tag in pending.tags]
    if tags:
        search([*tags, *(key_id for pending in held.values() for key_id in pending.key_ids)])
        with store.lock, store.transaction():
            for scope in held:
                store.clear_pending(scope)
    return len(tags)


def _refuse_residue(directory: Path, wrapped: Sequence[bytes], *, but: Path | None = None) -> None:
    # Closing a descriptor of a SQLite file drops this process's POSIX locks on it. The caller holds the store
    # exclusively and has written nothing, so no lock is in use that could be lost.
    for path in _files(directory):
        if path == but:
            continue
        overlap = b""
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise _unreadable()  # a link leads elsewhere, and a pipe would be waited for
            with path.open("rb", buffering=0) as stream:
                while chunk := stream.read(_CHUNK):
                    window = overlap + chunk
                    if _holds(window, wrapped):
                        raise KeyUnavailable(
                            "Bytes of a destroyed key are still in the key store's directory; it is not done.",
                            next_step="Remove copies of keys.db from that directory and run the same again.",
                        )
                    overlap = window[-max(map(len, wrapped)) + 1 :]
        except OSError as error:
            raise _unreadable() from error


def _holds(window: bytes, wrapped: Sequence[bytes]) -> bool:
    """Whether one of the wrapped keys is in these bytes. Of many, 8 bytes of each are looked for at every place at
    once: one search a key would read the file as often as there are keys."""
    if len(wrapped) <= _FEW:
        return any(needle in window for needle in wrapped)
    heads = np.unique(np.frombuffer(b"".join(needle[:8] for needle in wrapped), dtype=np.uint64))
    for shift in range(min(8, len(window))):
        held = np.frombuffer(window, dtype=np.uint64, offset=shift, count=max(0, len(window) - shift) // 8)
        for place in np.flatnonzero(np.isin(held, heads)):
            start = shift + 8 * int(place)
            if any(window.startswith(needle, start) for needle in wrapped):
                return True
    return False


def _refuse_other_files(directory: Path, expected: Path) -> None:
    if any(path != expected for path in _files(directory)):
        raise KeyUnavailable(
            "The key store's directory holds other files, which may hold destroyed keys; it is not done.",
            next_step="Remove everything but keys.db from that directory and run the same again.",
        )


def _files(directory: Path) -> Iterator[Path]:
    """Every file and link below the directory. Raises :class:`KeyUnavailable` where it cannot be listed."""

    def fail(error: OSError) -> None:
        raise _unreadable() from error

    for folder, folders, names in os.walk(directory, onerror=fail):
        for name in (*names, *(each for each in folders if Path(folder, each).is_symlink())):
            yield Path(folder, name)


def _unreadable() -> KeyUnavailable:
    return KeyUnavailable(
        "The key store's directory cannot be searched, so removal is not shown.",
        next_step="Make it readable to this user and run the same again.",
    )
