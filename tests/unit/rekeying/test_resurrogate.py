"""A new pseudonym key for a tenant: what queries find before, during and after, and what is left of old surrogates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

import securevec as sv
from securevec.anonymize import TenantKeys
from securevec.anonymize.surrogates.values import person_parts, surrogate
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup
from securevec.control.numbers import THIS_TENANT_NO
from securevec.control.rows import ManifestRow
from securevec.errors import (
    ControlUnavailable,
    LegalHold,
    TenantUnavailable,
    VaultDisabled,
    WriteNotAcknowledged,
)
from securevec.proof.receipt import read
from securevec.reading.opening import open_body
from securevec.reading.question import anonymize_query
from securevec.rekeying import resurrogate
from securevec.rekeying.respelling import Respelling
from securevec.testing.embedders import HashEmbedder
from securevec.types import StoredPoint
from tests.support.meanwhile import meanwhile
from tests.support.world import ACME

JANE, MAIL, PHONE = "Jane Miller", "olga.brandt@example.net", "+49 30 9901234"
VALUES = {"PERSON": (JANE, "Martin Kessler"), "EMAIL": (MAIL,), "PHONE": (PHONE,)}


class Case(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    note: sv.Seal[str | None] = None
    status: sv.Filter[str | None] = None


Cases = sv.Collection[Case]

LONG = "Martin Kessler moved house again. " * 60
CASES: list[dict[str, Any]] = [
    {"id": "C-1", "body": f"{JANE} lost a parcel in the rain. Miller was angry.", "status": "open"},
    {"id": "C-2", "body": f"A refund for {JANE}, who wrote from {MAIL}", "note": f"call {PHONE}"},
    {"id": "C-3", "body": f"{LONG} So Kessler said at last"},
    {"id": "C-4", "body": '{"customer": "Jane Miller", "phone": 4930990123, "text": "a \\u00e9tude & more"}'},
    {"id": "C-5", "body": "nobody is named in this one, the parcel was never seen"},
]


@pytest.fixture(params=["memory", *(pytest.param(name, marks=pytest.mark.soak) for name in ("edge", "chroma"))])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[sv.SecureStore]:
    home, key = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend=str(request.param), key_file=key, embedder=HashEmbedder()) as made:
        made.runtime.backend()
        made._caretaker.stop()  # it would carry the jobs on by itself
        yield made


@pytest.fixture
def cases(store: sv.SecureStore) -> Cases:
    hybrid = store.runtime.backend().capabilities.sparse
    made = store.tenant("acme", create=True, actor=ACME).collection(Case, hybrid=hybrid, retention="180d")
    assert made.ingest(CASES).refused == ()
    return made


def keys(store: sv.SecureStore) -> TenantKeys:
    return store.runtime.tenant_keys(store.tenant("acme", actor=ACME).id)


def points(cases: Cases) -> list[StoredPoint]:
    scope, backend = cases._scope, cases._runtime.backend()
    page = backend.scan(namespace=scope.namespace, where=None, cursor=None, limit=1000)
    return backend.fetch(namespace=scope.namespace, ids=[point.id for point in page.points], with_vectors=True)


def said(cases: Cases) -> str:
    """All that sealed bodies say, and what stands for parts of names in the control store."""
    runtime = cases._runtime
    bodies = [open_body(runtime.keys, cases._scope, point) for point in points(cases)]
    texts = [str((body.text, body.fields)) for body in bodies]
    # Of its own tenant: names come from short lists, and those of another tenant may be the same by chance.
    own = {"tenant": cases._scope.tenant}
    rows = runtime.control._db.rows(f"SELECT part, stand_in FROM name_part WHERE tenant_no = {THIS_TENANT_NO}", own)
    return "\n".join([*texts, *(runtime.names.open_stand_in(sealed, part=part) for part, sealed in rows)])


def guessed(known: TenantKeys) -> set[str]:
    """What somebody who has the pseudonym key looks for."""
    made = {surrogate(known.pseudonym, entity, value) for entity, several in VALUES.items() for value in several}
    return made | {part for name in VALUES["PERSON"] for part in person_parts(known.pseudonym, name)}


def only_early(early: TenantKeys, late: TenantKeys) -> set[str]:
    """What only the earlier key gives away. Given names come from a list of 181: by chance, once in two hundred, the
    later key makes the same one, or one that holds it, for somebody."""
    return {each for each in guessed(early) if not any(each in other for other in guessed(late))}


def wordings(cases: Cases, text: str) -> list[str]:
    """What is asked for when this is: under the newest version, and under the one before where that differs."""
    asked = anonymize_query(cases._runtime, cases._scope, text)
    return [each.text for each in (asked.text, asked.earlier) if each is not None]


def named_in(cases: Cases, text: str) -> list[str]:
    """The records whose texts say what is asked for when this is."""
    asked = wordings(cases, text)
    shown = ((record.id, f"{record.body} {record.note}") for record in cases.iter())
    return sorted(name for name, body in shown if any(wording.lower() in body.lower() for wording in asked))


def found(cases: Cases) -> list[object]:
    """What the library answers, by every way of asking."""
    whole = [each["body"] for each in CASES if each["id"] != "C-3"]
    hits = [*(cases.search(text, k=1)[0] for text in whole), *(each[0] for each in cases.search_batch(whole, k=1))]
    everything = cases.search("anything", k=99)
    text = everything.restore(everything.context())
    return [
        [(str(hit.id), hit.score > 0.999) for hit in hits],
        [named_in(cases, each) for each in (JANE, "jane miller", MAIL, PHONE, "Martin Kessler", "kessler", "miller")],
        [text.count(each) for each in (JANE, MAIL, "Martin Kessler")],
        replace(cases.verify(), request_id=""),
    ]


def renew(store: sv.SecureStore) -> resurrogate.Resurrogation:
    return store.renew_surrogates("acme")


def test_a_copy_of_the_earlier_key_matches_nothing_that_is_stored(store: sv.SecureStore, cases: Cases) -> None:
    early, before, ids = keys(store), found(cases), {point.id for point in points(cases)}
    assert before[:2] == [
        2 * [("C-1", True), ("C-2", True), ("C-4", True), ("C-5", True)],
        [["C-1", "C-2", "C-4"], ["C-1", "C-2", "C-4"], ["C-2"], ["C-2"], ["C-3"], ["C-3"], ["C-1", "C-2", "C-4"]],
    ]
    other = store.tenant("globex", create=True, actor=ACME).collection(Case)
    other.ingest(CASES)
    apart = said(other)
    text = said(cases)
    assert len([each for each in guessed(early) if each in text]) >= 7, "the attack works before"
    shown = {record.id: record for record in cases.iter()}
    done = renew(store)
    assert (done.state, done.version, done.records) == ("done", 2, 5)
    late = keys(store)
    assert (late.naming, late.before, late.token) == (2, None, early.token)
    text = said(cases)
    assert not [each for each in only_early(early, late) if each in text]
    assert len([each for each in guessed(late) if each in text]) >= 7
    assert found(cases) == before
    again = {record.id: record for record in cases.iter()}
    assert again.keys() == shown.keys()
    assert again["C-5"] == shown["C-5"]
    assert all(again[name] != shown[name] for name in ("C-1", "C-2", "C-3", "C-4"))
    assert len({point.id for point in points(cases)} & ids) == 1, "what says no surrogate is not written again"
    fresh = store.tenant("acme", actor=ACME).collection(Case, name="fresh")
    fresh.ingest(CASES)
    assert {record.id: record for record in fresh.iter()} == again, "as if it came from its source today"
    assert cases.ingest(CASES).unchanged == 5
    cases.verify().raise_if_wrong()
    receipt = read(done.receipt or b"", public=store.runtime.keys.signing_key().public).predicate
    assert (receipt["kind"], receipt["key"], receipt["version"]) == ("resurrogate", "pseudonym", 2)
    assert {each["verdict"] for each in receipt["artefacts"][-2:]} == {"removed from live files"}
    assert said(other).startswith(apart.split("\n")[0])
    assert renew(store).version == 3
    assert found(cases) == before


class Stopped(ControlUnavailable):
    pass


@pytest.fixture
def halfway(store: sv.SecureStore, cases: Cases, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Two of the records have new surrogates, the others do not; what was found before. Ended afterwards."""
    before, write = found(cases), Respelling.write

    def some(self: Respelling, admission: Any, rows: Sequence[ManifestRow]) -> NoReturn:
        write(self, admission, rows[:2])
        raise Stopped("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", some)
        with pytest.raises(Stopped):
            renew(store)
    (job,) = store.runtime.control.jobs(open_only=True)
    assert job.state == "dual"
    yield before
    store.run_jobs()
    assert not store.runtime.control.jobs(open_only=True)
    assert keys(store).before is None
    cases.verify().raise_if_wrong()


def test_everybody_is_found_while_some_records_have_new_surrogates(
    store: sv.SecureStore, cases: Cases, halfway: list[object]
) -> None:
    text, late = said(cases), keys(store)
    early = late.earlier()
    assert early is not None
    for known in (early, late):
        assert [each for each in guessed(known) if each in text], "records of both versions are there"
    assert found(cases) == halfway
    assert len(wordings(cases, f"where is {JANE}")) == 2
    assert wordings(cases, "where is nobody") == ["where is nobody"]
    assert cases.ingest([{"id": "C-6", "body": f"{JANE} and Martin Kessler met"}]).new == 1
    assert named_in(cases, "miller") == ["C-1", "C-2", "C-4", "C-6"]
    assert cases.update("C-5", body=f"it was {JANE} all along").changed
    assert named_in(cases, JANE) == ["C-1", "C-2", "C-4", "C-5", "C-6"]
    assert cases.search_diverse(JANE, k=5)[0].id in {"C-1", "C-2", "C-4", "C-5", "C-6"}
    assert renew(store).version == 2, "the open job goes on, and no third version begins"
    assert named_in(cases, "Miller") == ["C-1", "C-2", "C-4", "C-5", "C-6"]
    assert not [each for each in only_early(early, late) if each in said(cases)]


def test_who_is_at_work_in_the_moment_of_the_switch_stores_and_answers_nothing_of_the_version_before(
    store: sv.SecureStore, cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them took the key before the switch, and meets the control store after it."""
    control, tenant = type(store.runtime.control), cases._scope.tenant
    calls: dict[str, Callable[[], object]] = {
        "begin_batch": lambda: cases.ingest([{"id": "C-6", "body": f"{JANE} again"}]),
        "known_tokens": lambda: cases.search(f"the parcel of {JANE}", k=3),
    }

    def switch() -> None:
        store.runtime.keys.begin_pseudonym_version(tenant)
        store.runtime.control.refuse_begun(tenant, now_ms=store.runtime.clock.now_ms())

    for name, call in calls.items():
        meanwhile(monkeypatch, control, name, switch)
        with pytest.raises(TenantUnavailable):
            call()
    assert cases.count() == 5
    assert renew(store).version == 2


def test_a_held_record_keeps_what_it_says_and_the_key_waits_for_its_hold(
    store: sv.SecureStore, cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, before = store.tenant("acme", actor=ACME), found(cases)
    hold = acme.hold("a claim", collection="case", record="C-2")
    kept = cases.get("C-2")
    with pytest.raises(LegalHold) as refused:
        renew(store)
    assert refused.value.hold_id == hold.id
    assert cases.get("C-2") == kept
    assert found(cases) == before
    text, late = said(cases), keys(store)
    early = late.earlier()
    assert early is not None
    assert [each for each in guessed(early) if each in text]
    assert [(each.state, each.failed) for each in store.run_jobs()] == [("rewritten", True)]
    store.tenant("acme").release(hold.id)
    placed: list[str] = []
    write = Respelling.write

    def held_meanwhile(self: Respelling, admission: Any, rows: Sequence[ManifestRow]) -> list[StoredPoint]:
        if not placed:
            placed.append(acme.hold("another", collection="case", record="C-2").id)
        return write(self, admission, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", held_meanwhile)
        with pytest.raises(LegalHold):
            renew(store)
    assert cases.get("C-2") == kept, "a hold that comes while it is written anew comes first"
    store.tenant("acme").release(placed[0])
    done = renew(store)
    assert done.state == "done"
    receipt = read(done.receipt or b"", public=store.runtime.keys.signing_key().public).predicate
    shown = [each["artefact"] for each in receipt["artefacts"]]
    assert sum("old points" in each for each in shown) == 2, "those of both rounds, and nothing of one that wrote none"
    assert cases.get("C-2") != kept
    assert found(cases) == before
    assert not [each for each in only_early(early, keys(store)) if each in said(cases)]


def test_surrogates_without_originals_are_refused_and_nothing_is_changed(store: sv.SecureStore, cases: Cases) -> None:
    bare = store.tenant("acme", actor=ACME).collection(Case, name="bare", vault=False)
    bare.ingest([{"id": "B-0", "body": "nobody"}])
    assert renew(store).state == "done", "a text without surrogates needs no original"
    bare.ingest([CASES[0]])
    before = said(cases)
    with pytest.raises(VaultDisabled):
        renew(store)
    assert (said(cases), keys(store).naming, keys(store).before) == (before, 2, None)
    assert not store.runtime.control.jobs(open_only=True)
    bare.delete(["C-1"])
    assert renew(store).version == 3


def test_nothing_is_retired_while_a_live_record_says_old_surrogates(
    store: sv.SecureStore, cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(self: Respelling, rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        return []

    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "stale", nothing)
        with pytest.raises(WriteNotAcknowledged):
            renew(store)
    assert keys(store).before is not None


@pytest.mark.parametrize("way", ["tombstones", pytest.param("current", marks=pytest.mark.soak)])
def test_a_backup_from_before_the_new_key_is_found_by_name_when_it_was_restored(tmp_path: Path, way: str) -> None:
    key_file, backup, ledger = tmp_path / "root.key", tmp_path / "backup", tmp_path / "later"

    def opened(home: Path) -> sv.SecureStore:
        return sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder())

    with opened(tmp_path / "home") as store:
        acme = store.tenant("acme", create=True, actor=ACME)
        cases = acme.collection(Case)
        cases.ingest(CASES)
        create_backup(store, backup)
        early = keys(store)
        renew(store)
        renew(store)
        hold = acme.hold("a claim", collection="case", record="C-2")
        export_tombstones(store, ledger, since=backup)
    newer = Newer(current=tmp_path / "home") if way == "current" else Newer(tombstones=ledger)
    report = restore_backup(backup, tmp_path / "again", newer=newer, key_file=key_file, embedder=HashEmbedder())
    assert report.replayed is not None
    assert report.replayed.respelled == 1
    with opened(tmp_path / "again") as store:
        cases = store.tenant("acme", actor=ACME).collection(Case)
        assert named_in(cases, "Martin Kessler") == named_in(cases, "kessler") == ["C-3"]
        assert named_in(cases, MAIL) == (["C-2"] if way == "tombstones" else []), "held by the newer state"
        assert named_in(cases, "miller") == (["C-1", "C-2", "C-4"] if way == "tombstones" else ["C-1", "C-4"])
        store.tenant("acme").release(hold.id)
        store.run_jobs()
        assert named_in(cases, "miller") == ["C-1", "C-2", "C-4"]
        assert not [each for each in only_early(early, keys(store)) if each in said(cases)]
        cases.verify().raise_if_wrong()
        assert not store.runtime.control.jobs(open_only=True)
