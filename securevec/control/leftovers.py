"""Points that the store has and the manifest does not name. They are to be removed; whether a legal hold covers them is
decided in the transaction in which they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from securevec.control.room import Room, require_active
from securevec.types import CollectionId, TenantId

SELECT_STANDING: Final = (
    "SELECT h.collection, h.record_ref, h.of_subject, s.token FROM hold h"
    " LEFT JOIN hold_subject s ON s.hold_id = h.hold_id WHERE h.tenant = :tenant AND h.released_ms IS NULL"
)


@dataclass(frozen=True, slots=True)
class Leftover:
    """One generation of a record of which points were found: its ref, generation and subject tokens; an empty ref where
    its key is destroyed and nobody can tell."""

    ref: bytes
    generation: int
    tokens: frozenset[bytes] = frozenset()


class Leftovers(Room):
    def while_nobody_holds(
        self,
        tenant: TenantId,
        collection: CollectionId,
        fence: int,
        found: Sequence[Leftover],
        remove: Callable[[list[Leftover]], None],
    ) -> list[Leftover]:
        """Let ``remove`` have those of ``found`` that no standing hold covers, where nobody can place one beside it.
        Returns those that are held.

        A generation that the manifest did not name when its point was there is never named again, so that needs no
        second look. A hold covers what is left of its tenant, its collection, its record in any generation, and of
        every record that carries a token of its person. A statutory minimum keeps records, and none of these is one any
        more. Raises :class:`TenantUnavailable`, and then ``remove`` was not called.
        """
        with self._db.write() as tx:
            require_active(tx, tenant, fence)
            everything, refs, tokens = False, set[bytes](), set[bytes]()
            for place, ref, of_subject, token in tx.rows(SELECT_STANDING, {"tenant": tenant}):
                if of_subject:
                    tokens.add(token)
                elif ref is None:
                    everything |= place in (None, collection)
                elif place == collection:
                    refs.add(ref)
            held = [each for each in found if everything or each.ref in refs or each.tokens & tokens]
            free = [each for each in found if each not in held]
            if free:
                remove(free)
            return held
