"""The count of the key store's changes, kept here too, so that an older copy put in its place is noticed.

The key store counts each change in the transaction that makes it. The count is written here with the next commit of
this process, whatever that commit is for, so it costs none of its own. And no commit here says anything (a batch is
live, a key was destroyed) that a key store with this count does not know of.

A process killed in between leaves the key store ahead, and the next opening catches up. It is never behind, unless
somebody put an older copy in its place.
"""

from __future__ import annotations

from typing import Final

from securevec.control.room import Room

SELECT_CHANGES: Final = "SELECT changes FROM key_store WHERE id = 1"
RAISE_CHANGES: Final = (
    "INSERT INTO key_store (id, changes) VALUES (1, :number)"
    " ON CONFLICT (id) DO UPDATE SET changes = excluded.changes WHERE excluded.changes > key_store.changes"
)
SET_CHANGES: Final = (
    "INSERT INTO key_store (id, changes) VALUES (1, :number) ON CONFLICT (id) DO UPDATE SET changes = excluded.changes"
)


class KeyStoreSeen(Room):
    def key_changes(self) -> int:
        """What the key store's count was at least, when this store was last written. Read it before the key store's
        own, which another process may raise in between."""
        row = self._db.row(SELECT_CHANGES)
        return int(row[0]) if row else 0

    def note_key_changes(self, changes: int) -> None:
        """Keep this count with the next commit, if it is higher. Waits for nothing."""
        self._db.write_aside(RAISE_CHANGES, changes)

    def keep_key_changes(self) -> None:
        """Keep a count that was noted and still waits for a commit; one is made when it does."""
        if self._db.waits_aside:
            with self._db.write():
                pass

    def accept_key_changes(self, changes: int) -> None:
        """Keep this count though it is lower: an operator's decision, never the library's."""
        with self._db.write() as tx:
            tx.run(SET_CHANGES, {"number": changes})
