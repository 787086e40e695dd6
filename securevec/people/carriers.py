"""Generations that carry an erased person and are in no list of the erasure: those on their way in or out of the store.

A batch that began before the acceptance is refused at its switch, and its points are taken back by its writer, or by
recovery once its lease is over. A generation that was replaced before is removed by whoever replaced it, or by
recovery. Until then they lie in the store, and an erasure that is done says that nothing does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from securevec.control.rows import JobRow
from securevec.errors import ControlUnavailable
from securevec.jobs import renew
from securevec.removing.recover import settle_collection
from securevec.state.runtime import Runtime

PATIENCE_S: Final = 5.0
_LOOK_S: Final = 0.05


def await_carriers(runtime: Runtime, job: JobRow, tokens: Sequence[bytes]) -> None:
    """Wait until every batch has ended of which a generation carries one of these tokens now; what a dead or late
    writer left is removed here. Batches that begin later began behind the fence, and are none of the erasure's.

    Raises :class:`ControlUnavailable` while a living writer is at one, and what removing points raises; the job is
    tried again.
    """
    until = time.monotonic() + PATIENCE_S
    began = runtime.control.carrying_in_transit(job.tenant, tokens)
    while began:
        renew(runtime, job)
        for collection in dict.fromkeys(began.values()):
            # A writer of this process has the lock: its batch has ended when it is given.
            with runtime.write_lock(collection):
                settle_collection(runtime, collection)
        still = runtime.control.carrying_in_transit(job.tenant, tokens)
        began = {request_id: collection for request_id, collection in began.items() if request_id in still}
        if began and time.monotonic() > until:
            raise ControlUnavailable(
                "A write that carries a person who is being erased has not ended; what it wrote is hidden.",
                next_step="The erasure goes on when it has: securevec jobs run",
            )
        if began:
            time.sleep(_LOOK_S)
