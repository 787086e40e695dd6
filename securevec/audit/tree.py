"""The Merkle tree of a log: RFC 6962 section 2.1 (the same tree as RFC 9162 section 2.1).

A leaf hash is SHA-256(0x00 || line), a node SHA-256(0x01 || left || right), the empty tree SHA-256(""). All hashes
are 32 bytes. The two prefixes keep a node from passing as a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from securevec.errors import AuditTampered

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


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (size >= 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of leaf ``index`` (from 0) in the tree over ``leaves``, RFC 6962 section 2.1.1."""
    if not 0 <= index < len(leaves):
        raise ValueError("no such leaf")
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion_proof(leaves[:k], index), root_of(leaves[k:])]
    return [*inclusion_proof(leaves[k:], index - k), root_of(leaves[:k])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Leaf hash ``leaf`` stands at ``index`` in the tree of ``size`` leaves with ``root`` (RFC 9162 section 2.1.3.2).

    Raises :class:`AuditTampered` when the proof does not show it.
    """
    if not 0 <= index < size:
        raise AuditTampered("The inclusion proof names a record outside the tree.", position=str(index))
    place, last, node = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise AuditTampered("The inclusion proof is too long.", position=str(index))
        if place & 1 or place == last:
            node = node_hash(step, node)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            node = node_hash(node, step)
        place >>= 1
        last >>= 1
    if last or node != root:
        raise AuditTampered("The inclusion proof does not lead to the signed root.", position=str(index))


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """Proof that the tree of the first ``old`` leaves is a prefix of the tree over ``leaves``, RFC 6962 2.1.2."""
    if not 0 < old <= len(leaves):
        raise ValueError("no such earlier tree")
    return _subproof(leaves, old, complete=True)


def _subproof(leaves: Sequence[bytes], old: int, *, complete: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if complete else [root_of(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*_subproof(leaves[:k], old, complete=complete), root_of(leaves[k:])]
    return [*_subproof(leaves[k:], old - k, complete=False), root_of(leaves[:k])]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """The tree of ``new`` leaves only appended to the tree of ``old`` leaves (RFC 9162 section 2.1.4.2).

    Raises :class:`AuditTampered` when the proof does not show it.
    """
    broken = AuditTampered("The consistency proof does not join the two signed roots.", position=str(old))
    if not 0 < old <= new:
        raise broken
    if old == new:
        if proof or old_root != new_root:
            raise broken
        return
    steps = list(proof)
    if old.bit_count() == 1:
        steps.insert(0, old_root)
    if not steps:
        raise broken
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise broken
        if place & 1 or place == last:
            first = node_hash(step, first)
            second = node_hash(step, second)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, step)
        place >>= 1
        last >>= 1
    if last or first != old_root or second != new_root:
        raise broken
