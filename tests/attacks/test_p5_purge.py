"""P5: what was deleted leaves the files too, and the receipt claims so only when it was seen.

Attacks on a thief's best source: the engine's own files. Also on the proof itself: a purge that does nothing, one that
lies, a probe that is blind, equal vectors that live.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

import securevec as sv
from securevec.backend import RemovalReport, VectorBackend
from securevec.crypto.armour import to_text
from securevec.proof import purging
from securevec.proof.probe import Needles, Standing, standing
from securevec.proof.purging import ProbeOutcome, needles_of, purge_with_proof
from securevec.testing.embedders import HashEmbedder
from securevec.types import Namespace, StoredPoint
from tests.support.world import World, open_world, ticket

RECORDS, ERASED = 60, 20


@pytest.fixture(params=["edge", "chroma"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "chroma":
        pytest.importorskip("chromadb")
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend=request.param, key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)


def place(world: World) -> tuple[VectorBackend, Namespace]:
    return world.store.runtime.backend(), world.acme._scope.namespace


def erased(world: World, count: int = ERASED) -> list[StoredPoint]:
    """Delete points behind the library's back, and give them as they were."""
    backend, namespace = place(world)
    page = backend.scan(namespace=namespace, where=None, cursor=None, limit=count)
    points = backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)
    backend.delete(namespace=namespace, ids=[point.id for point in points])
    return points


def fill(world: World, first: int = 0, count: int = RECORDS) -> None:
    """Records of two tenants whose texts, and so whose vectors, have nothing in common."""
    for collection, words in ((world.acme, "brick wall work"), (world.globex, "lantern fish sea")):
        collection.ingest(
            [ticket(number, f"{words} {number} {number * 7919}") for number in range(first, first + count)]
        )


def test_erased_points_leave_the_files_and_the_probe_saw_them_there(world: World) -> None:
    fill(world)
    points = erased(world)
    needles = needles_of(points)
    assert len(needles.vectors) == ERASED
    assert len(needles.texts) >= ERASED
    outcome = purge_with_proof(world.store.runtime, place(world)[1], needles)
    assert (outcome.control, outcome.found) == (len(needles), 0)
    assert outcome.seen == outcome.neighbours > 0
    assert outcome.verdict == "removed from live files"
    assert len(standing([world.home], needles)) == 0
    assert place(world)[0].count(namespace=place(world)[1]) == RECORDS - ERASED


def test_a_purge_that_is_skipped_or_lies_is_called_unverified(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    needles = needles_of(erased(world))
    backend, namespace = place(world)
    done = replace(backend.drop(namespace=Namespace("0" * 32, "0" * 32, "0" * 32)), bytes_removed=True)

    def skip(self: VectorBackend, *, namespace: Namespace) -> RemovalReport:
        return done

    monkeypatch.setattr(type(backend), "purge", skip)
    outcome = purge_with_proof(world.store.runtime, namespace, needles)
    assert outcome.found == len(needles), "what a purge left behind was not found"
    assert outcome.verdict == "unverified"


def test_ten_purges_with_writes_between_leave_nothing_of_what_was_deleted(world: World) -> None:
    gone: list[StoredPoint] = []
    for turn in range(10):
        fill(world, first=turn * 10, count=10)
        points = erased(world, 4)
        gone += points
        outcome = purge_with_proof(world.store.runtime, place(world)[1], needles_of(points))
        assert outcome.verdict == "removed from live files", outcome
        assert len(standing([world.home], needles_of(gone))) == 0
    backend, namespace = place(world)
    assert backend.count(namespace=namespace) == 60
    fill(world, first=0, count=100)
    assert backend.count(namespace=namespace) == 100


def test_a_purge_repeated_after_a_crash_is_proven_by_living_neighbours(world: World) -> None:
    fill(world)
    needles = needles_of(erased(world))
    backend, namespace = place(world)
    backend.purge(namespace=namespace)
    outcome = purge_with_proof(world.store.runtime, namespace, needles)
    assert (outcome.control, outcome.found) == (0, 0)
    assert outcome.seen == outcome.neighbours > 0
    assert outcome.verdict == "removed from live files"


def test_a_blind_probe_never_says_removed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    needles = needles_of(erased(world))

    def blind(roots: Iterable[Path], needles: Needles) -> Standing:
        return Standing(frozenset(), frozenset())

    monkeypatch.setattr(purging, "standing", blind)
    assert purge_with_proof(world.store.runtime, place(world)[1], needles).verdict == "unverified"


def test_nothing_to_look_for_is_no_proof(world: World) -> None:
    fill(world)
    outcome = purge_with_proof(world.store.runtime, place(world)[1], Needles((), ()))
    assert outcome.verdict == "unverified"


def test_a_vector_that_also_lives_is_left_out_and_said(world: World) -> None:
    """Equal anonymized texts have equal vectors; the one that lives is no trace of the one that went."""
    world.acme.ingest([ticket(number, "the same words in each") for number in range(1, 9)])
    world.globex.ingest([ticket(number, "the same words in each") for number in range(1, 9)])
    points = erased(world, 3)
    outcome = purge_with_proof(world.store.runtime, place(world)[1], needles_of(points))
    assert outcome.shared == 3
    assert "living points have the same" in outcome.evidence
    assert outcome.verdict == "removed from live files"


def test_another_tenants_equal_vector_does_not_spoil_a_deletion(world: World) -> None:
    world.acme.ingest([ticket(number, "the same words in each") for number in range(1, 9)])
    world.globex.ingest([ticket(number, "the same words in each") for number in range(1, 9)])
    result = world.store.delete_tenant("acme").raise_if_incomplete()
    assert b"unverified" not in statement(result.receipt)
    assert place(world)[0].count(namespace=world.globex._scope.namespace) == 8


def test_an_outcome_survives_a_job_row() -> None:
    outcome = ProbeOutcome("edge", 3, True, "words", True, 8, 8, 0, 6, 6, 1)
    assert ProbeOutcome.from_json(outcome.to_json()) == outcome


def test_needles_begin_behind_what_points_have_in_common() -> None:
    one, other = (to_text(bytes(24) + os.urandom(60)) for _ in range(2))
    points = [StoredPoint(uuid4(), {"b": text, "v": "short"}) for text in (one, other)]
    behind = needles_of(points).texts
    assert [one.encode()[30:], other.encode()[30:]] == list(behind)
    assert one.encode()[:24] == other.encode()[:24]
    point = points[0]
    assert needles_of([replace(point, vector=np.ones(8, np.float32))]).vectors


def statement(receipt: bytes | None) -> bytes:
    return base64.b64decode(json.loads(receipt or b"{}")["payload"])
