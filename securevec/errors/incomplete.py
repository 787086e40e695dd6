"""Begun, and not known to be finished: exit status 5."""

from __future__ import annotations

from securevec.errors.tree import SecurevecError


class Incomplete(SecurevecError):
    """Begun, and not known to be finished."""

    exit_code = 5


class OutcomeUnknown(Incomplete):
    """A failure after a write began. Look the request up by ``request_id`` in the audit log."""

    def __init__(self, message: str, *, request_id: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.request_id = request_id


class WriteNotAcknowledged(Incomplete):
    """Reading back by id does not show what was written or deleted."""


class DeletionIncomplete(Incomplete):
    """A deletion job has steps left. ``job_id`` names it."""

    def __init__(self, message: str, *, job_id: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.job_id = job_id


class Stopped(Incomplete):
    """The caller asked a running operation to end, and it did between two steps. Acknowledged steps stay."""


class ImportIncomplete(Incomplete):
    """The source changed while it was read, or points are neither stored nor refused. A second run goes on."""


class Unpinned(Incomplete):
    """The signature is sound, but no pinned key says whose it is."""
