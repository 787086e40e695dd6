"""Begins a move and dies by ``kill -9`` right before or right after one call of the control store.

python -m tests.support.promote_child HOME KEY METHOD NTH before|after
"""

from __future__ import annotations

import sys
from pathlib import Path

import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support.dying import die_at


def main(home: str, key: str, method: str, nth: str, side: str) -> None:
    store = sv.SecureStore.open(Path(home), key_file=Path(key), embedder=HashEmbedder(), create=False)
    die_at(type(store.runtime.control), method, side, int(nth))
    store.promote_tenant("acme", to="shard")


if __name__ == "__main__":
    main(*sys.argv[1:])
