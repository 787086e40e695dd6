"""Two tenants in one process, many calls at once, some of them cancelled: each answer is of the tenant that asked, and
says nothing that was replaced or deleted before it was asked for."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import securevec as sv
from securevec.aio import AsyncCollection, AsyncSecureStore
from securevec.errors import RecordNotFound
from securevec.testing.embedders import HashEmbedder

TENANTS = ("acme", "globex")
KEYS = 5
WORKERS = 12


class Note(sv.Record):
    id: sv.Key[str]
    who: sv.Subject[str]
    body: sv.Embed[str]
    number: sv.Filter[int]


@dataclass
class Known:
    """Of one record. Every write has a number, higher than those before."""

    acknowledged: int = 0
    deleted: int = 0
    """The highest number of a deletion that has begun, acknowledged or not."""
    begun: int = 0
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Desk:
    def __init__(self, seed: int, collections: dict[str, AsyncCollection[Note]]) -> None:
        self._random = random.Random(seed)
        self._collections = collections
        self._known: dict[tuple[str, str], Known] = defaultdict(Known)
        self.answers = 0

    async def work(self, operations: int) -> None:
        for _ in range(operations):
            tenant, key = self._random.choice(TENANTS), f"k{self._random.randrange(KEYS)}"
            act = self._random.choice((self._put, self._put, self._update, self._delete, self._get, self._search))
            call = asyncio.ensure_future(act(tenant, key))
            if self._random.random() < 0.2:
                await asyncio.sleep(self._random.random() / 50)
                call.cancel()
            await asyncio.wait([call])
            if not call.cancelled():
                call.result()

    def _begin(self, tenant: str, key: str) -> tuple[Known, int]:
        known = self._known[tenant, key]
        known.begun += 1
        return known, known.begun

    async def _put(self, tenant: str, key: str) -> None:
        async with self._known[tenant, key].writing:
            known, number = self._begin(tenant, key)
            body = f"The fence of {tenant} was mended {number} times."
            row = {"id": key, "who": f"{key}@{tenant}.example.com", "body": body, "number": number}
            assert not (await self._collections[tenant].ingest([row])).refused
            known.acknowledged = number

    async def _update(self, tenant: str, key: str) -> None:
        async with self._known[tenant, key].writing:
            known, number = self._begin(tenant, key)
            try:
                await self._collections[tenant].update(key, number=number)
            except RecordNotFound:
                assert known.deleted or not known.acknowledged
            else:
                known.acknowledged = number

    async def _delete(self, tenant: str, key: str) -> None:
        async with self._known[tenant, key].writing:
            known, number = self._begin(tenant, key)
            known.deleted = number
            await self._collections[tenant].delete([key])
            known.acknowledged = number

    async def _get(self, tenant: str, key: str) -> None:
        known = self._known[tenant, key]
        floor = known.acknowledged
        try:
            note = await self._collections[tenant].get(key)
        except RecordNotFound:
            assert known.deleted >= floor, "a record is gone that nobody deleted"
        else:
            self._check(tenant, note, floor)

    async def _search(self, tenant: str, key: str) -> None:
        floors = {name: self._known[tenant, name].acknowledged for name in (f"k{n}" for n in range(KEYS))}
        for hit in await self._collections[tenant].search("fence mended", k=KEYS):
            self._check(tenant, hit.record, floors[hit.record.id])

    def _check(self, tenant: str, note: Note, floor: int) -> None:
        self.answers += 1
        assert f"of {tenant} was" in note.body
        assert floor <= note.number <= self._known[tenant, note.id].begun
        assert note.number != self._known[tenant, note.id].deleted


@pytest.mark.parametrize(
    ("backend", "operations"),
    [
        ("memory", 5),
        pytest.param("edge", 250, marks=pytest.mark.soak),
        pytest.param("chroma", 120, marks=pytest.mark.soak),
    ],
)
def test_many_calls_at_once_answer_each_tenant_with_what_is_its_own_and_newest(
    tmp_path: Path, backend: str, operations: int
) -> None:
    async def work() -> int:
        async with AsyncSecureStore.open(
            tmp_path / "home", backend=backend, key_file=tmp_path / "root.key", embedder=HashEmbedder()
        ) as store:
            handles = {name: await store.tenant(name, create=True, actor=sv.Actor(f"svc:{name}")) for name in TENANTS}
            desk = Desk(7, {name: await handle.collection(Note) for name, handle in handles.items()})
            await asyncio.gather(*(desk.work(operations) for _ in range(WORKERS)))
            for handle in handles.values():
                seen = await (await handle.existing_collection("note")).verify()
                assert (seen.missing, seen.foreign, seen.altered, seen.edited) == (0, 0, 0, 0)
            return desk.answers

    assert asyncio.run(asyncio.wait_for(work(), 600)) > 0
