"""Ingests a folder in a process of its own and dies by kill -9 at a chosen step: ``files_child.py ROOT STEP N``.

Steps: ``embed`` (before the Nth call of the embedder), ``note`` and ``noted`` (before and after the Nth time the
control store remembers files), ``parse`` (with the Nth document at its parser), ``delete`` and ``forget`` (of a sync).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import securevec as sv
from securevec.control.store import ControlStore
from securevec.files.pool import ParserPool
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, Matrix

ACTOR = sv.Actor("svc:filer", purpose="tests")


def die() -> None:
    """As a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Counting:
    """Dies at the Nth call of a function that is put in the place of another."""

    def __init__(self, number: int) -> None:
        self._left = number

    def before(self, function: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not after:
                die()
            answer = function(*arguments, **options)
            if self._left == 0:
                die()
            return answer

        return counted


class DyingEmbedder(HashEmbedder):
    """Counts its calls; see :class:`Counting`."""

    def __init__(self, trap: Counting | None) -> None:
        super().__init__()
        self._embed = trap.before(super().embed) if trap is not None else super().embed

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        answer: Matrix = self._embed(texts)
        return answer


def open_store(root: Path, embedder: Any, backend: str = "edge") -> sv.SecureStore:
    """The home below ``root``."""
    return sv.SecureStore.open(root / "home", backend=backend, key_file=root / "keys" / "root.key", embedder=embedder)


def pages_of(store: sv.SecureStore) -> sv.Collection[sv.Page]:
    return store.tenant("acme", create=True, actor=ACTOR).collection(sv.Page)


def main() -> None:
    root, step, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    trap = Counting(number)
    places: dict[str, tuple[Any, str, bool]] = {
        "note": (ControlStore, "note_source_files", False),
        "noted": (ControlStore, "note_source_files", True),
        "delete": (ControlStore, "begin_delete", True),
        "forget": (ControlStore, "forget_source_files", False),
        "parse": (ParserPool, "parse", False),
    }
    if step in places:
        owner, name, after = places[step]
        setattr(owner, name, trap.before(getattr(owner, name), after=after))
    with open_store(root, DyingEmbedder(trap if step == "embed" else None)) as store:
        pages_of(store).ingest_files([root / "docs"], options=sv.FileOptions(sync=True))


if __name__ == "__main__":
    main()
