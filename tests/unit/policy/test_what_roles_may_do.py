"""What each role permits, and the local operator, said a second time: a permission that moves into a role by mistake is
given to everybody who has it."""

from __future__ import annotations

from typing import Final, get_args

import pytest

from securevec.policy import Actor, BuiltinPolicy, Permission, Request

READS: Final = frozenset({"collection.open", "search", "get", "count", "release"})
WRITES: Final = frozenset({"collection.open", "collection.create", "ingest", "delete", "count"})
PEOPLE: Final = frozenset({"subject.find", "subject.export", "subject.erase"})
MAY: Final = {
    "nobody": frozenset[str](),
    "owner": READS | WRITES | PEOPLE | {"reveal", "grant", "hold"},
    "writer": WRITES,
    "reader": READS,
    "revealer": READS | {"reveal"},
}
OPERATOR: Final = (
    READS | WRITES | PEOPLE | {"tenant.manage", "tenant.delete", "grant", "hold", "hold.release", "retention"}
)


@pytest.mark.parametrize("role", MAY)
def test_a_role_permits_what_is_written_here_and_nothing_else(role: str) -> None:
    assert _permitted(Actor("svc:helpdesk"), role) == MAY[role] | {"tenant.create"}


def test_the_operator_neither_reveals_nor_brings_vectors_of_unknown_text() -> None:
    assert _permitted(Actor.local(), "nobody") == OPERATOR | {"tenant.create"}
    assert _permitted(Actor.local(), "revealer") == OPERATOR | {"tenant.create", "reveal"}


def _permitted(actor: Actor, role: str) -> set[str]:
    rules = BuiltinPolicy()
    return {each for each in get_args(Permission) if rules.decide(Request(actor, each, frozenset({role}))).allowed}
