"""A collection with a cloak answers as one without, and its true vectors lie in no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec.crypto.cloak import Cloak
from securevec.errors import CollectionMismatch, ConfigError, KeyDestroyed, TenantUnavailable
from securevec.keys.keyring import KeyRing
from securevec.testing.embedders import HashEmbedder
from securevec.types import mint_anonymized
from tests.support.world import ACME, Ticket, ticket

SETTINGS: dict[str, Cloak | None] = {"plain": None, "rotate": Cloak(), "noise": Cloak(noise=2.0)}
GOODS = ("tea", "oil", "rye", "fig", "yam")
TEXTS = [f"Order {number} is about {word} and came late" for number, word in enumerate(GOODS)]


def open_home(home: Path, backend: str | None = None) -> sv.SecureStore:
    key_file = home.parent / "keys" / "root.key"
    return sv.SecureStore.open(home, backend=backend, key_file=key_file, embedder=HashEmbedder())


@pytest.fixture(scope="module", params=["memory", "edge", "chroma"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sv.SecureStore]:
    home = tmp_path_factory.mktemp("cloak") / "home"
    with open_home(home, request.param) as opened:
        tenant = opened.tenant("acme", create=True, actor=ACME)
        for name, cloak in SETTINGS.items():
            made = tenant.collection(Ticket, name=name, retention="180d", cloak=cloak)
            assert made.ingest([ticket(at, text) for at, text in enumerate(TEXTS)]).new == len(TEXTS)
        yield opened


def handles(store: sv.SecureStore) -> dict[str, sv.Collection[Ticket]]:
    tenant = store.tenant("acme", actor=ACME)
    return {name: tenant.collection(Ticket, name=name, retention="180d") for name in SETTINGS}


def answers(result: sv.SearchResult[Ticket]) -> list[tuple[object, float]]:
    return [(hit.id, round(hit.score, 3)) for hit in result]


def stored_vectors(collection: sv.Collection[Ticket]) -> np.ndarray[Any, Any]:
    runtime, scope = collection._runtime, collection._scope
    page = runtime.backend().scan(namespace=scope.namespace, where=None, cursor=None, limit=100)
    points = runtime.backend().fetch(
        namespace=scope.namespace, ids=[point.id for point in page.points], with_vectors=True
    )
    return np.vstack([np.asarray(point.vector) for point in points])


def test_every_way_of_asking_is_answered_as_without_a_cloak(store: sv.SecureStore) -> None:
    plain, *cloaked = handles(store).values()
    vector = HashEmbedder().embed([mint_anonymized(TEXTS[2])])[0]
    asked: list[Callable[[sv.Collection[Ticket]], sv.SearchResult[Ticket]]] = [
        lambda at: at.search("order about rye", k=3),
        lambda at: at.search("order about rye", k=5, min_score=0.5),
        lambda at: at.search(vector=vector, k=4),
        lambda at: at.search(like="T-1", k=3),
        lambda at: at.search_batch(["oil", "tea and fig"], k=2)[1],
        lambda at: at.search_diverse("order about yam", k=2, fetch=4),
    ]
    for each in cloaked:
        for ask in asked:
            assert answers(ask(each)) == answers(ask(plain))


@pytest.mark.parametrize("backend", ["memory", "edge"])
def test_a_hybrid_search_under_noise_ranks_by_the_true_vectors(tmp_path: Path, backend: str) -> None:
    with open_home(tmp_path / "home", backend) as opened:
        tenant = opened.tenant("acme", create=True, actor=ACME)
        best: dict[str, list[tuple[object, float]]] = {}
        for name, cloak in {"plain": None, "noisy": Cloak(noise=3.0)}.items():
            made = tenant.collection(Ticket, name=name, cloak=cloak, hybrid=True)
            made.ingest([ticket(at, f"Parcel number {at:03} of the {at % 7} carts") for at in range(40)])
            # Of the words one record has one: records that all have the others stand in any order in the list by words,
            # and who is second there may be first in the list by vectors.
            asked = [f"about {at:03}" for at in range(40)]
            best[name] = [answers(made.search(text, k=1, hybrid=True))[0] for text in asked]
        # Displaced vectors had about half of them at another place of the list by vectors, so with another score.
        assert best["noisy"] == best["plain"]


def test_update_and_verify_work_and_an_unchanged_record_stays(store: sv.SecureStore) -> None:
    for each in handles(store).values():
        assert each.ingest([ticket(0, TEXTS[0])]).unchanged == 1
        before = answers(each.search("order about tea", k=5))
        each.update("T-0", status="closed")
        assert answers(each.search("order about tea", k=5)) == before
        each.update("T-0", status="open")
        each.verify().raise_if_wrong()


def test_a_given_vector_survives_an_update_under_a_cloak(store: sv.SecureStore) -> None:
    rows = np.zeros((1, HashEmbedder().identity.dimension), dtype=np.float32)
    rows[0, 5] = 3.0
    for name, cloak in SETTINGS.items():
        made = store.tenant("acme", actor=ACME).collection(Ticket, name=f"given-{name}", cloak=cloak)
        made.ingest([ticket(0, TEXTS[0])], vectors=rows, vectors_of="anonymized_text")
        assert made.search(vector=rows[0], k=1)[0].score == pytest.approx(1.0, abs=1e-4)
        made.update("T-0", status="closed")
        assert made.search(vector=rows[0], k=1)[0].score == pytest.approx(1.0, abs=1e-4)


def test_who_is_erased_is_cut_out_of_a_record_whose_vector_is_known_to_be_the_models(tmp_path: Path) -> None:
    # Under noise that was not taken off it would pass for a given vector, and the record would be deleted.
    with open_home(tmp_path / "home", "memory") as opened:
        tenant = opened.tenant("acme", create=True, actor=ACME)
        made = tenant.collection(Ticket, cloak=Cloak(noise=3.0))
        made.ingest([ticket(1, "Write to jane.roe@example.com about the tea")])
        tenant.erase_subject("jane.roe@example.com").raise_if_incomplete()
        assert made.search("write about the tea", k=1)[0].id == "T-1"


def test_vectors_are_stored_under_a_cloak_only(store: sv.SecureStore) -> None:
    plain, rotated, noisy = (stored_vectors(each) for each in handles(store).values())
    true = HashEmbedder().embed([mint_anonymized(text) for text in TEXTS])
    true = true / np.linalg.norm(true, axis=1, keepdims=True)
    assert (plain @ true.T).max() > 0.999
    assert (rotated @ true.T).max() < 0.9
    assert (noisy @ true.T).max() < 0.9
    # The geometry is there for everybody under rotation: that is what a cloak does not hide.
    assert np.allclose(np.sort((rotated @ rotated.T).ravel()), np.sort((plain @ plain.T).ravel()), atol=1e-3)


@pytest.mark.parametrize("backend", ["edge", "chroma"])
def test_true_vectors_lie_in_no_file_of_the_home(tmp_path: Path, backend: str) -> None:
    found: dict[str, bool] = {}
    for name, cloak in SETTINGS.items():
        home = tmp_path / name / "home"
        with open_home(home, backend) as opened:
            made = opened.tenant("acme", create=True, actor=ACME).collection(Ticket, cloak=cloak)
            made.ingest([ticket(at, text) for at, text in enumerate(TEXTS)])
            true = HashEmbedder().embed([mint_anonymized(text) for text in TEXTS])
        held = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
        needles = [vector.astype("<f4").tobytes()[16:96] for vector in true]
        found[name] = any(needle in content for needle in needles for content in held)
    assert found == {"plain": True, "rotate": False, "noise": False}


def test_another_setting_is_refused_and_none_opens_either(store: sv.SecureStore) -> None:
    tenant = store.tenant("acme", actor=ACME)
    for name, wrong in (
        ("plain", "rotate"),
        ("plain", Cloak(noise=2.0)),
        ("rotate", Cloak(noise=2.0)),
        ("noise", "rotate"),
        ("noise", Cloak(noise=1.0)),
    ):
        with pytest.raises(CollectionMismatch):
            tenant.collection(Ticket, name=name, retention="180d", cloak=wrong)  # type: ignore[arg-type]  # mixed list
    for name, cloak in SETTINGS.items():
        assert tenant.collection(Ticket, name=name, retention="180d", cloak=cloak).describe().cloak == cloak
        assert tenant.collection(Ticket, name=name, retention="180d").describe().cloak == cloak
    with pytest.raises(ConfigError):
        tenant.collection(Ticket, name="new", cloak="encrypt")  # type: ignore[arg-type]  # what an untyped caller may do


def test_a_cloak_outlives_the_process_and_dies_with_its_tenant(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_home(home, "edge") as opened:
        made = opened.tenant("acme", create=True, actor=ACME).collection(Ticket, cloak=Cloak(noise=2.0), hybrid=True)
        made.ingest([ticket(at, text) for at, text in enumerate(TEXTS)])
        before = answers(made.search("order about fig", k=3))
        made._runtime.keys.rotate_tenant(made._scope.tenant)
    with open_home(home) as again:
        tickets = again.tenant("acme", actor=ACME).collection(Ticket)
        assert answers(tickets.search("order about fig", k=3)) == before
        assert tickets.search("order about fig", k=3, hybrid=True)[0].id == "T-3"
        tickets.delete("T-4")
        assert again.tenant("acme", actor=ACME).purge().bytes_removed
        assert answers(tickets.search("order about fig", k=3))[0] == before[0]
        assert tickets.export(home.parent / "out.jsonl").records == len(TEXTS) - 1
        again.delete_tenant("acme")
        with pytest.raises(TenantUnavailable):
            tickets.search("order about fig")
        with pytest.raises(KeyDestroyed):
            tickets._scope.cloaks(tickets._runtime)


def test_vectors_under_another_key_are_refused_whatever_else_is_accepted(
    store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = store.tenant("acme", actor=ACME)

    def another(*given: object, **named: object) -> list[str]:
        return ["0" * 32]

    monkeypatch.setattr(KeyRing, "cloak_digests", another)
    with pytest.raises(CollectionMismatch, match="another cloak key"):
        tenant.collection(Ticket, name="rotate", retention="180d", accept_new_detector=True)
    tenant.collection(Ticket, name="plain", retention="180d")
