"""A key provider as the environment describes it: what is missing, doubled or open to others is refused before a token
or a service is asked."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from securevec.errors import ConfigError, HomeRefused, KeyRejected, KeyUnavailable, SecurevecError
from securevec.keyproviders.aws_kms import AwsKmsProvider
from securevec.keyproviders.choosing import provider_from
from securevec.keyproviders.file import FileProvider, FileRoot
from securevec.keyproviders.passphrase import PassphraseProvider
from securevec.keyproviders.pkcs11 import Pkcs11Provider
from tests.support.keyservices import kms_client

INSTALLATION = "ab" * 16
TOKEN = {"SECUREVEC_PKCS11_MODULE": "/m.so", "SECUREVEC_PKCS11_TOKEN": "t", "SECUREVEC_PKCS11_PIN": "1234-secret"}


def refused(env: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        provider_from("pkcs11", env)
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("missing", TOKEN)
def test_a_token_that_is_half_described_is_refused_and_says_what_is_missing(missing: str) -> None:
    assert missing in refused({name: value for name, value in TOKEN.items() if name != missing})
    assert missing in refused(TOKEN | {missing: ""})


def pin_file(tmp_path: Path, content: bytes, mode: int = 0o600) -> dict[str, str]:
    path = tmp_path / "pin"
    path.write_bytes(content)
    path.chmod(mode)
    return {name: value for name, value in TOKEN.items() if not name.endswith("PIN")} | {
        "SECUREVEC_PKCS11_PIN_FILE": str(path)
    }


def test_a_pin_file_is_read_to_its_line_end(tmp_path: Path) -> None:
    provider = provider_from("pkcs11", pin_file(tmp_path, b"1234-secret\r\n"))
    assert isinstance(provider, Pkcs11Provider)
    assert provider._pin == "1234-secret"


def test_a_pin_said_twice_is_not_chosen_between(tmp_path: Path) -> None:
    assert "Both" in refused(TOKEN | pin_file(tmp_path, b"1234-secret"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_pin_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    assert "open to others" in refused(pin_file(tmp_path, b"1234-secret", mode))


@pytest.mark.parametrize("content", [b"", b"\r\n", "1234-secret-ü".encode()])
def test_a_pin_file_without_a_pin_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "no PIN" in refused(pin_file(tmp_path, content))


def test_a_pipe_in_the_place_of_a_pin_file_is_not_waited_for(tmp_path: Path) -> None:
    env = pin_file(tmp_path, b"")
    place = Path(env["SECUREVEC_PKCS11_PIN_FILE"])
    place.unlink()
    os.mkfifo(place, 0o600)
    assert "open to others" in refused(env)


def test_a_pin_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    env = pin_file(tmp_path, b"")
    Path(env["SECUREVEC_PKCS11_PIN_FILE"]).unlink()
    assert "cannot be read" in refused(env)


def test_a_passphrase_that_gives_another_root_key_than_the_home_remembers_is_refused() -> None:
    provider = PassphraseProvider("correct horse battery staple")
    _, remembered = provider.create(INSTALLATION)
    with pytest.raises(KeyRejected):
        provider.load({**remembered, "key_id": "0" * 16}, INSTALLATION)


def test_a_key_file_whose_path_leads_round_in_a_circle_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(SecurevecError) as caught:
        FileRoot.load(tmp_path / "a", tmp_path / "home")
    assert isinstance(caught.value, KeyUnavailable)


def test_a_key_file_below_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyUnavailable):
        FileRoot.load(tmp_path / "file" / "root.key", tmp_path / "home")


def test_an_edited_home_does_not_say_which_provider_opens_it(tmp_path: Path) -> None:
    FileRoot.create(tmp_path / "root.key", tmp_path / "home")
    provider = FileProvider(tmp_path / "root.key", tmp_path / "home")
    _, remembered = provider.create(INSTALLATION)
    with pytest.raises(HomeRefused):
        provider.load({**remembered, "kind": "passphrase"}, INSTALLATION)


class Undated:
    """KMS as it is, but for an answer that does not say when the key is deleted."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def schedule_key_deletion(self, **asked: object) -> dict[str, object]:
        answer: dict[str, object] = self._client.schedule_key_deletion(**asked)
        assert isinstance(answer.pop("DeletionDate"), datetime)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_a_deletion_that_kms_names_no_day_for_is_not_claimed(kms: str) -> None:
    provider = AwsKmsProvider(key=None, client=Undated(kms_client(kms)))
    _, remembered = provider.create(INSTALLATION)
    with pytest.raises(KeyUnavailable, match="when"):
        provider.retire(remembered, INSTALLATION)


def test_a_key_file_that_cannot_be_moved_or_removed_is_unavailable_and_the_next_call_goes_on(tmp_path: Path) -> None:
    """A rotation is in the midst of it: its caller is told what to do, and does it."""
    path = tmp_path / "root.key"
    provider = FileProvider(path, tmp_path / "home")
    _, old = provider.create(INSTALLATION)
    _, new = provider.create(INSTALLATION, successor=True)
    in_the_way = tmp_path / f"root.key.{old['key_id']}"
    in_the_way.mkdir()
    for call, params in ((provider.promote, new), (provider.retire, old)):
        with pytest.raises(KeyUnavailable, match="cannot be moved or removed"):
            call(params, INSTALLATION)
    assert provider.load(old, INSTALLATION).key_id == old["key_id"]
    in_the_way.rmdir()
    provider.promote(new, INSTALLATION)
    assert provider.load(old, INSTALLATION).key_id == old["key_id"]
    provider.retire(old, INSTALLATION)
    assert not in_the_way.exists()
    assert provider.load(new, INSTALLATION).key_id == new["key_id"]


def test_a_key_file_is_on_disk_under_its_name_before_anything_is_wrapped_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut that takes it takes everything."""
    seen: list[tuple[str, set[str]]] = []
    fsync = os.fsync

    def on_fsync(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append((path.name, {each.name for each in path.iterdir()} if path.is_dir() else set()))

    monkeypatch.setattr(os, "fsync", on_fsync)
    provider = FileProvider(tmp_path / "root.key", tmp_path / "home")
    _, old = provider.create(INSTALLATION)
    before = f"root.key.{old['key_id']}"
    assert [name.startswith(".root.key.") for name, _ in seen] == [True, False]
    assert seen[-1] == (tmp_path.name, {"root.key"})
    _, new = provider.create(INSTALLATION, successor=True)
    after = f"root.key.{new['key_id']}"
    assert seen[-1] == (tmp_path.name, {"root.key", after})
    provider.promote(new, INSTALLATION)
    assert seen[-1] == (tmp_path.name, {"root.key", before})
    provider.retire(old, INSTALLATION)
    assert seen[-1] == (tmp_path.name, {"root.key"})
