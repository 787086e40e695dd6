"""Nothing is followed, nothing but regular files is opened, and what could not be looked at is not called gone."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec import limits
from securevec.errors import FileUnreadable, FileUnsafe, LimitExceeded, SourceError
from securevec.files.reading import read_whole
from securevec.files.walk import Found, Listing, identity, open_root, walk

NOBODY = 65534


def listing(path: Path, *leave_out: Path) -> Listing:
    root = open_root(path)
    try:
        return walk(root, leave_out=[identity(each) for each in leave_out])
    finally:
        root.close()


def names(found: Listing) -> list[str]:
    return [each.relative for each in found.files]


def refused(found: Listing) -> dict[str, type[Exception]]:
    return {each.relative: type(each.error) for each in found.refused}


def test_files_come_in_the_order_of_their_names_with_slashes(tmp_path: Path) -> None:
    for name in ("b.md", "a/c.txt", "a/b.HTML", "z.csv", "x.png", "Makefile", ".env.txt", ".git/config.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = listing(tmp_path)
    assert names(found) == ["a/b.HTML", "a/c.txt", "b.md", "z.csv"]
    assert [each.kind for each in found.files] == ["html", "text", "markdown", "csv"]
    assert found.skipped == {"hidden": 2, ".png": 1, "no suffix": 1}
    assert found.complete


def test_a_link_is_refused_by_name_wherever_it_leads(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "own.md").write_text("own")
    (inside / "leak.md").symlink_to(outside / "secret.md")
    (inside / "dir").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "self.md").symlink_to("self.md")
    (inside / "dangling.md").symlink_to("nowhere")
    (inside / "same.md").symlink_to("own.md")
    found = listing(inside)
    assert names(found) == ["own.md"]
    assert refused(found) == dict.fromkeys(("leak.md", "dir", "loop", "self.md", "dangling.md", "same.md"), FileUnsafe)


def test_a_link_that_takes_a_file_s_or_folder_s_place_after_the_listing_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (inside / "a.md").write_text("a")
    (inside / "sub" / "secret.md").write_text("b")
    root = open_root(inside)
    a, b = walk(root).files
    (inside / "a.md").unlink()
    (inside / "a.md").symlink_to(tmp_path / "secret.md")
    (inside / "sub" / "secret.md").unlink()
    (inside / "sub").rmdir()
    (inside / "sub").symlink_to(tmp_path)
    for found in (a, b):
        with pytest.raises(FileUnsafe):
            read_whole(found)
    root.close()


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_a_pipe_and_a_socket_are_refused_and_nothing_waits_for_them(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    place = folder / "a.txt"
    if kind == "fifo":
        os.mkfifo(place)
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(place))
    assert refused(listing(folder)) == {"a.txt": FileUnsafe}
    with pytest.raises(FileUnsafe):
        open_root(place)
    root = open_root(folder)
    with pytest.raises(FileUnsafe):
        read_whole(Found(root, "a.txt", "text", 0))
    root.close()


def test_a_device_named_as_a_source_is_refused() -> None:
    with pytest.raises(FileUnsafe):
        open_root(Path("/dev/zero"))


def test_what_is_not_there_is_a_source_error_without_its_name(tmp_path: Path) -> None:
    for path in (tmp_path / "canary", Path("a\0b")):
        with pytest.raises(SourceError) as raised:
            open_root(path)
        error: BaseException | None = raised.value
        while error is not None:
            assert "canary" not in f"{error!r} {error}"
            error = error.__cause__ or error.__context__


def test_no_path_is_in_a_refusal_or_in_what_caused_it(tmp_path: Path) -> None:
    root = open_root(tmp_path)
    with pytest.raises(FileUnreadable) as raised:
        read_whole(Found(root, "canary/canary.md", "markdown", 0))
    root.close()
    assert raised.value.__context__ is None
    assert isinstance(raised.value.__cause__, OSError)
    assert "canary" not in f"{raised.value} {raised.value.__cause__!r}"
    assert raised.value.__cause__.filename is None


def test_the_home_inside_the_folder_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "home" / "audit").mkdir(parents=True)
    (tmp_path / "home" / "audit" / "seg.jsonl").write_text("{}")
    (tmp_path / "a.md").write_text("a")
    assert names(listing(tmp_path, tmp_path / "home")) == ["a.md"]


def test_a_home_of_securevec_in_the_folder_is_passed_over_and_counted(tmp_path: Path) -> None:
    for name in ("a.jsonl", "home/VERSION", "home/installation.json", "home/control.db", "home/audit/log/seg-0.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = listing(tmp_path)
    assert names(found) == ["a.jsonl"]
    assert found.skipped == {"securevec home": 1}
    assert found.complete
    (tmp_path / "home" / "control.db").unlink()
    assert "home/audit/log/seg-0.jsonl" in names(listing(tmp_path))


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder that this process works in without the powers of root, which may read everything."""
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_an_unreadable_folder_makes_the_listing_incomplete(nobodys_folder: Path) -> None:
    (nobodys_folder / "closed").mkdir(mode=0)
    (nobodys_folder / "a.md").write_text("a")
    found = listing(nobodys_folder)
    (nobodys_folder / "closed").chmod(0o700)
    assert names(found) == ["a.md"]
    assert refused(found) == {"closed": FileUnreadable}
    assert not found.complete


def test_a_folder_that_vanishes_or_fails_while_it_is_listed_makes_it_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    real = os.scandir

    def failing(place: int) -> object:
        if os.fstat(place).st_ino == (tmp_path / "sub").stat().st_ino:
            raise OSError(5, "Input/output error", "canary")
        return real(place)

    monkeypatch.setattr(os, "scandir", failing)
    found = listing(tmp_path)
    assert refused(found) == {"sub/": FileUnreadable}
    assert not found.complete


def test_folders_nested_too_deep_are_refused_and_not_called_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_DEPTH", 3)
    deep = tmp_path / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (deep / "x.md").write_text("x")
    found = listing(tmp_path)
    assert refused(found) == {"a/b/c/d": LimitExceeded}
    assert not found.complete


def test_a_file_that_grows_as_fast_as_it_is_read_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    real = os.read

    def writing(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        with path.open("a") as file:
            file.write("and after")
        return data

    root = open_root(tmp_path)
    monkeypatch.setattr(os, "read", writing)
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 100)
    with pytest.raises(LimitExceeded):
        read_whole(walk(root).files[0])
    root.close()


def test_a_file_rewritten_at_the_same_length_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    real = os.read

    def writing(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        if data:
            path.write_text("after!")
            os.utime(path, ns=(1, 1))
        return data

    root = open_root(tmp_path)
    monkeypatch.setattr(os, "read", writing)
    with pytest.raises(FileUnreadable, match="changed"):
        read_whole(walk(root).files[0])
    root.close()


def test_a_file_that_grows_past_the_limit_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 10)
    (tmp_path / "a.txt").write_text("x" * 11)
    root = open_root(tmp_path)
    with pytest.raises(LimitExceeded):
        read_whole(walk(root).files[0])
    root.close()


def test_one_file_of_a_kind_that_is_not_read_is_refused_by_name_of_the_kinds(tmp_path: Path) -> None:
    for name, hint in (("a.xlsx", r"\.pdf"), ("a.json", "jsonl"), ("a", r"\.pdf")):
        (tmp_path / name).write_text("x")
        with pytest.raises(SourceError, match=hint):
            listing(tmp_path / name)


def test_one_file_is_listed_under_its_name_and_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "l.md").symlink_to(tmp_path / "a.md")
    assert names(listing(tmp_path / "a.md")) == ["a.md"]
    assert names(listing(tmp_path / "sub" / "l.md")) == ["a.md"]
