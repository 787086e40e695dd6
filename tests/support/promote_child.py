"""Begins a move and dies by ``kill -9`` right before or right after one call of the control store.

python -m tests.support.promote_child HOME KEY METHOD NTH before|after
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import securevec as sv
from securevec.testing.embedders import HashEmbedder


def main(home: str, key: str, method: str, nth: str, side: str) -> None:
    store = sv.SecureStore.open(Path(home), key_file=Path(key), embedder=HashEmbedder(), create=False)
    control = store.runtime.control
    honest = getattr(type(control), method)
    calls: list[str] = []

    def dying(self: Any, *given: Any, **named: Any) -> Any:
        calls.append(method)
        if side == "before" and len(calls) == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)
        found = honest(self, *given, **named)
        if len(calls) == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(type(control), method, dying)
    store.promote_tenant("acme", to="shard")


if __name__ == "__main__":
    main(*sys.argv[1:])
