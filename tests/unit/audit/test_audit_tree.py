"""RFC 6962 trees: the published Certificate Transparency vectors, and the recursive definition as a second opinion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from securevec.audit import tree

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
    frontier = tree.Frontier()
    for leaf in HASHES[:size]:
        frontier.append(leaf)
    assert frontier.root().hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_published_root() -> None:
    assert tree.Frontier().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_tree_up_to_40_leaves_agrees_with_the_definition() -> None:
    data = [bytes([number]) * (number % 5) for number in range(40)]
    leaves = [tree.leaf_hash(item) for item in data]
    roots = [recursive_root(data[:size]) for size in range(41)]
    frontier = tree.Frontier()
    for size in range(1, 41):
        frontier.append(leaves[size - 1])
        assert frontier.root() == roots[size]
        assert tree.Frontier(*frontier.state()).root() == roots[size]


def test_a_frontier_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="complete subtrees"):
        tree.Frontier(3, [bytes(32)])


def test_the_path_of_each_leaf_leads_to_the_root_and_no_other_leaf_has_it() -> None:
    for size in range(1, 41):
        data = [bytes([number]) for number in range(size)]
        leaves, root = [tree.leaf_hash(item) for item in data], recursive_root(data)
        for index in range(size):
            path = tree.path_of(index, leaves, size)
            assert len(path) <= max(0, (size - 1).bit_length())
            assert tree.root_of_path(index, size, leaves[index], path) == root
            assert size == 1 or tree.root_of_path(index, size, leaves[index - 1], path) != root
            with pytest.raises(ValueError, match="argument"):
                tree.root_of_path(index, size, leaves[index], [*path, bytes(32)])


def test_a_tree_with_fewer_leaves_than_it_is_said_to_have_has_no_path() -> None:
    for index in range(5):
        with pytest.raises(ValueError, match="more leaves"):
            tree.path_of(index, HASHES[:4], 5)
    for index in (-1, 5):
        with pytest.raises(ValueError, match="each of its leaves"):
            tree.siblings(index, 5)
