"""Which records a sync deletes. Pure: from what the store knows of a source and what the source shows now.

A record goes only when all of this holds: it came from this source; nothing of the source shows it any more; and the
file it came from, if it is there, was read to its end without a refused row. What could not be looked at is not gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass

from securevec.errors import SyncRefused, UsageError

HALF = 16
"""Bytes of a known digest that say what the record was read from; the rest is its content digest."""


@dataclass(frozen=True, slots=True, repr=False)
class SyncPlan:
    """Refs to delete, and refs that stay because their file was not read as a whole."""

    gone: tuple[bytes, ...]
    doubtful: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"SyncPlan({len(self.gone)} gone, {len(self.doubtful)} doubtful)"


def plan_sync(
    known: Mapping[bytes, bytes], seen: Set[bytes], *, doubted: Collection[bytes], complete: bool
) -> SyncPlan:
    """``known``: ref to digest, 32 bytes. ``seen``: refs the source shows. ``doubted``: what records were read from, of
    files that were not read to their end. ``complete``: whether every folder could be listed."""
    missing = [ref for ref in known if ref not in seen]
    if not complete:
        return SyncPlan((), tuple(missing))
    doubtful = [ref for ref in missing if known[ref][:HALF] in doubted]
    held_back = set(doubtful)
    return SyncPlan(tuple(ref for ref in missing if ref not in held_back), tuple(doubtful))


def require_trustworthy(known: Mapping[bytes, bytes], files: int, *, single: bool, allow_empty: bool) -> None:
    """Before anything is stored: raise for a source on whose word nothing may be deleted. ``files`` it shows fit.

    Raises :class:`UsageError` when a single file was named, and :class:`SyncRefused` when a source that had files shows
    none: an unmounted disk looks like that.
    """
    if single:
        raise UsageError("A sync needs folders: one file does not say what else is gone.")
    if known and not files and not allow_empty:
        raise SyncRefused(
            "The source shows no file, and the collection holds records from it; none was deleted.",
            next_step="See that the folder is mounted. If it is empty on purpose: --allow-empty",
        )
