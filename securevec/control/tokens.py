"""What changes in the control store when a tenant gets a new token key or a new pseudonym key.

Token key: every token is moved to the next version, in one transaction. Tokens stand in four tables. The job of an
erasure names some more, so none may be under way. The version stands in the tenant's row, so tokens and version change
together for every process. The tenant's fence grows with them: an operation that began with tokens of the version
before is refused, as if the tenant had been suspended.

Pseudonym key: the stand-ins for parts of names are replaced by those of the next version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import orjson

from securevec.control.database import Transaction
from securevec.control.numbers import TENANT_NO
from securevec.control.room import Room, require_active
from securevec.control.subjects import SELECT_ERASING
from securevec.errors import ControlUnavailable, UsageError
from securevec.types import TenantId, Token

Lift = Callable[[Token], Token]
"""The token of the same value under the next version."""

Reseal = Callable[[bytes, bytes, bytes], bytes]
"""What stands for a part of a name, sealed for the part's token, sealed for its next one."""

SELECT_VERSION: Final = "SELECT COALESCE(token_version, 1) FROM tenant WHERE tenant = :tenant"
SET_VERSION: Final = (
    "UPDATE tenant SET token_version = :version, fence = fence + 1, updated_ms = :now WHERE tenant = :tenant"
)
MOVE_FENCE: Final = "UPDATE tenant SET fence = fence + 1, updated_ms = :now WHERE tenant = :tenant"
SELECT_HOLDS: Final = "SELECT hold_id FROM hold WHERE tenant = :tenant"

SELECT_ERASURES: Final = (
    "SELECT job_id, data FROM job WHERE tenant = :tenant AND kind = 'subject.erase' AND state <> 'done'"
)
SET_ERASURE: Final = "UPDATE job SET data = :data WHERE job_id = :job_id"

COLUMNS: Final = (
    (
        f"SELECT token FROM subject_token WHERE tenant_no = {TENANT_NO}",
        f"UPDATE subject_token SET token = ? WHERE tenant_no = {TENANT_NO} AND token = ?",
    ),
    ("SELECT token FROM tombstone WHERE tenant = ?", "UPDATE tombstone SET token = ? WHERE tenant = ? AND token = ?"),
)
"""Of each column of a tenant: how its tokens are read, and how one is replaced. Other tables name people by number."""
SELECT_PARTS: Final = f"SELECT part, person_no, stand_in FROM name_part WHERE tenant_no = {TENANT_NO}"
UPDATE_PART: Final = (
    f"UPDATE name_part SET part = ?, stand_in = ? WHERE tenant_no = {TENANT_NO} AND part = ? AND person_no = ?"
)
SAY_PART: Final = (
    f"UPDATE name_part SET stand_in = ? WHERE tenant_no = {TENANT_NO} AND part = ?"
    f" AND person_no = (SELECT subject_no FROM subject_token WHERE tenant_no = {TENANT_NO} AND token = ?)"
)
SET_PART: Final = f"UPDATE name_part SET stand_in = ? WHERE tenant_no = {TENANT_NO} AND part = ? AND person_no = ?"
HOLD_COLUMN: Final = (
    "SELECT token FROM hold_subject WHERE hold_id = ?",
    "UPDATE hold_subject SET token = ? WHERE hold_id = ? AND token = ?",
)


class Tokens(Room):
    def lift_tokens(
        self, tenant: TenantId, version: int, lift: Lift, reseal: Reseal, *, now_ms: int, alone: bool = False
    ) -> int:
        """Move every token of the tenant to ``version``, the one after that in force. Returns how many those
        are, also where it is in force already. ``alone``: nobody else works on the tenant's erasures, as in a home that
        is being restored, so those that are open go on with new tokens too.

        Raises :class:`ControlUnavailable` while people of the tenant are being erased (nothing was changed),
        :class:`TenantUnavailable`, :class:`TenantNotFound`, :class:`UsageError` (another version comes next).
        """
        with self._db.write() as tx:
            require_active(tx, tenant)
            row = tx.row(SELECT_VERSION, {"tenant": tenant})
            before = row[0] if row else 1
            if before == version:
                held = sum(len(tx.rows(column[0], (owner,))) for column, owner in _columns(tx, tenant))
                return held + len(tx.rows(SELECT_PARTS, (tenant,)))
            if before != version - 1:
                raise UsageError("Versions of a token key follow each other.")
            if alone:
                _lift_erasures(tx, tenant, lift)
            else:
                _require_no_erasure(tx, tenant)
            moved = sum(_lift(tx, column, owner, lift) for column, owner in _columns(tx, tenant))
            named = tx.rows(SELECT_PARTS, (tenant,))
            tx.run_many(
                UPDATE_PART,
                [
                    (lift(part), reseal(stand_in, part, lift(part)), tenant, part, person)
                    for part, person, stand_in in named
                ],
            )
            moved += len(named)
            tx.run(SET_VERSION, {"tenant": tenant, "version": version, "now": now_ms})
            return moved

    def refuse_begun(self, tenant: TenantId, *, now_ms: int) -> None:
        """Move the tenant's fence: whoever began before is refused by it, and tries again. Raises
        :class:`ControlUnavailable` while people of the tenant are being erased, and :class:`TenantUnavailable`."""
        with self._db.write() as tx:
            require_active(tx, tenant)
            _require_no_erasure(tx, tenant)
            tx.run(MOVE_FENCE, {"tenant": tenant, "now": now_ms})

    def say_parts(self, tenant: TenantId, parts: Iterable[tuple[bytes, bytes, bytes]], *, fence: int) -> None:
        """What stands for parts of names that are known: token of the part, token of the person, and the sealed text.
        Raises :class:`TenantUnavailable`."""
        with self._db.write() as tx:
            require_active(tx, tenant, fence)
            tx.run_many(SAY_PART, ((text, tenant, part, tenant, person) for part, person, text in parts))

    def restate_parts(self, tenant: TenantId, restate: Callable[[bytes, bytes], bytes]) -> int:
        """Replace what stands for each part of a name by what ``restate`` makes of it and the part's token. Returns
        how many are others then."""
        with self._db.write() as tx:
            require_active(tx, tenant)
            changes = [
                (made, tenant, part, person)
                for part, person, text in tx.rows(SELECT_PARTS, (tenant,))
                if (made := restate(text, part)) != text
            ]
            tx.run_many(SET_PART, changes)
            return len(changes)


def _require_no_erasure(tx: Transaction, tenant: TenantId) -> None:
    if tx.row(SELECT_ERASING, {"tenant": tenant}):
        raise ControlUnavailable(
            "People of the tenant are being erased; its tokens and surrogates are made anew when that is done.",
            next_step="Run: securevec jobs run",
        )


def _lift_erasures(tx: Transaction, tenant: TenantId, lift: Lift) -> None:
    for job_id, data in tx.rows(SELECT_ERASURES, {"tenant": tenant}):
        said: dict[str, Any] = orjson.loads(data)
        for name in ("tokens", "shared"):
            if name in said:
                said[name] = [lift(Token(bytes.fromhex(token))).hex() for token in said[name]]
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
        tx.run(SET_ERASURE, {"job_id": job_id, "data": text})


def _columns(tx: Transaction, tenant: TenantId) -> Iterator[tuple[tuple[str, str], str]]:
    """Every column with tokens of the tenant, and whose rows of it are the tenant's."""
    for column in COLUMNS:
        yield column, tenant
    for (hold_id,) in tx.rows(SELECT_HOLDS, {"tenant": tenant}):
        yield HOLD_COLUMN, hold_id


def _lift(tx: Transaction, column: tuple[str, str], owner: str, lift: Lift) -> int:
    read, write = column
    # All of them first: one that was replaced would be met again further on.
    changes = [(lift(Token(row[0])), owner, row[0]) for row in tx.rows(read, (owner,))]
    tx.run_many(write, changes)
    return len(changes)
