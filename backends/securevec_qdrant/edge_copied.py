"""What was copied into another shard, read back before that shard takes the place of the original.

The engine skips an operation that it takes for an old one, and says nothing (measured on qdrant-edge-py 0.9). A count
of points shows one that is missing, and not one that is still what it was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from securevec.errors import BackendError
from securevec.types import NO_TERMS
from securevec_qdrant.edge_shard import Row, Shard

_ROUNDED: Final = 1e-5
"""Vectors are kept at length one, and rounded."""


def require_copied(shard: Shard, rows: Sequence[Row]) -> None:
    """Raises :class:`BackendError` unless each of these rows is in ``shard`` as it was written."""
    held = {row[0]: row for row in shard.rows_of([row[0] for row in rows])}
    _require(all(row[0] in held and _same(held[row[0]], row) for row in rows))


def require_payloads(shard: Shard, rows: Sequence[Row]) -> None:
    """As :func:`require_copied`, of a shard that was empty: what is there was written with its vector, in one
    operation. A fifth of the time of writing, where all of a row takes as long again (docs/adr/0076)."""
    held = shard.payloads_of([row[0] for row in rows])
    _require(all(held.get(row[0]) == row[2] for row in rows))


def _require(kept: bool) -> None:
    if not kept:
        raise BackendError("The engine did not keep every point as it was copied; the original was kept.")


def _same(one: Row, other: Row) -> bool:
    (_, vector, payload, terms), (_, given, wanted, words) = one, other
    return (
        payload == wanted
        and (terms or NO_TERMS) == (words or NO_TERMS)
        and len(vector) == len(given)
        and bool(np.allclose(vector, given, rtol=0.0, atol=_ROUNDED))
    )
