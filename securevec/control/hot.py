"""What every search and every batch asks, over the reader connection: fence, current generations, roles, known tokens.

A tenant's fence is remembered until anyone commits anything: ``PRAGMA data_version`` is asked at each call, so a state
set by another process is seen by the next call and no cache lifetime bounds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from securevec.control.database import Database, many
from securevec.control.room import SELECT_STATE, Room
from securevec.control.rows import Fence, ManifestRow
from securevec.errors import TenantNotFound
from securevec.types import CollectionId, TenantId

SELECT_CURRENT: Final = (
    "SELECT ref, generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size, 'live'"
    " FROM manifest WHERE collection = ? AND ref IN (*)"
)
SELECT_TOKENS: Final = "SELECT token, entity FROM subject_token WHERE tenant = ? AND token IN (*)"
SELECT_ROLES: Final = "SELECT role FROM principal_grant WHERE tenant = ? AND actor_token = ?"

_AT_ONCE: Final = 500
"""Parameters of one statement, well under SQLite's oldest limit of 999."""


class HotReads(Room):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        # Replaced as a whole, never changed under a version that another thread reads.
        self._fences: tuple[int, dict[TenantId, Fence]] = (-1, {})

    def version(self) -> int:
        """Differs from an earlier value whenever any process committed in between."""
        return self._db.version()

    def fence(self, tenant: TenantId) -> Fence:
        """The tenant's state and epoch as committed now. Raises :class:`TenantNotFound`."""
        # The version is read first: a commit between the two reads makes the entry newer than its label, never older.
        version = self._db.version()
        known, fences = self._fences
        if known != version:
            fences = {}
            self._fences = (version, fences)
        fence = fences.get(tenant)
        if fence is None:
            row = self._db.row(SELECT_STATE, {"tenant": tenant})
            if row is None:
                raise TenantNotFound("There is no such tenant.")
            fence = fences[tenant] = Fence(row[0], row[1], bool(row[2]))
        return fence

    def current(self, collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, ManifestRow]:
        """The live generation of each ref that has one. Expiry is the caller's to judge."""
        return {
            row[0]: ManifestRow(*row)
            for part in parts(refs)
            for row in self._db.rows(many(SELECT_CURRENT, len(part)), (collection, *part))
        }

    def known_tokens(self, tenant: TenantId, tokens: Sequence[bytes]) -> dict[bytes, str]:
        """Token to entity, for those among ``tokens`` that this tenant's records carried."""
        return {
            row[0]: row[1]
            for part in parts(tokens)
            for row in self._db.rows(many(SELECT_TOKENS, len(part)), (tenant, *part))
        }

    def roles(self, tenant: TenantId, actor_token: bytes) -> frozenset[str]:
        """Roles granted to this actor in this tenant; empty when none."""
        return frozenset(row[0] for row in self._db.rows(SELECT_ROLES, (tenant, actor_token)))


def parts(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """``values`` in runs small enough for one statement; none when empty."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
