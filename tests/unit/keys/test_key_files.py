"""Root keys from a file and from a passphrase, and every key file that is refused."""

from __future__ import annotations

import base64
import os
import pickle
import stat
from pathlib import Path

import pytest

from securevec.clock import Clock
from securevec.errors import ConfigError, HomeRefused, KeyRejected, KeyUnavailable, UsageError
from securevec.keyproviders.file import FileProvider, FileRoot, default_key_path
from securevec.keyproviders.passphrase import PassphraseRoot
from securevec.keys.keyring import KeyRing


@pytest.fixture
def path(root: FileRoot, tmp_path: Path) -> Path:
    return tmp_path / "config" / "root.key"


def test_a_key_file_reads_back(root: FileRoot, path: Path, home: Path) -> None:
    again = FileRoot.load(path, home)
    assert again.secret() == root.secret()
    assert again.key_id == root.key_id
    lines = path.read_text("ascii").split("\n")
    assert lines[0] == "securevec-root-key 1"
    assert lines[1] == f"id {root.key_id}"
    assert len(lines) == 4
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["root.key"]


def test_a_key_file_is_never_overwritten(root: FileRoot, path: Path, home: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(HomeRefused):
        FileRoot.create(path, home)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["root.key"]


def test_a_key_file_that_cannot_be_written_leaves_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyUnavailable):
        FileRoot.create(tmp_path / "config" / "root.key", home)
    assert list((tmp_path / "config").iterdir()) == []


def test_a_key_file_under_the_home_is_refused(home: Path, path: Path) -> None:
    inside = home / "root.key"
    inside.write_bytes(path.read_bytes())
    inside.chmod(0o600)
    with pytest.raises(HomeRefused):
        FileRoot.load(inside, home)
    with pytest.raises(HomeRefused):
        FileRoot.load(home / ".." / "home" / "root.key", home)
    with pytest.raises(HomeRefused):
        FileRoot.create(home / "new.key", home)
    assert not (home / "new.key").exists()


def test_a_key_file_linked_into_the_home_is_refused(home: Path, path: Path, tmp_path: Path) -> None:
    inside = home / "root.key"
    inside.write_bytes(path.read_bytes())
    inside.chmod(0o600)
    (tmp_path / "link.key").symlink_to(inside)
    (tmp_path / "folder").symlink_to(home)
    (tmp_path / "home-by-another-name").symlink_to(home)
    for name in ("link.key", "folder/root.key"):
        with pytest.raises(HomeRefused):
            FileRoot.load(tmp_path / name, home)
    with pytest.raises(HomeRefused):
        FileRoot.load(inside, tmp_path / "home-by-another-name")
    with pytest.raises(HomeRefused):
        FileRoot.create(tmp_path / "folder" / "new.key", home)


def test_a_key_file_with_a_second_name_is_refused(home: Path, path: Path) -> None:
    (home / "innocent").hardlink_to(path)
    with pytest.raises(HomeRefused):
        FileRoot.load(path, home)


def test_a_link_to_a_key_file_elsewhere_is_followed(root: FileRoot, home: Path, path: Path, tmp_path: Path) -> None:
    (tmp_path / "mounted.key").symlink_to(path)
    assert FileRoot.load(tmp_path / "mounted.key", home).secret() == root.secret()


def test_a_link_turned_into_the_home_while_it_is_read_is_refused(
    home: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, inside = tmp_path / "link.key", home / "root.key"
    link.symlink_to(path)
    inside.write_bytes(path.read_bytes())
    inside.chmod(0o600)
    real_open = os.open

    def turning_open(name: Path, flags: int, *rest: int) -> int:
        link.unlink()
        link.symlink_to(inside)
        return real_open(name, flags, *rest)

    monkeypatch.setattr(os, "open", turning_open)
    with pytest.raises(HomeRefused):
        FileRoot.load(link, home)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666, 0o610])
def test_a_key_file_others_can_use_is_refused(home: Path, path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(HomeRefused):
        FileRoot.load(path, home)


def test_a_key_file_of_another_user_is_refused(home: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(HomeRefused):
        FileRoot.load(path, home)


@pytest.mark.parametrize("kind", ["directory", "pipe", "device"])
def test_what_is_no_regular_file_is_refused(home: Path, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "odd.key"
    if kind == "directory":
        place.mkdir(mode=0o700)
    elif kind == "pipe":
        os.mkfifo(place, 0o600)
    else:
        place = Path("/dev/zero")
    with pytest.raises(HomeRefused):
        FileRoot.load(place, home)


def test_a_missing_key_file_is_unavailable(home: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable):
        FileRoot.load(tmp_path / "nowhere.key", home)


def test_every_cut_and_every_flip_of_a_key_file_is_refused(home: Path, path: Path) -> None:
    whole = path.read_bytes()
    broken = [whole[:length] for length in range(len(whole))]
    broken += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    broken += [whole + b"\n", whole + whole, whole.replace(b"\n", b"\r\n"), b"\xff" * len(whole), bytes(5000)]
    for content in broken:
        path.write_bytes(content)
        with pytest.raises((KeyRejected, HomeRefused)) as caught:
            FileRoot.load(path, home)
        assert caught.value.__cause__ is None


def test_a_second_spelling_of_the_same_key_is_refused(root: FileRoot, home: Path, path: Path) -> None:
    text = path.read_text("ascii")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    respelled = text[:-3] + alphabet[alphabet.index(text[-3]) + 1] + text[-2:]
    assert base64.b64decode(respelled.split()[-1]) == root.secret().bytes()
    path.write_text(respelled, "ascii")
    with pytest.raises(KeyRejected):
        FileRoot.load(path, home)


def test_a_key_file_of_a_newer_format_is_refused_as_such(home: Path, path: Path) -> None:
    path.write_text(path.read_text("ascii").replace("key 1", "key 2", 1), "ascii")
    with pytest.raises(HomeRefused, match="Upgrade"):
        FileRoot.load(path, home)


def test_the_default_place_follows_the_xdg_specification(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    identifier = "0123456789abcdef" * 2
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert default_key_path(identifier) == tmp_path / "xdg" / "securevec" / "keys" / f"{identifier}.key"
    for ignored in ("", "relative/path"):
        monkeypatch.setenv("XDG_CONFIG_HOME", ignored)
        assert default_key_path(identifier) == tmp_path / ".config" / "securevec" / "keys" / f"{identifier}.key"
    for odd in ("", "../../etc/passwd", "A" * 32):
        with pytest.raises(UsageError):
            default_key_path(odd)


def test_a_passphrase_opens_what_it_closed_and_no_other_does(home: Path) -> None:
    root, params = PassphraseRoot.create("correct horse battery staple")
    assert (params["memory_kib"], params["iterations"], params["lanes"]) == (65_536, 3, 4)
    ring = KeyRing.create(home / "keys", root, Clock())
    expected = ring.installation_key("names")
    ring.close()
    again = KeyRing.open(home / "keys", PassphraseRoot.load("correct horse battery staple", params), Clock())
    assert again.installation_key("names") == expected
    again.close()
    wrong = PassphraseRoot.load("correct horse battery stapler", params)
    with pytest.raises(KeyRejected):
        KeyRing.open(home / "keys", wrong, Clock())
    for shown in (repr(root), str(params)):
        assert "horse" not in shown
        assert root.secret().bytes().hex() not in shown


@pytest.mark.parametrize("short", ["x", "hunter2", "elevenchars"])
def test_no_root_key_is_made_from_a_passphrase_that_can_be_tried_out(short: str) -> None:
    with pytest.raises(ConfigError, match="at least 12") as refused:
        PassphraseRoot.create(short)
    assert short not in str(refused.value)


GOOD: dict[str, object] = {
    "kind": "passphrase",
    "kdf": "argon2id",
    "salt": base64.b64encode(bytes(16)).decode(),
    "memory_kib": 65_536,
    "iterations": 3,
    "lanes": 4,
}


@pytest.mark.parametrize(
    "change",
    [
        {"memory_kib": 65_535},
        {"memory_kib": 2**40},
        {"memory_kib": "65536"},
        {"memory_kib": 65_536.0},
        {"iterations": 2},
        {"iterations": True},
        {"iterations": 10**9},
        {"lanes": 0},
        {"lanes": None},
        {"salt": ""},
        {"salt": base64.b64encode(bytes(8)).decode()},
        {"salt": "not base64 at all!"},
        {"salt": 7},
        {"kdf": "scrypt"},
        {"kind": "file"},
        {"pepper": "x"},
    ],
    ids=str,
)
def test_weakened_or_foreign_parameters_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(HomeRefused):
        PassphraseRoot.load("passphrase", GOOD | change)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_incomplete_parameters_are_refused(missing: str) -> None:
    with pytest.raises(HomeRefused):
        PassphraseRoot.load("passphrase", {name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize("passphrase", ["", "canary \udcff"])
def test_an_unusable_passphrase_is_refused_without_repeating_it(passphrase: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PassphraseRoot.load(passphrase, GOOD)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "canary" not in str(caught.value)


def test_roots_hide_and_do_not_travel(root: FileRoot) -> None:
    assert root.secret().bytes().hex() not in repr(root)
    with pytest.raises(TypeError):
        pickle.dumps(root)


@pytest.mark.parametrize("key_id", ["", "x", "../root.key", "0" * 15, "A" * 16, "0" * 16 + "\n"])
def test_an_edited_home_does_not_say_which_file_beside_the_key_is_removed(tmp_path: Path, key_id: str) -> None:
    """A key that was given up lies beside the present one, under its id: what else lies there is nobody's to name."""
    provider = FileProvider(tmp_path / "root.key", tmp_path / "home")
    neighbours = [tmp_path / f"root.key.{name}" for name in ("x", "bak")]
    for each in neighbours:
        each.write_bytes(b"somebody's")
    for call in (provider.retire, provider.promote):
        with pytest.raises(HomeRefused):
            call({"kind": "file", "key_id": key_id}, "0" * 32)
    assert all(each.read_bytes() == b"somebody's" for each in neighbours)


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_folder_in_the_place_of_a_key_file_is_a_typed_error_when_a_home_is_opened(tmp_path: Path, place: str) -> None:
    with pytest.raises((HomeRefused, KeyUnavailable)):
        FileProvider(Path(place), tmp_path / "home").load({"kind": "file", "key_id": "0" * 16}, "0" * 32)
