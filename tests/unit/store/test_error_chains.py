"""What an exception brings along: no cause and no context holds content or a secret, however the error came about.

``raise ... from None`` hides the original from a printed traceback and still keeps it as ``__context__``, where error
collectors find it. A codec's error holds the whole text or file it could not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec import config
from securevec.config import load_settings, read_passphrase
from securevec.crypto import derive
from securevec.crypto.kdf import argon2id
from securevec.errors import ConfigError, FilterError, KeyRejected, RecordError, SecurevecError, UsageError
from securevec.keyproviders.file import FileRoot
from securevec.keyproviders.passphrase import PassphraseRoot
from securevec.store.collection import Collection
from securevec.testing.embedders import HashEmbedder
from securevec.types import CollectionId
from tests.support.world import Ticket, World, open_world

CANARY = "Roe-canary-4471"
BROKEN = CANARY + "\ud800"
KEY = bytes(32)


def shown_by(error: BaseException) -> Iterator[str]:
    """Everything an error collector could take from an exception and from those it drags along."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        waiting += [found.__cause__, found.__context__]
        for part in (str(found), repr(found), *found.args, *vars(found).values()):
            yield part.decode(errors="replace") if isinstance(part, bytes) else str(part)
        for name in ("object", "doc", "filename", "filename2", "obj"):
            part = getattr(found, name, "")
            yield part.decode(errors="replace") if isinstance(part, bytes) else str(part)


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_the_walk_sees_what_from_none_hides() -> None:
    def leaky() -> None:
        try:
            BROKEN.encode()
        except UnicodeEncodeError:
            raise UsageError("Not valid.") from None

    with pytest.raises(UsageError) as caught:
        leaky()
    assert any(CANARY in part for part in shown_by(caught.value))


PURE: dict[str, tuple[type[SecurevecError], Callable[[], object]]] = {
    "a passphrase": (ConfigError, lambda: PassphraseRoot.create(BROKEN)),
    "a passphrase to stretch": (
        ConfigError,
        lambda: argon2id(BROKEN, salt=bytes(16), memory_kib=65_536, iterations=3, lanes=4),
    ),
    "a record id": (RecordError, lambda: derive.typed_record_id(BROKEN)),
    "a tenant's name": (UsageError, lambda: derive.tenant_name_token(KEY, BROKEN)),
    "a subject": (UsageError, lambda: derive.subject_token(KEY, "PERSON", BROKEN)),
    "a filter value to token": (
        FilterError,
        lambda: derive.filter_token(KEY, CollectionId("0" * 32), "status", BROKEN),
    ),
    "a filter value": (FilterError, lambda: sv.F("status") == BROKEN),
    "a filter value in a list": (FilterError, lambda: sv.F("status").is_in([BROKEN])),
    "an actor": (ConfigError, lambda: sv.Actor(f"user:{BROKEN}")),
    "a purpose": (ConfigError, lambda: sv.Actor("user:maria", purpose=BROKEN)),
    "an actor as typed": (ConfigError, lambda: sv.Actor.parse(f"user:{BROKEN}")),
}


@pytest.mark.parametrize("what", PURE)
def test_broken_unicode_does_not_come_along(what: str) -> None:
    expected, run = PURE[what]
    with pytest.raises(expected) as caught:
        run()
    assert not [part for part in shown_by(caught.value) if CANARY in part]


@pytest.mark.parametrize("spoilt", [b"\xff", "é".encode(), b""], ids=["no text", "not ascii", "no key"])
def test_the_bytes_of_a_spoilt_key_file_do_not_come_along(tmp_path: Path, spoilt: bytes) -> None:
    content = b"securevec-root-key 1\nid 0000000000000000\nkey " + CANARY.encode() + spoilt + b"\n"
    path = private(tmp_path / "root.key", content)
    with pytest.raises(KeyRejected) as caught:
        FileRoot.load(path, tmp_path / "home")
    assert not [part for part in shown_by(caught.value) if CANARY in part]


def test_the_bytes_of_a_spoilt_passphrase_file_do_not_come_along(tmp_path: Path) -> None:
    path = private(tmp_path / "passphrase", CANARY.encode() + b"\xff")
    with pytest.raises(ConfigError) as caught:
        read_passphrase({"SECUREVEC_PASSPHRASE_FILE": str(path)})
    assert not [part for part in shown_by(caught.value) if CANARY in part]


def test_a_passphrase_file_without_an_end_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = private(tmp_path / "passphrase", b"0123456789")
    monkeypatch.setattr(config, "_MAX_FILE_BYTES", 10)
    assert read_passphrase({"SECUREVEC_PASSPHRASE_FILE": str(path)}) == "0123456789"
    monkeypatch.setattr(config, "_MAX_FILE_BYTES", 9)
    with pytest.raises(ConfigError):
        read_passphrase({"SECUREVEC_PASSPHRASE_FILE": str(path)})


@pytest.mark.parametrize("spoilt", [b"\xff", b" = = =", b"[" * 20_000], ids=["no text", "no TOML", "deep"])
def test_the_text_of_a_spoilt_settings_file_does_not_come_along(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / "securevec.toml").write_bytes(b'x = "' + CANARY.encode() + b'"\ny = ' + spoilt)
    with pytest.raises(ConfigError) as caught:
        load_settings(env={}, directory=tmp_path)
    assert not [part for part in shown_by(caught.value) if CANARY in part]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place = tmp_path_factory.mktemp("chains")
    home, key_file = place / "home", place / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)


CALLS: dict[str, Callable[[Collection[Ticket]], object]] = {
    "get": lambda tickets: tickets.get(BROKEN),
    "delete": lambda tickets: tickets.delete([BROKEN]),
    "search": lambda tickets: tickets.search("refund", where=sv.F("status") == BROKEN),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_call_does_not_bring_along_what_it_refused(world: World, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        CALLS[what](world.acme)
    assert not [part for part in shown_by(caught.value) if CANARY in part]
