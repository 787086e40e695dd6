"""Understood, and not allowed: exit status 3."""

from __future__ import annotations

from securevec.errors.tree import SecurevecError


class Refused(SecurevecError):
    """Understood, and not allowed."""

    exit_code = 3


class PolicyDenied(Refused):
    """No rule permits this actor this action, or a rule forbids it."""


class ModelNotAllowed(PolicyDenied):
    """The home's list of models does not let this model receive this. Nothing was handed to it."""


class TenantNotFound(Refused):
    """No such tenant for this actor."""


class TenantUnavailable(Refused):
    """The tenant is suspended, being deleted, or deleted."""

    next_step = "Which it is: securevec tenant list. A suspended one goes on after: securevec tenant resume NAME"


class CollectionNotFound(Refused):
    """The tenant has no such collection."""

    next_step = "Those there are: tenant.collections(). tenant.collection(CLASS) makes one."


class RecordNotFound(Refused):
    """The collection has no such record."""

    next_step = "Those there are: collection.page() and collection.iter()."


class LegalHold(Refused):
    """A legal hold forbids this. ``hold_id`` names it."""

    def __init__(self, message: str, *, hold_id: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step or f"Hold {hold_id} stands. See: securevec hold list TENANT")
        self.hold_id = hold_id


class RetentionMinimum(Refused):
    """A statutory minimum keeps a record: it is neither deleted nor erased before its age is reached."""

    next_step = "Wait until it has passed. Rules: securevec retention rules"


class SubjectErased(Refused):
    """A record is about, or mentions, a subject that was erased, and the write fence of the erasure still stands."""


class QuotaExceeded(Refused):
    """The write would take the tenant over its quota. ``limit`` is ``points`` or ``bytes``."""

    def __init__(self, message: str, *, limit: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.limit = limit


class SyncRefused(Refused):
    """A sync would delete records because a source cannot be read, or shows nothing; none was deleted."""


class IsolationViolation(Refused):
    """More than half of what the store returned did not belong to this place."""


class HomeRefused(Refused):
    """The home directory or the key file is not safe to use, or of a foreign format."""


class VaultDisabled(Refused):
    """The collection keeps no originals, so nothing can be restored."""
