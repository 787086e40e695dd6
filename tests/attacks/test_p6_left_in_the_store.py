"""What files that were put back brought again, removed: ``verify`` calls it old and no reader is shown it.

What is the tenant's stays, what a hold covers stays, and what is somebody else's is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import pytest

import securevec as sv
from securevec.cli.main import main
from securevec.control.leftovers import Leftovers
from securevec.crypto.derive import RecordIds
from securevec.errors import CheckFailed, TenantUnavailable, WriteNotAcknowledged
from securevec.reading import judge
from securevec.types import ProtectedPoint, StoredPoint
from securevec.verbs import unnamed
from securevec.writing import inserting
from tests.attacks.test_p6_put_back import JANE, Past
from tests.support.attacks import Stage, open_stage
from tests.support.world import Ticket, ticket


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str | None, sv.marks.Subject(shred=True)] = None
    body: sv.Embed[str]


@pytest.fixture
def stage(still_stage: Stage) -> Stage:
    return still_stage


def tickets_in(stage: Stage) -> sv.Collection[Ticket]:
    return stage.acme.collection(Ticket, name="notes", retention="180d")


def copied(stage: Stage, collection: sv.Collection[Ticket] | sv.Collection[Letter]) -> list[ProtectedPoint]:
    """Every stored point as it is now, as the engine's files of this moment hold it."""
    backend, namespace = stage.store.runtime.backend(), collection._scope.namespace
    page = backend.scan(namespace=namespace, where=None, cursor=None, limit=1000)
    held = backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)
    return [ProtectedPoint(each.id, each.vector, each.payload, each.terms) for each in held]  # type: ignore[arg-type]  # as stored


def put_back(
    stage: Stage, collection: sv.Collection[Ticket] | sv.Collection[Letter], points: list[ProtectedPoint]
) -> None:
    backend, namespace = stage.store.runtime.backend(), collection._scope.namespace
    there = {each.id for each in backend.fetch(namespace=namespace, ids=[point.id for point in points])}
    backend.insert(namespace=namespace, points=[point for point in points if point.id not in there])


def do_nothing(*_: object, **__: object) -> None:
    """What stands where a guard stood."""


def old_in(collection: sv.Collection[Ticket] | sv.Collection[Letter]) -> dict[str, int]:
    return {name: count for name, count in collection.verify().findings.items() if count}


def test_what_was_put_back_is_removed_with_evidence_and_what_lives_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unnamed, "_STEP", 2)  # many pages and many steps
    tickets = tickets_in(stage)
    tickets.ingest([ticket(number, f"lift {number} " + "a page of words " * 200) for number in range(1, 5)])
    before = copied(stage, tickets)
    tickets.delete("T-1")
    tickets.ingest([ticket(2, "the second lift, corrected")])
    put_back(stage, tickets, before)
    stale = tickets.verify().old
    assert stale >= 2, "positive control"
    with pytest.raises(CheckFailed, match="--unnamed"):
        tickets.verify().raise_if_wrong()
    assert stage.acme.purge().removed == 0, "nobody's data goes unless that is asked for"
    assert tickets.verify().old == stale
    report = stage.acme.purge(unnamed=True)
    assert (report.removed, report.held) == (stale, 0)
    if stage.engine == "edge":
        assert report.verified is True, report.evidence
    assert old_in(tickets) == {}
    assert {record.id for record in tickets.iter()} == {"T-2", "T-3", "T-4"}
    intent, result = [each for each in stage.audit(6) if each["phase"] != "single"]
    assert (intent["phase"], result["phase"]) == ("intent", "result")
    assert stage.acme.purge(unnamed=True).removed == 0
    assert result["counts"]["deleted"] == stale


@pytest.mark.parametrize("hold", ["tenant", "collection", "record", "subject"])
def test_what_a_hold_covers_is_not_removed_until_it_is_released(quick: Stage, hold: str) -> None:
    tickets = tickets_in(quick)
    tickets.ingest([ticket(1, "first lift", customer=JANE), ticket(2, "second lift"), ticket(3, "x", customer=JANE)])
    before = copied(quick, tickets)
    tickets.ingest([ticket(1, "first, corrected", customer=JANE), ticket(2, "second, corrected")])
    put_back(quick, tickets, before)
    scopes: dict[str, dict[str, str]] = {
        "tenant": {},
        "collection": {"collection": "notes"},
        "record": {"collection": "notes", "record": "T-1"},
        "subject": {"subject": JANE},
    }
    standing = quick.acme.hold("case 1", **scopes[hold])
    wide = hold in ("tenant", "collection")
    report = quick.acme.purge(unnamed=True)
    assert (report.removed, report.held) == ((0, 2) if wide else (1, 1))
    assert tickets.verify().old == report.held
    quick.store.tenant(quick.acme_name).release(standing.id)
    assert quick.acme.purge(unnamed=True).removed == report.held
    assert old_in(tickets) == {}


def test_a_hold_on_one_chunks_person_keeps_the_whole_record(quick: Stage) -> None:
    """A piece that mentions nobody would else go, and leave a record that nobody can read as a whole."""
    tickets = tickets_in(quick)
    long = "a page of words " * 300
    tickets.ingest([ticket(1, f"{long} and at the end {JANE} wrote."), ticket(2, f"{JANE} is here too")])
    before = copied(quick, tickets)
    tickets.delete("T-1")
    put_back(quick, tickets, before)
    stale = tickets.verify().old
    assert stale > 1, "positive control: several pieces"
    quick.acme.hold("case 1", subject=JANE)
    report = quick.acme.purge(unnamed=True)
    assert (report.removed, report.held) == (0, stale)


def test_a_hold_in_the_last_moment_wins(quick: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found is judged once more where nobody can write beside it."""
    tickets = tickets_in(quick)
    tickets.ingest([ticket(1, "first lift"), ticket(2, "second lift")])
    before = copied(quick, tickets)
    tickets.delete("T-1")
    put_back(quick, tickets, before)
    honest = Leftovers.while_nobody_holds

    def late(*given: object, **named: object) -> object:
        monkeypatch.setattr(Leftovers, "while_nobody_holds", honest)
        quick.acme.hold("case 1", collection="notes")
        return honest(*given, **named)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(Leftovers, "while_nobody_holds", late)
    report = quick.acme.purge(unnamed=True)
    assert (report.removed, report.held) == (0, 1)


def test_nothing_goes_behind_a_suspension(quick: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = tickets_in(quick)
    tickets.ingest([ticket(1, "first lift")])
    before = copied(quick, tickets)
    tickets.delete("T-1")
    put_back(quick, tickets, before)
    honest = Leftovers.while_nobody_holds

    def late(*given: object, **named: object) -> object:
        quick.store.suspend_tenant(quick.acme_name)
        return honest(*given, **named)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(Leftovers, "while_nobody_holds", late)
    with pytest.raises(TenantUnavailable):
        quick.acme.purge(unnamed=True)
    quick.store.resume_tenant(quick.acme_name)
    assert tickets.verify().old == 1


def test_a_shredded_persons_letter_that_was_put_back_goes_though_nobody_can_open_it(quick: Stage) -> None:
    letters = quick.acme.collection(Letter, name="letters")
    letters.ingest([{"id": "L-1", "writer": JANE, "body": "a lantern"}, {"id": "L-2", "body": "another lantern"}])
    before = copied(quick, letters)
    quick.acme.erase_subject(JANE).raise_if_incomplete()
    put_back(quick, letters, before)
    assert letters.verify().foreign == 1, "positive control: nobody can tell whose it was"
    assert quick.acme.purge(unnamed=True).removed == 1
    assert old_in(letters) == {}
    assert {record.id for record in letters.iter()} == {"L-2"}


def test_a_letter_whose_erasure_is_half_done_is_left_to_the_erasure(
    quick: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key is destroyed and the manifest still names it: what names it takes it away, with a receipt."""
    letters = quick.acme.collection(Letter, name="letters")
    letters.ingest([{"id": "L-1", "writer": JANE, "body": "a lantern"}, {"id": "L-2", "body": "another lantern"}])
    before = copied(quick, letters)
    key = quick.store.runtime.keys.list_keys(tenant=quick.acme.id, kind="subject")[0]
    assert quick.store.runtime.keys.destroy_subjects(quick.acme.id, [bytes.fromhex(key.subject)], job_id="job").key_ids
    assert quick.acme.purge(unnamed=True).removed == 0
    assert len(copied(quick, letters)) == len(before)


def test_a_body_sealed_for_an_id_that_is_not_its_records_is_neither_answered_nor_taken_for_old(
    quick: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its envelope opens where it lies: whoever wrote it had the keys and another way to name points. No reader and no
    clean-up takes the body's word for what it is."""
    tickets = tickets_in(quick)
    tickets.ingest([ticket(1, "first lift")])
    astray = uuid4()

    def point(self: object, *of: object) -> UUID:
        return astray

    with monkeypatch.context() as patched:
        patched.setattr(RecordIds, "point", point)
        patched.setattr(inserting, "_read_back", do_nothing)
        tickets.ingest([ticket(2, "second lift")])
    hits = tickets.search("lift", k=10)
    assert ([hit.id for hit in hits], hits.violations) == (["T-1"], 1)
    with monkeypatch.context() as patched:
        patched.setattr(judge, "check_place", do_nothing)
        assert {hit.id for hit in tickets.search("lift", k=10)} == {"T-1", "T-2"}, "positive control"
    tickets.ingest([ticket(2, "second lift, corrected")])
    assert quick.acme.purge(unnamed=True).removed == 0
    assert tickets.verify().foreign == 1
    monkeypatch.setattr(unnamed, "check_place", do_nothing)
    assert quick.acme.purge(unnamed=True).removed == 1, "positive control"


def test_what_is_not_ours_is_not_touched(quick: Stage) -> None:
    """Another collection's point, one that was tampered with, and one under a key that nobody knows (of an older key
    store, it may be) are told by verify, and are their owner's to look at."""
    tickets = tickets_in(quick)
    tickets.ingest([ticket(1, "first lift"), ticket(2, "second lift")])
    before = copied(quick, tickets)
    tickets.delete(["T-1", "T-2"])
    bad = str(before[0].payload["b"])
    altered = ProtectedPoint(before[0].id, before[0].vector, dict(before[0].payload) | {"b": bad[:-4] + "AAAA"})
    moved = ProtectedPoint(before[1].id, before[1].vector, dict(before[1].payload) | {"b": bad})
    put_back(quick, tickets, [altered, moved])
    report = quick.acme.purge(unnamed=True)
    assert (report.removed, report.held) == (0, 0)
    assert old_in(tickets) == {"foreign": 2}


def test_a_store_that_keeps_what_it_was_told_to_delete_is_no_success(quick: Stage) -> None:
    tickets = tickets_in(quick)
    tickets.ingest([ticket(1, "first lift")])
    before = copied(quick, tickets)
    tickets.delete("T-1")
    put_back(quick, tickets, before)
    still = [StoredPoint(each.id, each.payload, vector=each.vector) for each in before]

    def stubborn(found: list[StoredPoint]) -> list[StoredPoint]:
        return found or still

    quick.trap.edit_fetch = stubborn
    with pytest.raises(WriteNotAcknowledged):
        quick.acme.purge(unnamed=True)
    quick.trap.edit_fetch = None
    (result,) = [each for each in quick.audit(1) if each["phase"] == "result"]
    assert result["outcome"] == "failed"


def test_the_command_removes_what_the_engines_files_brought_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past = Past(tmp_path, "edge", "erasure")
    past.put_back("engine")
    place = ["--home", str(past.home), "--key-file", str(tmp_path / "root.key")]
    assert main(["tenant", "purge", "acme", "--unnamed", "--yes", *place, "--json"]) == 0
    said = capsys.readouterr().out
    assert '"removed": 1' in said or '"removed":1' in said
    assert '"verified": true' in said or '"verified":true' in said
    assert past.seen()["verify"] == "0"


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path, "memory") as made:
        made.store._caretaker.stop()
        yield made
