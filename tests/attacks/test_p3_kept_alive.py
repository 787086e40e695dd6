"""What an open store remembers of a call that failed holds none of the call's variables: they are texts and keys.

An exception keeps the frames it came through, and those that called them, for as long as somebody keeps the exception.
A service runs for months, and its memory is written to core files and swap.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.errors import KeyDestroyed, SecurevecError
from securevec.testing.embedders import HashEmbedder
from tests.support.kept import tracebacks_kept_by
from tests.support.world import open_world, ticket

CANARY = "heliotrope-canary-71"


def test_the_walk_sees_a_kept_exception() -> None:
    def failing() -> None:
        raise ValueError(CANARY)

    with pytest.raises(ValueError, match=CANARY) as caught:
        failing()
    assert tracebacks_kept_by({"kept": [caught.value]})


def test_a_remembered_failure_keeps_no_texts_of_the_call_that_met_it(tmp_path: Path) -> None:
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        acme = open_world(store, home, key_file).acme

        def rows() -> Iterator[dict[str, Any]]:
            yield ticket(1, CANARY)
            store.runtime.keys.destroy_tenant(acme._scope.tenant)  # as another process would, under a batch

        with pytest.raises(KeyDestroyed):
            acme.ingest(rows())
        with pytest.raises(SecurevecError):
            acme.search(CANARY)
        assert store.runtime.keys._open._cache._failures
        assert tracebacks_kept_by(store) == 0
