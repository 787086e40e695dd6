"""Detection in a process of its own says what the detector says, and nothing depends on that process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest

import securevec as sv
from securevec.anonymize import BuiltinDetector, builtin_detector
from securevec.anonymize.ahead import Ahead, Found, Lane, Text, shared_ahead
from securevec.children.process import Child, Died
from securevec.errors import DetectorError
from securevec.ingest import ingest
from securevec.testing.embedders import HashEmbedder
from tests.support.world import World, open_world, ticket

SECRET = "SECUREVEC_TEST_PASSPHRASE"


@pytest.fixture(scope="module")
def ahead() -> Iterator[Ahead]:
    """One process for all tests here; each leaves it idle."""
    os.environ[SECRET] = "do not pass on"
    made = Ahead(jobs=1, worth=0.0)
    started(made)
    yield made
    made.close()
    del os.environ[SECRET]


def started(ahead: Ahead) -> Ahead:
    with ahead.lane(builtin_detector("balanced")) as lane:
        for _ in range(6000):
            if lane.open:
                return ahead
            time.sleep(0.01)
    raise AssertionError("the process did not start")


def found_by(ahead: Ahead, texts: list[Text]) -> Found:
    with ahead.lane(builtin_detector("balanced")) as lane:
        lane.send(texts)
        return lane.receive()


def child_of(ahead: Ahead) -> Child:
    (reader,) = ahead._children
    return reader.child


def test_findings_of_a_process_are_those_of_the_detector(ahead: Ahead) -> None:
    lines = files("securevec.cli.recall").joinpath("lines.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [(name, str(orjson.loads(line)["text"])) for line in lines[:300] for name in ("body", "customer_name")]
    texts += [("", ""), ("note", "Dear Zoë, mail jürgen@exämple.com\nor +49 30 123456"), ("note", "x" * 9000)]
    detector = builtin_detector("balanced")
    found = found_by(ahead, texts)
    assert found == {(name, text): detector.detect(text, field_name=name) for name, text in texts}
    assert sum(map(bool, found.values())) > 100


def test_a_text_that_cannot_be_read_is_refused_here_with_its_reason(ahead: Ahead) -> None:
    assert found_by(ahead, [("note", "no \ud800 text")]) == {}
    assert found_by(ahead, [("note", "mail jane@example.com"), ("note", "x" * 20_000_000)]).keys() <= {
        ("note", "mail jane@example.com")
    }
    assert found_by(ahead, [("note", "mail jane@example.com")]), "nothing at all is read"
    with pytest.raises(DetectorError):
        builtin_detector("balanced").detect("no \ud800 text")


def test_a_process_gets_no_secret_of_ours_and_holds_no_file(ahead: Ahead) -> None:
    place = Path(f"/proc/{child_of(ahead).pid}")
    assert SECRET.encode() not in (place / "environ").read_bytes()
    held = {os.readlink(each).partition(":")[0] for each in (place / "fd").iterdir()}
    assert held <= {"pipe", "/dev/null"}, held
    assert "Max file size             0 " in (place / "limits").read_text()


def test_an_answer_that_nobody_took_is_not_the_next_one_s(ahead: Ahead) -> None:
    with ahead.lane(builtin_detector("balanced")) as lane:
        lane.send([("note", "call Jane Smith"), ("note", "second")])
    assert found_by(ahead, [("note", "mail a@example.com")])[("note", "mail a@example.com")][0].entity == "EMAIL"


def test_only_one_operation_at_a_time_has_the_processes(ahead: Ahead) -> None:
    detector = builtin_detector("balanced")
    with ahead.lane(detector) as first, ahead.lane(detector) as second:
        assert first.open
        assert not second.open
        second.send([("note", "text")])
        assert second.receive() == {}
    with ahead.lane(detector) as third:
        assert third.open


def test_another_detector_has_no_processes(ahead: Ahead) -> None:
    class Own:
        def detect(self, text: str, *, field_name: str = "") -> list[Any]:
            return []

    assert not ahead.lane(Own()).open


def test_the_processes_of_one_store_do_not_read_for_another_one_s_detector(ahead: Ahead) -> None:
    """They would leave out what this one finds, or replace what it keeps."""
    with ahead.lane(builtin_detector("high")) as other:
        assert not other.open
        other.send([("note", "text")])
        assert other.receive() == {}
    assert found_by(ahead, [("note", "mail a@example.com")])


class Played:
    """Stands where every process would be: says that it decides by ``digest``, and answers with the same each time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, digest: str, answer: bytes) -> None:
        self.asked: list[bytes] = []
        self.ended = 0

        def start(child: Child, *given: object, **named: object) -> None:
            return None

        def greeting(child: Child) -> bytes:
            return orjson.dumps({"detector": digest})

        def give(child: Child, request: bytes, *, seconds: float) -> None:
            self.asked.append(request)

        def following(child: Child, *, seconds: float) -> bytes:
            return answer

        def end(child: Child) -> None:
            self.ended += 1

        for name, made in {
            "__init__": start,
            "greeting": greeting,
            "give": give,
            "next": following,
            "end": end,
        }.items():
            monkeypatch.setattr(Child, name, made)


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{}",
        b"no JSON",
        orjson.dumps([[[0, 99, "EMAIL", 0.9, "email", 80]]]),
        orjson.dumps([[[-1, 2, "EMAIL", 0.9, "email", 80]]]),
        orjson.dumps([[[0, 2, None, 0.9, "email", 80]]]),
        orjson.dumps([[[0, 2, "EMAIL", 0.9, "email"]]]),
        orjson.dumps([7]),
    ],
)
def test_what_is_no_answer_is_not_believed(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, builtin_detector("balanced").digest, answer)
    ahead = Ahead(jobs=1, worth=0.0)
    assert found_by(ahead, [("note", "mail a@example.com")]) == {}
    assert played.ended, "a process that answers with nonsense is ended"
    assert found_by(ahead, [("note", "mail a@example.com")]) == {}


def test_a_process_that_decides_by_other_rules_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, "0" * 64, b"[[]]")
    assert found_by(Ahead(jobs=1, worth=0.0), [("note", "text")]) == {}
    assert not played.asked
    assert played.ended


def test_no_process_is_started_before_it_pays_or_on_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Child, *given: Any, **named: Any) -> None:
        raise AssertionError("started")

    monkeypatch.setattr(Child, "__init__", refused)
    for ahead in (Ahead(jobs=1, worth=1.0), Ahead(jobs=0, worth=0.0)):
        ahead.spent(0.9)
        assert found_by(ahead, [("note", "text")]) == {}


def test_a_process_ends_with_its_parent() -> None:
    ahead = started(Ahead(jobs=1, worth=0.0))
    process = child_of(ahead)._process
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    ahead.close()
    assert found_by(ahead, [("note", "text")]) == {}


def nothing() -> None:
    return None


class Watched(Ahead):
    """Notes what was found ahead, and lets a test act between the batches."""

    def __init__(self, inner: Ahead) -> None:
        super().__init__(jobs=0)
        self.inner = inner
        self.received: list[int] = []
        self.then: Callable[[], None] = nothing

    def lane(self, detector: Any) -> Lane:
        lane, take = self.inner.lane(detector), Lane.receive

        def receive() -> Found:
            found = take(lane)
            self.received.append(len(found))
            self.then()
            return found

        lane.receive = receive  # type: ignore[method-assign]  # the test looks on
        return lane


@pytest.fixture
def watched(tmp_path: Path, ahead: Ahead) -> Iterator[tuple[World, Watched]]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        world = open_world(store, home, key_file)
        store.runtime.ahead.close()
        looking = store.runtime.ahead = Watched(ahead)
        yield world, looking


ROWS = [
    ticket(number, f"Jane Smith{number} wrote from jane{number}@example.com about {number}.") for number in range(14)
]


def stored(world: World, rows: Any) -> Any:
    return ingest(world.store.runtime, world.acme._scope, rows, batch=4)


def contents(world: World) -> list[Any]:
    return sorted((hit.model_dump_json() for hit in world.acme.iter()), key=str)


def test_records_read_ahead_are_stored_as_those_that_were_not(watched: tuple[World, Watched]) -> None:
    world, looking = watched
    report = stored(world, ROWS)
    ahead_of_it = contents(world)
    assert report.new == len(ROWS)
    assert report.redactions["EMAIL"] == 2 * len(ROWS), "the customer's and the one in the text"
    # The first batch is read here; customer, title and body of each record in the other three ahead of their turn.
    assert looking.received[0] >= 4
    assert sum(looking.received) >= 10
    world.acme.delete([row["id"] for row in ROWS])
    looking.inner = Ahead(jobs=0)
    assert stored(world, ROWS).redactions == report.redactions
    assert contents(world) == ahead_of_it


def test_records_that_are_there_already_are_not_read_ahead(watched: tuple[World, Watched]) -> None:
    world, looking = watched
    stored(world, ROWS)
    looking.received.clear()
    changed = ticket(9, "Another text.")
    assert stored(world, [*ROWS[:9], changed, *ROWS[10:]]).unchanged == len(ROWS) - 1
    assert 1 <= sum(looking.received) <= len(changed)


def test_a_source_that_fails_loses_no_batch_before_it(watched: tuple[World, Watched]) -> None:
    world, _ = watched

    def rows() -> Iterator[Any]:
        yield from ROWS[:9]
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        stored(world, rows())
    assert world.acme.count() == 8
    assert stored(world, ROWS).unchanged == 8


def test_a_process_that_is_killed_costs_time_and_no_record(
    watched: tuple[World, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, looking = watched
    looking.inner = own = started(Ahead(jobs=1, worth=0.0))

    def kill() -> None:
        for reader in own._children:
            reader.child._process.kill()

    looking.then = kill
    report = stored(world, ROWS)
    assert (report.new, report.redactions["EMAIL"]) == (len(ROWS), 2 * len(ROWS))
    assert 0 in looking.received, "the process went on"
    own.close()


def test_detection_that_fails_ahead_fails_here_and_nothing_is_stored(
    watched: tuple[World, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, looking = watched

    def died(self: Child, *, seconds: float) -> bytes:
        raise Died(late=True)

    played = Played(monkeypatch, builtin_detector("balanced").digest, b"")
    monkeypatch.setattr(Child, "next", died)
    looking.inner = started(Ahead(jobs=1, worth=0.0))

    def broken(self: BuiltinDetector, text: str, *, field_name: str = "") -> list[Any]:
        raise DetectorError("The pattern engine failed; nothing was scanned.")

    def broken_together(self: BuiltinDetector, texts: Iterable[Text]) -> list[Any]:
        raise DetectorError("The pattern engine failed; nothing was scanned.")

    monkeypatch.setattr(BuiltinDetector, "detect", broken)
    monkeypatch.setattr(BuiltinDetector, "detect_each", broken_together)
    with pytest.raises(DetectorError):
        stored(world, ROWS)
    assert world.acme.count() == 0
    assert played.asked
    looking.inner.close()


def test_stores_of_one_process_share_the_processes_and_the_last_one_ends_them() -> None:
    first, second = shared_ahead(), shared_ahead()
    assert first is second
    first._worth = 0.0
    started(first)
    process = child_of(first)._process
    first.close()
    assert process.poll() is None
    second.close()
    assert process.wait(timeout=30) is not None
    third = shared_ahead()
    assert third is not first
    third.close()
