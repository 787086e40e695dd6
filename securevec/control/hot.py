"""What every search and every batch asks, over the reader connection: fence and roles, generations, known tokens.

Fences and roles are remembered until anyone commits anything: ``PRAGMA data_version`` is asked at each call, so what
another process set is seen by the next call and no cache lifetime bounds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from securevec.control.database import Database, many
from securevec.control.keystore import SELECT_CHANGES
from securevec.control.numbers import COLLECTION_NO, TENANT_NO, WITH_EPOCH
from securevec.control.room import SELECT_STATE, Room
from securevec.control.rows import Fence, ManifestRow, RecordState, Standing
from securevec.errors import TenantNotFound
from securevec.types import CollectionId, TenantId

SELECT_CURRENT: Final = (
    "SELECT ref, generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size, 'live'"
    f" FROM manifest m {WITH_EPOCH} WHERE m.collection_no = {COLLECTION_NO} AND ref IN (*)"
)
SELECT_LIVE: Final = f"SELECT ref, generation FROM manifest WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"
SELECT_GENERATIONS: Final = (
    f"SELECT ref, generation, 'live' FROM manifest WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"
    f" UNION ALL SELECT ref, generation, state FROM transit WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"
)
SELECT_PARTS: Final = (
    "SELECT p.part, s.token, p.stand_in FROM name_part p JOIN subject_token s ON s.subject_no = p.person_no"
    f" WHERE p.tenant_no = {TENANT_NO} AND p.part IN (*)"
)
SELECT_TOKENS: Final = (
    f"SELECT token, entity FROM subject_token WHERE tenant_no = {TENANT_NO} AND token IN (*) AND entity <> ''"
)
SELECT_ROLES: Final = "SELECT role FROM principal_grant WHERE tenant = ? AND actor_token = ?"

_MOST_STANDINGS: Final = 10_000
"""Actors remembered between two commits; one more, and the memory begins anew."""
_AT_ONCE: Final = 500
"""Parameters of one statement, well under SQLite's oldest limit of 999."""


class HotReads(Room):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        # Replaced as a whole, never changed under a version that another thread reads.
        self._standings: tuple[int, dict[tuple[TenantId, bytes], Standing]] = (-1, {})
        self._fences: tuple[int, dict[TenantId, Fence]] = (-1, {})

    def version(self) -> int:
        """Differs from an earlier value whenever any process committed in between."""
        return self._db.version()

    @property
    def seen(self) -> int:
        """A :meth:`version` of some moment before now. Equal to one read later: nobody committed in between."""
        return self._standings[0]

    def tombstoned(self, tenant: TenantId, *, version: int | None = None) -> bool:
        """Whether anybody of the tenant was ever erased, as committed now, at the price of one PRAGMA; or as committed
        at a :meth:`version` that the caller has just read."""
        return self._fence_now(tenant, version).tombstoned

    def token_version(self, tenant: TenantId) -> int:
        """The version of its token key that the tenant's tokens are of, as committed now, at the same price."""
        return self._fence_now(tenant).tokens

    def _fence_now(self, tenant: TenantId, version: int | None = None) -> Fence:
        if version is None:
            version = self._db.version()
        known, fences = self._fences
        if known != version or len(fences) >= _MOST_STANDINGS:
            fences = {}
            self._fences = (version, fences)
        if tenant not in fences:
            fences[tenant] = self.fence(tenant)
        return fences[tenant]

    def fence(self, tenant: TenantId) -> Fence:
        """The tenant's state and epoch as committed now. Raises :class:`TenantNotFound`."""
        row = self._db.row(SELECT_STATE, {"tenant": tenant})
        if row is None:
            raise TenantNotFound("There is no such tenant.")
        return Fence(row[0], row[1], bool(row[2]), row[3] or 1)

    def standing(self, tenant: TenantId, actor_token: bytes) -> Standing:
        """Fence and roles as committed now, at the price of one PRAGMA. Raises :class:`TenantNotFound`."""
        # The version is read first: a commit after it makes the entry newer than its label, never older.
        version = self._db.version()
        known, standings = self._standings
        if known != version or len(standings) >= _MOST_STANDINGS:
            standings = {}
            self._standings = (version, standings)
        standing = standings.get((tenant, actor_token))
        if standing is None:
            changes = self._db.row(SELECT_CHANGES)
            standing = standings[tenant, actor_token] = Standing(
                self.fence(tenant), self.roles(tenant, actor_token), changes[0] if changes else 0
            )
        return standing

    def current(self, collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, ManifestRow]:
        """The live generation of each ref that has one. Expiry is the caller's to judge."""
        return {
            row[0]: ManifestRow(*row)
            for part in parts(refs)
            for row in self._db.rows(many(SELECT_CURRENT, len(part)), (collection, *part))
        }

    def generations(self, collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, dict[int, RecordState]]:
        """State by generation, for each ref that has any: what :meth:`states` tells, for a search."""
        found: dict[bytes, dict[int, RecordState]] = {}
        for part in parts(refs):
            # Both halves in one statement: a record changing state in between would be seen twice or not at all.
            for ref, generation, state in self._db.rows(
                many(SELECT_GENERATIONS, len(part)), (collection, *part, collection, *part)
            ):
                found.setdefault(ref, {})[generation] = state
        return found

    def live(self, collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, int]:
        """The live generation's number of each ref that has one: what :meth:`current` tells, for a search."""
        return {
            ref: generation
            for part in parts(refs)
            for ref, generation in self._db.rows(many(SELECT_LIVE, len(part)), (collection, *part))
        }

    def known_tokens(self, tenant: TenantId, tokens: Sequence[bytes]) -> dict[bytes, str]:
        """Token to entity, for those among ``tokens`` that this tenant's records carried."""
        return {
            row[0]: row[1]
            for part in parts(tokens)
            for row in self._db.rows(many(SELECT_TOKENS, len(part)), (tenant, *part))
        }

    def known_parts(self, tenant: TenantId, tokens: Sequence[bytes]) -> dict[bytes, dict[bytes, bytes]]:
        """The people whose name has one of these parts: part token to person token to what stands for the part."""
        found: dict[bytes, dict[bytes, bytes]] = {}
        for several in parts(tokens):
            for part, person, stand_in in self._db.rows(many(SELECT_PARTS, len(several)), (tenant, *several)):
                found.setdefault(part, {})[person] = stand_in
        return found

    def roles(self, tenant: TenantId, actor_token: bytes) -> frozenset[str]:
        """Roles granted to this actor in this tenant; empty when none."""
        return frozenset(row[0] for row in self._db.rows(SELECT_ROLES, (tenant, actor_token)))


def parts(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """``values`` in runs small enough for one statement; none when empty."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
