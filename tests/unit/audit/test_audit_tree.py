"""RFC 6962 trees: the published Certificate Transparency vectors, and the recursive definition as a second opinion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from securevec.audit import tree
from securevec.errors import AuditTampered

# Leaves and roots of the Certificate Transparency reference tests (certificate-transparency and
# transparency-dev/merkle, testonly/constants.go), tree sizes 1 to 8.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    0: [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    5: [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY: dict[tuple[int, int], list[str]] = {
    (1, 1): [],
    (1, 8): INCLUSION[0],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
HASHES = [tree.leaf_hash(leaf) for leaf in LEAVES]


def recursive_root(data: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, written down as the RFC does."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return hashlib.sha256(b"\x01" + recursive_root(data[:k]) + recursive_root(data[k:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_equal_the_published_ones(size: int) -> None:
    assert tree.root_of(HASHES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_published_root() -> None:
    assert tree.Frontier().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("index", sorted(INCLUSION))
def test_inclusion_proofs_equal_the_published_ones(index: int) -> None:
    proof = tree.inclusion_proof(HASHES, index)
    assert [step.hex() for step in proof] == INCLUSION[index]
    tree.verify_inclusion(HASHES[index], index, 8, proof, bytes.fromhex(ROOTS[7]))


@pytest.mark.parametrize(("old", "new"), sorted(CONSISTENCY))
def test_consistency_proofs_equal_the_published_ones(old: int, new: int) -> None:
    proof = tree.consistency_proof(HASHES[:new], old)
    assert [step.hex() for step in proof] == CONSISTENCY[old, new]
    tree.verify_consistency(old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), proof)


def test_every_tree_and_proof_up_to_40_leaves_agrees_with_the_definition() -> None:
    data = [bytes([number]) * (number % 5) for number in range(40)]
    leaves = [tree.leaf_hash(item) for item in data]
    roots = [recursive_root(data[:size]) for size in range(41)]
    frontier = tree.Frontier()
    for size in range(1, 41):
        frontier.append(leaves[size - 1])
        assert frontier.root() == roots[size]
        assert tree.Frontier(*frontier.state()).root() == roots[size]
        for index in range(size):
            proof = tree.inclusion_proof(leaves[:size], index)
            tree.verify_inclusion(leaves[index], index, size, proof, roots[size])
        for old in range(1, size + 1):
            tree.verify_consistency(old, size, roots[old], roots[size], tree.consistency_proof(leaves[:size], old))


def test_a_proof_for_another_place_leaf_size_or_root_is_refused() -> None:
    root = bytes.fromhex(ROOTS[7])
    for index in range(8):
        proof = tree.inclusion_proof(HASHES, index)
        wrong = [
            (HASHES[index], (index + 1) % 8, 8, proof, root),
            (HASHES[(index + 1) % 8], index, 8, proof, root),
            (HASHES[index], index, 8, proof, bytes(32)),
            (HASHES[index], index, 8, proof[:-1], root),
            (HASHES[index], index, 8, [*proof, bytes(32)], root),
            (HASHES[index], index, 8, [bytes(32), *proof[1:]], root),
            (HASHES[index], 8, 8, proof, root),
            (HASHES[index], -1, 8, proof, root),
        ]
        for case in wrong:
            with pytest.raises(AuditTampered):
                tree.verify_inclusion(*case)


def test_a_tree_that_did_not_only_grow_has_no_consistency_proof() -> None:
    for old in range(1, 8):
        proof = tree.consistency_proof(HASHES, old)
        before, after = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[7])
        changed = [step if place else bytes(32) for place, step in enumerate(proof)]
        wrong = [
            (old, 8, bytes(32), after, proof),
            (old, 8, before, bytes(32), proof),
            (old, 8, before, after, changed),
            (old, 8, before, after, proof[:-1]),
            (old, 8, before, after, [*proof, bytes(32)]),
            (0, 8, before, after, proof),
            (9, 8, before, after, proof),
            # As old as it is new, and another one; and no proof at all.
            (8, 8, bytes(32), after, []),
            (8, 8, after, after, [bytes(32)]),
            (3, 8, bytes.fromhex(ROOTS[2]), after, []),
        ]
        for case in wrong:
            with pytest.raises(AuditTampered):
                tree.verify_consistency(*case)


def test_a_frontier_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="complete subtrees"):
        tree.Frontier(3, [bytes(32)])
    with pytest.raises(ValueError, match="no such leaf"):
        tree.inclusion_proof(HASHES, 8)
    with pytest.raises(ValueError, match="earlier tree"):
        tree.consistency_proof(HASHES, 0)


def test_a_signed_root_of_a_larger_tree_than_its_size_says_proves_nothing() -> None:
    """Who holds the signing key may sign any size over any root: a proof that goes on above it leads to that root."""
    leaf, *sides = (tree.leaf_hash(bytes([number])) for number in range(4))
    with pytest.raises(AuditTampered):
        tree.verify_inclusion(leaf, 0, 1, sides[:1], tree.node_hash(sides[0], leaf))
    below, above = tree.node_hash(sides[1], leaf), tree.node_hash(sides[1], tree.node_hash(leaf, sides[0]))
    roots = tree.node_hash(sides[2], below), tree.node_hash(sides[2], above)
    with pytest.raises(AuditTampered):
        tree.verify_consistency(3, 4, *roots, [leaf, *sides])
