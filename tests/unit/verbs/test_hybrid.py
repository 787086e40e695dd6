"""Hybrid search: by the vector and by keyed words, fused; what the store sees of a word, and what becomes of it."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec import limits
from securevec.backend import RemovalReport
from securevec.crypto.derive import term_index
from securevec.errors import (
    CollectionMismatch,
    CollectionNotFound,
    HybridUnavailable,
    OutcomeUnknown,
    QueryError,
    WriteNotAcknowledged,
)
from securevec.points.terms import ANALYZER, asked_terms, stored_terms, terms_in
from securevec.types import CollectionId, ProtectedPoint, Span, StoredPoint, Terms, Token
from securevec.verbs import verifying
from tests.support.attacks import Stage, open_stage
from tests.support.world import Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

CODE = "ZX-4410-Q"


@pytest.fixture(scope="module", params=["memory", "edge", "server"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("hybrid"), str(request.param)) as made:
        yield made


_names = iter(range(1000))


def made(stage: Stage, *, tenant: str = "acme") -> sv.Collection[Ticket]:
    """A new hybrid collection of 30 parcels; T-17 is about the code."""
    handle = {"acme": stage.acme, "globex": stage.globex}[tenant]
    collection = handle.collection(Ticket, name=f"hybrid{next(_names)}", hybrid=True)
    collection.ingest([parcel(number, CODE if number == 17 else f"AB-{number}") for number in range(1, 31)])
    return collection


def parcel(number: int, code: str) -> dict[str, object]:
    return ticket(number, f"The parcel with part {code} came late, says person{number}@example.com")


def stored(stage: Stage, collection: sv.Collection[Ticket]) -> list[StoredPoint]:
    place = collection._scope.namespace
    points = stage.trap.scan(namespace=place, where=None, cursor=None, limit=100).points
    return stage.trap.fetch(namespace=place, ids=[point.id for point in points], with_vectors=True)


def carriers(stage: Stage, collection: sv.Collection[Ticket], word: str) -> int:
    number = collection._scope.term_index(stage.store.runtime)(word)
    return sum(point.terms is not None and number in point.terms.indices for point in stored(stage, collection))


# -- finding ---------------------------------------------------------------------------------------------------------


def test_a_code_comes_first_and_a_batch_answers_as_one_search_does(stage: Stage) -> None:
    collection = made(stage)
    found = collection.search(f"where is {CODE.lower()}", hybrid=True, k=3)
    assert found[0].id == "T-17"
    assert found[0].score > found[1].score
    batch = collection.search_batch([f"where is {CODE.lower()}", "parcel"], hybrid=True, k=3)
    assert [(hit.id, hit.score) for hit in batch[0]] == [(hit.id, hit.score) for hit in found]
    assert len(batch[1]) == 3
    assert collection.search(CODE, hybrid=True, where=sv.F("status") == "closed", k=30, group_by="record").complete
    only = collection.search(CODE, hybrid=True, where=sv.F("status") == "closed", k=30)
    assert {hit.record.status for hit in only} == {"closed"}
    assert len(only) == 15
    assert len(collection.search("the of and", hybrid=True, k=5)) == 5, "a query without a term ranks by its vector"


def test_what_other_tenants_store_changes_no_score(stage: Stage) -> None:
    collection = stage.acme.collection(Ticket, name=f"hybrid{next(_names)}", hybrid=True)
    # Nobody is named in them: what stands in place of addresses would make some as near to the code as others, once in
    # twelve runs, and a store orders those as it likes.
    codes = [CODE if number == 17 else f"AB-{number}" for number in range(1, 31)]
    collection.ingest(
        [
            ticket(number, f"Parcel {number * 7 + 100}, part {code}, {number % 9 + 2} days late")
            for number, code in enumerate(codes, start=1)
        ]
    )
    near = [hit.score for hit in collection.search(CODE, k=30)]
    assert all(one - other > 1e-4 for one, other in itertools.pairwise(near)), "places in a list are the same for all"
    before = [(hit.id, hit.score) for hit in collection.search(CODE, hybrid=True, k=30)]
    noise = stage.globex.collection(Ticket, name=f"noise{next(_names)}", hybrid=True)
    noise.ingest([parcel(number, CODE) for number in range(150)])
    assert [(hit.id, hit.score) for hit in collection.search(CODE, hybrid=True, k=30)] == before


# -- what is refused -------------------------------------------------------------------------------------------------


def test_a_collection_made_without_terms_refuses_and_says_what_to_do(stage: Stage) -> None:
    plain = stage.acme.collection(Ticket, name="plain")
    plain.ingest([parcel(1, CODE)])
    before = len(stage.trap.asked)
    for call in (lambda: plain.search(CODE, hybrid=True), lambda: plain.search_batch([CODE], hybrid=True)):
        with pytest.raises(HybridUnavailable, match="hybrid=True"):
            call()
    assert len(stage.trap.asked) == before
    with pytest.raises(CollectionMismatch):
        stage.acme.collection(Ticket, name="plain", hybrid=True)
    hybrid = made(stage)
    name = f"hybrid{next(_names) - 1}"
    assert stage.acme.collection(Ticket, name=name).describe().hybrid
    assert not plain.describe().hybrid
    with pytest.raises(CollectionMismatch):
        stage.acme.collection(Ticket, name=name, hybrid=False)
    with pytest.raises(QueryError):
        hybrid.search(CODE, hybrid=True, min_score=0.5)
    odd: Any = "no"
    with pytest.raises(QueryError):
        hybrid.search(CODE, hybrid=odd)
    with pytest.raises(QueryError):
        hybrid.search(like="T-1", hybrid=True)
    with pytest.raises(QueryError):
        hybrid.search(vector=np.ones(hybrid.describe().model.dimension, dtype=np.float32), hybrid=True)


def test_chroma_refuses_before_there_is_a_collection(tmp_path: Path) -> None:
    pytest.importorskip("chromadb", reason="needs securevec[chroma]")
    with open_stage(tmp_path, "chroma") as stage:
        with pytest.raises(HybridUnavailable, match="edge"):
            stage.acme.collection(Ticket, hybrid=True)
        with pytest.raises(CollectionNotFound):
            stage.acme.existing_collection("ticket")
        assert stage.audit()[-1]["error"] == "HybridUnavailable"


# -- what the store sees ---------------------------------------------------------------------------------------------


def test_no_word_of_a_person_is_a_term_not_even_of_the_surrogate(stage: Stage) -> None:
    collection = made(stage)
    text = collection.search(CODE, hybrid=True, k=1)[0].text
    surrogate = text.rsplit(" ", 1)[-1]
    assert "@" in surrogate
    for word in (*terms_in("person17@example.com"), *terms_in(surrogate)):
        if word not in terms_in("The parcel with part came late, says"):
            assert carriers(stage, collection, word) == 0, word
    assert carriers(stage, collection, "parcel") == 30
    assert carriers(stage, collection, CODE.lower()) == 1


def test_a_word_is_another_number_in_every_collection_and_tenant(stage: Stage) -> None:
    one, two, other = made(stage), made(stage), made(stage, tenant="globex")
    runtime = stage.store.runtime
    seen = {handle._scope.term_index(runtime)("parcel") for handle in (one, two, other)}
    assert len(seen) == 3
    key = b"k" * 32
    place = CollectionId("0" * 32)
    parts = [bytes(16), ANALYZER.encode(), b"parcel"]
    message = b"securevec/term/v1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    expected = int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:4], "big")
    assert term_index(key, place, ANALYZER, "parcel") == expected


# -- what becomes of them --------------------------------------------------------------------------------------------


def test_terms_follow_their_record_through_update_erasure_and_deletion(stage: Stage) -> None:
    collection = made(stage)
    collection.update("T-3", body="Now the part is RARE-778 instead")
    assert carriers(stage, collection, "rare-778") == 1
    assert carriers(stage, collection, "ab-3") == 0
    assert collection.search("rare-778", hybrid=True, k=1)[0].id == "T-3"
    result = stage.acme.erase_subject("customer3@example.com", "person5@example.com")
    assert result.state == "done"
    assert carriers(stage, collection, "rare-778") == 0
    assert carriers(stage, collection, "ab-5") == 1, "T-5 only mentions the person: the rest of its words stay"
    assert carriers(stage, collection, "erased") == 1
    collection.delete("T-17")
    assert carriers(stage, collection, CODE.lower()) == 0
    assert collection.verify().raise_if_wrong().points == 28


def test_verify_finds_terms_that_were_changed_or_taken_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = made(stage)
    place, points = collection._scope.namespace, stored(stage, collection)[:2]
    gone, changed = (
        ProtectedPoint(point.id, _vector(point), {**_payload(point)}, terms)
        for point, terms in zip(points, (None, Terms(np.array([7], np.uint32), np.ones(1, np.float32))), strict=True)
    )
    stage.trap.insert(namespace=place, points=[gone, changed])
    assert collection.verify().findings == {"missing": 0, "altered": 0, "foreign": 0, "old": 0, "edited": 2}
    monkeypatch.setattr(verifying, "_with_other_terms", _none)
    assert not any(collection.verify().findings.values())


def test_a_store_that_drops_terms_has_not_stored_the_record(stage: Stage) -> None:
    collection = stage.acme.collection(Ticket, name=f"hybrid{next(_names)}", hybrid=True)
    stage.trap.keep = lambda points: [replace(point, terms=None) for point in points]
    try:
        with pytest.raises(OutcomeUnknown) as caught:
            collection.ingest([parcel(1, CODE)])
    finally:
        stage.trap.keep = None
    assert isinstance(caught.value.__cause__, WriteNotAcknowledged)
    assert collection.count() == 0


def test_an_erasure_shows_by_its_bytes_that_terms_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Edge's log spells them: found before, and not after. A purge that leaves the old files would be seen."""
    from securevec.proof.purging import needles_of, purge_with_proof

    with open_stage(tmp_path, "edge") as stage:
        collection = made(stage)
        place = collection._scope.namespace
        doomed = stored(stage, collection)[:3]
        living = needles_of(stored(stage, collection)[3:])
        looked_for = replace(needles_of(doomed), texts=(), vectors=())
        assert len(looked_for.terms) == 3
        stage.trap.delete(namespace=place, ids=[point.id for point in doomed])
        monkeypatch.setattr(stage.trap.inner, "purge", _nothing_purged)
        outcome = purge_with_proof(stage.store.runtime, place, looked_for)
        assert (outcome.needles, outcome.control, outcome.found, outcome.verdict) == (3, 3, 3, "unverified")
        monkeypatch.undo()
        outcome = purge_with_proof(stage.store.runtime, place, looked_for)
        assert (outcome.needles, outcome.control, outcome.found) == (3, 3, 0)
        assert outcome.verdict == "removed from live files"
        # Those of living points stand, and are told from those of the dead by not being asked for.
        again = purge_with_proof(stage.store.runtime, place, replace(living, texts=(), vectors=()))
        assert (again.needles, again.shared) == (0, len(living.terms))


_PURGED = RemovalReport(0, index_removed=True, bytes_removed=True, residual="")


def _none(*_: object) -> list[int]:
    return []


def _nothing_purged(*, namespace: object) -> RemovalReport:
    return _PURGED


def _vector(point: StoredPoint) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    assert point.vector is not None
    return point.vector


def _payload(point: StoredPoint) -> dict[str, str | int | float | bool]:
    return {key: value for key, value in point.payload.items() if isinstance(value, str | int | float | bool)}


# -- the analyzer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Refund ZX-4410-Q, please!", ["refund", "zx-4410-q", "zx", "4410", "please"]),
        ("v1.2/beta_3", ["v1.2/beta_3", "v1", "2", "beta", "3"]),
        ("Straße STRASSE ﬁle", ["strasse", "strasse", "file"]),
        ("e\u0301te\u0301 été", ["été", "été"]),
        ("the of and a x 7", ["7"]),
        ("東京都の天気", ["東京", "京都", "都の", "の天", "天気"]),
        ("茶", ["茶"]),
        ("", []),
        ("--- ... ___", []),
    ],
)
def test_a_text_is_cut_into_these_terms(text: str, terms: list[str]) -> None:
    assert list(terms_in(text)) == terms


def _number(term: str) -> int:
    return int.from_bytes(hashlib.sha256(term.encode()).digest()[:4], "big")


def test_weights_follow_how_often_a_term_stands_there_and_nothing_else() -> None:
    text = "pump pump pump valve"
    made = stored_terms(text, [], _number)
    weights = dict(zip(made.indices.tolist(), made.weights.tolist(), strict=True))
    assert weights == {_number("pump"): 1.5, _number("valve"): 1.0}
    asked = asked_terms("pump pump A-7", _number)
    assert dict(zip(asked.indices.tolist(), asked.weights.tolist(), strict=True)) == {
        _number("pump"): 1.0,
        _number("a-7"): 2.0,
        _number("7"): 2.0,
    }
    name = Span(5, 13, "PERSON", Token(b""), "surrogate", "x")
    assert stored_terms("pump Jane Doe valve", [name], _number) == stored_terms("pump valve", [], _number)
    many = stored_terms(" ".join(f"w{number}" for number in range(5000)) + " often often", [], _number)
    assert len(many) == limits.MAX_TERMS
    assert _number("often") in many.indices
    assert list(many.indices) == sorted(set(many.indices.tolist()))


def test_terms_that_share_a_number_count_as_the_heavier() -> None:
    same = stored_terms("pump pump valve", [], lambda term: 5)
    assert same == Terms(np.array([5], np.uint32), np.array([1.5], np.float32))
