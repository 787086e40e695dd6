"""The asynchronous API: the same calls, and nothing of them on the event loop's thread."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.aio import AsyncCollection, AsyncSecureStore, AsyncTenant
from securevec.aio.bridge import Bridge
from securevec.errors import ConfigError, ControlUnavailable, EngineForked
from securevec.testing.embedders import HashEmbedder
from securevec.writing.report import Progress
from tests.support.world import ACME, GLOBEX, Ticket, ticket

Opens = Callable[[], AbstractAsyncContextManager[AsyncSecureStore]]
WRITTEN_BY = Path(__file__).parents[3] / "tools" / "generate_async.py"


@pytest.fixture(params=["memory", "edge", "chroma"])
def opens(tmp_path: Path, request: pytest.FixtureRequest) -> Opens:
    return lambda: AsyncSecureStore.open(
        tmp_path / "home",
        backend=str(request.param),
        key_file=tmp_path / "keys" / "root.key",
        embedder=HashEmbedder(),
        threads=4,
    )


def finish(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def test_the_asynchronous_classes_are_what_the_generator_makes_of_the_synchronous_ones() -> None:
    done = subprocess.run([sys.executable, str(WRITTEN_BY), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("plain", "awaited", "without"),
    [
        (sv.Collection, AsyncCollection, set[str]()),
        (sv.Tenant, AsyncTenant, set[str]()),
        # The runtime holds keys and is for operators' tools, which are synchronous.
        (sv.SecureStore, AsyncSecureStore, {"runtime"}),
    ],
)
def test_every_public_call_has_its_awaited_twin_with_the_same_parameters(
    plain: type, awaited: type, without: set[str]
) -> None:
    names = {name for name in dir(plain) if not name.startswith("_")} - without
    assert names == {name for name in dir(awaited) if not name.startswith("_")}
    for name in sorted(names):
        one, other = getattr(plain, name), getattr(awaited, name)
        if isinstance(one, property):
            assert isinstance(other, property)
            continue
        assert inspect.iscoroutinefunction(other) or inspect.isasyncgenfunction(other) or name == "open", name
        more = {"threads"} if name == "open" else set[str]()
        assert list(inspect.signature(one).parameters) == [
            each for each in inspect.signature(other).parameters if each not in more
        ], name


def test_the_main_job_awaited(opens: Opens) -> None:
    async def rows() -> AsyncIterator[dict[str, object]]:
        for number in range(1, 151):
            await asyncio.sleep(0)
            yield ticket(number, f"The refund number {number} never arrived. Mail ann{number}@example.com")
        yield {"id": "T-bad"}

    async def work() -> None:
        seen: list[Progress] = []
        threads: set[int] = set()

        def progress(now: Progress) -> None:
            seen.append(now)
            threads.add(threading.get_ident())

        async with opens() as store:
            acme = await store.tenant("acme", create=True, actor=ACME)
            globex = await store.tenant("globex", create=True, actor=GLOBEX)
            tickets = await acme.collection(Ticket, retention="180d")
            others = await globex.collection(Ticket, retention="180d")
            report = await tickets.ingest(rows(), progress=progress)
            assert (report.new, len(report.refused)) == (150, 1)
            assert seen[-1].rows == 151
            assert threads == {threading.get_ident()}
            await others.ingest([ticket(1, "A refund of globex.")])
            hits = await tickets.search("refund", where=sv.F("status") == "open", k=3)
            assert len(hits) == 3
            assert hits.violations == 0
            text = hits.context()
            assert "@example.com" not in text
            restored = await hits.restore(text)
            assert "@example.com" in restored
            released = await hits.for_model("gpt-5", purpose="answer")
            assert released.prompt == text
            batch = await tickets.search_batch(["refund", "number 7"], k=2)
            assert [len(each) for each in batch] == [2, 2]
            listed = [each.id async for each in tickets.iter(page_size=40)]
            assert len(listed) == len(set(listed)) == 150
            assert (await tickets.get("T-1")).status == "open"
            await tickets.update("T-1", status="closed")
            assert (await tickets.delete(["T-2"])).deleted == 1
            assert not await tickets.exists("T-2")
            assert await tickets.count() == 149
            assert await others.count() == 1
            (await tickets.verify()).raise_if_wrong()
            assert await store.tenants()
            assert (await acme.find_subject("customer3@example.com")).matches
            assert (await store.delete_tenant("globex")).state == "done"

    finish(work())


def test_a_tenant_sees_no_more_through_coroutines_than_through_calls(opens: Opens) -> None:
    async def work() -> None:
        async with opens() as store:
            acme = await (await store.tenant("acme", create=True, actor=ACME)).collection(Ticket)
            await acme.ingest([ticket(1, "A secret of acme.")])
            with pytest.raises(sv.errors.TenantNotFound):
                await store.tenant("acme", actor=GLOBEX)
            globex = await (await store.tenant("globex", create=True, actor=GLOBEX)).collection(Ticket)
            asked = [acme.search("secret"), globex.search("secret")] * 8
            sizes = [len(each) for each in await asyncio.gather(*asked)]
            assert sizes == [1, 0] * 8

    finish(work())


def test_nothing_is_opened_or_connected_on_the_thread_of_the_loop(opens: Opens) -> None:
    """The interpreter's audit events tell which thread touches files, sockets and databases."""
    watched: set[int] = set()
    touched: list[str] = []

    def listen(event: str, _: tuple[object, ...]) -> None:
        if event in {"open", "sqlite3.connect", "socket.connect", "os.rename", "os.remove", "os.mkdir"} and (
            threading.get_ident() in watched
        ):
            touched.append(event)

    sys.addaudithook(listen)

    async def work() -> None:
        async with opens() as store:
            tickets = await (await store.tenant("acme", create=True, actor=ACME)).collection(Ticket)
            # From here on: the event loop itself and late imports are warm.
            watched.add(threading.get_ident())
            await tickets.ingest([ticket(number, f"Number {number}.") for number in range(20)])
            hits = await tickets.search("number")
            await hits.restore(hits.context())
            assert [each.id async for each in tickets.iter()]
            await tickets.delete(["T-1"])
            watched.clear()

    finish(work())
    assert touched == []


def test_the_loop_turns_while_the_store_works(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        answered = threading.Event()
        async with opens() as store:
            tickets = await (await store.tenant("acme", create=True, actor=ACME)).collection(Ticket)
            await tickets.ingest([ticket(1, "A refund.")])
            backend = type(store._sync.runtime.backend())
            query = backend.query

            def slow(*args: Any, **kwargs: Any) -> Any:
                # Set by a coroutine: were the loop waiting for this thread, nobody would.
                assert answered.wait(30)
                return query(*args, **kwargs)

            monkeypatch.setattr(backend, "query", slow)
            loop.call_later(0.05, answered.set)
            assert len(await tickets.search("refund")) == 1

    finish(work())


def test_a_closed_store_and_a_forked_one_say_so(tmp_path: Path) -> None:
    async def work() -> None:
        store = await AsyncSecureStore.open(tmp_path / "home", backend="memory", key_file=tmp_path / "root.key")
        child = os.fork()
        if child == 0:
            try:
                await store.tenants()
            except EngineForked:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        await store.close()
        with pytest.raises(ControlUnavailable, match="closed"):  # as without coroutines
            await store.tenants()

    finish(work())


@pytest.mark.parametrize("threads", [0, 257, -1])
def test_a_number_of_threads_that_makes_no_sense_is_refused(threads: int) -> None:
    with pytest.raises(ConfigError, match="threads"):
        Bridge(threads)


def test_the_times_are_utc_as_in_the_synchronous_api(opens: Opens) -> None:
    async def work() -> None:
        async with opens() as store:
            tickets = await (await store.tenant("acme", create=True, actor=ACME)).collection(Ticket)
            await tickets.ingest([ticket(1, "A refund.")])
            assert (await tickets.get("T-1")).opened == datetime(2026, 1, 2, tzinfo=UTC)

    finish(work())
