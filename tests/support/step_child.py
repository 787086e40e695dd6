"""Moves a tenant, and stands still before and after every commit of the move until its parent says a line.

python -m tests.support.step_child HOME KEY TENANT LAYOUT
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final, cast

import securevec as sv
from securevec.control.store import ControlStore
from securevec.testing.embedders import HashEmbedder
from securevec.types import Layout

COMMITS: Final = ("begin_move", "double_placement", "advance_job", "switch_placement", "finish_job")


def stand_still_at(owner: Any, name: str) -> None:
    honest = getattr(owner, name)

    def stopping(*given: Any, **named: Any) -> Any:
        _stand_still(f"before {name}")
        result = honest(*given, **named)
        _stand_still(f"after {name}")
        return result

    setattr(owner, name, stopping)


def _stand_still(where: str) -> None:
    sys.stdout.write(f"{where}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def main(home: str, key: str, tenant: str, layout: str) -> None:
    with sv.SecureStore.open(Path(home), key_file=Path(key), embedder=HashEmbedder(), create=False) as store:
        for name in COMMITS:
            stand_still_at(ControlStore, name)
        store.promote_tenant(tenant, to=cast("Layout", layout)).raise_if_incomplete()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
