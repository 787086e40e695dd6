"""P1 and P6 at the door: who gets a handle, what a name is, and handles that outlive what they were made for.

None of it is a case of the shipped suite, because no vector store has a part in it: the control store decides, before
one is asked, and the command line is run on a home that somebody uses."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec.errors import (
    CollectionNotFound,
    ConfigError,
    PolicyDenied,
    RecordError,
    TenantNotFound,
    TenantUnavailable,
)
from securevec.types import Namespace
from tests.support.attacks import ACME_MARK, RETENTION, Pair, Stage, open_stage, text, texts_of
from tests.support.world import ACME, GLOBEX, Ticket

# -- actors ----------------------------------------------------------------------------------------------------------

OPERATIONS: dict[str, Callable[[sv.Collection[Ticket]], object]] = {
    "search": lambda handle: handle.search("refund"),
    "search by vector": lambda handle: handle.search(vector=np.ones(64, dtype=np.float32)),
    "get": lambda handle: handle.get("T-1"),
    "count": lambda handle: handle.count(),
    "ingest": lambda handle: handle.ingest([text(1, "intruder")]),
    "ingest nothing": lambda handle: handle.ingest([]),
    "delete": lambda handle: handle.delete("T-1"),
    "list": lambda handle: list(handle.iter(page_size=3)),
    "exists": lambda handle: handle.exists("T-2"),
    "count by filter": lambda handle: handle.count(sv.F("status") == "open"),
    "search in a batch": lambda handle: handle.search_batch(["refund", "case"]),
    "search like": lambda handle: handle.search(like="T-2"),
    "export": lambda handle: handle.export(io.BytesIO()),
    "describe": lambda handle: handle.describe(),
    "update": lambda handle: handle.update("T-2", status="closed", notes="intruder"),
    "delete by filter": lambda handle: handle.delete(where=sv.F("status") == "nowhere"),
}
_READING = {
    "search", "search by vector", "search in a batch", "search like", "get", "exists", "count", "count by filter",
    "list", "export", "describe",
}  # fmt: skip


@pytest.mark.parametrize(
    "actor",
    [
        sv.Actor("svc:stranger"),
        GLOBEX,
        sv.Actor("svc:Acme-Helpdesk"),
        sv.Actor("svc:acme-helpdesk\u200b"),
        sv.Actor("user:acme-helpdesk"),
        sv.Actor("svc:acme-helpdes"),
    ],
    ids=["no role", "owner of another tenant", "other case", "zero width space", "other kind", "prefix"],
)
def test_an_actor_without_a_role_gets_no_handle(memory_stage: Stage, actor: sv.Actor) -> None:
    with pytest.raises(TenantNotFound):
        memory_stage.store.tenant("acme", actor=actor)
    with pytest.raises(TenantNotFound):
        memory_stage.store.tenant("acme", actor=actor, create=True)


@pytest.mark.parametrize("name", ["local:0", "local:99999", "svc", "svc:", ":x", "svc:a b", "SVC:x", "svc:a\x00b", ""])
def test_an_actor_that_is_not_one(name: str) -> None:
    with pytest.raises(ConfigError):
        sv.Actor(name)


def test_an_actor_that_calls_itself_administrator() -> None:
    with pytest.raises(ConfigError):
        sv.Actor("svc:stranger", admin=True)
    with pytest.raises(ConfigError):
        sv.Actor.parse("local:99999")


def test_a_handle_kept_after_the_role_was_revoked(lone_pair: Pair) -> None:
    guest = sv.Actor("svc:guest")
    stage = lone_pair.stage
    stage.acme.grant(guest, "owner")
    tenant = stage.store.tenant("acme", actor=guest)
    handle = tenant.collection(Ticket, name=lone_pair.name, retention=RETENTION)
    hits = handle.search("refund", k=8)
    assert len(hits) == 8
    stage.acme.revoke(guest, "owner")
    for operation in OPERATIONS.values():
        with pytest.raises(PolicyDenied):
            operation(handle)
    with pytest.raises(PolicyDenied):
        hits.restore("[EMAIL_1]")
    with pytest.raises(PolicyDenied):
        tenant.grant(guest, "owner")
    with pytest.raises(PolicyDenied):
        tenant.collections()
    with pytest.raises(PolicyDenied):
        tenant.collection(Ticket, name="made-by-guest")
    assert lone_pair.acme.count() == 8


ROLES: dict[str, set[str]] = {
    "reader": _READING,
    "revealer": _READING,
    "writer": {"ingest", "ingest nothing", "update", "delete", "delete by filter", "count", "describe"},
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_it_says_and_nothing_else(lone_pair: Pair, role: str) -> None:
    guest = sv.Actor(f"svc:{role}-{lone_pair.acme.id}")
    stage = lone_pair.stage
    stage.acme.grant(guest, role)
    tenant = stage.store.tenant("acme", actor=guest)
    handle = tenant.collection(Ticket, name=lone_pair.name, retention=RETENTION)
    for operation, run in OPERATIONS.items():
        if operation in ROLES[role]:
            run(handle)
        else:
            with pytest.raises(PolicyDenied):
                run(handle)
    with pytest.raises(PolicyDenied):
        tenant.grant(guest, "owner")
    if role == "reader":
        with pytest.raises(PolicyDenied):
            handle.search("refund").restore("[EMAIL_1]")
        with pytest.raises(PolicyDenied):
            tenant.collection(Ticket, name="made-by-reader")


def test_an_owner_deletes_no_tenant_and_lists_none(memory_stage: Stage) -> None:
    from securevec.store.secure_store import SecureStore

    as_globex = SecureStore(memory_stage.store.runtime, actor=GLOBEX)
    memory_stage.store.runtime.engine.on_open(memory_stage.store._engine_opened)
    for refused in (
        lambda: as_globex.delete_tenant("acme"),
        lambda: as_globex.delete_tenant("globex"),
        lambda: as_globex.suspend_tenant("acme"),
        lambda: as_globex.resume_tenant("acme"),
        lambda: as_globex.tenants(),
    ):
        with pytest.raises(PolicyDenied):
            refused()
    assert ("acme", "active") in memory_stage.store.tenants()


# -- names -----------------------------------------------------------------------------------------------------------

LOOKALIKES = {
    "case": ("Initech", "initech"),
    "composed and decomposed": ("café", "cafe\u0301"),
    "full width": ("umbrella", "ｕｍｂｒｅｌｌａ"),
    "another alphabet": ("pied", "рied"),
    "prefix": ("hooli", "hooli-eu"),
    "dots": ("..", "..."),
    "emoji": ("\N{GRINNING FACE}", "\N{GRINNING FACE WITH SMILING EYES}"),
    "zero width space": ("soylent", "soy\u200blent"),
    "sharp s": ("straße", "strasse"),
}


@pytest.mark.parametrize("pair_of", LOOKALIKES)
def test_tenants_whose_names_look_alike_are_two(lone_stage: Stage, pair_of: str) -> None:
    first_name, second_name = LOOKALIKES[pair_of]
    first = lone_stage.store.tenant(first_name, create=True, actor=ACME)
    with pytest.raises(TenantNotFound):
        lone_stage.store.tenant(second_name, actor=ACME)
    second = lone_stage.store.tenant(second_name, create=True, actor=GLOBEX)
    assert first.id != second.id
    ours, theirs = first.collection(Ticket), second.collection(Ticket)
    ours.ingest([text(1, ACME_MARK)])
    assert theirs.count() == 0
    assert len(theirs.search("refund", k=10)) == 0
    with pytest.raises(TenantNotFound):
        lone_stage.store.tenant(first_name, actor=GLOBEX)


BAD_NAMES: dict[str, Any] = {
    "empty": "",
    "blank": "  ",
    "space before": " acme",
    "space after": "acme ",
    "no-break space after": "acme\u00a0",
    "NUL": "acme\x00",
    "NUL inside": "ac\x00me",
    "path": "../acme",
    "slash": "acme/globex",
    "line feed": "acme\n",
    "line separator": "ac\u2028me",
    "surrogate": "acme\ud800",
    "257 bytes": "a" * 257,
    "10,000 characters": "\N{GRINNING FACE}" * 10_000,
    "bytes": b"acme",
    "number": 7,
    "nothing": None,
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_not_one(memory_stage: Stage, name: str) -> None:
    bad = BAD_NAMES[name]
    for call in (
        lambda: memory_stage.store.tenant(bad, actor=ACME),
        lambda: memory_stage.store.tenant(bad, actor=ACME, create=True),
        lambda: memory_stage.store.delete_tenant(bad),
        lambda: memory_stage.store.suspend_tenant(bad),
        lambda: memory_stage.globex.existing_collection(bad),
    ):
        with pytest.raises(RecordError):
            call()
    if bad:
        with pytest.raises(RecordError):
            memory_stage.globex.collection(Ticket, name=bad)


def test_names_that_are_equal_once_joined(lone_stage: Stage) -> None:
    joined = [
        ("a", "b-c"),
        ("a-b", "c"),
        ("a", "b_c"),
        ("a_b", "c"),
        ("ab", "c"),
        ("a", "bc"),
        ("a|b", "c"),
        ("a", "b|c"),
    ]
    places: set[Namespace] = set()
    for tenant_name, collection_name in joined:
        tenant = lone_stage.store.tenant(tenant_name, create=True, actor=ACME)
        handle = tenant.collection(Ticket, name=collection_name)
        handle.ingest([text(1, f"mark{len(places)}")])
        places.add(handle._scope.namespace)
        assert f"mark{len(places) - 1}" in handle.search("refund", k=10)[0].text
        assert len(handle.search("refund", k=10)) == 1
    assert len(places) == len({place.shard for place in places}) == len(joined)


def test_a_foreign_collection_by_its_name(memory_stage: Stage) -> None:
    memory_stage.acme.collection(Ticket, name="only-acme")
    with pytest.raises(CollectionNotFound):
        memory_stage.globex.existing_collection("only-acme")
    memory_stage.globex.collection(Ticket, name="only-globex")
    assert "only-acme" in memory_stage.acme.collections()
    assert "only-globex" in memory_stage.globex.collections()
    assert "only-acme" not in memory_stage.globex.collections()


# -- handles that outlive their tenant -------------------------------------------------------------------------------


def test_a_handle_kept_after_the_tenant_was_deleted_and_its_name_used_again(lone_pair: Pair) -> None:
    stage, old = lone_pair.stage, lone_pair.acme
    old_tenant, old_hits = stage.acme, lone_pair.acme.search("refund", k=8)
    stage.store.delete_tenant("acme").raise_if_incomplete()
    reborn = stage.store.tenant("acme", create=True, actor=GLOBEX)
    fresh = reborn.collection(Ticket, name="tickets0", retention=RETENTION)
    fresh.ingest([text(1, "reborn")])
    assert reborn.id != old_tenant.id
    for operation in OPERATIONS.values():
        with pytest.raises(TenantUnavailable):
            operation(old)
    with pytest.raises(TenantUnavailable):
        old_hits.restore("[EMAIL_1]")
    with pytest.raises(TenantUnavailable):
        old_tenant.grant(ACME, "owner")
    with pytest.raises(TenantUnavailable):
        old_tenant.collections()
    with pytest.raises(TenantNotFound):
        stage.store.tenant("acme", actor=ACME)
    assert ACME_MARK not in texts_of(fresh.search(f"refund {ACME_MARK}", k=10))
    assert fresh.count() == 1


# -- the command line ------------------------------------------------------------------------------------------------

COMMANDS: dict[str, tuple[int, list[str]]] = {
    "search": (3, ["--as", GLOBEX.name, "search", "acme/tickets0", "refund"]),
    "get": (3, ["--as", GLOBEX.name, "get", "acme/tickets0", "T-1"]),
    "count": (3, ["--as", GLOBEX.name, "count", "acme/tickets0"]),
    "delete": (3, ["--as", GLOBEX.name, "delete", "acme/tickets0", "T-1"]),
    "a path through one's own tenant": (2, ["--as", GLOBEX.name, "get", "globex/../acme/tickets0", "T-1"]),
    "a tenant that was not given to anybody": (3, ["--as", "svc:stranger", "count", "acme/tickets0"]),
    "another user's administrator": (2, ["--as", "local:99999", "count", "acme/tickets0"]),
    "listing tenants": (3, ["--as", GLOBEX.name, "tenant", "list"]),
    "suspending": (3, ["--as", GLOBEX.name, "tenant", "suspend", "acme"]),
    "deleting the tenant": (3, ["--as", GLOBEX.name, "tenant", "delete", "acme", "--yes"]),
    "granting oneself": (3, ["--as", GLOBEX.name, "tenant", "grant", "acme", GLOBEX.name, "owner"]),
}


def test_crossing_the_wall_at_the_command_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from securevec.cli.main import main

    with open_stage(tmp_path, "edge") as stage:
        stage.pair().fill(1)
        home, key_file = stage.home, stage.key_file
    monkeypatch.setenv("SECUREVEC_HOME", str(home))
    monkeypatch.setenv("SECUREVEC_KEY_FILE", str(key_file))
    for name, (code, arguments) in COMMANDS.items():
        assert main(arguments) == code, name
        seen = capfd.readouterr()
        assert not seen.out, name
        assert seen.err.startswith("securevec: "), name
        assert seen.err.count("\n") == 1, name
        assert "T-1" not in seen.err, name
    done = subprocess.run(
        [sys.executable, "-c", "from securevec.cli.main import run; run()", *COMMANDS["get"][1]],
        capture_output=True,
        text=True,
        env={**os.environ},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("securevec: There is no such tenant")
    with sv.SecureStore.open(home, key_file=key_file) as store:
        assert dict(store.tenants()) == {"acme": "active", "globex": "active"}
