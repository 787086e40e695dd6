"""The Merkle tree of a log: RFC 6962 section 2.1 (the same tree as RFC 9162 section 2.1).

A leaf hash is SHA-256(0x00 || line), a node SHA-256(0x01 || left || right), the empty tree SHA-256(""). All hashes
are 32 bytes. The two prefixes keep a node from passing as a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
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


def siblings(index: int, size: int) -> list[tuple[int, int]]:
    """Which leaves each hash of the audit path of leaf ``index`` in a tree of ``size`` stands for, as ``(first, end)``,
    from the leaf up (RFC 6962 section 2.1.1). Together with the leaf they are all leaves, each once."""
    if not 0 <= index < size:
        raise ValueError("a tree has a path for each of its leaves, and for no other")
    first, end, ranges = 0, size, list[tuple[int, int]]()
    while end - first > 1:
        middle = first + (1 << ((end - first - 1).bit_length() - 1))
        left = index < middle
        ranges.append((middle, end) if left else (first, middle))
        first, end = (first, middle) if left else (middle, end)
    return ranges[::-1]


def path_of(index: int, leaves: Iterable[bytes], size: int) -> list[bytes]:
    """The audit path of leaf ``index``: a hash for each of :func:`siblings`. ``leaves`` begin with the tree's ``size``
    leaf hashes and are read once; memory does not grow with them. Raises ``ValueError`` when they are fewer."""
    ranges, rest, roots = siblings(index, size), iter(leaves), dict[int, bytes]()
    for first, end in sorted([*ranges, (index, index + 1)]):
        subtree = Frontier()
        for leaf in islice(rest, end - first):
            subtree.append(leaf)
        if subtree.size < end - first:
            raise ValueError("a tree of this size has more leaves")
        roots[first] = subtree.root()
    return [roots[first] for first, _ in ranges]


def root_of_path(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root of the tree in which ``leaf`` has this path (RFC 9162 section 2.1.3.2). Raises ``ValueError`` for a path
    of another length."""
    node = leaf
    for (first, _), sibling in zip(siblings(index, size), path, strict=True):
        node = node_hash(sibling, node) if first < index else node_hash(node, sibling)
    return node
