"""``securevec bench``: what the protection costs on this machine, measured against the vendor's own client.

    data      the same records, vectors and questions for every side
    sides     a side of the comparison: the vendor's client, or securevec with a part of its controls
    measure   runs them interleaved in one process and counts
    memory    one side alone in a process of its own, for its memory
    figures   what was measured, as values
    page      the figures as one HTML file

Some of the sides leave controls out. They are put together here from the journeys' own parts, because the product has
no switch for any of them and gets none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RAW: Final[Mapping[str, str]] = {"edge": "securevec_qdrant.raw", "chroma": "securevec_chroma.raw"}
"""By backend: the module with the vendor's client as a program without securevec uses it."""
