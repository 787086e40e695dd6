"""Every kind of job and what takes it on. A new kind is a line here."""

from __future__ import annotations

from functools import partial
from typing import Final

from securevec.control.jobs import (
    KEY_RECLOAK,
    KEY_REINDEX,
    KEY_RENEW,
    KEY_RESEAL,
    KEY_RESURROGATE,
    RETENTION_APPLY,
    SUBJECT_ERASE,
    TENANT_DELETE,
    TENANT_PROMOTE,
)
from securevec.jobs import Machines
from securevec.people import erase
from securevec.rekeying import recloak, reindex, renewing, reseal, resurrogate
from securevec.removing import tenant
from securevec.retention import apply
from securevec.verbs import promote
from securevec.verbs.holding import reseal_held

MACHINES: Final[Machines] = {
    TENANT_DELETE: tenant.step,
    SUBJECT_ERASE: erase.step,
    RETENTION_APPLY: partial(apply.step, reseal_held=reseal_held),
    TENANT_PROMOTE: promote.step,
    KEY_RESEAL: reseal.step,
    KEY_REINDEX: reindex.step,
    KEY_RECLOAK: recloak.step,
    KEY_RENEW: renewing.step,
    KEY_RESURROGATE: resurrogate.step,
}
