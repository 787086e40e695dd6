"""The nonce budget of one process (docs/formats.md section 2, NIST SP 800-38D section 8.2.2).

With random 96-bit nonces a GCM key may seal 2^32 messages; a DEK stops at 2^30. Processes share a DEK, so each takes
messages from its row in blocks, in one transaction, and spends them here in memory. What a process does not spend is
lost, which costs budget and never safety. Not thread-safe; the ring locks. A fork must :meth:`Leases.clear`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from securevec.crypto.wrap import KeyUse

BLOCK: Final = 1 << 20
"""Messages taken from a row at a time."""
BUDGET: Final = 1 << 30
"""Messages after which a DEK seals no more."""
MOST: Final = 16_384
"""Leases that a process keeps, 8 MB. What is left of one that leaves is given up: a key serves 1,024 blocks."""
CEILING: Final = 1 << 32
"""Messages that no key seals more than (NIST SP 800-38D section 8.3)."""


@dataclass(slots=True)
class Lease:
    """Messages this process may still seal under one key."""

    key_id: bytes
    left: int


class Leases:
    """The leases used last. A lease says nothing about whether its key still exists: the ring asks the store."""

    __slots__ = ("_leases",)

    def __init__(self) -> None:
        self._leases: OrderedDict[KeyUse, Lease] = OrderedDict()

    def spend(self, use: KeyUse, messages: int) -> bytes | None:
        """Charge ``messages`` and return the key id to seal with; ``None`` when a new block must be taken first."""
        lease = self._leases.get(use)
        if lease is None or lease.left < messages:
            return None
        self._leases.move_to_end(use)
        lease.left -= messages
        return lease.key_id

    def grant(self, use: KeyUse, key_id: bytes, messages: int) -> None:
        """Note messages taken from the row of ``key_id``. What was left of an earlier block is given up."""
        self._leases[use] = Lease(key_id, messages)
        self._leases.move_to_end(use)
        if len(self._leases) > MOST:
            self._leases.popitem(last=False)

    def clear(self) -> None:
        self._leases.clear()
