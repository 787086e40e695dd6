"""A filter or an id that cannot be honoured: a typed error that names the field, in every verb that takes one, and
nothing is done. Neither the store nor the embedder is asked, nothing is deleted, and the refusal is in the audit log.
These are not cases of the shipped suite, because store and embedder are exchanged for ones that must not be asked."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

import securevec as sv
from securevec.backend import VectorBackend
from securevec.errors import EmbedderError, FilterError, RecordError
from securevec.filters import And, Compare, Exists, Expr, F, In, Not, Or
from securevec.testing.embedders import HashEmbedder
from tests.support.attacks import Pair
from tests.support.world import Ticket

Verb = Callable[[sv.Collection[Ticket], Expr], object]

VERBS: dict[str, Verb] = {
    "search": lambda handle, where: handle.search("refund", where=where),
    "search like": lambda handle, where: handle.search(like="T-1", where=where),
    "search in a batch": lambda handle, where: handle.search_batch(["refund"], where=where),
    "count": lambda handle, where: handle.count(where),
    "page": lambda handle, where: handle.page(where=where),
    "iter": lambda handle, where: list(handle.iter(where)),
    "export": lambda handle, where: handle.export(io.BytesIO(), format="jsonl", where=where),
    "delete": lambda handle, where: handle.delete(where=where),
}


def _named(key: str) -> Expr:
    """A filter on a key that ``F`` would not take, as it could be forged."""
    made = Compare("status", "eq", "open")
    object.__setattr__(made, "key", key)
    return made


def _bomb() -> Expr:
    made: Expr = Exists("status")
    for turn in range(50_000):
        made = Not(made) if turn % 2 else And((made,))
    return made


BAD: dict[str, tuple[str | None, Callable[[], Expr]]] = {
    "the tenant tag": ("t", lambda: F("t") == "0" * 32),
    "the collection tag": ("c", lambda: F("c").exists()),
    "the tenant by a name": ("tenant", lambda: F("tenant") == "globex"),
    "the tenant, negated": ("tenant_id", lambda: ~(F("tenant_id") == "globex")),
    "a payload key": ("f_status", lambda: F("f_status") == "open"),
    "the sealed body": ("b", lambda: F("b").exists()),
    "the expiry": ("x", lambda: F("x") > 0),
    "a field that is sealed": ("notes", lambda: F("notes").exists()),
    "the key": ("id", lambda: F("id") == "T-1"),
    "a dunder": ("__class__", lambda: F("__class__").exists()),
    "an operator in a name": ("status__ne", lambda: F("status__ne") == "open"),
    "a path": ("status.x", lambda: _named("status.x")),
    "an index": ("status[]", lambda: Or((F("status") == "open", _named("status[]")))),
    "another type": ("status", lambda: F("status") == 1),
    "another type among values": ("opened", lambda: ~F("opened").is_in([1, "yesterday"])),
    "an order on a text": ("status", lambda: Compare("status", "lt", 3)),
    "no values": ("status", lambda: In("status", ())),
    "no members": (None, lambda: And((F("status") == "open", Or(())))),
    "10,000 clauses": (None, lambda: Or(tuple(Compare("status", "eq", str(number)) for number in range(10_000)))),
    "a depth bomb": (None, _bomb),
}


@pytest.fixture
def idle(memory_calm: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """The pair, on a store and with an embedder that are not to be asked anything."""
    for verb in ("ensure", "insert", "fetch", "query", "scan", "count", "delete", "purge", "drop", "namespaces"):
        assert verb in VectorBackend.__dict__
        monkeypatch.setattr(memory_calm.stage.trap, verb, _asked(f"the store: {verb}"))
    monkeypatch.setattr(HashEmbedder, "embed", _asked("the embedder"))
    return memory_calm


def _asked(whom: str) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise AssertionError(f"asked {whom}")

    return fail


@pytest.mark.parametrize("name", BAD)
def test_a_filter_that_cannot_be_honoured_does_nothing_anywhere(idle: Pair, name: str) -> None:
    field, build = BAD[name]
    for verb, call in VERBS.items():
        with pytest.raises(FilterError) as caught:
            call(idle.globex, build())
        assert caught.value.field == field, verb
        assert idle.stage.audit()[-1]["error"] == "FilterError", verb


def test_a_filter_that_is_whole_would_have_been_asked(idle: Pair) -> None:
    """The test above can fail."""
    for call in VERBS.values():
        with pytest.raises((AssertionError, EmbedderError)):
            call(idle.globex, F("status") == "open")


def test_empty_lists_of_ids_mean_none_and_never_all(memory_calm: Pair) -> None:
    backend, place = memory_calm.stage.trap, memory_calm.globex._scope.namespace
    before = memory_calm.globex.count()
    assert memory_calm.globex.delete([]).deleted == 0
    assert memory_calm.globex.delete(()).deleted == 0
    backend.delete(namespace=place, ids=[])
    assert backend.fetch(namespace=place, ids=[]) == []
    assert memory_calm.globex.search_batch([]) == []
    assert memory_calm.globex.count() == before == backend.count(namespace=place)


@pytest.mark.parametrize(
    "wrong", [b"T-1", bytearray(b"T-1"), True, None, 1.0, {"id": "T-1"}, [["T-1"]], "\ud800", "x" * 1025]
)
def test_deleting_what_is_no_record_id(memory_calm: Pair, wrong: object) -> None:
    anything: Any = wrong
    with pytest.raises(RecordError):
        memory_calm.globex.delete(anything)
    assert memory_calm.globex.count() == 8
