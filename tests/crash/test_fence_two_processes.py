"""The fence with two processes: one has the tenant open, its keys cached and a write on its way; the other suspends or
deletes the tenant. On Edge the first holds the engine and the second does what needs none; on a Chroma server both
work on the points."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.audit import read_tail
from securevec.errors import QueryError, RecordNotFound, SecurevecError, TenantNotFound, TenantUnavailable
from securevec.testing.embedders import HashEmbedder
from tests.support.attacks import Trap, own_part, trap_engine
from tests.support.chroma_server import chroma_server
from tests.support.crash_child import ACTOR, RECORDS, edition, open_collection
from tests.support.crash_home import Home
from tests.support.other_process import command, until
from tests.support.world import Ticket, ticket

DESK = "first-desk"
LATE = [ticket(number, f"latecomer {number}") for number in range(100, 103)]
BEFORE, AFTER = "before its points are there", "once its points are there"
COMMANDS = {"suspended": ("tenant", "suspend", DESK), "deleted": ("tenant", "delete", DESK, "--yes")}


@dataclass
class Site:
    """A home open in this process, with a trap between the store and its engine."""

    home: Home
    store: sv.SecureStore
    trap: Trap

    def fresh(self) -> sv.Collection[Ticket]:
        """The tenant, made anew, with eight records."""
        desk = open_collection(self.store, DESK, create=True)
        assert desk.ingest(edition(0)).new == RECORDS
        return desk

    def points(self, desk: sv.Collection[Ticket]) -> int:
        return self.trap.inner.count(namespace=desk._scope.namespace)

    def elsewhere(self, *arguments: str) -> None:
        done = command(self.home, *arguments)
        assert done.returncode in (0, 5), done.stderr


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp(request.param)

    def opened(backend: str) -> Iterator[Site]:
        path, key_file = root / "home", root / "keys" / "root.key"
        embedder = HashEmbedder(max_tokens=32)
        with sv.SecureStore.open(path, backend=backend, key_file=key_file, embedder=embedder) as store:
            key = store.runtime.keys.signing_key().public
            yield Site(Home(path, key_file, store.runtime.installation_id, key), store, trap_engine(store, None))

    if request.param == "edge":
        yield from opened("edge")
        return
    pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
    with chroma_server(Path(root) / "files") as (url, _):
        yield from opened(url)


@pytest.fixture(autouse=True)
def _without_a_tenant(site: Site) -> Iterator[None]:
    yield
    site.trap.keep = site.trap.on_fetch = None
    if any(name == DESK for name, _ in site.store.tenants()):
        site.store.delete_tenant(DESK)
    until(lambda: all(job.state == "done" for job in site.store.runtime.control.jobs()))


def at(site: Site, moment: str, act: Callable[[], None]) -> None:
    """Have it done in the middle of the next write: before its points reach the store, or once they are there."""

    def once() -> None:
        site.trap.keep = site.trap.on_fetch = None
        act()

    def keep(points: object) -> object:
        once()
        return points

    if moment == BEFORE:
        site.trap.keep = keep  # type: ignore[assignment]  # hands through what it is given
    else:
        site.trap.on_fetch = once


def cases() -> Iterator[ParameterSet]:
    """One on the server, where both processes reach the points, is in the default run; the others in the long one."""
    default = {("chroma", "deleted", BEFORE)}
    for case in itertools.product(("edge", "chroma"), COMMANDS, (BEFORE, AFTER)):
        yield pytest.param(*case, marks=[] if case in default else [pytest.mark.soak])


@pytest.mark.parametrize(("site", "what", "moment"), list(cases()), indirect=["site"])
def test_a_write_on_its_way_when_another_process_closes_the_fence_does_not_land(
    site: Site, what: str, moment: str
) -> None:
    desk = site.fresh()
    before = site.points(desk)
    hits = desk.search("lift", k=3)
    pages = desk.iter(page_size=2)
    next(pages)
    at(site, moment, lambda: site.elsewhere(*COMMANDS[what]))
    with pytest.raises(SecurevecError):
        desk.ingest(LATE)
    for refused in (
        lambda: desk.search("lift", k=3),
        lambda: desk.get("T-1"),
        lambda: list(pages),
        lambda: desk.ingest(LATE),
        lambda: desk.delete("T-1"),
        lambda: desk.update("T-1", status="late"),
        lambda: hits.restore("[EMAIL_1]"),
    ):
        with pytest.raises(TenantUnavailable):
            refused()
    if what == "suspended":
        assert site.points(desk) == before, "the late points were not taken back"
        site.elsewhere("tenant", "resume", DESK)
        assert desk.count() == RECORDS
        with pytest.raises(RecordNotFound):
            desk.get("T-100")
        assert desk.ingest(LATE).new == len(LATE)
        assert {"T-100", "T-101", "T-102"} <= {hit.id for hit in desk.search("latecomer", k=100)}
    else:
        until(lambda: all(job.state == "done" for job in site.store.runtime.control.jobs()))
        assert site.points(desk) == 0
        assert desk._scope.namespace.shard not in set(site.trap.inner.namespaces())
        with pytest.raises(TenantNotFound):
            site.store.tenant(DESK, actor=ACTOR)


@pytest.mark.parametrize("site", [pytest.param("edge", marks=pytest.mark.soak), "chroma"], indirect=True)
def test_a_name_used_again_after_another_process_deleted_it_meets_nothing_of_the_old_tenant(site: Site) -> None:
    old = site.fresh()
    runtime = site.store.runtime
    hits, pages, ref = old.search("lift", k=3), old.iter(page_size=2), old._scope.record_ref(runtime, "T-1")
    next(pages)
    page = old.page(limit=2)
    old_tenant = site.store.tenant(DESK, actor=ACTOR)
    noted = [own_part(dict(entry)) for entry in read_tail(site.home.path / "audit", log_id=site.home.log_id, limit=40)]
    site.elsewhere(*COMMANDS["deleted"])
    until(lambda: all(job.state == "done" for job in runtime.control.jobs()))

    reborn = open_collection(site.store, DESK, create=True)
    assert reborn.count() == 0
    assert len(reborn.search("lift", k=100)) == 0
    assert reborn.ingest([ticket(1, "reborn")]).new == 1
    assert [hit.id for hit in reborn.search("lift", k=100)] == ["T-1"]
    assert site.points(reborn) == 1
    assert reborn._scope.tenant != old._scope.tenant
    assert reborn._scope.namespace.shard != old._scope.namespace.shard
    assert reborn._scope.record_ref(runtime, "T-1") != ref
    with pytest.raises(RecordNotFound):
        reborn.get("T-2")
    for refused in (
        lambda: old.get("T-1"),
        lambda: old.search("reborn", k=3),
        lambda: old.ingest(LATE),
        lambda: list(pages),
        lambda: hits.restore("[EMAIL_1]"),
        old_tenant.collections,
    ):
        with pytest.raises(TenantUnavailable):
            refused()
    assert page.cursor is not None
    with pytest.raises(QueryError):
        reborn.page(limit=2, cursor=page.cursor)
    after = [own_part(dict(entry)) for entry in read_tail(site.home.path / "audit", log_id=site.home.log_id, limit=12)]
    seen = {entry.get("request_id") for entry in noted}
    old_refs = {each for entry in noted for each in entry.get("records", [])}
    new_refs = {each for entry in after if entry.get("request_id") not in seen for each in entry.get("records", [])}
    assert old_refs
    assert new_refs
    assert old_refs.isdisjoint(new_refs), "one record id of two tenants has one pseudonym"
