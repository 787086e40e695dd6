"""What is no record id is refused as such, and never taken for a list of other ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import securevec as sv
from securevec.errors import RecordError
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME


class Numbered(sv.Record):
    id: sv.Key[int]
    body: sv.Embed[str]


@pytest.fixture
def numbered(tmp_path: Path) -> Iterator[sv.Collection[Numbered]]:
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", key_file=tmp_path / "root.key", embedder=HashEmbedder()
    ) as store:
        handle = store.tenant("acme", create=True, actor=ACME).collection(Numbered)
        handle.ingest([{"id": number, "body": f"text {number}"} for number in (1, 49, 50)])
        yield handle


@pytest.mark.parametrize(
    "wrong",
    [
        b"1",
        bytearray(b"12"),
        memoryview(b"1"),
        3.5,
        None,
        True,
        {"1": 1},
        {49},
        [b"1"],
        [1, 1.5],
        [[49]],
        [None],
        # Ids of another type than this collection's: nobody's here, and beside one that is here a mistake too.
        "50",
        (1, UUID(int=1)),
        [1, 49, "50"],
    ],
    ids=lambda value: "memoryview" if isinstance(value, memoryview) else repr(value),
)
def test_what_is_no_id_deletes_nothing(numbered: sv.Collection[Numbered], wrong: Any) -> None:
    with pytest.raises(RecordError):
        numbered.delete(wrong)
    assert numbered.count() == 3


@pytest.mark.parametrize("wrong", [b"1", 3.5, None, True, [49], (1,), "49", UUID(int=49)], ids=repr)
def test_what_is_no_id_names_no_record(numbered: sv.Collection[Numbered], wrong: Any) -> None:
    with pytest.raises(RecordError):
        numbered.get(wrong)


def test_ids_one_and_many(numbered: sv.Collection[Numbered]) -> None:
    assert numbered.delete(49).deleted == 1
    assert numbered.delete((1, 2)).deleted == 1
    assert numbered.delete(range(50, 52)).deleted == 1
    assert numbered.delete([]).deleted == 0
    assert numbered.count() == 0
