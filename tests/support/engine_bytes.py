"""What of a point lies in the files of an engine: its payload, which carries a canary, and its vector."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from securevec.testing.conformance_case import a_point, a_vector
from securevec.types import Namespace, ProtectedPoint

CANARY: Final = "canary-7f3a91-of-a-deleted-point"


def canary_points(place: Namespace) -> list[ProtectedPoint]:
    """Points 0 to 4, each with the canary in a filter value and, many times, in its body."""
    return [a_point(place, number, {"f_a": CANARY, "b": CANARY * 50}) for number in range(5)]


def files_with(root: Path, text: str = CANARY) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def vectors_in(root: Path, wanted: Iterable[int], forms: Sequence[str] = ()) -> set[tuple[int, str]]:
    """Which of the points' unit vectors lie in which kind of file of ``root``: as raw float32 at any byte, give or take
    rounding, or with a first component packed in one of these ``forms`` of :mod:`struct`."""
    found: set[tuple[int, str]] = set()
    for path in root.rglob("*"):
        if not path.is_file():
            continue
        data = path.read_bytes().rstrip(b"\0") + bytes(64)  # some files are sparse, megabytes of zeros
        for number in wanted:
            vector = _unit(number)
            if _lies_in(vector, data) or any(struct.pack(form, vector[0]) in data for form in forms):
                found.add((number, path.name))
    return found


def _lies_in(vector: NDArray[np.float32], data: bytes) -> bool:
    for offset in range(4):
        plain = np.frombuffer(data, np.float32, count=(len(data) - offset) // 4, offset=offset)
        with np.errstate(invalid="ignore", over="ignore"):  # most bytes are not numbers
            starts = np.flatnonzero(np.abs(plain[: len(plain) - len(vector) + 1] - vector[0]) < 1e-6)
        if any(np.allclose(plain[at : at + len(vector)], vector, atol=1e-6) for at in starts.tolist()):
            return True
    return False


def _unit(number: int) -> NDArray[np.float32]:
    vector = a_vector(number).astype(np.float64)
    return (vector / np.linalg.norm(vector)).astype(np.float32)
