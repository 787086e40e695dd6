"""A check found something wrong: exit status 1."""

from __future__ import annotations

from securevec.errors.tree import SecurevecError


class CheckFailed(SecurevecError):
    """A check found something wrong."""

    exit_code = 1


class EnvelopeRejected(CheckFailed):
    """A sealed value does not open in this place: altered, moved, cut, or not sealed at all."""


class AuditTampered(CheckFailed):
    """The audit log was edited, cut, reordered or rewritten. ``position`` names the first bad place."""

    def __init__(self, message: str, *, position: str = "", next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.position = position


class PlanChanged(CheckFailed):
    """A retention plan no longer matches: records, rules or holds changed since it was made. Nothing was done."""

    next_step = "Make a new plan: securevec retention plan"


class BackupRejected(CheckFailed):
    """A backup, or a list of later deletions, was altered, is not whole, or is another installation's."""


class ReceiptInvalid(CheckFailed):
    """A receipt's signature or content is wrong."""


class ModelDigestMismatch(CheckFailed):
    """Model weights on disk differ from the pinned digest."""
