"""Who may do what: actors, the decision seam, and the built-in default-deny rules."""

from securevec.policy.actor import Actor
from securevec.policy.rules import (
    ROLES,
    BuiltinPolicy,
    Decision,
    Permission,
    PolicyEngine,
    Request,
    Role,
    check_role,
    require,
)

__all__ = [
    "ROLES",
    "Actor",
    "BuiltinPolicy",
    "Decision",
    "Permission",
    "PolicyEngine",
    "Request",
    "Role",
    "check_role",
    "require",
]
