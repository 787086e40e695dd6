"""Does one thing to a home and stands still right before, or right behind, calls of its control store, until its parent
says a line. What it did, or the class of what it was refused with, is its last line.

python -m tests.support.standing_child HOME KEY before|after|never METHOD erase PERSON [UNTIL]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import securevec as sv
from securevec.control.store import ControlStore
from securevec.errors import SecurevecError
from securevec.testing.embedders import HashEmbedder


def stand_still_at(side: str, name: str) -> None:
    honest = getattr(ControlStore, name)

    def stopping(*given: Any, **named: Any) -> Any:
        if side == "before":
            _stand_still()
        result = honest(*given, **named)
        if side == "after":
            _stand_still()
        return result

    setattr(ControlStore, name, stopping)


def _stand_still() -> None:
    sys.stdout.write("stands\n")
    sys.stdout.flush()
    sys.stdin.readline()


def erase(store: sv.SecureStore, person: str, until: str = "30d") -> str:
    return store.tenant("acme").erase_subject(person, until=until).state


ACTS = {"erase": erase}


def main(home: str, key: str, side: str, method: str, act: str, *given: str) -> None:
    with sv.SecureStore.open(Path(home), key_file=Path(key), embedder=HashEmbedder(), create=False) as store:
        stand_still_at(side, method)
        try:
            said = ACTS[act](store, *given)
        except SecurevecError as error:
            said = type(error).__name__
    sys.stdout.write(f"{said}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
