"""Batches of searches, the least score, one hit for each record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import securevec as sv
from securevec.errors import CollectionNotFound, LimitExceeded, QueryError, RecordError, RecordNotFound
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.types import AnonymizedText, Matrix
from tests.support.world import ACME, Ticket, World, ticket

LONG = " ".join(f"The refund sentence {number} speaks of the waiting room." for number in range(120))


def ids(hits: sv.SearchResult[Ticket]) -> list[Any]:
    return [hit.id for hit in hits]


def test_a_batch_answers_each_text_as_it_would_be_answered_alone(filled: World) -> None:
    texts = ["refund number 3", "refund number 7 never arrived", "parking"]
    together = filled.acme.search_batch(texts, k=4, where=sv.F("status") == "open")
    assert len(together) == 3
    for text, result in zip(texts, together, strict=True):
        alone = filled.acme.search(text, k=4, where=sv.F("status") == "open")
        assert ids(result) == ids(alone)
        assert [hit.score for hit in result] == pytest.approx([hit.score for hit in alone])
        assert result.complete == alone.complete
    assert len({result.request_id for result in together}) == 3


def test_a_batch_embeds_once(filled: World) -> None:
    class Counted(TapEmbedder):
        def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
            calls.append(len(texts))
            return super().embed(texts)

    calls: list[int] = []
    scope = replace(filled.acme._scope, embedder=Counted(HashEmbedder()))
    results = sv.Collection(filled.store.runtime, scope, Ticket).search_batch(["refund", "parking", "lift"], k=1)
    assert len(results) == 3
    assert calls == [3]


def test_a_batch_of_nothing_is_nothing(filled: World) -> None:
    assert filled.acme.search_batch([]) == []


@pytest.mark.parametrize("texts", ["refund", b"refund", None, 3, ["refund", ""], ["refund", 7], ["\ud800"]])
def test_a_batch_that_cannot_be_asked_is_refused_whole(filled: World, texts: Any) -> None:
    with pytest.raises(QueryError) as refused:
        filled.acme.search_batch(texts)
    if isinstance(texts, list) and len(texts) == 2:
        assert "Text 2" in refused.value.message


def test_a_batch_has_a_limit(filled: World) -> None:
    with pytest.raises(LimitExceeded):
        filled.acme.search_batch(["refund"] * 257)


def test_no_hit_below_the_least_score(filled: World) -> None:
    every = filled.acme.search("The refund number 5 never arrived.", k=12)
    scores = [hit.score for hit in every]
    assert scores[0] > scores[-1]
    least = scores[4]
    near = filled.acme.search("The refund number 5 never arrived.", k=12, min_score=least)
    assert ids(near) == ids(every)[: len(near)]
    assert len(near) >= 5
    assert all(hit.score >= least for hit in near)
    assert near.complete
    assert len(filled.acme.search("refund", k=5, min_score=1.0)) == 0


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 1.01, -2, True, "0.5"])
def test_a_senseless_least_score_is_refused(filled: World, score: Any) -> None:
    with pytest.raises(QueryError):
        filled.acme.search("refund", min_score=score)
    with pytest.raises(QueryError):
        filled.acme.search_batch(["refund"], min_score=score)


def test_grouped_hits_are_the_best_chunk_of_each_record_refilled_up_to_k(filled: World) -> None:
    filled.acme.ingest([ticket(50, LONG), ticket(51, LONG.replace("waiting", "dining"))])
    plain = filled.acme.search("refund sentence waiting room", k=6)
    assert len(set(ids(plain))) < 6
    grouped = filled.acme.search("refund sentence waiting room", k=6, group_by="record")
    assert len(grouped) == len(set(ids(grouped))) == 6
    best = {hit.id: hit.score for hit in reversed(filled.acme.search("refund sentence waiting room", k=500))}
    assert all(hit.score == pytest.approx(best[hit.id]) for hit in grouped)
    everything = filled.acme.search("refund", k=100, group_by="record")
    assert len(everything) == 14
    assert everything.complete


@pytest.mark.parametrize("group_by", ["chunk", "", 1, True])
def test_another_grouping_is_refused(filled: World, group_by: Any) -> None:
    with pytest.raises(QueryError):
        filled.acme.search("refund", group_by=group_by)


def test_what_is_like_a_record_leaves_it_out_and_ranks_as_its_text_would(filled: World) -> None:
    body = "The refund number 5 never arrived."
    alike = filled.acme.search(like="T-5", k=5)
    by_text = [name for name in ids(filled.acme.search(body, k=6)) if name != "T-5"]
    assert "T-5" not in ids(alike)
    assert len(alike) == 5
    assert [hit.score for hit in alike] == sorted((hit.score for hit in alike), reverse=True)
    texts = {hit.id: hit.score for hit in filled.acme.search(body, k=12)}
    assert all(hit.score == pytest.approx(texts[hit.id], abs=1e-4) for hit in alike)
    assert by_text
    everything = filled.acme.search(like="T-5", k=100)
    assert len(everything) == 11
    assert everything.complete


def test_like_goes_with_filters_scores_and_groups_and_embeds_nothing(filled: World) -> None:
    class Refusing(TapEmbedder):
        def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
            raise AssertionError("nothing is embedded")

    filled.acme.ingest([ticket(50, LONG), ticket(52, LONG.replace("waiting", "dining"))])
    scope = replace(filled.acme._scope, embedder=Refusing(HashEmbedder()))
    handle = sv.Collection(filled.store.runtime, scope, Ticket)
    hits = handle.search(like="T-50", k=5, where=sv.F("status") == "closed", group_by="record")
    assert hits[0].id == "T-52"
    assert len(set(ids(hits))) == len(hits) == 5
    assert len(handle.search(like="T-50", k=3, min_score=1.0)) == 0


def test_a_search_takes_one_question(filled: World) -> None:
    with pytest.raises(QueryError):
        filled.acme.search("refund", like="T-1")
    with pytest.raises(QueryError):
        filled.acme.search(like="T-1", vector=np.ones(64, dtype=np.float32))
    with pytest.raises(RecordNotFound):
        filled.acme.search(like="T-999")
    with pytest.raises(QueryError):
        filled.acme.search()


@pytest.mark.parametrize("wrong", [7, UUID(int=7)])
def test_an_id_of_another_type_than_the_key_s_is_a_mistake_and_not_a_record_that_is_not_there(
    filled: World, wrong: Any
) -> None:
    acme = filled.acme
    asked: list[Callable[[], object]] = [
        lambda: acme.get(wrong),
        lambda: acme.exists(wrong),
        lambda: acme.get_many([wrong]),
        lambda: acme.delete([wrong]),
        lambda: acme.update(wrong, status="closed"),
        lambda: acme.search(like=wrong),
    ]
    for ask in asked:
        with pytest.raises(RecordError, match=r"A record id of this collection is text\."):
            ask()


def test_what_is_not_there_says_where_to_look(filled: World) -> None:
    with pytest.raises(RecordNotFound, match=r"collection\.page\(\)"):
        filled.acme.get("nobody's")
    tenant = filled.store.tenant("acme", actor=ACME)
    with pytest.raises(CollectionNotFound, match=r"tenant\.collections\(\)"):
        tenant.existing_collection("nowhere")
