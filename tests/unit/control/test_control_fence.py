"""The fence as other processes move it, and what a fork does to the connections."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from securevec.control import database as database_module
from securevec.control import hot
from securevec.control.database import Database, Transaction
from securevec.control.rows import Fence
from securevec.control.store import ControlStore
from securevec.errors import ControlUnavailable, TenantNotFound
from securevec.types import TenantId
from tests.unit.control.desk import NOW, TENANT, Desk

ACTOR = b"actor-1"


def _in_child(path: Path, act: str) -> None:
    """Do one thing to the store in a process of its own."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store = ControlStore.open(path, create=False)
            if act == "suspend":
                store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
            elif act == "revoke":
                store.revoke(TENANT, ACTOR, "reader")
            else:
                store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
            store.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(("act", "state"), [("suspend", "suspended"), ("delete", "deleting")])
def test_a_state_set_by_another_process_is_seen_at_the_next_call(desk: Desk, act: str, state: str) -> None:
    for _ in range(2):
        assert desk.store.standing(TENANT, ACTOR).fence == desk.store.fence(TENANT) == Fence("active", 1)
    _in_child(desk.path, act)
    assert desk.store.standing(TENANT, ACTOR).fence == desk.store.fence(TENANT)
    assert (desk.store.fence(TENANT).state, desk.store.fence(TENANT).epoch) == (state, 2)


def test_a_state_set_by_this_process_is_seen_at_the_next_call(desk: Desk) -> None:
    assert desk.store.standing(TENANT, ACTOR).fence.state == "active"
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    assert desk.store.standing(TENANT, ACTOR).fence == Fence("suspended", 2)


def test_the_fence_never_returns_to_an_earlier_epoch(desk: Desk) -> None:
    epochs = [desk.store.fence(TENANT).epoch]
    for state in ("suspended", "active") * 3:
        desk.store.set_tenant_state(TENANT, "suspended" if state == "suspended" else "active", now_ms=NOW)
        epochs.append(desk.store.fence(TENANT).epoch)
    assert epochs == sorted(set(epochs))


def test_an_unchanged_store_costs_no_second_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.store.standing(TENANT, ACTOR)

    def refuse(*_: object) -> None:
        raise AssertionError("a statement ran")

    monkeypatch.setattr(Database, "rows", refuse)
    assert desk.store.standing(TENANT, ACTOR) is first


def test_a_role_taken_away_by_another_process_is_seen_at_the_next_call(desk: Desk) -> None:
    desk.store.grant(TENANT, ACTOR, "reader", NOW)
    assert desk.store.standing(TENANT, ACTOR).roles == {"reader"}
    assert desk.store.standing(TENANT, b"another").roles == frozenset()
    _in_child(desk.path, "revoke")
    assert desk.store.standing(TENANT, ACTOR).roles == frozenset()


def test_many_actors_between_two_commits_do_not_fill_the_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot, "_MOST_STANDINGS", 3)
    for number in range(10):
        assert desk.store.standing(TENANT, bytes([number])).fence.state == "active"
        assert len(desk.store._standings[1]) <= 3


def test_an_unknown_tenant_has_no_fence_and_gets_one_when_made(desk: Desk) -> None:
    other = TenantId("b2" * 16)
    with pytest.raises(TenantNotFound):
        desk.store.fence(other)
    desk.add_tenant(other, b"other-name-token")
    assert desk.store.fence(other).epoch == 1


def test_the_version_moves_with_every_commit_of_anyone(desk: Desk) -> None:
    second = ControlStore.open(desk.path, create=False)
    seen = [desk.store.version()]
    assert desk.store.version() == seen[0]
    desk.store.raise_time_floor(1)
    seen.append(desk.store.version())
    second.raise_time_floor(2)
    seen.append(desk.store.version())
    second.close()
    assert len(set(seen)) == 3


def test_a_child_keeps_what_it_commits_after_the_parent_closed(desk: Desk) -> None:
    """The last close removes the write-ahead log: a child working on an inherited one would lose its commits."""
    assert desk.store.fence(TENANT).state == "active"
    desk.store.raise_time_floor(1)
    go_read, go_write = os.pipe()
    ready_read, ready_write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            desk.store.raise_time_floor(2)
            os.write(ready_write, b".")
            os.read(go_read, 1)
            desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
            desk.store.close()
            status = 0
        finally:
            os._exit(status)
    os.read(ready_read, 1)
    desk.store.close()
    os.write(go_write, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for end in (go_read, go_write, ready_read, ready_write):
        os.close(end)
    again = ControlStore.open(desk.path, create=False)
    assert again.fence(TENANT).state == "suspended"
    again.close()


def test_parent_and_child_both_go_on_after_a_fork(desk: Desk) -> None:
    before = desk.store.version()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # Reopened: an equal data_version must not pass for an unchanged store.
            if desk.store.version() != before and desk.store.fence(TENANT).state == "active":
                desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
                desk.store.close()
                status = 0
        finally:
            os._exit(status)
    assert TENANT in {row.tenant for row in desk.store.tenants()}
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert desk.store.fence(TENANT).state == "suspended"


def test_a_fork_in_the_middle_of_a_write_leaves_the_child_refused_and_the_parent_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_MS", 20)
    inside, leave = threading.Event(), threading.Event()
    original = Transaction.run

    def slow(self: Transaction, sql: str, params: object = ()) -> int:
        inside.set()
        leave.wait(10)
        return original(self, sql, params)  # type: ignore[arg-type]  # passed through unchanged

    monkeypatch.setattr(Transaction, "run", slow)
    writer = threading.Thread(target=desk.store.raise_time_floor, args=(7,))
    writer.start()
    inside.wait(10)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            leave.set()
            desk.store.raise_time_floor(9)
        except ControlUnavailable:
            status = 0
        finally:
            os._exit(status)
    leave.set()
    writer.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert desk.store.time_floor() == 7


def test_threads_share_one_store(desk: Desk) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                desk.store.raise_time_floor(number * 100 + turn)
                assert desk.store.fence(TENANT).state == "active"
        except BaseException as error:  # noqa: BLE001 - handed to the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert desk.store.time_floor() == 509
