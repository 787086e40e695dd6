"""``securevec attack``: every known way around tenant isolation, replayed on a store of your choice.

    stage       two temporary tenants with records of the same ids
    rows        what somebody with write access to the store sees and does
    tamper      what is done to rows: moved, swapped, rolled back, edited, replaced by plaintext
    callers     who asks: the product, and a reader of the same namespace that judges nothing
    case        an attack, and what came of it
    by_callers, by_filters, by_listing         what callers try
    on_rows, on_hints, on_answers, on_traces   what the store does, or somebody who writes to it
    server      the same attempts with the vendor's own client
    run         carries them out and removes everything

The first barrier is taken away with a store that answers from the other tenant's namespace too; the second with a
reader that judges nothing. The product has no switch for either and gets none.
"""

from __future__ import annotations

from securevec.attack.case import Attack, Cell, Outcome
from securevec.attack.run import ATTACKS, attack

__all__ = ["ATTACKS", "Attack", "Cell", "Outcome", "attack"]
