"""``doctor``: each thing it looks at is broken once, and it says so, with the next step and without any name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.anonymize import Evaluation, Finding, builtin_detector
from securevec.anonymize.findings import Names
from securevec.anonymize.names import passes
from securevec.anonymize.rules import second
from securevec.cli import checks, checks_home, recall
from securevec.cli.check import Check
from securevec.cli.main import main
from securevec.cli.recall import measured
from securevec.cli.session import Options, Session
from securevec.state.engine import LOCK_NAME
from securevec.testing.embedders import HashEmbedder
from securevec_adapters import embedded
from tests.cli.conftest import Shell

Found = dict[str, dict[str, Any]]


@pytest.fixture
def home(base: Path, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled home, with a key file of its own, to be broken."""
    copy = tmp_path / "home"
    # Without the files of shards, which are large and which doctor does not open.
    shards = {path.name for path in (filled / "engine" / "edge").iterdir() if path.is_dir()}
    shutil.copytree(filled, copy, ignore=shutil.ignore_patterns(*shards))
    for shard in (name for name in shards if not name.startswith(".")):
        current = (filled / "engine" / "edge" / shard / "CURRENT").read_text(encoding="utf-8")
        (copy / "engine" / "edge" / shard / current.strip()).mkdir(mode=0o700, parents=True)
        (copy / "engine" / "edge" / shard / "CURRENT").write_text(current, encoding="utf-8")
        for place in (copy / "engine" / "edge" / shard, copy / "engine" / "edge" / shard / "CURRENT"):
            place.chmod(0o700 if place.is_dir() else 0o600)
    key = tmp_path / "root.key"
    shutil.copy(next((base / "config").rglob("*.key")), key)
    monkeypatch.setenv("SECUREVEC_KEY_FILE", str(key))
    return copy


@pytest.fixture
def doctor(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Doctor on the copy. The model's weights, 90 MB, are read and the detector is measured only where that is what a
    test is about."""
    for name, look in {"embedding model": "_model", "detection": "_detection"}.items():
        monkeypatch.setattr(checks, look, partial(_unseen, Check(name, "ok", "not looked at in this test")))
    return Shell(home.parent, home, capsys)


def _unseen(check: Check, *_: object) -> Check:
    return check


REAL_MODEL, REAL_DETECTION = checks._model, checks._detection


def examine(doctor: Shell, *, code: int = 0) -> Found:
    answer = doctor.at_home("doctor", "--json")
    found = answer.checks
    assert answer.code == code, {name: check for name, check in found.items() if check["status"] == "wrong"}
    for check in found.values():
        assert check["status"] != "wrong" or check["next_step"], check
    assert "acme" not in answer.out
    assert "Wieczorek" not in answer.out
    return found


def test_a_sound_home_is_found_sound_and_every_part_is_named(doctor: Shell) -> None:
    found = examine(doctor)
    assert {name for name, check in found.items() if check["status"] == "wrong"} == set()
    assert {
        *(
            "securevec",
            "platform",
            "sqlite",
            "embedding model",
            "detection",
            "pattern engine",
        ),
        *(
            "vector store",
            "unsafe settings",
            "home",
            "permissions",
            "disk",
            "key file",
            "key store",
            "engine lock",
            "vectors",
            "stores",
        ),
        *("clock", "collections", "audit log", "given vectors", "models", "jobs", "holds", "receipts"),
    } == {name for name in found if not name.startswith("extra ")}
    extras = {name for name in found if name.startswith("extra ")}
    assert extras == {f"extra {name}" for name in checks._EXTRAS}
    assert found["collections"]["figures"] == {"collections": 1, "with_vault": 1, "other_detector": 0}


def test_the_detector_is_measured_and_its_recall_named_by_entity(
    doctor: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_detection", REAL_DETECTION)
    check = examine(doctor)["detection"]
    recall = check["figures"]["recall"]
    assert check["figures"]["lines"] >= 200
    assert recall["EMAIL"] >= 0.98
    assert 0.5 < recall["PERSON"] < 1, "a perfect score would mean that the lines are no test"
    assert f"PERSON {recall['PERSON']:.2f}" in check["detail"]
    text = doctor.at_home("doctor")
    assert "PERSON" in text.out


def test_a_detector_that_finds_less_than_what_ships_is_wrong(doctor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> list[Finding]:
        return []

    monkeypatch.setattr(checks, "_detection", REAL_DETECTION)
    monkeypatch.setattr(passes, "names_in", nothing)
    check = examine(doctor, code=1)["detection"]
    assert check["status"] == "wrong"
    assert "PERSON" in check["detail"].partition(";")[0]


def test_what_reads_names_is_tried_and_named(doctor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def quicker(names: Names) -> Evaluation:
        tried.append(names)
        return measured()

    monkeypatch.setattr(checks, "_detection", REAL_DETECTION)
    monkeypatch.setattr(recall, "measured", quicker)
    monkeypatch.setenv("SECUREVEC_DETECT_NAMES", "contextual")
    check = examine(doctor)["detection"]
    assert "names contextual" in check["detail"]
    assert check["figures"]["detector"] == builtin_detector("balanced", names="contextual").digest
    assert tried == ["contextual"]


def test_the_pattern_engine_is_named_and_one_that_is_chosen_and_missing_is_wrong(
    doctor: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examine(doctor)["pattern engine"]["detail"].startswith("RE2 (google-re2 ")

    def missing(package: str) -> str | None:
        return None if package == "hyperscan" else "1"

    monkeypatch.setenv("SECUREVEC_DETECT_ENGINE", "hyperscan")
    monkeypatch.setattr(second, "_PACKAGE", "hyperscan_that_is_nowhere")
    second._tried.cache_clear()
    monkeypatch.setattr(checks, "_version", missing)
    found = examine(doctor, code=1)
    for name in ("pattern engine", "extra hyperscan"):
        assert found[name]["status"] == "wrong"
        assert "securevec[hyperscan]" in found[name]["next_step"]
    monkeypatch.undo()
    second._tried.cache_clear()


def test_a_chosen_pattern_engine_is_named_with_its_version(doctor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hyperscan", reason="the extra hyperscan is not installed")
    monkeypatch.setenv("SECUREVEC_DETECT_ENGINE", "hyperscan")
    check = examine(doctor)["pattern engine"]
    assert re.match(r"Hyperscan \d+\.\d+\.\d+ \(package [\d.]+\)", check["detail"])


def test_an_sqlite_that_keeps_deleted_cells_is_wrong(doctor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_OLDEST_SQLITE", (99, 0, 0))
    assert examine(doctor, code=1)["sqlite"]["status"] == "wrong"


def test_a_missing_client_is_wrong_when_the_home_needs_it(doctor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    real = checks._version

    def some_missing(package: str) -> str | None:
        return None if package in ("qdrant-edge-py", "chromadb") else real(package)

    monkeypatch.setattr(checks, "_version", some_missing)
    found = examine(doctor, code=1)
    assert (found["extra edge"]["status"], found["extra chroma"]["status"]) == ("wrong", "note")
    assert "securevec[edge]" in found["extra edge"]["next_step"]


def test_changed_weights_are_wrong(doctor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from securevec.embed import minilm

    monkeypatch.setattr(checks, "_model", REAL_MODEL)
    monkeypatch.setattr(minilm, "PINNED", dict.fromkeys(minilm.PINNED, "0" * 64))
    assert examine(doctor, code=1)["embedding model"]["status"] == "wrong"


def test_a_home_without_its_version_is_not_told_to_be_made_anew(doctor: Shell, home: Path) -> None:
    (home / "VERSION").unlink()
    found = examine(doctor, code=1)["home"]
    assert (found["status"], "from a backup" in found["next_step"]) == ("wrong", True)


@pytest.mark.parametrize("content", [b"", bytes(8192)])
def test_a_key_store_that_is_none_is_called_damaged(doctor: Shell, home: Path, content: bytes) -> None:
    (home / "keys" / "keys.db").write_bytes(content)
    found = examine(doctor, code=1)["key store"]
    assert (found["status"], found["next_step"]) == ("wrong", "Restore keys.db from a backup.")


@pytest.mark.parametrize(("lost", "check"), [("engine", "vectors"), ("audit", "audit log")])
def test_a_directory_of_the_home_that_is_gone_is_wrong(doctor: Shell, home: Path, lost: str, check: str) -> None:
    shutil.rmtree(home / lost)
    found = examine(doctor, code=1)
    assert {name for name, each in found.items() if each["status"] == "wrong"} == {check}
    assert "back" in found[check]["next_step"]


@pytest.mark.parametrize("lost", ["VERSION", "*/CURRENT", "*/gen-*"])
def test_files_of_the_engine_that_are_gone_are_told_before_a_search_meets_them(
    doctor: Shell, home: Path, lost: str
) -> None:
    for number, place in enumerate((home / "engine" / "edge").glob(lost)):
        place.rename(home.with_name(f"away-{number}"))
    found = examine(doctor, code=1)
    assert {name for name, each in found.items() if each["status"] == "wrong"} == {"vectors"}
    assert "1 of 1 collections" in str(found["vectors"]["detail"])


@pytest.mark.parametrize(("name", "table"), [("control.db", "retention_plan"), ("keys/keys.db", "destroyed_by_tenant")])
def test_a_damaged_page_that_opening_does_not_read_is_wrong(doctor: Shell, home: Path, name: str, table: str) -> None:
    with contextlib.closing(sqlite3.connect(home / name)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (home / name).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    found = examine(doctor, code=1)["stores"]
    assert (found["status"], found["detail"]) == ("wrong", f"damaged: {name}")
    assert "backup" in found["next_step"]


@pytest.mark.parametrize("lost", ["control.db", "keys/keys.db"])
def test_a_store_of_the_home_that_is_gone_is_put_back_and_not_made_anew(doctor: Shell, home: Path, lost: str) -> None:
    (home / lost).unlink()
    found = examine(doctor, code=1)
    assert f"Put {lost} back" in found["stores"]["next_step"]
    assert "securevec init" not in found["stores"]["next_step"]


@pytest.mark.parametrize("name", [".", "keys/keys.db", "audit"])
def test_what_others_may_read_is_wrong(doctor: Shell, home: Path, name: str) -> None:
    (home / name).chmod(0o755 if (home / name).is_dir() else 0o644)
    check = examine(doctor, code=1)["permissions"]
    assert check["status"] == "wrong"
    assert "chmod" in check["next_step"]


def test_a_key_store_in_write_ahead_mode_is_wrong(doctor: Shell, home: Path) -> None:
    connection = sqlite3.connect(home / "keys" / "keys.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert examine(doctor, code=1)["key store"]["status"] == "wrong"


@pytest.mark.parametrize("part", ["", "*/checkpoint"])
def test_an_audit_log_that_cannot_be_read_is_not_said_to_be_gone(doctor: Shell, home: Path, part: str) -> None:
    """Whoever then puts one of a backup in its place loses what was recorded since. Links that lead round in a circle
    are what nobody may read, root included."""
    (log,) = (path for path in (home / "audit").iterdir() if path.is_dir())
    place = next(log.glob(part)) if part else log
    place.rename(home.parent / "aside")
    place.symlink_to(place)
    found = examine(doctor, code=1)["audit log"]
    assert found["detail"] == "it cannot be read: Too many levels of symbolic links"
    assert "own, read and write" in found["next_step"]


def test_an_engine_that_is_held_is_named_and_the_rest_still_looked_at(doctor: Shell, home: Path) -> None:
    with (home / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = examine(doctor)
    assert found["engine lock"]["status"] == "note"
    assert found["jobs"]["status"] == "ok"


def test_a_clock_behind_what_the_home_has_seen_is_wrong(doctor: Shell, home: Path) -> None:
    connection = sqlite3.connect(home / "control.db")
    connection.execute("UPDATE time_floor SET floor_ms = floor_ms + 3600000")
    connection.commit()
    connection.close()
    check = examine(doctor, code=1)["clock"]
    assert check["status"] == "wrong"
    assert "reset-time-floor" in check["next_step"]


def test_a_collection_of_another_detector_is_named(doctor: Shell, home: Path) -> None:
    connection = sqlite3.connect(home / "control.db")
    connection.execute("""UPDATE collection SET identity = json_set(identity, '$.detector', 'another')""")
    connection.commit()
    connection.close()
    check = examine(doctor)["collections"]
    assert check["status"] == "note"
    assert check["figures"]["other_detector"] == 1
    assert "accept_new_detector" in check["next_step"]


def test_a_job_that_failed_is_wrong_and_one_that_waits_is_named(doctor: Shell, home: Path) -> None:
    key = os.environ["SECUREVEC_KEY_FILE"]
    with sv.SecureStore.open(home, key_file=key, embedder=HashEmbedder()) as store:
        tenant = store.tenant("gamma", create=True, actor=sv.Actor.local())
        row = next(row for row in store.runtime.control.tenants() if row.tenant == tenant._scope.tenant)
        store.delete_tenant("gamma")
        job = next(job for job in store.runtime.control.jobs() if job.tenant == row.tenant)
    connection = sqlite3.connect(home / "control.db")
    connection.execute("UPDATE job SET state = 'queued' WHERE job_id = ?", [job.job_id])
    connection.commit()
    assert examine(doctor)["jobs"]["status"] == "note"
    connection.execute("UPDATE job SET error = 'BackendError' WHERE job_id = ?", [job.job_id])
    connection.commit()
    connection.close()
    check = examine(doctor, code=1)["jobs"]
    assert "jobs run" in check["next_step"]


def test_a_receipt_that_was_changed_in_the_home_is_wrong(doctor: Shell, home: Path) -> None:
    assert main(["tenant", "delete", "beta", "--yes", "--home", str(home)]) == 0
    assert examine(doctor)["receipts"]["detail"].startswith("1,")
    connection = sqlite3.connect(home / "control.db")
    connection.execute("UPDATE job SET receipt = replace(receipt, 'payloadType', 'payloadTypo')")
    connection.commit()
    connection.close()
    assert examine(doctor, code=1)["receipts"]["status"] == "wrong"


def test_a_hold_is_named(doctor: Shell, home: Path) -> None:
    key = os.environ["SECUREVEC_KEY_FILE"]
    with sv.SecureStore.open(home, key_file=key, embedder=HashEmbedder()) as store:
        control = store.runtime.control
        tenant = next(row.tenant for row in control.tenants() if row.state == "active")
        control.add_hold("0" * 32, tenant, None, None, b"sealed", 1_700_000_000_000)
    check = examine(doctor)["holds"]
    assert check["status"] == "note"
    assert check["detail"].startswith("legal holds in force: 1,")


def test_settings_that_are_allowed_and_better_avoided_are_named(doctor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECUREVEC_PLAIN_HTTP_HOSTS", "db,other")
    answer = doctor.at_home("doctor", "--json")
    said = [check["detail"] for check in answer.json if check["name"] == "unsafe settings"]
    assert any("plain HTTP" in detail and "2 other hosts" in detail for detail in said)


@pytest.mark.parametrize(
    ("free", "flag", "status", "said"),
    [
        (1 << 40, 0, "ok", "MiB free"),
        (1 << 29, 0, "note", "512 MiB free: below 64 MiB nothing is added"),
        (1 << 24, 0, "wrong", "16 MiB free: nothing is added"),
        (1 << 40, os.ST_RDONLY, "wrong", "read-only"),
    ],
)
def test_a_disk_that_takes_no_more_is_told_before_a_write_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, free: int, flag: int, status: str, said: str
) -> None:
    assert embedded.ROOM == checks_home.ROOM
    there = os.statvfs(home)
    like = os.statvfs_result((1, 1, *there[2:4], free, *there[5:8], flag, *there[9:]))

    def told(path: Path) -> os.statvfs_result:
        return like

    monkeypatch.setattr(os, "statvfs", told)
    with Session(Options(home=home)) as session:
        found = {check.name: check for check in checks_home.run(session)}
    assert found["disk"].status == status
    assert said in found["disk"].detail
    assert (found["disk"].next_step != "") is (status == "wrong")
