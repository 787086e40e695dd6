"""P4: no two values are sealed under one nonce, in threads, in batches and in forked processes."""

from __future__ import annotations

import os
import threading

import pytest

from securevec.crypto.envelope import (
    seal,
    seal_batch,
)
from tests.support.sealed import KEY, PLACE


# Row 18, nonces.
def test_nonces_do_not_repeat() -> None:
    count_nonces(20_000)


@pytest.mark.soak
def test_nonces_do_not_repeat_in_a_million() -> None:
    count_nonces(1_000_000)


def count_nonces(count: int) -> None:
    nonces = {seal(KEY, b"", PLACE)[24:36] for _ in range(count // 2)}
    nonces |= {blob[24:36] for blob in seal_batch(KEY, [(b"", PLACE)] * (count - count // 2))}
    assert len(nonces) == count


def test_threads_do_not_share_nonces() -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.extend(seal(KEY, b"", PLACE)[24:36] for _ in range(500)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == len(found) == 2_000


def test_a_forked_child_draws_other_nonces() -> None:
    seal(KEY, b"", PLACE)
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writable, b"".join(seal(KEY, b"", PLACE)[24:36] for _ in range(100)))
        os._exit(0)
    ours = {seal(KEY, b"", PLACE)[24:36] for _ in range(100)}
    assert os.waitpid(child, 0)[1] == 0
    os.close(writable)
    theirs = os.read(readable, 4096)
    os.close(readable)
    assert len(theirs) == 1200
    assert not ours & {theirs[at : at + 12] for at in range(0, len(theirs), 12)}
