"""Detectors, embedders, policy engines, clocks and checks that others bring, answering in every wrong way there is.

What they answer is stored beside records, so what cannot be read back must not get there: one row is refused, or the
call, with an error of ours, and nothing else is lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pytest
from pydantic import field_validator

import securevec as sv
from securevec.anonymize import Finding
from securevec.audit import read_tail
from securevec.clock import Clock
from securevec.embed import ModelIdentity
from securevec.policy.rules import BuiltinPolicy, Decision, Request
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, Matrix

PRIVATE: Final = "canary-of-row"
DIMENSION: Final = HashEmbedder().identity.dimension


class Note(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]

    @field_validator("body")
    @classmethod
    def panics(cls, body: str) -> str:
        if body.endswith("panic in the check"):
            raise Panic(body)
        return body


class Panic(BaseException):
    """As a library written in Rust ends: no ``Exception``."""


class Word(str):
    """Text of somebody's own class."""


def fail(error: BaseException, *_: object) -> Any:
    raise error


def found(**parts: object) -> list[Any]:
    whole = {"start": 0, "end": 3, "entity": "PERSON", "score": 1.0, "rule": "brought", "priority": 50} | parts
    return [Finding(**cast("dict[str, Any]", whole))]


WRONG: Final[Sequence[Callable[[str], Any]]] = (
    *(partial(fail, error(PRIVATE)) for error in (Panic, RecursionError, MemoryError, StopIteration, OSError)),
    *(lambda text, answer=answer: answer for answer in (None, 5, ["x"], [(0, 3)], [{"start": 0}], "PERSON")),
    lambda text: (1 // 0 for _ in range(1)),
    lambda text: (each for _ in itertools.count() for each in found()),
    *(lambda text, at=at: found(start=at) for at in (-1, 0.0, 0.5, "0", None, 10**9, float("nan"))),
    *(lambda text, name=name: found(entity=name) for name in (None, ["x"], "", "\ud800", "person", "A" * 65, 7)),
    lambda text: found(entity=text),
    *(lambda text, score=score: found(score=score) for score in (None, "1", float("nan"), float("inf"))),
    *(lambda text, rule=rule: found(rule=rule) for rule in (None, b"rule", "\ud800", "a\nb", "r" * 201)),
    *(lambda text, priority=priority: found(priority=priority) for priority in (None, "x", 1.5)),
)


class Wrong:
    """Answers a text that ends in a number in the wrong way of this number, and finds nothing in others."""

    def detect(self, text: str, *, field_name: str = "") -> Any:
        number = text.rpartition(" ")[2]
        return WRONG[int(number)](text) if number.isdecimal() else found(entity=Word("PERSON"), start=np.int64(0))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., sv.SecureStore]]:
    stores: list[sv.SecureStore] = []

    def open_one(**given: Any) -> sv.SecureStore:
        place = tmp_path / str(len(stores))
        chosen: dict[str, Any] = {"embedder": HashEmbedder(max_tokens=32)} | given
        store = sv.SecureStore.open(place / "home", key_file=place / "root.key", backend="memory", **chosen)
        stores.append(store)
        return store

    yield open_one
    for store in stores:
        store.close()


def notes(store: sv.SecureStore) -> sv.Collection[Note]:
    return store.tenant("acme", create=True, actor=sv.Actor("svc:desk")).collection(Note)


def test_a_detector_that_answers_in_any_wrong_way_costs_its_row_and_no_other(
    opened: Callable[..., sv.SecureStore],
) -> None:
    rows: list[dict[str, str]] = []
    for number in range(len(WRONG)):
        rows += ({"id": f"bad {number}", "body": f"{PRIVATE} {number}"}, {"id": f"good {number}", "body": "The lift."})
    rows.append({"id": "bad check", "body": "panic in the check"})
    collection = notes(opened(recognizers=[Wrong()]))
    report = collection.ingest(rows)
    refused = {rows[each.row - 1]["id"] for each in report.refused}
    assert refused == {row["id"] for row in rows if row["id"].startswith("bad")}
    assert {each.error for each in report.refused} == {"DetectorError", "RecordError"}
    assert PRIVATE not in str(report.refused)
    assert report.new == collection.count() == len(WRONG)
    assert all(collection.get(f"good {number}") for number in range(len(WRONG)))
    assert len(collection.search("lift", k=50)) == len(WRONG)
    for number in range(len(WRONG)):
        with pytest.raises(sv.SecurevecError) as asked:
            collection.search(f"lift {number}")
        assert PRIVATE not in str(asked.value)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_a_signal_that_arrives_in_a_detector_ends_the_ingest_and_is_no_failed_row(
    opened: Callable[..., sv.SecureStore], ending: type[BaseException]
) -> None:
    collection = notes(opened(recognizers=[sv.recognizer("BADGE", partial(fail, ending()))]))
    with pytest.raises(ending):
        collection.ingest([{"id": "1", "body": "The lift."}])
    assert collection.count() == 0


class Embedder(HashEmbedder):
    """Right but for what is given."""

    def __init__(self, **wrong: Any) -> None:
        super().__init__(max_tokens=32)
        self._wrong = wrong

    def __getattribute__(self, name: str) -> Any:
        wrong = object.__getattribute__(self, "__dict__").get("_wrong", {})
        if name not in wrong:
            return super().__getattribute__(name)
        value = wrong[name]
        return fail(value) if isinstance(value, BaseException) else value

    def with_all(self) -> Embedder:
        return self


def said(*parts: Any) -> ModelIdentity:
    return ModelIdentity(*parts)


@pytest.mark.parametrize(
    "identity",
    [
        *(None, "model", ValueError(PRIVATE), Panic(PRIVATE)),
        # Eight bytes of the digest stand in each sealed body. Of a shorter one no body was ever read again.
        *(said("m", "1", digest, DIMENSION) for digest in ("v1", "abcd", "ab" * 7, "xyz" * 30, None)),
        *(said(name, "1", "ab" * 32, DIMENSION) for name in (None, "\ud800", "a\nb")),
        *(said("m", "1", "ab" * 32, dimension) for dimension in ("384", 1.5, True)),
    ],
)
def test_an_embedder_that_does_not_say_which_model_it_is_has_no_collection(
    opened: Callable[..., sv.SecureStore], identity: object
) -> None:
    with pytest.raises(sv.errors.EmbedderError) as refused:
        notes(opened(embedder=Embedder(identity=identity)))
    assert PRIVATE not in str(refused.value)


def answers(answer: Any) -> Callable[..., Any]:
    def answering(*_: object) -> Any:
        return fail(answer) if isinstance(answer, BaseException) else answer

    return answering


def vectors(kind: Any) -> Callable[[Sequence[AnonymizedText]], Matrix]:
    def ones(texts: Sequence[AnonymizedText]) -> Matrix:
        return cast("Matrix", np.ones((len(texts), DIMENSION), dtype=kind))

    return ones


@pytest.mark.parametrize(
    "wrong",
    [
        *({"max_tokens": limit} for limit in (0, -3, "8", None, 1.5, ValueError(PRIVATE))),
        *(
            {"token_offsets": answers(answer)}
            for answer in (None, ["ab"], [(0, 1, 2)], [(0.0, 1.0)], [(-5, 3)], [(0, 10**6)], [(9, 2)], Panic(PRIVATE))
        ),
        {"token_offsets": answers([(4, 6), (0, 3)])},
        *({"embed": answers(answer)} for answer in (None, [[1.0], [1.0, 2.0]], Panic(PRIVATE))),
        *({"embed": vectors(kind)} for kind in (complex, object, bool)),
    ],
)
def test_an_embedder_that_answers_in_any_wrong_way_stores_nothing(
    opened: Callable[..., sv.SecureStore], wrong: dict[str, Any]
) -> None:
    collection = notes(opened(embedder=Embedder(**wrong)))
    with pytest.raises(sv.errors.EmbedderError) as refused:
        collection.ingest([{"id": "1", "body": "The lift was late again this week. " * 20}])
    assert PRIVATE not in str(refused.value)
    assert collection.count() == 0


class Engine:
    """The built-in rules, but for searches."""

    def __init__(self, decide: Callable[[], Any], *, names_its_rules: bool = True) -> None:
        self._decide = decide
        self._names_its_rules = names_its_rules
        self._searching = False

    @property
    def digest(self) -> str:
        return "ab" * 16 if self._names_its_rules or not self._searching else fail(ValueError(PRIVATE))

    def decide(self, request: Request) -> Decision:
        self._searching = request.permission == "search"
        return cast("Decision", self._decide()) if self._searching else BuiltinPolicy().decide(request)


def named(rule: Any) -> Callable[[], Decision]:
    return lambda: Decision(True, rule)


@pytest.mark.parametrize(
    "engine",
    [
        *(Engine(named(rule)) for rule in (None, ["x"], 7)),
        *(Engine(answers(answer)) for answer in (None, True, Panic(PRIVATE))),
        Engine(named("x"), names_its_rules=False),
    ],
)
def test_a_policy_engine_that_cannot_be_recorded_denies_and_the_denial_is_recorded(
    opened: Callable[..., sv.SecureStore], engine: Engine
) -> None:
    store = opened(policy=engine)
    collection = notes(store)
    with pytest.raises(sv.errors.PolicyDenied):
        collection.search("lift")
    log: list[Any] = list(read_tail(store.runtime.home / "audit", log_id=store.runtime.installation_id, limit=1))
    last = log[-1]
    assert last["metadata"]["event_code"] == "search"
    assert last["unmapped"]["securevec"]["outcome"] == "denied"


@pytest.mark.parametrize("time", [-1, 10**18, 1.5e12, float("nan"), "now", True])
def test_a_clock_that_says_no_time_that_can_be_written_down_opens_nothing(
    opened: Callable[..., sv.SecureStore], time: Any
) -> None:
    with pytest.raises(sv.errors.ConfigError):
        opened(clock=Clock(lambda: time))


@pytest.mark.parametrize("policy", [True, 5, 1.5, "mask", b"mask", ["CARD"]])
def test_an_operator_policy_that_is_no_mapping_makes_no_collection(
    opened: Callable[..., sv.SecureStore], policy: Any
) -> None:
    tenant = opened().tenant("acme", create=True)
    with pytest.raises(sv.errors.ConfigError):
        tenant.collection(Note, operators=policy)


@pytest.mark.parametrize("pattern", [None, 5, "\ud800", ["x"]])
def test_a_recognizer_whose_pattern_is_no_text_is_refused(pattern: Any) -> None:
    with pytest.raises(sv.errors.ConfigError):
        sv.recognizer("BADGE", pattern)


@pytest.mark.parametrize("digest", ["\ud800", "0" * 64])
def test_a_plan_that_nobody_made_is_not_applied_whatever_it_is_called(
    opened: Callable[..., sv.SecureStore], digest: str
) -> None:
    with pytest.raises(sv.errors.PlanChanged):
        opened().apply_retention(digest)
