"""Collections of parcels, cloaked in every way, whose cloak key is exchanged, and what is asked of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import pytest

import securevec as sv
from securevec.backend import VectorBackend
from securevec.crypto.cloak import Cloak, VectorCloak
from securevec.errors import ControlUnavailable
from securevec.points.protect import CLOAK_KEY
from securevec.reading.cloaking import taken_off
from securevec.rekeying import rewriting
from securevec.testing.embedders import HashEmbedder
from securevec.types import Matrix, StoredPoint, mint_anonymized
from tests.support.world import ACME

MANY = 18


NOISY = Cloak(noise=2.0)


class Parcel(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    depot: Annotated[str, sv.marks.Filter(mode="token")]


GOODS = ("tea", "oil", "rye", "fig", "yam", "nut")


def parcel(number: int) -> dict[str, object]:
    # Different weights of the words of a question: places in a list are then the same whoever sorts.
    rare = f" {'lost ' * (1, 2, 9)[number // 7 % 3]}" if number in (0, 7, 14) else ""
    body = f"Parcel {number + 40} of {GOODS[number % 6]} and {GOODS[number // 6 % 6]} was late{rare}"
    return {"id": f"P-{number}", "body": body, "depot": f"D-{number % 3}"}


PARCELS = [parcel(number) for number in range(MANY)]


MADE: dict[str, dict[str, Any]] = {
    "plain": {},
    "rotate": {"cloak": Cloak()},
    "noise": {"cloak": NOISY},
    "words": {"cloak": Cloak(), "hybrid": True},
}


VECTOR = HashEmbedder().embed([mint_anonymized("Parcel of oil and yam")])[0]


Asked = Callable[[sv.Collection[Parcel]], sv.SearchResult[Parcel]]


WAYS: list[Asked] = [
    lambda at: at.search("parcel of tea and oil", k=5),
    lambda at: at.search("rye and fig was late", k=MANY, min_score=0.4),
    lambda at: at.search(vector=VECTOR, k=4),
    lambda at: at.search(like="P-3", k=3),
    lambda at: at.search("late yam", k=3, where=sv.F("depot") == "D-1"),
    lambda at: at.search_batch(["oil", "tea and fig"], k=2)[1],
    lambda at: at.search_diverse("order about yam", k=2, fetch=6),
]


SLOW = [pytest.param(name, marks=pytest.mark.soak) for name in ("memory", "chroma")]


EVERYWHERE = pytest.mark.parametrize("home", ["edge", *SLOW], indirect=True)


EDGE = pytest.mark.parametrize("home", ["edge"], indirect=True)


fresh = itertools.count()


NAMES: dict[str, str] = {}


@contextmanager
def parcels_home(root: Path, backend: str) -> Generator[sv.SecureStore]:
    """An open home on this store, with one tenant, whose jobs go on only where a test says so."""
    opened = sv.SecureStore.open(root / "home", backend=backend, key_file=root / "root.key", embedder=HashEmbedder())
    with opened:
        opened.runtime.backend()
        opened._caretaker.stop()  # it would carry the jobs on by itself
        opened.tenant("acme", create=True, actor=ACME)
        yield opened


def made(store: sv.SecureStore, how: str, *, records: int = MANY) -> sv.Collection[Parcel]:
    """A new collection with the first parcels."""
    name = f"{how}{next(fresh)}"
    collection = store.tenant("acme", actor=ACME).collection(Parcel, name=name, **MADE[how])
    NAMES[collection.id] = name
    assert collection.ingest(PARCELS[:records]).refused == ()
    return collection


def name_of(collection: sv.Collection[Parcel]) -> str:
    return NAMES[collection.id]


def answers(result: sv.SearchResult[Parcel]) -> list[tuple[object, float]]:
    assert (result.violations, result.complete) == (0, True)
    return [(hit.id, round(hit.score, 3)) for hit in result]


def points(collection: sv.Collection[Parcel]) -> list[StoredPoint]:
    place, backend = collection._scope.namespace, collection._runtime.backend()
    page = backend.scan(namespace=place, where=None, cursor=None, limit=1000)
    return backend.fetch(namespace=place, ids=[point.id for point in page.points], with_vectors=True)


def versions(collection: sv.Collection[Parcel]) -> dict[str, str]:
    """The ids of the cloak keys, by version."""
    listed = [key for key in collection._runtime.keys.list_keys(kind="tenant") if key.collection == collection.id]
    return {key.epoch: key.key_id for key in listed if key.purpose == "cloak"}


def hints(collection: sv.Collection[Parcel]) -> list[object]:
    return [point.payload.get(CLOAK_KEY, 1) for point in points(collection)]


def cloak_of(collection: sv.Collection[Parcel]) -> VectorCloak:
    cloaks = collection._scope.cloaks(collection._runtime)
    assert cloaks is not None
    return cloaks.newest


def uncovered(collection: sv.Collection[Parcel], cloak: VectorCloak) -> float:
    """How like the model's vectors a thief's are, who has this cloak, every text and a copy of the store."""
    texts = [str(record["body"]) for record in PARCELS[:5]]
    true = HashEmbedder().embed([mint_anonymized(text) for text in texts])
    true = true / np.linalg.norm(true, axis=1, keepdims=True)
    stored = np.vstack([point.vector for point in points(collection) if point.vector is not None])
    best: list[Matrix] = []
    for text, vector in zip(texts, true, strict=True):
        found = taken_off(cloak, stored, [text] * len(stored))
        best.append((found / np.linalg.norm(found, axis=1, keepdims=True) @ vector).max())
    return float(np.mean(best))


def unavailable(*_: object) -> NoReturn:
    raise ControlUnavailable("stopped by the test")


def never(*_: object) -> NoReturn:
    pytest.fail("something was embedded or detected again")


def stopped(store: sv.SecureStore, collection: sv.Collection[Parcel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin the job, and stop it after eight records."""
    honest, calls = rewriting._sheet, itertools.count()

    def once(*given: object) -> object:
        if next(calls):
            raise ControlUnavailable("stopped by the test")
        return honest(*given)  # type: ignore[arg-type]  # handed on as it came

    with monkeypatch.context() as patched:
        patched.setattr("securevec.reading.sheets.SHEET", 8)
        patched.setattr(rewriting, "_sheet", once)
        with pytest.raises(ControlUnavailable):
            store.recloak("acme", name_of(collection))


def instead(
    monkeypatch: pytest.MonkeyPatch, backend: VectorBackend, name: str, do: Callable[..., None], *, on: int = 1
) -> None:
    """``do`` something before the n-th call of an operation of the store from now on."""
    honest, calls = getattr(type(backend), name), itertools.count(1)

    def late(self: object, **given: Any) -> object:
        if next(calls) == on:
            do()
        return honest(self, **given)

    monkeypatch.setattr(type(backend), name, late)
