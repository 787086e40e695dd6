"""A backup from before a new version of a token key brings nobody back, and loses nobody's records."""

from __future__ import annotations

from pathlib import Path

import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup
from securevec.errors import (
    BackupRejected,
    LegalHold,
)
from securevec.testing.embedders import HashEmbedder
from tests.support.token_letters import JANE, LETTERS, PETER, Letter
from tests.support.world import ACME


class Note(sv.Record):
    id: sv.Key[str]
    customer: sv.Subject[str]
    body: sv.Embed[str]


@pytest.mark.parametrize("way", ["current", "tombstones"])
def test_a_backup_from_before_the_new_version_brings_back_nobody_who_was_erased_after_it(
    tmp_path: Path, way: str
) -> None:
    key_file, backup, ledger = tmp_path / "root.key", tmp_path / "backup", tmp_path / "later"

    def opened(home: Path) -> sv.SecureStore:
        return sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder())

    with opened(tmp_path / "home") as store:
        acme = store.tenant("acme", create=True, actor=ACME)
        notes = acme.collection(Note)
        notes.ingest(
            [{"id": "J", "customer": JANE, "body": "a lantern"}, {"id": "P", "customer": PETER, "body": "oil"}]
        )
        notes.ingest([{"id": "M", "customer": "C-2042", "body": f"ask {JANE} and {PETER}"}])
        create_backup(store, backup)
        store.renew_tokens("acme")
        acme.erase_subject(JANE).raise_if_incomplete()
        acme.hold("a claim", subject=PETER)
        store.renew_tokens("acme")
        export_tombstones(store, ledger, since=backup)
    newer = Newer(current=tmp_path / "home") if way == "current" else Newer(tombstones=ledger)
    restore_backup(backup, tmp_path / "again", newer=newer, key_file=key_file, embedder=HashEmbedder())
    with opened(tmp_path / "again") as store:
        acme = store.tenant("acme", actor=ACME)
        notes = acme.collection(Note)
        assert store.runtime.tenant_keys(acme.id).version == 3
        assert sorted(record.id for record in notes.iter()) == ["M", "P"]
        assert JANE not in notes.search("ask", k=3).restore(notes.search("ask", k=3).context())
        assert len(acme.find_subject(PETER)) == 2
        assert notes.ingest([{"id": "J", "customer": JANE, "body": "a lantern"}]).refused
        with pytest.raises(LegalHold):
            acme.erase_subject(PETER)
        notes.verify().raise_if_wrong()
        assert not store.runtime.control.jobs(open_only=True)
        assert {job.state for job in store.runtime.control.jobs() if job.kind == "key.renew"} == {"done"}


def test_a_restore_with_newer_keys_that_would_lose_peoples_records_is_refused(tmp_path: Path) -> None:
    key_file, backup, ledger = tmp_path / "root.key", tmp_path / "backup", tmp_path / "later"
    with sv.SecureStore.open(tmp_path / "home", key_file=key_file, embedder=HashEmbedder()) as store:
        acme = store.tenant("acme", create=True, actor=ACME)
        acme.collection(Letter).ingest(LETTERS)
        create_backup(store, backup)
        store.renew_tokens("acme")
        acme.erase_subject(JANE).raise_if_incomplete()
        export_tombstones(store, ledger, since=backup)
    with pytest.raises(BackupRejected):
        restore_backup(
            backup, tmp_path / "no", newer=Newer(current=tmp_path / "home"), key_file=key_file, embedder=HashEmbedder()
        )
    restore_backup(
        backup, tmp_path / "again", newer=Newer(tombstones=ledger), key_file=key_file, embedder=HashEmbedder()
    )
    with sv.SecureStore.open(tmp_path / "again", key_file=key_file, embedder=HashEmbedder()) as store:
        letters = store.tenant("acme", actor=ACME).collection(Letter)
        assert sorted(record.id for record in letters.iter()) == ["L-3", "L-4", "L-5"]
        letters.verify().raise_if_wrong()
