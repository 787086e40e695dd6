"""A new cloak key for a collection: what searches find before, during and after, and what is left of the old key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import securevec as sv
from securevec.errors import (
    ControlUnavailable,
    LegalHold,
)
from securevec.proof.receipt import read
from securevec.rekeying import rewriting
from securevec.testing.embedders import HashEmbedder
from securevec.types import mint_anonymized
from securevec.verbs.cloak_report import _true_vectors
from securevec.verbs.walk import open_records
from tests.support.parcels import (
    EDGE,
    EVERYWHERE,
    MANY,
    PARCELS,
    SLOW,
    WAYS,
    Parcel,
    answers,
    cloak_of,
    hints,
    instead,
    made,
    name_of,
    never,
    parcel,
    parcels_home,
    stopped,
    unavailable,
    uncovered,
    versions,
)
from tests.support.world import ACME


@pytest.fixture(scope="module")
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sv.SecureStore]:
    with parcels_home(tmp_path_factory.mktemp("recloak"), str(request.param)) as made:
        yield made


@EDGE
@pytest.mark.parametrize("how", ["noise", pytest.param("rotate", marks=pytest.mark.soak)])
def test_a_stolen_cloak_key_takes_nothing_off_afterwards(
    home: sv.SecureStore, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, how)
    stolen, before, old = cloak_of(parcels), [answers(ask(parcels)) for ask in WAYS], versions(parcels)
    hold = home.tenant("acme").hold("case 7", collection=name_of(parcels), record="P-2")
    assert uncovered(parcels, stolen) > 0.999, "the test says nothing when the key takes off nothing"
    seen: list[tuple[int, int | None]] = []
    with monkeypatch.context() as patched:
        patched.setattr(HashEmbedder, "embed", never)
        patched.setattr(home.runtime, "embedder", never)
        patched.setattr(home.runtime, "detector", never)
        done = home.recloak("acme", name_of(parcels), progress=lambda step: seen.append((step.rows, step.bytes_total)))

    assert (done.state, done.version, done.records, done.chunks, done.keys) == ("done", 2, MANY, MANY, 1)
    assert seen[-1] == (MANY, MANY)
    assert uncovered(parcels, stolen) < 0.7
    assert uncovered(parcels, cloak_of(parcels)) > 0.999
    assert list(versions(parcels)) == ["2"]
    assert {bytes.fromhex(key_id) for key_id in old.values()} <= set(home.runtime.keys.destroyed_ids())
    assert [answers(ask(parcels)) for ask in WAYS] == before
    assert parcels.verify().raise_if_wrong().records == MANY
    again = home.tenant("acme", actor=ACME).collection(Parcel, name=name_of(parcels))
    assert again.ingest(PARCELS).unchanged == MANY, "what a record says did not change"
    with pytest.raises(LegalHold):
        parcels.delete(["P-2"])
    home.tenant("acme").release(hold.id)
    receipt = read(done.receipt or b"", public=home.runtime.keys.signing_key().public).predicate
    assert (receipt["kind"], receipt["manifest"]["records"], receipt["manifest"]["keys"]) == ("recloak", MANY, 1)
    assert [each["verdict"] for each in receipt["artefacts"]] == ["removed from live files"] * 2
    assert "1 of 1 keys" in receipt["artefacts"][1]["evidence"]
    assert home.recloak("acme", name_of(parcels)).version == 3
    assert [answers(ask(parcels)) for ask in WAYS] == before


@EVERYWHERE
@pytest.mark.parametrize("how", ["rotate", pytest.param("noise", marks=pytest.mark.soak)])
def test_every_way_of_asking_is_answered_as_before_while_the_job_is_half_done(
    home: sv.SecureStore, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels, plain = made(home, how), made(home, "plain")
    stopped(home, parcels, monkeypatch)
    assert sorted(map(str, hints(parcels))) == ["1"] * (MANY - 8) + ["2"] * 8
    for ask in WAYS:
        assert answers(ask(parcels)) == answers(ask(plain))
    assert parcels.verify().raise_if_wrong().records == MANY
    judged, _ = open_records(home.runtime, parcels._scope, [parcels._scope.record_ref(home.runtime, "P-1")])
    (vector,) = _true_vectors(home.runtime, parcels._scope, list(judged.values()))
    assert float(vector @ HashEmbedder().embed([mint_anonymized(str(PARCELS[1]["body"]))])[0]) > 0.999
    # Beside the largest filter there may be, the version is asked for as well.
    largest = sv.F("depot") != "D-9"
    for number in range(254):
        largest = largest & (sv.F("depot") != f"D-{number + 10}")
    assert answers(parcels.search("late yam", k=MANY, where=largest)) == answers(plain.search("late yam", k=MANY))
    # What is written meanwhile lies under the new key, and what is deleted is gone under either.
    for each in (parcels, plain):
        under = hints(each).count(2)
        each.ingest([parcel(MANY + 1)])
        assert hints(each).count(2) == under + (each is parcels)
        each.update("P-4", depot="D-1")
        assert each.delete(where=sv.F("depot") == "D-2").deleted == MANY // 3
    for each in (parcels, plain):
        each.ingest([parcel(MANY + 2) | {"body": "Parcel for ann.roe@example.com of tea"}])
    erased = home.tenant("acme", actor=ACME).erase_subject("ann.roe@example.com")
    assert erased.raise_if_incomplete().state == "done"
    assert len(versions(parcels)) == 2
    again = cloak_of(parcels)
    done = home.recloak("acme", name_of(parcels))
    assert (done.state, list(versions(parcels))) == ("done", ["2"])
    assert set(hints(parcels)) == {2}
    assert cloak_of(parcels).digest == again.digest
    for ask in WAYS:
        assert answers(ask(parcels)) == answers(ask(plain))
    parcels.verify().raise_if_wrong()


@pytest.mark.parametrize("home", ["edge", SLOW[0]], indirect=True)
def test_a_hybrid_search_over_two_versions_ranks_as_over_one(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "words")

    def ask() -> list[tuple[float, object]]:
        # Equal places may change theirs, as with any new generation.
        return sorted((score, ident) for ident, score in answers(parcels.search("lost", k=6, hybrid=True)))

    before = ask()
    assert len({score for score, _ in before}) > 3
    stopped(home, parcels, monkeypatch)
    assert ask() == before
    assert home.run_jobs()[-1].state == "done"
    assert ask() == before


@EDGE
@pytest.mark.parametrize("when", ["before the new key", "between the versions", "between them, and the old one stays"])
def test_a_search_misses_nothing_that_moves_while_it_asks(
    home: sv.SecureStore, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is brought under the new key before the store is asked, or asked again."""
    parcels = made(home, "rotate", records=10)
    before = answers(parcels.search("parcel of tea", k=10))
    if when != "before the new key":
        stopped(home, parcels, monkeypatch)
    ran: list[str] = []

    def move() -> None:
        with monkeypatch.context() as patched:
            if when.endswith("stays"):
                patched.setattr(rewriting, "purge_with_proof", unavailable)
                with pytest.raises(ControlUnavailable):
                    home.recloak("acme", name_of(parcels))
            else:
                home.recloak("acme", name_of(parcels))
        ran.append(when)

    instead(monkeypatch, home.runtime.backend(), "query", move, on=1 if when == "before the new key" else 2)
    assert answers(parcels.search("parcel of tea", k=10)) == before
    assert ran == [when]
    assert set(hints(parcels)) == {2}
    assert len(versions(parcels)) == (2 if when.endswith("stays") else 1)


@EDGE
def test_a_write_that_began_before_the_new_key_is_waited_for_and_moves_too(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "noise", records=3)
    monkeypatch.setattr(rewriting, "_PATIENCE_S", 0.05)

    def begin() -> None:
        with pytest.raises(ControlUnavailable):
            home.recloak("acme", name_of(parcels))

    instead(monkeypatch, home.runtime.backend(), "insert", begin)
    parcels.ingest([parcel(50)])
    assert set(hints(parcels)) == {1}
    assert len(versions(parcels)) == 2
    done = home.recloak("acme", name_of(parcels))
    assert (done.state, set(hints(parcels))) == ("done", {2})
    assert parcels.search(str(parcel(50)["body"]), k=1)[0].score == pytest.approx(1.0, abs=1e-4)
