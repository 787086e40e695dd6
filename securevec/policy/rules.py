"""The built-in rules: default deny, forbid wins, an error denies.

Rules, in the order they are tried:

1. ``admin-manages``: the local operator may create, list, suspend, resume and delete tenants, grant roles, read
   the audit log and keys' metadata, run jobs, place and release legal holds, and set and apply retention rules.
2. ``admin-operates``: the local operator may also write, search and delete in a tenant, and find, export and erase
   people, since the command line is how an operator loads data and answers a person's request. It may not reveal
   originals unless it holds a role that does.
3. ``creator-owns``: any named actor may create a tenant; creation grants it the role ``owner`` there.
4. ``role-<name>``: a role granted in the tenant permits its actions. An owner places legal holds and does not release
   them: who may delete must not be who decides that deleting is free again.

Nothing else is permitted. The seam is :class:`PolicyEngine`: a later engine (signed bundles, an external
decision point) answers the same question, and may add a row filter, which the search adds to the caller's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, Protocol, runtime_checkable

from securevec.errors import ConfigError, PolicyDenied
from securevec.errors.tree import ENDING
from securevec.filters import Expr, check
from securevec.policy.actor import Actor

Permission = Literal[
    "tenant.create",
    "tenant.manage",
    "tenant.delete",
    "collection.open",
    "collection.create",
    "ingest",
    "search",
    "get",
    "count",
    "delete",
    "reveal",
    "release",
    "grant",
    "hold",
    "hold.release",
    "retention",
    "unsafe_vectors",
    "subject.find",
    "subject.export",
    "subject.erase",
]
Role = Literal["owner", "writer", "reader", "revealer"]

_READ: Final[frozenset[Permission]] = frozenset({"collection.open", "search", "get", "count", "release"})
_WRITE: Final[frozenset[Permission]] = frozenset({"collection.open", "collection.create", "ingest", "delete", "count"})
_REVEAL: Final[frozenset[Permission]] = frozenset({"reveal"})
_GRANT: Final[frozenset[Permission]] = frozenset({"grant"})
_PEOPLE: Final[frozenset[Permission]] = frozenset({"subject.find", "subject.export", "subject.erase"})
_HOLD: Final[frozenset[Permission]] = frozenset({"hold"})
ROLES: Final[Mapping[Role, frozenset[Permission]]] = {
    "owner": _READ | _WRITE | _REVEAL | _GRANT | _HOLD | _PEOPLE,
    "writer": _WRITE,
    "reader": _READ,
    "revealer": _READ | _REVEAL,
}
_ADMIN_MANAGES: Final[frozenset[Permission]] = frozenset(
    {"tenant.create", "tenant.manage", "tenant.delete", "grant", "hold", "hold.release", "retention"}
)
_ADMIN_OPERATES: Final[frozenset[Permission]] = _READ | _WRITE | _PEOPLE


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: who, what, and the roles the actor holds in the tenant (empty outside one)."""

    actor: Actor
    permission: Permission
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. ``rule`` names what decided, for the audit record: a built-in rule, or a hexadecimal digest of
    another engine's. ``row_filter`` narrows what a read may return. It is asked again before an answer leaves, and an
    operation that ends under another filter than it began with is refused: one that moves with the time, moves seldom
    (by the day, not by the millisecond)."""

    allowed: bool
    rule: str
    row_filter: Expr | None = None


@runtime_checkable
class PolicyEngine(Protocol):
    """Decides. Raising anything is a denial."""

    @property
    def digest(self) -> str:
        """Names the exact rules in force, for the audit record."""
        ...

    def decide(self, request: Request) -> Decision: ...


class BuiltinPolicy:
    """The rules of this module's docstring."""

    @property
    def digest(self) -> str:
        return _digest()

    def decide(self, request: Request) -> Decision:
        if request.actor.admin and request.permission in _ADMIN_MANAGES:
            return Decision(True, "admin-manages")
        if request.actor.admin and request.permission in _ADMIN_OPERATES:
            return Decision(True, "admin-operates")
        if request.permission == "tenant.create":
            return Decision(True, "creator-owns")
        for role, permissions in ROLES.items():
            if role in request.roles and request.permission in permissions:
                return Decision(True, f"role-{role}")
        return Decision(False, "default-deny")


@cache
def _digest() -> str:
    parts = [f"{role}={','.join(sorted(ROLES[role]))}" for role in sorted(ROLES)]
    parts += [f"manage={','.join(sorted(_ADMIN_MANAGES))}", f"operate={','.join(sorted(_ADMIN_OPERATES))}"]
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:32]


def check_role(role: str) -> Role:
    """The role of that name. Raises :class:`ConfigError` on another."""
    for known in ROLES:
        if role == known:
            return known
    raise ConfigError(f"A role is one of {', '.join(sorted(ROLES))}.")


def require(engine: PolicyEngine, request: Request) -> Decision:
    """The decision, if it permits. Raises :class:`PolicyDenied` otherwise, and when the engine itself fails."""
    try:
        decision = _checked(engine.decide(request), engine.digest)
    except ENDING:
        raise
    except BaseException as error:
        # An engine that fails has not permitted anything, whatever the reason.
        raise PolicyDenied(f"The policy could not decide on `{request.permission}`, so it is denied.") from error
    if decision.allowed is not True:
        given = any(request.permission in permissions for permissions in ROLES.values())
        raise PolicyDenied(
            f"No rule permits this actor `{request.permission}` here.",
            next_step="Ask an owner of the tenant for a role: tenant.grant(actor, role)."
            if given
            else "No role gives it: it is the local administrator's, who is meant where no actor is named.",
        )
    return decision


def _checked(answer: object, digest: object) -> Decision:
    """The answer of an engine, if it is one that can be acted on and recorded."""
    if not isinstance(answer, Decision):
        raise TypeError("a policy engine answers with a Decision")
    words: tuple[object, ...] = (answer.rule, digest)
    if not all(isinstance(word, str) for word in words):
        raise TypeError("a policy engine names its rules, and the one that decided")
    if answer.row_filter is not None:
        check(answer.row_filter)
    return answer
