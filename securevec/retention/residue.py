"""Looking for destroyed keys in a home, outside the key store: in every file below it.

The key store shows by itself that its own directory holds none (``crypto/destroy.py``). Wrapped keys have no business
anywhere else; where one is found, somebody put a copy of the key store there, and the key is not gone. What is found is
named by the kind of file it is in, never by its path or its bytes.

The control store is read by a process of its own: to open and close a SQLite file that this process has open drops this
process's locks on it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from securevec.errors import KeyUnavailable
from securevec.retention.probe import Needles, standing

KEYS: Final = "keys"
_CONTROL: Final = "control.db"
_KINDS: Final = {"audit": "the audit log", "engine": "the vector store's files"}
_TAG: Final = 16
_FOUND: Final = 3
_READER: Final = """
import sys
data = sys.stdin.buffer.read()
tags = [data[at : at + 16] for at in range(0, len(data), 16)]
for path in sys.argv[1:]:
    kept = b""
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(1 << 22):
                window = kept + piece
                if any(tag in window for tag in tags):
                    sys.exit(3)
                kept = window[-15:]
    except FileNotFoundError:
        pass
"""


def refuse_residue(home: Path, tags: Sequence[bytes]) -> None:
    """Raises :class:`KeyUnavailable` when a file of the home, outside the key store, holds one of these 16 bytes."""
    if any(len(tag) != _TAG for tag in tags):
        raise ValueError("a tag to look for has 16 bytes")
    control: list[Path] = []
    for entry in sorted(home.iterdir()):
        if entry.name.startswith(_CONTROL):
            control.append(entry)
        elif entry.name != KEYS and len(standing([entry], Needles(tuple(tags), ()))):
            _refuse(_KINDS.get(entry.name, "another file of the home"))
    if control and _read_apart(control, tags):
        _refuse("the control store")


def _read_apart(paths: Sequence[Path], tags: Sequence[bytes]) -> bool:
    done = subprocess.run(  # noqa: S603  # this very interpreter, on our own text
        [sys.executable, "-I", "-S", "-c", _READER, *map(str, paths)],
        input=b"".join(tags),
        capture_output=True,
        check=False,
    )
    if done.returncode not in (0, _FOUND):
        raise KeyUnavailable(
            "The control store cannot be searched for destroyed keys, so their removal is not shown.",
            next_step="Make the home readable to this user and run the same again.",
        )
    return done.returncode == _FOUND


def _refuse(kind: str) -> None:
    raise KeyUnavailable(
        f"Bytes of a destroyed key are still in the home, in {kind}; it is not done.",
        next_step="Remove copies of the key store from the home and run the same again: securevec jobs run",
    )
