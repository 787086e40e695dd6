"""The byte probe finds what stands in files, however an engine put it there, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from securevec.retention.probe import Needles, occurrences
from securevec.types import Vector


def a_unit(seed: int, dimension: int = 384) -> Vector:
    vector = np.random.default_rng(seed).normal(size=dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def found(tmp_path: Path, content: bytes, *vectors: Vector) -> int:
    (tmp_path / "file").write_bytes(content)
    return occurrences(tmp_path, Needles((), vectors))


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
    assert occurrences(tmp_path, Needles((b"a text of sixteen bytes",), ())) == 0
