"""Two processes on one store that both reach the points, as only a server allows: one ingests, updates, deletes and
searches, the other exchanges keys, erases a person, applies retention and purges meanwhile."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.crypto.armour import from_text
from securevec.crypto.envelope import read_key_ids
from securevec.errors import ControlUnavailable, KeyDestroyed, RecordNotFound
from securevec.reading.opening import open_body
from securevec.reading.sheets import sheets
from securevec.rekeying.respelling import Respelling
from securevec.testing.embedders import HashEmbedder
from tests.support import writer_child
from tests.support.chroma_server import chroma_server
from tests.support.crash_child import ACTOR, RECORDS, open_collection
from tests.support.crash_child import edition as every_record
from tests.support.crash_home import Death, Home, Nursery
from tests.support.leaks import every_point
from tests.support.other_process import until
from tests.support.writer_child import ERASED, TENANT, about, cases_of, edition, mentions, open_store, person

DUE_DAYS = 211
"""The retention of 180 days, a bucket of 18, and room."""
OLD = 5
TIMED = "first-desk"


@pytest.fixture(scope="module")
def server(ground: Path) -> Iterator[str]:
    with chroma_server(ground / "files") as (url, _):
        yield url


@pytest.fixture(scope="module")
def nursery(ground: Path) -> Iterator[Nursery]:
    with Nursery(ground, writer_child.__file__) as nursery:
        yield nursery


@dataclass
class Beside:
    """A child at work on its own records, and what it acknowledged."""

    home: Home
    url: str
    scratch: Path
    records: int
    first: int = 0
    thread: threading.Thread | None = None
    deaths: list[Death] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.scratch / "said"

    @property
    def stop(self) -> Path:
        return self.scratch / "stop"

    def order(self, *, ahead_days: int = DUE_DAYS) -> dict[str, Any]:
        return {
            "work": "write beside",
            "said": str(self.journal),
            "home": str(self.home.path),
            "key_file": str(self.home.key_file),
            "backend": self.url,
            "ahead_days": ahead_days,
            "first": self.first,
            "records": self.records,
            "stop": str(self.stop),
            "seed": self.first,
        }

    def start(self, nursery: Nursery) -> None:
        def live() -> None:
            self.deaths.append(nursery.carry_out(self.order()))

        self.thread = threading.Thread(target=live)
        self.thread.start()

    def lines(self) -> list[dict[str, Any]]:
        whole = self.journal.read_text().rpartition("\n")[0] if self.journal.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]

    def done(self) -> int:
        """How many writes it has acknowledged."""
        return sum("done" in line for line in self.lines())

    def goes_on(self) -> None:
        """Wait until it has written more."""
        before = self.done()
        until(lambda: bool(self.deaths) or self.done() > before)
        assert not self.deaths, (self.deaths, self.lines()[-3:])

    def end(self) -> dict[int, int]:
        """Stop it. The versions of its records that it was acknowledged, of those that live."""
        self.stop.touch()
        assert self.thread is not None
        self.thread.join()
        assert [death.exit for death in self.deaths] == [0], (self.deaths, self.lines()[-3:])
        assert self.done() > 0
        live: dict[int, int | None] = {}
        for line in self.lines():
            live |= {int(number): version for number, version in line.get("done", {}).items()}
        return {number: version for number, version in live.items() if version is not None}


@contextmanager
def busy_desk(root: Path, url: str, records: int, writers: int) -> Generator[tuple[sv.SecureStore, Home, list[Beside]]]:
    """A home on a server, with rows that are due, and processes that write beside this one."""
    here = Beside(Home(root / "home", root / "keys" / "root.key", "", b""), url, root, records)
    with open_store(here.order(ahead_days=0)) as store:
        key = store.runtime.keys.signing_key().public
        home = Home(here.home.path, here.home.key_file, store.runtime.installation_id, key)
        old = [writer_child.row(number, 0) | {"id": f"O-{number}"} for number in range(1_000, 1_000 + OLD)]
        assert cases_of(store, create=True).ingest(old).new == OLD
    beside: list[Beside] = []
    with open_store(here.order()) as store:
        for number in range(writers):
            scratch = root / f"writer-{number}"
            scratch.mkdir()
            beside.append(Beside(home, url, scratch, records, first=number * records))
        yield store, home, beside


def insist(act: Callable[[], Any], store: sv.SecureStore) -> None:
    """Ask, and ask again as the message says, while others keep writing."""
    with contextlib.suppress(ControlUnavailable):
        act()
    said: list[str] = []

    def ended() -> bool:
        said.extend(f"{result.state}: {result.waiting_for}" for result in store.run_jobs())
        return all(job.state == "done" for job in store.runtime.control.jobs())

    try:
        until(ended)
    except AssertionError as error:
        raise AssertionError(f"never done: {Counter(said)}") from error


def keys_of_records(store: sv.SecureStore) -> set[bytes]:
    """Ids of the data keys that sealed values in the store name."""
    cases = cases_of(store)
    return {
        read_key_ids(from_text(str(point.payload[name])))[0]
        for point in every_point(store, cases)
        for name in ("b", "v")
        if name in point.payload
    }


def everything_goes_on(store: sv.SecureStore, beside: list[Beside], rounds: int) -> set[bytes]:
    """Each of the jobs, in the middle of the others' writes. The ids of keys that must open nothing any more."""
    dead: set[bytes] = set()
    tenant = store.tenant(TENANT)
    for turn in range(rounds):
        jobs: list[Callable[[], Any]] = [
            lambda: store.reseal(TENANT, "case"),
            lambda: store.reindex(TENANT, "case"),
            lambda: store.renew_tokens(TENANT),
            lambda: store.renew_surrogates(TENANT),
            tenant.purge,
        ]
        if turn == 0:
            jobs.insert(2, lambda: tenant.erase_subject(person(ERASED)))
            jobs.append(lambda: store.apply_retention(store.retention_plan(tenant=TENANT).digest))
        dead |= {bytes.fromhex(key.key_id) for key in store.runtime.keys.list_keys() if key.kind == "dek"}
        for job in jobs:
            for each in beside:
                each.goes_on()
            insist(job, store)
        for each in beside:
            each.goes_on()
    return dead


def require_exact(store: sv.SecureStore, acknowledged: dict[int, int]) -> None:
    """Every acknowledged write is there, readable, found by its filter, and nothing else is."""
    cases = cases_of(store)
    live = {number: version for number, version in acknowledged.items() if about(number) != ERASED}
    assert cases.count() == len(live)
    assert store.runtime.control.count_live(cases.id, now_ms=0)[0] == len(live)
    assert {record.id for record in cases.iter()} == {f"C-{number}" for number in live}
    for number, version in live.items():
        record = cases.get(f"C-{number}")
        assert (record.edition, record.body.split(" Answer ")[0]) == (
            edition(number, version),
            f"Case c{number} in version v{version}.",
        )
        assert ("[ERASED]" in record.body) == (mentions(number) == ERASED)
        where = sv.F("edition") == edition(number, version)
        assert [hit.record.id for hit in cases.search("the lift", k=5, where=where)] == [f"C-{number}"]
    for number in acknowledged.keys() - live.keys():
        with pytest.raises(RecordNotFound):
            cases.get(f"C-{number}")
    points = list(every_point(store, cases))
    assert store.runtime.backend().count(namespace=cases._scope.namespace) == len(points) == len(live)
    cases.verify().raise_if_wrong()


def require_new_keys(store: sv.SecureStore, dead: set[bytes], renewals: int) -> None:
    """No live row is under a key, or sealed with tokens, of before."""
    cases = cases_of(store)
    assert keys_of_records(store).isdisjoint(dead)
    for key_id in dead:
        with pytest.raises(KeyDestroyed):
            store.runtime.keys.key_by_id(key_id)
    version = store.runtime.control.token_version(cases._scope.tenant)
    assert version == 1 + renewals
    assert {open_body(store.runtime.keys, cases._scope, point).tokens for point in every_point(store, cases)} == {
        version
    }
    for purpose in ("filter", "pseudonym"):
        epochs = [key.epoch for key in store.runtime.keys.list_keys() if key.purpose == purpose]
        assert epochs == [str(1 + renewals)]
    spelling = Respelling(store.runtime, cases._scope)
    assert not [row for sheet in sheets(store.runtime, cases.id) for row in spelling.behind(sheet)]


def hold_to_it(root: Path, url: str, nurseries: list[Nursery], *, records: int, rounds: int) -> None:
    with busy_desk(root, url, records, len(nurseries)) as (store, home, beside):
        for each, nursery in zip(beside, nurseries, strict=True):
            each.start(nursery)
        try:
            dead = everything_goes_on(store, beside, rounds)
        finally:
            acknowledged = {number: version for each in beside for number, version in each.end().items()}
        require_exact(store, acknowledged)
        require_new_keys(store, dead, rounds)
        home.verify_audit(store)


def test_every_acknowledged_write_outlives_exchanges_of_keys_an_erasure_and_retention(
    tmp_path: Path, server: str, nursery: Nursery
) -> None:
    hold_to_it(tmp_path, server, [nursery], records=6, rounds=1)


@pytest.mark.soak
def test_two_writers_and_many_exchanges_of_keys(tmp_path: Path, server: str, nursery: Nursery) -> None:
    (tmp_path / "second").mkdir()
    with Nursery(tmp_path / "second", writer_child.__file__) as second:
        hold_to_it(tmp_path, server, [nursery, second], records=60, rounds=8)


def test_what_expired_is_hidden_and_what_was_removed_is_gone_in_every_process(
    tmp_path: Path, server: str, nursery: Nursery
) -> None:
    path, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(path, backend=server, key_file=key_file, embedder=HashEmbedder(max_tokens=32)) as store:
        home = Home(path, key_file, store.runtime.installation_id, store.runtime.keys.signing_key().public)
        collection = open_collection(store, TIMED, create=True)
        collection.ingest(every_record(0))
        assert nursery.run(home, "search", tenant=TIMED).journal == ["hits 3"]
        # Another process on a later clock shows nothing, and removes it; this one, for which it is not yet due,
        # shows nothing from then on either.
        assert nursery.run(home, "search", tenant=TIMED, ahead_days=DUE_DAYS).journal == ["hits 0"]
        assert collection.count() == RECORDS
        asked = nursery.run(home, "apply retention", tenant=TIMED, ahead_days=DUE_DAYS)
        assert asked.journal == ["begin", "done done"]
        assert collection.count() == 0
        assert len(collection.search("lift", k=3)) == 0
        assert list(collection.iter()) == []
        with pytest.raises(RecordNotFound):
            collection.get("T-1")
        assert store.tenant(TIMED, actor=ACTOR).id == collection._scope.tenant
        assert store.runtime.backend().count(namespace=collection._scope.namespace) == 0
