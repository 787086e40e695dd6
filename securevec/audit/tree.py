"""The Merkle tree of a log: RFC 6962 section 2.1 (the same tree as RFC 9162 section 2.1).

A leaf hash is SHA-256(0x00 || line), a node SHA-256(0x01 || left || right), the empty tree SHA-256(""). All hashes
are 32 bytes. The two prefixes keep a node from passing as a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

_sha256 = hashlib.sha256
EMPTY_ROOT: Final = _sha256(b"").digest()


def leaf_hash(line: bytes) -> bytes:
    """Hash of one line, without its newline."""
    return _sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: one hash per complete subtree, largest first. Append is O(1) amortized."""

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(peaks):
            raise ValueError("a tree of this size has another number of complete subtrees")
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        return self._size

    def state(self) -> tuple[int, tuple[bytes, ...]]:
        """Size and peaks, as the constructor takes them."""
        return self._size, tuple(self._peaks)

    def copy(self) -> Frontier:
        return Frontier(self._size, self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        node, carry, peaks = leaf, self._size, self._peaks
        while carry & 1:
            node = _sha256(b"\x01" + peaks.pop() + node).digest()
            carry >>= 1
        peaks.append(node)
        self._size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node
