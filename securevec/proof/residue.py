"""Looking for destroyed keys in a home, outside the key store: in every file below it.

The key store shows by itself that its own directory holds none (``keys/destroy.py``). Wrapped keys have no business
anywhere else; where one is found, somebody put a copy of the key store there, and the key is not gone. What is found is
named by the kind of file it is in, never by its path or its bytes.

The control store is read by a process of its own: to open and close a SQLite file that this process has open drops this
process's locks on it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from securevec.errors import KeyUnavailable
from securevec.proof.probe import Needles, standing

KEYS: Final = "keys"
_CONTROL: Final = "control.db"
_KINDS: Final = {"audit": "the audit log", "engine": "the vector store's files"}
_TAG: Final = 16
_FOUND: Final = 3
_FEW: Final = 64
"""Tags that are looked for one after another; of more, all at every place at once."""
_READER: Final = """
import sys
data = sys.stdin.buffer.read()
tags = {data[at : at + 16] for at in range(0, len(data), 16)}
few = len(tags) <= int(sys.argv[1])
if not few:
    import numpy as np
    heads = np.unique(np.frombuffer(b"".join(tag[:8] for tag in tags), np.uint64))

def holds(window):
    if few:
        return any(tag in window for tag in tags)
    for shift in range(min(8, len(window))):
        held = np.frombuffer(window, np.uint64, offset=shift, count=(len(window) - shift) // 8)
        places = (shift + 8 * int(place) for place in np.flatnonzero(np.isin(held, heads)))
        if any(window[at : at + 16] in tags for at in places):
            return True
    return False

for path in sys.argv[2:]:
    kept = b""
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(1 << 22):
                window = kept + piece
                if holds(window):
                    sys.exit(3)
                kept = window[-15:]
    except FileNotFoundError:
        pass
"""


def refuse_residue(home: Path, tags: Sequence[bytes]) -> None:
    """Raises :class:`KeyUnavailable` when a file of the home, outside the key store, holds one of these 16 bytes."""
    if any(len(tag) != _TAG for tag in tags):
        raise ValueError("a tag to look for has 16 bytes")
    needles = Needles(tuple(tags), ())
    try:
        entries = sorted(home.iterdir())
        control = [entry for entry in entries if entry.name.startswith(_CONTROL)]
        apart = {home.resolve() / KEYS, *(entry.resolve() for entry in control)}
    except (OSError, RuntimeError) as error:  # the second is a ring of links
        raise _unsearched("The control store") from error
    for entry in entries:
        if entry in control or entry.name == KEYS:
            continue
        try:
            # One root after the other: what lies behind links is read too, wherever it is.
            found = any(len(standing([root], needles)) for root in _roots(entry, apart))
        except (OSError, RuntimeError) as error:  # the second is a ring of links
            raise _unsearched("A file of the home") from error
        if found:
            _refuse(_KINDS.get(entry.name, "another file of the home"))
    if control and _read_apart(control, tags):
        _refuse("the control store")


def _roots(entry: Path, apart: set[Path]) -> Iterator[Path]:
    """The entry, and what links below it lead to, each once. Raises :class:`OSError` where it cannot be listed."""
    seen, ahead = set(apart), [entry]
    while ahead:
        root = ahead.pop().resolve()
        if root in seen:
            continue
        seen.add(root)
        yield root
        for folder, folders, names in os.walk(root, onerror=_raise):
            ahead += [path for name in (*folders, *names) if (path := Path(folder, name)).is_symlink()]


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):  # an engine at work removes what it has replaced
        raise error


def _read_apart(paths: Sequence[Path], tags: Sequence[bytes]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  # this very interpreter, on our own text
            [sys.executable, "-I", "-c", _READER, str(_FEW), *map(str, paths)],
            input=b"".join(tags),
            capture_output=True,
            check=False,
        )
    except OSError as error:  # no process could be started
        raise _unsearched("The control store") from error
    if done.returncode not in (0, _FOUND):
        raise _unsearched("The control store")
    return done.returncode == _FOUND


def _unsearched(what: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"{what} cannot be searched for destroyed keys, so their removal is not shown.",
        next_step="Make the home readable to this user, and allow it files and processes; then run the same again.",
    )


def _refuse(kind: str) -> None:
    raise KeyUnavailable(
        f"Bytes of a destroyed key are still in the home, in {kind}; it is not done.",
        next_step="Remove copies of the key store from the home and run the same again: securevec jobs run",
    )
