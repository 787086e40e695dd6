"""What a power cut leaves is what was said to be written: bytes are on disk before the name that counts on them, and a
name before anybody is told of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from securevec.audit import files
from securevec.audit.directory import WriterDirectory
from securevec.backup import files as backups
from securevec.backup.manifest import PARTS

Told = list[str]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the disk was told to keep, and the names that were put in the place of others or taken away, in order."""
    said: Told = []

    def name_of(path: object) -> str:
        return os.path.relpath(str(path), tmp_path)

    def kept(descriptor: int) -> None:
        said.append(f"keep {name_of(Path(f'/proc/self/fd/{descriptor}').readlink())}")

    def noted(word: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*paths: Any, **more: Any) -> Any:
            said.append(" ".join([word, *map(name_of, paths)]))
            return act(*paths, **more)

        return noting

    monkeypatch.setattr(os, "fsync", kept)
    monkeypatch.setattr(files, "_flush", kept)
    monkeypatch.setattr(os, "replace", noted("replace", os.replace))
    monkeypatch.setattr(os, "unlink", noted("unlink", os.unlink))
    return said


def test_a_record_is_on_disk_and_so_is_the_name_of_its_file(told: Told, tmp_path: Path) -> None:
    segment = files.AppendFile(tmp_path / "seg")
    assert told == ["keep ."]
    segment.append(b"a record\n")
    assert told == ["keep .", "keep seg"]
    segment.cut(0)
    assert told == ["keep .", "keep seg", "keep seg"]
    segment.close()


def test_a_checkpoint_is_issued_before_it_is_the_newest_and_never_half(told: Told, tmp_path: Path) -> None:
    files.publish_note(tmp_path, b"text\n\n\xe2\x80\x94 a b\n")
    assert told == [
        "keep .",  # the name of the log of notes, which is new
        f"keep {files.CHECKPOINTS_LOG}",
        f"keep {files.CHECKPOINT_NEW}",
        f"replace {files.CHECKPOINT_NEW} {files.CHECKPOINT}",
        "keep .",
    ]


def test_the_directory_of_a_writer_is_on_disk_before_it_has_a_line(told: Told, tmp_path: Path) -> None:
    files.make_directory(tmp_path / "audit" / "log")
    assert told == ["keep .", "keep audit"]
    told.clear()
    writer = WriterDirectory(tmp_path / "audit" / "log", 0)
    assert told == ["keep audit/log", f"keep audit/log/{writer.name}"]
    writer.close()


def test_a_file_that_another_hand_took_away_or_changed_takes_no_record(tmp_path: Path) -> None:
    segment = files.AppendFile(tmp_path / "seg")
    segment.append(b"a record\n")
    (tmp_path / "seg").write_bytes(b"a record\nand more\n")
    with pytest.raises(OSError, match="moved, removed or resized"):
        segment.append(b"another\n")
    (tmp_path / "seg").unlink()
    with pytest.raises(OSError, match="moved, removed or resized"):
        segment.append(b"another\n")
    segment.close()


def test_a_file_that_was_moved_takes_no_record_whatever_stands_in_its_place(tmp_path: Path) -> None:
    """As who puts an audit log back beside a running service does: whoever reads it reads the other one."""
    (tmp_path / "log").mkdir()
    segment = files.AppendFile(tmp_path / "log" / "seg")
    segment.append(b"a record\n")
    (tmp_path / "log").rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        segment.append(b"another\n")
    shutil.copytree(tmp_path / "moved", tmp_path / "log")
    with pytest.raises(OSError, match="moved, removed or resized"):
        segment.append(b"another\n")
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "moved").rename(tmp_path / "log")
    segment.append(b"another\n")
    segment.close()
    assert (tmp_path / "log" / "seg").read_bytes() == b"a record\nanother\n"


def test_a_backup_is_whole_on_disk_before_it_is_called_finished(told: Told, tmp_path: Path) -> None:
    with backups.begun(tmp_path):
        assert told == [f"keep {backups.UNFINISHED}", "keep ."]
        for part in PARTS:
            (tmp_path / part).mkdir()
            (tmp_path / part / "file").write_text(part)
        told.clear()
        backups.finish(tmp_path, b"note")
    files_first = {*(f"keep {part}/file" for part in PARTS), *(f"keep {part}" for part in PARTS), "keep ."}
    everything = len(files_first) + 1  # and the mark
    assert {*told[:everything]} == files_first | {f"keep {backups.UNFINISHED}"}
    manifests = [step for part in PARTS for step in (f"keep {part}/MANIFEST", f"keep {part}")]
    assert told[everything:] == [*manifests, f"unlink {backups.UNFINISHED}", "keep ."]


def test_a_list_of_deletions_is_the_old_one_or_the_new_one(told: Told, tmp_path: Path) -> None:
    backups.replace(tmp_path / "later", b"note")
    assert told == ["keep .later.new", "replace .later.new later", "keep ."]
