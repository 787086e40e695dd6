"""What a tenant may hold, and what it holds: set by the operator, judged in the transaction that announces a write."""

from __future__ import annotations

from dataclasses import dataclass

from securevec.errors import ConfigError
from securevec.guard import admit
from securevec.state.runtime import Runtime, Scope

_MOST = 2**62


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Points and bytes (of envelopes and vectors) a tenant holds, and the most it may; ``None`` is no limit.

    A point is one chunk of a record. Bytes are what records need; an engine's index and overhead come on top.
    """

    points: int
    max_points: int | None
    bytes: int
    max_bytes: int | None


def quota_use(runtime: Runtime, scope: Scope) -> QuotaUse:
    """For the operator. See :meth:`SecureStore.quota`."""
    admission = admit(runtime, scope, permission="tenant.manage", action="tenant.quota", states=("active", "suspended"))
    found = read(runtime, scope)
    admission.note(counts={"points": found.points, "bytes": found.bytes})
    return found


def read(runtime: Runtime, scope: Scope) -> QuotaUse:
    """Without a guard of its own: for an operation that was admitted."""
    points, size = runtime.control.usage(scope.tenant, now_ms=runtime.clock.now_ms())
    quota = runtime.control.quota(scope.tenant)
    return QuotaUse(points, quota.max_points, size, quota.max_bytes)


def set_quota(runtime: Runtime, scope: Scope, *, points: int | None, size: int | None) -> None:
    """Intent, change, result. See :meth:`SecureStore.set_quota`."""
    admission = admit(runtime, scope, permission="tenant.manage", action="tenant.quota", states=("active", "suspended"))
    counts = {name: most for name, most in (("points", points), ("bytes", size)) if most is not None}
    try:
        for name, most in (("points", points), ("bytes", size)):
            if most is not None and (type(most) is not int or not 0 <= most <= _MOST):
                raise ConfigError(f"A quota of {name} is a whole number of at least 0, or None for no limit.")
    except ConfigError as error:
        admission.failure(error)
        raise
    admission.note(phase="intent", counts=counts)
    try:
        runtime.control.set_quota(scope.tenant, max_points=points, max_bytes=size)
    except BaseException as error:
        admission.failure(error, phase="result")
        raise
    admission.note(phase="result", counts=counts, detail={"change": "replaced" if counts else "removed"})
