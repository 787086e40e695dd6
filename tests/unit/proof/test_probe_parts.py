"""The byte probe finds what stands in files, however an engine put it there, and nothing else."""

from __future__ import annotations

import base64
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.backend import CollectionSpec
from securevec.proof.probe import Needles, standing
from securevec.proof.traces import VectorTraces
from securevec.testing.conformance_case import a_namespace, an_id
from securevec.types import ProtectedPoint, Vector


def a_unit(seed: int, dimension: int = 384) -> Vector:
    vector = np.random.default_rng(seed).normal(size=dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def found(tmp_path: Path, content: bytes, *vectors: Vector) -> int:
    (tmp_path / "file").write_bytes(content)
    return len(standing([tmp_path], Needles((), vectors)))


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4095, 1024 * 1024 - 700, 1024 * 1024 + 5])
def test_a_vector_is_found_at_any_byte(tmp_path: Path, before: int) -> None:
    noise = np.random.default_rng(1).bytes(before)
    assert found(tmp_path, noise + a_unit(2).tobytes() + b"rest", a_unit(2), a_unit(3)) == 1
    assert found(tmp_path, bytes(before) + a_unit(2).tobytes(), a_unit(2)) == 1


@pytest.mark.parametrize("cut", [8, 100, 489, 768, 1001, 1500])
def test_a_vector_cut_between_two_pages_is_found(tmp_path: Path, cut: int) -> None:
    data = a_unit(2).tobytes()
    pages = data[:cut] + np.random.default_rng(1).bytes(4096) + data[cut:]
    assert found(tmp_path, pages, a_unit(2)) == 1


def test_a_vector_rounded_again_is_found_and_a_similar_one_is_not(tmp_path: Path) -> None:
    again = (a_unit(2) * np.float32(1.0000001)).astype(np.float32)
    assert found(tmp_path, again.tobytes(), a_unit(2)) == 1
    similar = (a_unit(2) + a_unit(3) * np.float32(0.001)).astype(np.float32)
    assert found(tmp_path, similar.tobytes(), a_unit(2)) == 0


def test_zeros_are_no_trace_of_a_vector_with_empty_stretches(tmp_path: Path) -> None:
    sparse = np.zeros(64, dtype=np.float32)
    sparse[3] = 1.0
    assert found(tmp_path, bytes(100_000) + b"x" + bytes(100), sparse) == 0
    assert found(tmp_path, b"xyz" + sparse.tobytes(), sparse) == 1


def test_short_vectors_and_short_files_are_searched(tmp_path: Path) -> None:
    short = a_unit(4, 3)
    assert found(tmp_path, b"a" + short.tobytes(), short) == 1
    assert found(tmp_path, b"abc", short) == 0
    assert len(standing([tmp_path], Needles((b"a text of sixteen bytes",), ()))) == 0


def as_cbor(vector: Vector) -> bytes:
    """As Edge's write-ahead log spells it: a tag and four bytes, highest first, for every float."""
    return b"".join(b"\xfa" + struct.pack(">f", float(value)) for value in vector)


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4, 4097, 1024 * 1024 - 701, 1024 * 1024 + 5])
def test_a_vector_is_found_in_the_spelling_of_a_log(tmp_path: Path, before: int) -> None:
    noise = np.random.default_rng(1).bytes(before)
    assert found(tmp_path, noise + as_cbor(a_unit(2)) + b"rest", a_unit(2), a_unit(3)) == 1
    assert found(tmp_path, bytes(before) + as_cbor(a_unit(2))[700:], a_unit(2), a_unit(3)) == 1


@pytest.mark.parametrize("start", [0, 1, 7, 130, 870])
@pytest.mark.parametrize("before", [0, 3, 1024 * 1024 - 20])
def test_any_stretch_of_a_sealed_text_is_a_trace(tmp_path: Path, start: int, before: int) -> None:
    """An engine gives the room of a deleted payload to a shorter one: the head is gone and the tail stands."""
    text = base64.b64encode(np.random.default_rng(7).bytes(700))
    other = base64.b64encode(np.random.default_rng(8).bytes(700))
    noise = np.random.default_rng(1).bytes(before)
    for length in (39, 40, 47, 64):
        (tmp_path / "file").write_bytes(noise + text[start : start + length] + b"\x00rest")
        assert len(standing([tmp_path], Needles((text, other), ()))) == 1, length
    (tmp_path / "file").write_bytes(noise + text[start : start + 15])
    assert len(standing([tmp_path], Needles((text, other), ()))) == 0


def test_hundreds_of_needles_are_told_apart(tmp_path: Path) -> None:
    drawn = np.random.default_rng(9)
    texts = tuple(base64.b64encode(drawn.bytes(600)) for _ in range(300))
    vectors = tuple(a_unit(1000 + number) for number in range(300))
    (tmp_path / "even").write_bytes(b"|".join(texts[::2]))
    (tmp_path / "odd").write_bytes(b"|".join(vector.tobytes() for vector in vectors[1::2]))
    seen = standing([tmp_path], Needles(texts, vectors))
    assert seen.texts == frozenset(range(0, 300, 2))
    assert seen.vectors == frozenset(range(1, 300, 2))


@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(3, 80),
    before=st.binary(max_size=40),
    spelling=st.sampled_from(["plain", "log"]),
)
def test_a_vector_is_found_wherever_it_stands(seed: int, width: int, before: bytes, spelling: str) -> None:
    vector = a_unit(seed, width)
    again = (vector * np.float32(1.0000001)).astype(np.float32)
    written = again.tobytes() if spelling == "plain" else as_cbor(again)
    assert VectorTraces([vector]).standing(before + written + b"end", set()) == {0}


def test_a_vector_that_stands_only_in_edges_log_is_found(tmp_path: Path) -> None:
    pytest.importorskip("qdrant_edge")
    from securevec_qdrant.edge import EdgeBackend

    backend = EdgeBackend(tmp_path / "edge")
    place = a_namespace("mine")
    backend.ensure(namespace=place, spec=CollectionSpec(384))
    backend.insert(namespace=place, points=[ProtectedPoint(an_id(1), a_unit(2), {"n": 1})])
    backend.close()
    for segment in (tmp_path / "edge").rglob("segments"):
        shutil.rmtree(segment)
    assert len(standing([tmp_path], Needles((), (a_unit(2), a_unit(3))))) == 1
