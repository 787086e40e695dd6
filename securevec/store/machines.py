"""Every kind of job and what takes it on. A new kind is a line here."""

from __future__ import annotations

from typing import Final

from securevec.control.jobs import RETENTION_APPLY, SUBJECT_ERASE, TENANT_DELETE
from securevec.people import erase
from securevec.retention import apply, deletion
from securevec.retention.jobs import Machines

MACHINES: Final[Machines] = {
    TENANT_DELETE: deletion.step,
    SUBJECT_ERASE: erase.step,
    RETENTION_APPLY: apply.step,
}
