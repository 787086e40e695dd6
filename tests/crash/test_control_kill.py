"""SIGKILL at every statement of the control store's work, and at random moments of a busy writer.

The child process does the work, with an engine that is an append-only file of points; the parent reopens the store,
recovers from what it says alone, and compares."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from securevec.control import database
from securevec.control.database import connect
from securevec.control.rows import CollectionRow
from securevec.control.store import ControlStore
from tests.support.control_desk import (
    COLLECTION,
    TENANT,
    Engine,
    copy_home,
    delete,
    ingest,
    recover,
    ref,
    require_whole,
    run_killed,
    seen,
)

RANDOM_KILLS = 20


STEPS = pytest.mark.parametrize(
    "stride", [pytest.param(1, marks=pytest.mark.soak, id="each"), pytest.param(2, id="second")]
)
"""At each statement in the soak, at every second by default."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with records 1 and 2 of two chunks in it."""
    home = tmp_path_factory.mktemp("filled")
    store = ControlStore.open(home / "control.db", create=True)
    store.create_tenant(tenant=TENANT, name_token=b"t" * 16, name_sealed=b"s", now_ms=1)
    store.create_collection(CollectionRow(COLLECTION, TENANT, b"c" * 16, b"s", b"s", "f" * 32, 4, "{}", None, True, 1))
    engine = Engine(home / "points")
    ingest(store, engine, "first", [1, 2], 2)
    engine.close()
    store.close()
    return home


@STEPS
def test_killed_at_every_statement_of_a_replacement_leaves_old_or_new(
    filled: Path, tmp_path: Path, stride: int
) -> None:
    old = {1: (1, 2), 2: (1, 2)}
    new = {1: (2, 3), 2: (2, 3), 3: (2, 3)}
    ends: list[bool] = []
    for at in range(1, 200, stride):
        home = copy_home(filled, tmp_path / str(at))
        killed = run_killed(home, at, lambda store, engine: ingest(store, engine, "second", [1, 2, 3], 3))
        store, engine = ControlStore.open(home / "control.db", create=False), Engine(home / "points")
        before = seen(store)
        assert before in (old, new)
        recover(store, engine)
        assert require_whole(store, engine) == before
        ends.append(before == new)
        # Whatever happened, the next write works and outranks everything before it.
        ingest(store, engine, "third", [1, 2, 3], 1)
        assert min(generation for generation, _ in require_whole(store, engine).values()) > before[1][0]
        store.close()
        engine.close()
        if not killed:
            break
    assert len(ends) > 20 // stride
    assert ends == sorted(ends), "once the switch is committed, no later kill undoes it"
    assert not ends[0]


def test_killed_at_every_statement_of_a_deletion_leaves_all_or_none(filled: Path, tmp_path: Path) -> None:
    old = {1: (1, 2), 2: (1, 2)}
    ends: list[bool] = []
    for at in range(1, 100):
        home = copy_home(filled, tmp_path / str(at))
        killed = run_killed(home, at, lambda store, engine: delete(store, engine, "gone", [1, 2]))
        store, engine = ControlStore.open(home / "control.db", create=False), Engine(home / "points")
        before = seen(store)
        assert before in (old, {})
        recover(store, engine)
        assert require_whole(store, engine) == before
        ends.append(before == {})
        store.close()
        engine.close()
        if not killed:
            break
    assert len(ends) > 8
    assert ends == sorted(ends)
    assert not ends[0]


def delete_tenant(store: ControlStore, _: Engine) -> None:
    """The job as its runner drives it: from whatever state it is found in to the end."""
    job = store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=1)
    for before, after in (("accepted", "keys_gone"), ("keys_gone", "removed")):
        if job.state == before:
            job = store.advance_job("j", expect=before, to=after, data="{}", now_ms=2, owner="")
    store.finish_tenant_deletion(job_id="j", receipt=b"receipt", now_ms=3)


@STEPS
def test_a_tenant_deletion_killed_at_every_statement_ends_once_and_completely(
    filled: Path, tmp_path: Path, stride: int
) -> None:
    states: list[str] = []
    for at in range(1, 200, stride):
        home = copy_home(filled, tmp_path / str(at))
        killed = run_killed(home, at, delete_tenant)
        store, engine = ControlStore.open(home / "control.db", create=False), Engine(home / "points")
        fence, job = store.fence(TENANT), store.job("j")
        # The fence, the job and the event owed are one fact.
        assert (job is None) == (fence.state == "active") == (store.outbox_pending() == [])
        if job is not None:
            assert (fence.state == "deleted") == (job.state == "done") == (store.collections(TENANT) == [])
        states.append(job.state if job else "")
        delete_tenant(store, engine)
        assert store.fence(TENANT) == type(fence)("deleted", 3)
        assert [step.state for step in store.job_steps("j")] == ["accepted", "keys_gone", "removed", "done"]
        owed = [json.loads(row.payload)["state"] for row in store.outbox_pending()]
        assert owed == ["accepted", "keys_gone", "removed", "done"]
        assert store.states(COLLECTION, [ref(1), ref(2)]) == {}
        store.close()
        engine.close()
        if not killed:
            break
    assert list(dict.fromkeys(states)) == ["", "accepted", "keys_gone", "removed", "done"]


def create_killed(control: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Create a store in a child that kills itself just before the ``at``-th statement of the creation."""
    child = os.fork()
    if child == 0:
        left = at

        def step(_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def traced(path: Path) -> sqlite3.Connection:
            connection = connect(path)
            connection.set_trace_callback(step)
            return connection

        try:
            monkeypatch.setattr(database, "connect", traced)
            ControlStore.open(control, create=True).close()
        except BaseException:  # noqa: BLE001 - a forked child must not run on into the parent's tests
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_a_creation_killed_on_its_way_is_nothing_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = 0
    for at in range(1, 200, 4):
        path = tmp_path / f"home-{at}" / "control.db"
        killed = create_killed(path, at, monkeypatch)
        if killed:
            reached += 1
            connection = sqlite3.connect(path)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            connection.close()
            assert tables == set() or {"tenant", "time_floor", "alembic_version"} <= tables
        store = ControlStore.open(path, create=True)
        assert store.tenants() == []
        store.close()
        if not killed:
            break
    assert reached > 5


def work_until_killed(home: Path, journal: int, seed: int) -> None:
    """Random writes and deletions, each announced before and acknowledged after in the journal."""
    chance = random.Random(seed)
    store, engine = ControlStore.open(home / "control.db", create=False), Engine(home / "points")
    turn = 0
    while True:
        turn += 1
        request = f"{seed}-{turn}"
        numbers = chance.sample(range(40), chance.randint(1, 12))
        chunks = 0 if chance.random() < 0.25 else chance.randint(1, 3)
        os.write(journal, (json.dumps({"numbers": numbers, "chunks": chunks}) + "\n").encode())
        if chunks:
            ingest(store, engine, request, numbers, chunks)
        else:
            delete(store, engine, request, numbers)
        os.write(journal, b"done\n")


def apply(model: dict[int, int], entry: str) -> dict[int, int]:
    """Record number to chunks, after one journal entry."""
    what = json.loads(entry)
    after = {number: chunks for number, chunks in model.items() if number not in what["numbers"]}
    for number in what["numbers"] if what["chunks"] else ():
        after[number] = what["chunks"]
    return after


def test_a_busy_writer_killed_at_random_loses_nothing_acknowledged_and_mixes_nothing(
    filled: Path, tmp_path: Path
) -> None:
    home = copy_home(filled, tmp_path / "home")
    model = {1: 2, 2: 2}
    highest: dict[int, int] = {}
    chance = random.Random(20)
    acknowledged = interrupted = 0
    for seed in range(RANDOM_KILLS):
        journal_path = tmp_path / f"journal-{seed}"
        journal = os.open(journal_path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        child = os.fork()
        if child == 0:
            try:
                work_until_killed(home, journal, seed)
            except BaseException:  # noqa: BLE001 - a forked child must not run on into the parent's tests
                os._exit(1)
        patience = time.monotonic() + 20
        wanted = chance.randint(2, 6)
        while journal_path.read_bytes().count(b"\n") < wanted and time.monotonic() < patience:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        os.close(journal)
        lines = journal_path.read_text().splitlines()
        store, engine = ControlStore.open(home / "control.db", create=False), Engine(home / "points")
        before = seen(store)
        recover(store, engine)
        visible = require_whole(store, engine)
        assert visible == before
        for number, (generation, _) in visible.items():
            assert generation >= highest.get(number, 0)
            highest[number] = generation
        store.close()
        engine.close()
        for at in range(0, len(lines) - 1, 2):
            assert lines[at + 1] == "done"
            model = apply(model, lines[at])
            acknowledged += 1
        found = {number: chunks for number, (_, chunks) in visible.items()}
        allowed = [model]
        if len(lines) % 2:
            allowed.append(apply(model, lines[-1]))
            interrupted += 1
        assert found in allowed
        model = found
    assert acknowledged > 20
    assert interrupted > 5
