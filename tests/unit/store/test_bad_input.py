"""Bad input, one typed error each: it says what to do, it shows nothing, and nothing is lost."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.anonymize import detectors
from securevec.anonymize.detectors import BuiltinDetector
from securevec.errors import (
    CollectionNotFound,
    ConfigError,
    EngineLocked,
    HomeRefused,
    KeyRejected,
    LimitExceeded,
    MissingExtra,
    RecordError,
    SourceError,
)
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, World, open_world, ticket


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend="edge", key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)


def test_a_wrong_passphrase_is_refused_and_the_right_one_still_opens(tmp_path: Path) -> None:
    home = tmp_path / "home"
    sv.SecureStore.open(home, backend="memory", passphrase="correct horse battery", embedder=HashEmbedder()).close()
    with pytest.raises(KeyRejected) as caught:
        sv.SecureStore.open(home, passphrase="wrong horse battery")
    assert "horse" not in str(caught.value)
    with pytest.raises(KeyRejected):
        sv.SecureStore.open(home)
    sv.SecureStore.open(home, passphrase="correct horse battery").close()


def test_a_key_file_under_the_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeRefused):
        sv.SecureStore.open(tmp_path / "home", backend="memory", key_file=tmp_path / "home" / "root.key")
    assert not list((tmp_path / "home").glob("*.key"))


def test_another_installations_key_file_is_refused(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    sv.SecureStore.open(tmp_path / "second", backend="memory", key_file=other).close()
    with pytest.raises(KeyRejected):
        sv.SecureStore.open(world.home, key_file=other)


def test_a_locked_engine_is_refused_while_the_holder_goes_on(world: World) -> None:
    world.acme.ingest([ticket(1, "The refund never arrived.")])
    with world.reopen() as second:
        # A notebook's cell that is run again is told what it can do, and not to end another process.
        with pytest.raises(EngineLocked, match=r"^Another store of this process .* close it first"):
            second.tenant("acme", actor=ACME).collection(Ticket, retention="180d").search("refund")
        assert [name for name, _ in second.tenants()] == ["acme", "globex"]
    assert len(world.acme.search("refund", k=1)) == 1


def test_a_detection_that_cannot_be_had_is_refused_before_there_is_a_home(tmp_path: Path) -> None:
    words: list[tuple[dict[str, Any], str]] = [
        ({"recall": "most"}, "recall is balanced or high"),
        ({"recognizers": ["B-[0-9]+"]}, "securevec.recognizer"),
        ({"recognizers": [BuiltinDetector]}, "securevec.recognizer"),
    ]
    for given, said in words:
        with pytest.raises(ConfigError, match=said):
            sv.SecureStore.open(tmp_path / "home", backend="memory", key_file=tmp_path / "root.key", **given)
    assert not (tmp_path / "home").exists()


def test_who_counts_reads_by_id_and_deletes_compiles_no_rule(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a sixth of what such a command takes, and a deletion needs no rules."""
    world.acme.ingest([ticket(1, "The refund never arrived.")])
    world.store.close()

    def fresh(*_: str) -> BuiltinDetector:
        return BuiltinDetector()

    def compiled(*_: object) -> None:
        pytest.fail("the rules were compiled")

    monkeypatch.setattr(detectors, "_builtin", fresh)
    monkeypatch.setattr(detectors, "Structured", compiled)
    with world.reopen() as store:
        acme = store.tenant("acme", actor=ACME).collection(Ticket, retention="180d")
        assert (acme.count(), acme.get("T-1").status, acme.delete("T-1").deleted) == (1, "open", 1)


@pytest.mark.parametrize(
    "content", ["securevec-home 2\n", "securevec-home 4\n", "securevec-home 3", "something else", ""]
)
def test_a_home_of_another_format_is_refused(tmp_path: Path, content: str) -> None:
    home, key = tmp_path / "home", tmp_path / "root.key"
    sv.SecureStore.open(home, backend="memory", key_file=key).close()
    (home / "VERSION").write_text(content)
    with pytest.raises(HomeRefused):
        sv.SecureStore.open(home, key_file=key)


def test_a_home_open_to_others_is_refused(tmp_path: Path) -> None:
    home, key = tmp_path / "home", tmp_path / "root.key"
    sv.SecureStore.open(home, backend="memory", key_file=key).close()
    os.chmod(home, 0o755)
    with pytest.raises(HomeRefused, match="chmod 700"):
        sv.SecureStore.open(home, key_file=key)


def test_a_directory_with_other_files_is_not_made_a_home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    with pytest.raises(HomeRefused):
        sv.SecureStore.open(tmp_path / "home", backend="memory", key_file=tmp_path / "root.key")
    assert not (tmp_path / "root.key").exists()


def test_a_home_that_lost_its_version_is_not_made_anew(world: World, tmp_path: Path) -> None:
    world.store.close()
    (world.home / "VERSION").unlink()
    with pytest.raises(HomeRefused):
        world.reopen()
    assert (world.home / "keys" / "keys.db").exists()


def test_another_backend_than_the_homes_is_refused(world: World) -> None:
    with pytest.raises(ConfigError):
        sv.SecureStore.open(world.home, backend="memory", key_file=world.key_file)
    with pytest.raises(ConfigError):
        sv.SecureStore.open(world.home.parent / "third", backend="nosuch", key_file=world.key_file).tenant(
            "acme", create=True
        ).collection(Ticket)


def test_a_missing_extra_names_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_edge", None)
    for name in [name for name in sys.modules if name.startswith("securevec_qdrant")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match=r"pip install 'securevec\[edge\]'"):
        sv.SecureStore.open(tmp_path / "home", backend="edge", key_file=tmp_path / "root.key", embedder=HashEmbedder())
    # No home is left behind that could never be opened.
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "nul\0byte"}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 10_000}, "id"),
        ({"id": "\ud800"}, "id"),
        ({"opened": "2026-01-01T00:00:00"}, "opened"),
        ({"opened": "yesterday"}, "opened"),
        ({"body": "   "}, "body"),
        ({"body": None}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"status": 7}, "status"),
    ],
)
def test_a_bad_record_is_refused_by_field_and_the_others_go_through(
    world: World, changes: dict[str, object], field: str
) -> None:
    report = world.acme.ingest([ticket(1, "first"), ticket(2, "second") | changes, ticket(3, "third")])
    assert report.new == 2
    assert [(refused.row, refused.field) for refused in report.refused] == [(2, field)]
    assert world.acme.count() == 2


@pytest.mark.parametrize("record_id", ["..", "../../etc/passwd", "🦊", "a b", "x" * 1024, "T-1'; DROP TABLE"])
def test_ids_are_opaque(world: World, record_id: str) -> None:
    assert world.acme.ingest([ticket(1, "text", id=record_id)]).new == 1
    assert world.acme.get(record_id).id == record_id
    assert world.acme.delete(record_id).deleted == 1


def test_a_record_over_the_limit_is_refused_and_the_others_go_through(world: World) -> None:
    report = world.acme.ingest([ticket(1, "x " * 6_000_000), ticket(2, "second")])
    assert report.new == 1
    assert [(refused.row, refused.field, refused.error) for refused in report.refused] == [
        (1, "body", LimitExceeded.__name__)
    ]


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 10_000, "a/b", " padded "])
def test_bad_names_are_refused(world: World, name: str) -> None:
    with pytest.raises(RecordError):
        world.store.tenant(name, create=True)
    with pytest.raises(RecordError):
        world.store.tenant("acme", actor=ACME).collection(Ticket, name=name)


def test_a_missing_source_or_collection_is_named_as_such(world: World, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        world.acme.ingest(tmp_path / "nothing.csv")
    with pytest.raises(CollectionNotFound):
        world.store.tenant("acme", actor=ACME).existing_collection("nothing")


def test_what_is_remembered_of_a_collection_is_enough_to_use_it(world: World) -> None:
    world.acme.ingest([ticket(1, "The refund never arrived.")])
    again = world.store.tenant("acme", actor=ACME).existing_collection("ticket")
    hit = again.search("refund", k=1)[0]
    assert hit.id == "T-1"
    assert again.ingest([ticket(1, "The refund never arrived."), ticket(2, "another")]).unchanged == 1
