"""Imports a Chroma directory and dies by ``kill -9`` right before or right after one call of the control store.

python -m tests.support.import_child HOME KEY SOURCE METHOD NTH before|after
"""

from __future__ import annotations

import sys
from pathlib import Path

import securevec as sv
from securevec.imports import lanes
from securevec.testing.embedders import HashEmbedder
from tests.support.dying import die_at

OPTIONS = sv.ImportOptions("notes", "document", tenant_field="tenant")


def main(home: str, key: str, source: str, method: str, nth: str, side: str) -> None:
    lanes.LANE = 8  # type: ignore[misc]  # small batches, so that one is stored when the next is cut off
    store = sv.SecureStore.open(Path(home), key_file=Path(key), embedder=HashEmbedder(), create=False)
    die_at(type(store.runtime.control), method, side, int(nth))
    store.import_from(f"chroma:{source}", to="notes", options=OPTIONS, create_tenants=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
