"""A home of an earlier build comes through whole, or stays as it was. Homes are taken back to what those builds wrote;
that homes which they really wrote come through was tried by hand (docs/adr/0068)."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import securevec as sv
from securevec import audit
from securevec.audit import Head
from securevec.audit.directory import lock_directory
from securevec.backup import upgrading
from securevec.control import migrate
from securevec.errors import AuditTampered, EngineLocked, HomeRefused, PolicyDenied
from securevec.state import home as homes
from securevec.store import opening
from securevec.testing.embedders import HashEmbedder
from tests.support.meanwhile import meanwhile

_OLDER: Final = {
    "manifest": "SELECT c.collection, m.ref, m.generation, m.n_chunks, m.content_digest, m.expires_ms, e.epoch,"
    " m.ingested_ms, m.size FROM manifest m JOIN collection c USING (collection_no) JOIN key_epoch e USING (epoch_no)",
    "source_file": "SELECT c.collection, s.source, s.ref, s.digest FROM source_file s"
    " JOIN collection c USING (collection_no)",
    "subject_token": "SELECT t.tenant, s.token, s.entity FROM subject_token s JOIN tenant t USING (tenant_no)"
    " WHERE s.entity <> ''",
    "record_subject": "SELECT c.collection, s.token, r.ref, r.generation, r.about FROM record_subject r"
    " JOIN collection c USING (collection_no) JOIN subject_token s USING (subject_no)",
    "name_part": "SELECT t.tenant, n.part, s.token, lower(hex(n.stand_in)) FROM name_part n"
    " JOIN tenant t USING (tenant_no) JOIN subject_token s ON s.subject_no = n.person_no",
}
"""What revision 0004 kept in each of these tables, in the order of its columns."""


class Note(sv.Record):
    id: sv.Key[str]
    customer: sv.Subject[str]
    body: sv.Embed[str]
    status: sv.Filter[str]


def opened(base: Path) -> sv.SecureStore:
    key = base / "root.key"
    return sv.SecureStore.open(base / "home", backend="edge", key_file=key, embedder=HashEmbedder())


@pytest.fixture(scope="module")
def present(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as this release writes it."""
    base = tmp_path_factory.mktemp("present")
    with opened(base) as store:
        tenant = store.tenant("acme", create=True)
        rows = [
            {"id": f"N-{n}", "customer": f"c{n}@example.com", "body": f"Call Jane Porter back, {n}.", "status": "open"}
            for n in range(4)
        ]
        notes = tenant.collection(Note, retention="180d")
        assert notes.ingest(rows).new == 4
        tenant.hold("case 7", collection="note", record="N-2")
    return base


def taken_back(present: Path, base: Path, revision: str) -> Path:
    """The home as the build of this revision wrote it."""
    shutil.copytree(present, base, dirs_exist_ok=True)
    if revision < "0007":
        _older_keys(base)
    engine = create_engine(f"sqlite:///{base / 'home' / 'control.db'}")
    config = Config()
    config.set_main_option("script_location", "securevec.control:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, max(revision, "0005"))
        if revision == "0004":
            rows = {table: connection.exec_driver_sql(select).all() for table, select in _OLDER.items()}
            for table in ("name_part", "record_subject", "source_file", "manifest", "key_epoch", "subject_token"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
            command.downgrade(config, revision)
            for table, listed in rows.items():
                for row in listed:
                    marks = ", ".join("?" * len(row))
                    connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", tuple(row))
    engine.dispose()
    return base


def _older_keys(base: Path) -> None:
    with opened(base) as store:
        ring = store.runtime.keys
        with ring._store.transaction():
            for row in ring._store.all_rows(kind="tenant"):
                if row.use.purpose == "pseudonym":
                    wrapping = ring._open.tenant_wrapping(row.use.tenant)
                    ring._store.drop(row)
                    ring._store.insert(
                        wrapping.wrap(wrapping.unwrap(row), replace(row.use, epoch=""), created_ms=row.created_ms)
                    )
    with contextlib.closing(sqlite3.connect(base / "home" / "keys" / "keys.db", isolation_level=None)) as keys:
        keys.execute("DROP TABLE changes")
        keys.execute("PRAGMA user_version = 2")
        keys.execute("PRAGMA application_id = 0")


def state_of(home: Path) -> list[bytes]:
    with contextlib.closing(sqlite3.connect(home / "control.db")) as control:
        said = "\n".join(control.iterdump()).encode()
    return [said, (home / "keys" / "keys.db").read_bytes()]


def parts_of(base: Path) -> list[tuple[bytes, bytes]]:
    """The sealed surrogates of parts of names."""
    with contextlib.closing(sqlite3.connect(base / "home" / "control.db")) as control:
        return control.execute("SELECT part, stand_in FROM name_part ORDER BY part").fetchall()


@pytest.mark.parametrize("revision", ["0004", "0005", "0006", "0007", "0008"])
def test_a_home_of_each_earlier_build_comes_through_whole(present: Path, tmp_path: Path, revision: str) -> None:
    base = taken_back(present, tmp_path, revision)
    with pytest.raises(HomeRefused, match="securevec upgrade --dry-run"):
        opened(base)
    before = state_of(base / "home")
    planned = upgrading.look(base / "home")
    assert planned.needed
    assert state_of(base / "home") == before
    assert upgrading.upgrade(base / "home", lambda: opened(base)) == planned
    assert planned.rows["manifest"] == 4
    assert parts_of(base) == parts_of(present) != []
    with opened(base) as store:
        tenant = store.tenant("acme")
        assert tenant.find_subject("c1@example.com").about == 1
        assert len(tenant.holds()) == 1
        notes = tenant.existing_collection("note")
        assert notes.ingest([{"id": "N-9", "customer": "x@example.com", "body": "Jane Porter", "status": "open"}]).new
        assert store.runtime.control.audit_announced() > 0
    assert not upgrading.look(base / "home").needed


def test_an_upgrade_that_ended_before_it_was_recorded_is_finished_and_nobody_opens_it_before(
    present: Path, tmp_path: Path
) -> None:
    base = taken_back(present, tmp_path, "0004")

    def killed() -> sv.SecureStore:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upgrading.upgrade(base / "home", killed)
    with pytest.raises(HomeRefused, match="not finished"):
        opened(base)
    found = upgrading.upgrade(base / "home", lambda: opened(base))
    assert found.unfinished
    assert (found.control_from, found.keys_from) == (migrate.HEAD, 3)
    with opened(base) as store:
        assert store.tenants() == [("acme", "active")]


def test_who_is_at_the_door_when_an_upgrade_begins_does_not_come_in_before_it_is_verified(
    present: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked for the mark before there was one, and finds both stores upgraded a moment later."""
    base = taken_back(present, tmp_path, "0007")

    def upgraded_and_killed() -> None:
        with pytest.raises(KeyboardInterrupt):
            upgrading.upgrade(base / "home", killed)

    def killed() -> sv.SecureStore:
        raise KeyboardInterrupt

    meanwhile(monkeypatch, opening, "provider_of", upgraded_and_killed)
    with pytest.raises(HomeRefused, match="not finished"):
        opened(base)


def test_a_home_that_another_process_uses_is_not_upgraded_under_it(
    present: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In front of a server a process holds no engine: its audit log is what it has open here."""
    base = taken_back(present, tmp_path, "0008")
    before = state_of(base / "home")
    (log,) = (base / "home" / "audit").iterdir()
    writer = lock_directory(max(log.glob("w-*")), wait=False)
    assert writer is not None

    def refused() -> None:
        with pytest.raises(HomeRefused, match="not finished"):
            opened(base)

    # Who comes while others are looked for is refused: nobody would look again.
    meanwhile(monkeypatch, upgrading, "is_alive", refused)
    with pytest.raises(EngineLocked, match="uses this home"):
        upgrading.upgrade(base / "home", lambda: opened(base))
    monkeypatch.undo()
    assert state_of(base / "home") == before
    assert not homes.upgrade_begun(base / "home")
    writer.close()
    assert upgrading.upgrade(base / "home", lambda: opened(base)).needed


@pytest.mark.parametrize("part", ["mark", "control.db", "keys/keys.db"])
def test_who_had_opened_the_home_and_done_nothing_yet_does_nothing_beside_an_upgrade_or_behind_it(
    present: Path, tmp_path: Path, part: str
) -> None:
    """Nobody could tell that it was there: an audit log is opened with the first record."""
    shutil.copytree(present, base := tmp_path / "base")
    statements = {
        "control.db": (
            "UPDATE alembic_version SET version_num = '9999'",
            f"UPDATE alembic_version SET version_num = '{migrate.HEAD}'",
        ),
        "keys/keys.db": ("PRAGMA user_version = 9", "PRAGMA user_version = 3"),
    }

    def say(number: int) -> None:
        if part == "mark":
            (homes.begin_upgrade, homes.end_upgrade)[number](base / "home")
        else:
            with contextlib.closing(sqlite3.connect(base / "home" / part, isolation_level=None)) as connection:
                connection.execute(statements[part][number])

    with opened(base) as store:
        say(0)
        for act in (store.tenants, lambda: store.tenant("another", create=True)):
            with pytest.raises(HomeRefused):
                act()
        say(1)
        assert store.tenants() == [("acme", "active")]


def test_a_refused_upgrade_leaves_the_mark_of_one_that_was_not_finished(present: Path, tmp_path: Path) -> None:
    base = taken_back(present, tmp_path, "0008")

    def killed() -> sv.SecureStore:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upgrading.upgrade(base / "home", killed)
    (log,) = (base / "home" / "audit").iterdir()
    writer = lock_directory(max(log.glob("w-*")), wait=False)
    assert writer is not None
    with pytest.raises(EngineLocked, match="uses this home"):
        upgrading.upgrade(base / "home", lambda: opened(base))
    writer.close()
    with pytest.raises(HomeRefused, match="not finished"):
        opened(base)


@pytest.mark.parametrize("revision", ["0004", "0007", "0008"])
def test_a_build_that_died_between_an_audit_line_and_its_head_is_told_before_anything_changes_and_goes_on_when_accepted(
    present: Path, tmp_path: Path, revision: str
) -> None:
    base = tmp_path / "at work"
    shutil.copytree(present, base)
    with contextlib.closing(sqlite3.connect(base / "home" / "control.db")) as control:
        before = control.execute("SELECT size, root, note FROM audit_head").fetchone()
    with opened(base) as store:
        assert len(store.tenant("acme").existing_collection("note").search("Porter")) > 0
    base = taken_back(base, tmp_path, revision)
    with contextlib.closing(sqlite3.connect(base / "home" / "control.db")) as control:
        control.execute("UPDATE audit_head SET size = ?, root = ?, note = ?", before)  # the last lines were not kept
        if revision == "0008":
            control.execute("UPDATE audit_next SET size = ?", before[:1])
        control.execute("PRAGMA application_id = 0")  # nothing of these builds
        control.commit()
    stood = state_of(base / "home")
    with pytest.raises(HomeRefused, match="securevec upgrade --accept-control-store"):
        upgrading.require_known(upgrading.look(base / "home"))
    with pytest.raises(HomeRefused, match="securevec upgrade --accept-control-store"):
        upgrading.upgrade(base / "home", lambda: opened(base))
    assert state_of(base / "home") == stood
    assert not homes.upgrade_begun(base / "home")
    upgrading.upgrade(base / "home", lambda: opened(base), accept_control_store=True)
    with opened(base) as store:
        assert len(store.tenant("acme").existing_collection("note").search("Porter")) > 0
        head, public = store.runtime.control.audit_head(), store.runtime.keys.signing_key().public
        assert head is not None
        anchor = Head(size=head[0], root=head[1])
        audit.verify_log(
            base / "home" / "audit", log_id=store.runtime.installation_id, public_key=public, anchor=anchor
        )


def test_a_log_that_was_edited_is_not_accepted_with_the_control_store(present: Path, tmp_path: Path) -> None:
    base = taken_back(present, tmp_path, "0006")
    with contextlib.closing(sqlite3.connect(base / "home" / "control.db")) as control:
        size, root = control.execute("SELECT size, root FROM audit_head").fetchone()
        control.execute("UPDATE audit_head SET size = ?, root = ?", (size - 1, root))  # not the root of that size
        control.execute("PRAGMA application_id = 0")
        control.commit()
    with pytest.raises(AuditTampered):
        upgrading.upgrade(base / "home", lambda: opened(base), accept_control_store=True)
    assert homes.upgrade_begun(base / "home")


def test_only_the_administrator_upgrades_and_is_asked_before_the_mark_goes(present: Path, tmp_path: Path) -> None:
    base = taken_back(present, tmp_path, "0008")

    def stranger() -> sv.SecureStore:
        key = base / "root.key"
        return sv.SecureStore.open(base / "home", key_file=key, embedder=HashEmbedder(), actor=sv.Actor("svc:x"))

    with pytest.raises(PolicyDenied):
        upgrading.upgrade(base / "home", stranger)
    assert homes.upgrade_begun(base / "home")


def test_a_row_that_would_be_lost_leaves_the_home_as_it_was(present: Path, tmp_path: Path) -> None:
    base = taken_back(present, tmp_path, "0004")
    with contextlib.closing(sqlite3.connect(base / "home" / "control.db")) as control:
        control.execute("INSERT INTO source_file VALUES ('nobody', x'00', x'00', x'00')")
        control.commit()
    before = state_of(base / "home")
    with pytest.raises(HomeRefused):
        upgrading.upgrade(base / "home", lambda: opened(base))
    assert state_of(base / "home") == before
    assert not homes.upgrade_begun(base / "home")


def test_a_key_store_with_a_trigger_is_not_taken_over(present: Path, tmp_path: Path) -> None:
    base = taken_back(present, tmp_path, "0004")
    with contextlib.closing(sqlite3.connect(base / "home" / "keys" / "keys.db")) as keys:
        keys.execute("CREATE TRIGGER aside AFTER DELETE ON keys BEGIN SELECT 1; END")
    with pytest.raises(HomeRefused, match="not a securevec key store"):
        upgrading.upgrade(base / "home", lambda: opened(base))


def test_an_older_key_store_beside_a_newer_control_store_is_an_earlier_copy(present: Path, tmp_path: Path) -> None:
    base = taken_back(present, tmp_path / "old", "0006")
    shutil.copy(present / "home" / "control.db", base / "home" / "control.db")
    with pytest.raises(HomeRefused, match="earlier copy"):
        upgrading.look(base / "home")


@pytest.mark.parametrize("revision", ["0001", "0003", "9999", "nothing"])
def test_what_no_step_leads_from_is_refused_untouched(present: Path, tmp_path: Path, revision: str) -> None:
    shutil.copytree(present, tmp_path, dirs_exist_ok=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "home" / "control.db")) as control:
        control.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        control.commit()
    with pytest.raises(HomeRefused, match="no upgrade leads from"):
        upgrading.look(tmp_path / "home")


def test_a_directory_that_is_no_home_is_refused_and_nothing_is_made_in_it(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(HomeRefused, match="not a securevec home"):
            upgrading.upgrade(place, lambda: opened(tmp_path))
    assert list(tmp_path.iterdir()) == []
