"""Row 23: a day of work, and no key in anything it wrote, showed or raised."""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.crypto.root import root_wrapping_key
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import WrappingKey
from securevec.errors import SecurevecError
from securevec.keyproviders.file import FileRoot
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, GLOBEX, Ticket, open_world, ticket


def every_secret(home: Path, key_file: Path, store: sv.SecureStore) -> list[bytes]:
    """The root, and every key of the store that it opens, level by level."""
    root = FileRoot.load(key_file, home)
    rows = store.runtime.keys._store.all_rows()
    wrapping = {root.key_id: root_wrapping_key(root)}
    opened: list[bytes] = [root.secret().bytes()]
    for kind in ("installation", "kek", "tenant", "dek"):
        for row in rows:
            if row.use.kind == kind:
                secret: Secret = next(key for key in wrapping.values() if key.key_id == row.wrapping_id).unwrap(row)
                opened.append(secret.bytes())
                if kind == "kek":
                    wrapping[row.key_id.hex()] = WrappingKey(secret, row.key_id)
    assert len(opened) > 15
    return opened


def spellings(secret: bytes) -> list[bytes]:
    """The key as it is, and as logs, reprs and JSON would write it."""
    encoded = [secret.hex(), secret.hex().upper(), repr(secret)[2:-1], repr(list(secret))[1:-1]]
    # Base64 of anything that holds it at each of the three offsets, without the characters its neighbours decide.
    for lead in range(3):
        text = base64.b64encode(bytes(lead) + secret).decode()
        encoded.append(text[4 if lead else 0 : -4])
    return [secret, *(each.encode() for each in encoded)]


def shown(value: object, depth: int = 3) -> Iterator[str]:
    """A value's repr, and those of what it holds."""
    yield repr(value)
    if depth and is_dataclass(value):
        for each in fields(value):
            yield from shown(getattr(value, each.name), depth - 1)
    elif depth and hasattr(value, "__dict__"):
        for held in vars(value).values():
            yield from shown(held, depth - 1)


def test_no_key_is_in_anything_a_day_of_work_writes_shows_or_raises(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    home, key_file = tmp_path / "home", tmp_path / "key" / "root.key"
    said: list[str] = []
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        world = open_world(store, home, key_file)
        world.acme.ingest(
            [ticket(number, f"The lift of house {number}, ask jane{number}@example.com.") for number in range(5)]
        )
        world.globex.ingest([ticket(1, "Bees.")])
        tenant = store.tenant("acme", actor=ACME)
        hits = world.acme.search("lift", k=3)
        tenant.hold("case 7", collection="ticket", record="T-4")
        tenant.erase_subject("jane1@example.com").raise_if_incomplete()
        secrets = every_secret(home, key_file, store)
        failing: list[Callable[[], Any]] = [
            lambda: world.acme.get("T-99"),
            lambda: world.acme.get(3.5),  # type: ignore[arg-type]  # a caller's mistake
            lambda: world.acme.delete(["T-4"]),
            lambda: world.acme.update("T-2", nothing="x"),
            lambda: world.acme.search("", k=3),
            lambda: world.acme.search("lift", where=sv.F("nothing") == 1),
            lambda: tenant.collection(Ticket, name="ticket", retention="1d"),
            lambda: store.tenant("acme", actor=GLOBEX),
            lambda: store.delete_tenant("acme"),
            lambda: store.runtime.keys.key_by_id(bytes(16)),
            lambda: store.runtime.keys.data_key(tenant.id, world.acme.id, "body", "r0/never", messages=0),
            lambda: sv.SecureStore.open(home, key_file=home / "VERSION", create=False),
            lambda: sv.SecureStore.open(home, passphrase="a wrong way in", create=False),
        ]
        for attempt in failing:
            with pytest.raises(SecurevecError) as caught:
                attempt()
            said += traceback.format_exception(caught.value)
            said.append(repr(caught.value.args))
        for value in (store, store.runtime, store.runtime.keys, tenant, world.acme, hits):
            said += shown(value)
        for closed in (
            store.runtime.keys,
            store.runtime.keys.view(),
            store.runtime.keys._open,
            store.runtime.keys._open._cache,
        ):
            for travel in (pickle.dumps, copy.deepcopy):
                with pytest.raises(TypeError):
                    travel(closed)
        store.delete_tenant("globex").raise_if_incomplete()
    out, err = capfd.readouterr()
    text = "\n".join([*said, caplog.text, out, err]).encode()
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != key_file}
    assert any("audit" in str(path) for path in files)
    assert any(path.name == "keys.db" for path in files)
    for secret in secrets:
        for spelled in spellings(secret):
            assert spelled not in text
            assert not [path.name for path, content in files.items() if spelled in content]
    # The scan would see one: the root key is in its own file, and in that alone.
    assert any(spelled in key_file.read_bytes() for spelled in spellings(secrets[0]))
