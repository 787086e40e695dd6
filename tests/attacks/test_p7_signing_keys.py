"""The signing key is exchanged: what it signed stays verifiable, and nothing more that it signs is believed."""

from __future__ import annotations

import base64
import contextlib
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

import securevec as sv
from securevec.audit import AuditWriter, Head, Keychain, files, writers
from securevec.audit.checkpoint import sign_note
from securevec.audit.succession import chain_in, open_succession, sign_succession, to_pem
from securevec.audit.tree import Frontier, leaf_hash
from securevec.audit.writers import WriterLog, origin_of
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup, verify_backup
from securevec.backup.manifest import installation_of, open_manifest, sign_for
from securevec.clock import Clock
from securevec.control.store import ControlStore
from securevec.crypto.sign import SigningKey, load_public_pem
from securevec.errors import AuditTampered, AuditUnavailable, BackupRejected, HomeRefused, ReceiptInvalid
from securevec.keys.keystore import KeyStore
from securevec.proof.anchoring import VerifiedLog
from securevec.proof.receipt import read
from securevec.store.signingkey import chain_of_home
from securevec.testing.embedders import HashEmbedder
from tests.support.signing_desk import STEPS, checked, gone, killed_rotating, opened, resigned
from tests.support.world import ACME, Ticket, ticket
from tests.unit.audit.logkit import LOG_ID, Log, event, signing_key


@pytest.mark.parametrize("compromised", [pytest.param(False, marks=pytest.mark.soak), True])
def test_old_receipts_hold_under_either_pin_and_a_stolen_key_signs_none(tmp_path: Path, compromised: bool) -> None:
    with opened(tmp_path / "home") as store, opened(tmp_path / "home") as other:
        stolen = store.runtime.keys.signing_key()
        before = gone(store, "acme")
        other.tenant("umbrella", create=True)
        done = store.rotate_signing_key(compromised=compromised)
        assert (done.number, done.compromised, done.evidence) == (1, compromised, "removed from live files")
        # The process that had the home open all along signs with the new key.
        other.tenant("initech", create=True)
        assert other.runtime.keys.signing_key().public == store.runtime.keys.signing_key().public
        shutil.copytree(store.home / "audit", tmp_path / "older copy")
        after = gone(store, "globex")
        new = store.runtime.keys.signing_key().public
        assert new != stolen.public
        assert read(after, public=new).key_id == done.key_id
        for pin in (stolen.public, new):
            report, log = checked(store, pin)
            assert [each.new for each in report.successions] == [new]
            held = read(before, public=pin, chain=report.chain, log=log)
            assert (held.key_id, held.anchored) == (done.retired, True)
            held = read(after, public=pin, chain=report.chain, log=log)
            assert (held.retired, held.anchored) == (None, True)
            reworded = resigned(after, store.runtime.keys.signing_key(), artefacts=[])
            with pytest.raises(ReceiptInvalid, match="another receipt"):
                read(reworded, public=pin, chain=report.chain, log=log)
            # The thief leans on a later record, or on an earlier one of something else.
            later = orjson.loads(base64.b64decode(orjson.loads(after)["payload"]))["predicate"]
            earlier = orjson.loads(base64.b64decode(orjson.loads(before)["payload"]))["predicate"]
            forged = {
                "a later record": resigned(after, stolen, completed_ms=earlier["completed_ms"]),
                "another job's record": resigned(before, stolen, job="f" * 32),
                "another tenant": resigned(before, stolen, tenant=later["tenant"]),
                "no record": resigned(before, stolen, audit={"log": "0" * 32}),
                "another index": resigned(before, stolen, audit={**earlier["audit"], "index": 0}),
                "a job that was done, in other words": resigned(before, stolen, artefacts=[]),
                "a job that was done, of other things": resigned(before, stolen),
            }
            for name, receipt in forged.items():
                with pytest.raises(ReceiptInvalid):
                    pytest.fail(f"{name}: {read(receipt, public=pin, chain=report.chain, log=log)}")
            # Without the log only dates can be looked at, and of a compromised key not even those.
            with pytest.raises(ReceiptInvalid, match="own date"):
                read(resigned(before, stolen, completed_ms=2**45), public=pin, chain=report.chain)
            if compromised:
                with pytest.raises(ReceiptInvalid, match="others may have it"):
                    read(before, public=pin, chain=report.chain)
            else:
                assert not read(before, public=pin, chain=report.chain).anchored
        older = VerifiedLog(tmp_path / "older copy", store.runtime.installation_id, report)
        with pytest.raises(ReceiptInvalid, match="not in this copy"):
            read(after, public=new, chain=report.chain, log=older)
        with pytest.raises(ReceiptInvalid, match="pinned"):
            read(after, public=stolen.public)  # nobody told of the exchange


def test_every_kind_of_job_records_the_digest_of_its_receipt(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as store:
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        tickets.ingest([ticket(number, f"the lift was late {number}") for number in range(3)])
        results = [
            store.reseal("acme", "ticket"),
            store.reindex("acme", "ticket"),
            store.renew_tokens("acme"),
            store.renew_surrogates("acme"),
            store.tenant("acme").erase_subject("customer1@example.com"),
            store.delete_tenant("acme"),
        ]
        kinds: set[str] = set()
        public = store.runtime.keys.signing_key().public
        report, log = checked(store, public)
        for result in results:
            receipt = read(result.receipt or b"", public=public, chain=report.chain, log=log)
            kinds.add(receipt.predicate["kind"])
            with pytest.raises(ReceiptInvalid, match="another receipt"):
                read(resigned(result.receipt or b"", store.runtime.keys.signing_key()), public=public, log=log)
        assert kinds == {"reseal", "reindex", "renew", "resurrogate", "subject", "tenant"}


def test_a_stolen_key_adds_nothing_to_the_log_after_it_was_given_up(tmp_path: Path) -> None:
    log, new, stolen = Log(tmp_path), signing_key("new"), signing_key()
    alive = log.open()
    for _ in range(3):
        alive.record(event())
    alive.checkpoint()
    exchange(log, new, compromised=True)
    for pin in (stolen, new):
        assert [each.compromised for each in log.verify(key=pin).successions] == [True]
    # A process that does not have the new key signs nothing more.
    with pytest.raises(AuditUnavailable):
        alive.record(event(action="delete"))
    writer, lines = log.root / alive.writer, log.lines(log.root / alive.writer)
    frontier = Frontier()
    for raw in lines:
        frontier.append(leaf_hash(raw[:-1]))
    note = sign_note(origin_of(LOG_ID, alive.writer), frontier.size, frontier.root(), stolen)
    before = (writer / files.CHECKPOINTS_LOG).read_bytes()
    files.publish_note(writer, note)
    with pytest.raises(AuditTampered, match="given up before"):
        log.verify(key=new)
    (writer / files.CHECKPOINTS_LOG).write_bytes(before)
    files.replace_checkpoint(writer, files.newest_issued(writer))
    log.verify(key=new)
    # The log of writers itself: a head by the old key, over one more line.
    thief = WriterLog(log.root, log_id=LOG_ID, signers=Stubborn(stolen), clock=Clock(), on_head=None, anchor=None)
    with thief.locked():
        thief.append("head", alive.writer, frontier.size, frontier.root())
    for pin in (stolen, new):
        with pytest.raises(AuditTampered):
            log.verify(key=pin, anchored=False)


def exchange(log: Log, new: SigningKey, *, compromised: bool = False) -> None:
    """As a process does that holds both keys."""
    with AuditWriter.open(
        log.directory,
        log_id=LOG_ID,
        signing_key=Both([log.key, new]),
        clock=Clock(),
        on_head=lambda size, root, note: log.heads.append(Head(size, root, note)),
        anchor=log.anchor,
    ) as writer:
        writer.exchange_key(new, compromised=compromised)


class Both:
    def __init__(self, keys: list[SigningKey]) -> None:
        self.keys = keys

    def in_force(self, public: bytes | None) -> SigningKey:
        return next(key for key in self.keys if public in (None, key.public))


class Stubborn:
    """Signs with the old key, whatever the log says."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key

    def in_force(self, public: bytes | None) -> SigningKey:
        return self.key


def test_exchanges_that_no_key_vouches_for_are_refused(tmp_path: Path) -> None:
    old, new, evil = (signing_key(name) for name in ("old", "new", "evil"))
    fields: dict[str, Any] = {"size": 4, "root": bytes(32), "time_ms": 9, "compromised": False}

    def between(first: SigningKey, second: SigningKey, number: int = 1, **changes: Any) -> bytes:
        return sign_succession(LOG_ID, number=number, old=first, new=second, **{**fields, **changes})

    first = open_succession(between(old, new))
    second = open_succession(between(new, evil, 2, size=8))
    whole = old.public_pem() + to_pem([first, second]).encode()
    assert load_public_pem(whole) == old.public
    for pin in (old, new, evil):
        chain = chain_in(whole, pinned=pin.public)
        assert chain is not None
        assert chain.keys == [old.public, new.public, evil.public]
    with pytest.raises(AuditTampered, match="pinned"):
        chain_in(whole, pinned=signing_key("stranger").public)
    unsigned = between(old, new).replace(base64.b64encode(new.public), base64.b64encode(evil.public))
    half = between(old, new).rpartition("— ".encode())[0]  # the new key did not sign
    for note in (unsigned, half, b"", b"x\n\n", between(old, new).replace(b"\n9\n", b"\n8\n")):
        with pytest.raises(AuditTampered):
            open_succession(note)
    for notes in (
        [between(old, new), between(old, evil, 2, size=8)],  # two heirs of one key
        [between(old, new), between(new, old, 2, size=8)],  # back to the key that was given up
        [between(old, new), between(new, evil, 3, size=8)],  # one left out
        [between(old, new), between(new, evil, 2, size=4)],  # two at one place
    ):
        with pytest.raises(AuditTampered):
            Keychain(LOG_ID, old.public, [open_succession(note) for note in notes])
    with pytest.raises(AuditTampered):
        Keychain("00" * 16, old.public, [first])


@pytest.mark.parametrize(
    "step", [step if step == "handed over" else pytest.param(step, marks=pytest.mark.soak) for step in STEPS]
)
def test_killed_at_any_step_the_home_opens_and_the_same_call_ends_it(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with opened(home) as store:
        old, receipt = store.runtime.keys.signing_key(), gone(store, "acme")
    killed_rotating(home, step, compromised=False)
    with opened(home) as store:
        between = gone(store, "globex")  # whichever key is in force, it signs
        report, log = checked(store, store.runtime.keys.signing_key().public)
        assert len(report.successions) == (step in ("handed over", "adopted"))
        assert read(between, public=report.chain.current).key_id
        done = store.rotate_signing_key()
        assert (done.number, done.resumed) == (1, True)
        new = store.runtime.keys.signing_key().public
        purposes = [key.purpose for key in store.runtime.keys.list_keys(kind="installation")]
        assert sorted(purposes) == ["actors", "names", "namespaces", "sign"]
        for pin in (old.public, new):
            report, log = checked(store, pin)
            for each in (receipt, between):
                read(each, public=pin, chain=report.chain, log=log)
        assert store.rotate_signing_key().number == 2
    with opened(home) as store:
        assert len(checked(store, old.public)[0].successions) == 2


def test_backups_of_either_time_are_restored_and_their_lists_of_deletions_with_them(tmp_path: Path) -> None:
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    with opened(home) as store:
        old, receipt = store.runtime.keys.signing_key(), gone(store, "acme")
        create_backup(store, tmp_path / "before")
        store.rotate_signing_key(compromised=True)
        new = store.runtime.keys.signing_key().public
        create_backup(store, tmp_path / "after")
        export_tombstones(store, tmp_path / "later", since=tmp_path / "before")
        # A manifest that a thief of the old key signs, over a head from after the exchange.
        note, chain = (tmp_path / "after" / "data" / "MANIFEST").read_bytes(), chain_of_home(store.runtime)
        assert open_manifest(note, chain=chain).head.size > chain.successions[0].size
        forged = sign_for(installation_of(note), note.rpartition(b"\n\n")[0] + b"\n", old)
        with pytest.raises(BackupRejected):
            open_manifest(forged, chain=chain)
    assert verify_backup(tmp_path / "before", public=old.public, key_file=key_file).pinned
    assert verify_backup(tmp_path / "after", public=old.public, key_file=key_file).pinned
    for name, newer, public in (
        ("current", Newer(current=home), new),
        ("listed", Newer(tombstones=tmp_path / "later"), old.public),
    ):
        restore_backup(tmp_path / "before", tmp_path / name, newer=newer, key_file=key_file, embedder=HashEmbedder())
        with sv.SecureStore.open(tmp_path / name, key_file=key_file, embedder=HashEmbedder(), create=False) as store:
            assert store.runtime.keys.signing_key().public == public
            report, log = checked(store, old.public)
            read(receipt, public=old.public, chain=report.chain, log=log)
    listed = (tmp_path / "later").read_bytes()
    (tmp_path / "later").write_bytes(listed.replace(b'"signing_keys":["', b'"signing_keys":[],"x":["'))
    with pytest.raises(BackupRejected):
        restore_backup(
            tmp_path / "before", tmp_path / "x", newer=Newer(tombstones=tmp_path / "later"), key_file=key_file
        )


def test_an_older_key_store_under_a_newer_log_signs_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with opened(home):
        pass
    stale = (home / "keys" / "keys.db").read_bytes()
    with opened(home) as store:
        store.rotate_signing_key()
    (home / "keys" / "keys.db").write_bytes(stale)
    with pytest.raises(HomeRefused, match="older than the control store"):
        opened(home)
    # And where the control store is made to think nothing of it.
    with contextlib.closing(KeyStore(home / "keys")) as keys:
        changes = keys.changes()
    with contextlib.closing(ControlStore.open(home / "control.db", create=False)) as control:
        control.accept_key_changes(changes)
    with opened(home) as store, pytest.raises(AuditUnavailable):
        store.tenant("acme", create=True)
    with opened(home) as store, pytest.raises(AuditUnavailable):
        store.rotate_signing_key()


def test_an_exchange_that_tells_of_another_log_before_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(log_id: str, **fields: Any) -> bytes:
        changed: dict[str, Any] = {**fields, "root": bytes(32)}
        return sign_succession(log_id, **changed)

    log = Log(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(writers, "sign_succession", lying)
        exchange(log, signing_key("new"))
    log.key = signing_key("new")
    with pytest.raises(AuditTampered, match="hands over keys elsewhere"):
        log.verify()
    with pytest.raises(AuditTampered, match="belongs elsewhere"):
        log.open()
