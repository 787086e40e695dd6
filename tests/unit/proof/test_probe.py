"""The byte probe: what stands in files is found wherever it lies, and files may shrink and vanish under it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from securevec.proof import probe
from securevec.proof.probe import Needles, standing
from securevec.types import Vector

TEXT = b"a sealed body of more than sixteen bytes"


def vector(seed: int, width: int = 384) -> Vector:
    drawn = np.random.default_rng(seed).standard_normal(width).astype(np.float32)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(probe, "_WINDOW", 4096)
    return 4096


def test_what_lies_across_a_window_is_found(tmp_path: Path, small_window: int) -> None:
    needles = Needles((TEXT,), (vector(1),))
    raw = vector(1).tobytes()
    for cut in (0, 4, 8, 20, len(TEXT), 400, len(raw) - 4, len(raw)):
        at = 2 * small_window - cut
        data = bytearray(os.urandom(5 * small_window + 3))
        data[at : at + len(raw)] = raw
        data[at - len(TEXT) : at] = TEXT
        (tmp_path / "segment").write_bytes(data)
        assert len(standing([tmp_path], needles)) == 2, cut
    for text_at in range(small_window - len(TEXT) - 1, small_window + 2):
        data = bytearray(2 * small_window)
        data[text_at : text_at + len(TEXT)] = TEXT
        (tmp_path / "segment").write_bytes(data)
        assert len(standing([tmp_path], needles)) == 1, text_at


def test_what_ends_a_file_or_is_all_of_it_is_found(tmp_path: Path, small_window: int) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "text").write_bytes(bytes(small_window) + TEXT)
    (tmp_path / "vector").write_bytes(vector(2).tobytes())
    (tmp_path / "empty").write_bytes(b"")
    assert len(standing([tmp_path], Needles((TEXT,), (vector(2),)))) == 2


def test_a_vector_in_its_last_bits_is_found_and_another_is_not(tmp_path: Path) -> None:
    near = vector(3) + np.float32(1e-7)
    (tmp_path / "segment").write_bytes(bytes(8) + near.tobytes())
    assert len(standing([tmp_path], Needles((), (vector(3),)))) == 1
    assert len(standing([tmp_path], Needles((TEXT,), (vector(4),)))) == 0


def test_a_needle_longer_than_a_window_is_found(tmp_path: Path, small_window: int) -> None:
    long = os.urandom(3 * small_window)
    (tmp_path / "segment").write_bytes(os.urandom(100) + long)
    assert len(standing([tmp_path], Needles((long,), ()))) == 1


def test_what_is_no_regular_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert len(standing([tmp_path], Needles((TEXT,), ()))) == 0
    assert len(standing([tmp_path / "nowhere"], Needles((TEXT,), ()))) == 0


def test_a_file_that_is_cut_or_removed_while_it_is_read_stops_nothing(tmp_path: Path) -> None:
    """In a process of its own: a mapping of a file that was cut ends the process with SIGBUS."""
    program = textwrap.dedent(
        """
        import os, sys, threading
        from pathlib import Path
        import numpy as np
        from securevec.proof.probe import Needles, standing

        root = Path(sys.argv[1])
        stop = threading.Event()

        def disturb():
            turn = 0
            while not stop.is_set():
                turn += 1
                os.truncate(root / "log", 0 if turn % 2 else 8 << 20)
                (root / "segment").unlink(missing_ok=True)
                (root / "segment").write_bytes(bytes(1 << 16))

        thread = threading.Thread(target=disturb)
        thread.start()
        needles = Needles((b"x" * 64,), (np.ones(384, dtype=np.float32),))
        try:
            found = [len(standing([root], needles)) for _ in range(40)]
        finally:
            stop.set()
            thread.join()
        print(sum(found))
        """
    )
    (tmp_path / "log").write_bytes(bytes(8 << 20))
    (tmp_path / "segment").write_bytes(bytes(1 << 16))
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr
