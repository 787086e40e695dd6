"""After a restore: surrogates made anew when the pseudonym key was exchanged since the backup.

With the newer key store, the backup's records hold surrogates of a key that no query is asked with: nobody would find a
person by name. With the backup's own key store, the old key is in force again, and it may have been exchanged because
somebody had read it. Pseudonym keys leave no trace when they are retired, so in both cases a job makes the surrogates
anew. It needs the embedding model, and waits for legal holds. What stops it here is kept with it, and it goes on once
the home is open.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from securevec.backup.scope import repeated, scope_of
from securevec.control.jobs import KEY_RESURROGATE
from securevec.errors import SecurevecError
from securevec.jobs import advance
from securevec.policy import Actor
from securevec.reading.sheets import sheets
from securevec.rekeying.respelling import Respelling
from securevec.rekeying.resurrogate import begin_resurrogation
from securevec.rekeying.rewriting import open_job
from securevec.reopen import reopen
from securevec.state.runtime import Runtime, Scope
from securevec.store.machines import MACHINES


def respell_anew(runtime: Runtime, actor: Actor, versions: Mapping[str, int]) -> int:
    """``versions``: of the newer state's pseudonym keys, by tenant. Returns how many tenants get new surrogates."""
    held = runtime.keys.pseudonym_versions()
    begun = 0
    for row in runtime.control.tenants():
        if row.state != "active":
            continue
        version, scope = held.get(row.tenant, 0), scope_of(runtime, actor, row.tenant)
        retired = version < versions.get(row.tenant, 0)
        if retired or (version > 1 and _says_others(runtime, scope)):
            # One that was under way at the backup ends with its own version, which may be retired by now.
            job = None if retired else open_job(runtime, KEY_RESURROGATE, row.tenant, {})
            job = job or begin_resurrogation(
                runtime, repeated(runtime, scope, permission="tenant.manage", action="key.resurrogate")
            )
            begun += 1
            with contextlib.suppress(SecurevecError):
                advance(runtime, MACHINES, job)
    return begun


def _says_others(runtime: Runtime, scope: Scope) -> bool:
    """Whether a live record says surrogates that are not of the newest key. One that cannot be told is left to the
    job, which names what stops it."""
    try:
        for row in runtime.control.collections(scope.tenant):
            room = Respelling(runtime, reopen(runtime, scope, row))
            if any(room.behind(sheet) for sheet in sheets(runtime, row.collection)):
                return True
    except SecurevecError:
        return True
    return False
