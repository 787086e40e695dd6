"""Several tenants on one store, any public operation in any order with hostile arguments, and a model that knows what
each must be answered with: nothing a caller passes shows a record of another tenant, or changes one.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

import securevec as sv
from securevec.attack.stage import Ticket, ticket
from securevec.clock import Clock
from securevec.errors import FilterError, RecordNotFound, SecurevecError, TenantNotFound, TenantUnavailable
from securevec.filters import Compare
from securevec.state.placement import placed
from securevec.testing.embedders import HashEmbedder
from tests.support.attacks import Time, chroma_at, local_server
from tests.support.chroma_server import chroma_server
from tests.support.governed_tenants import HOSTILE, NAMES, NUMBERS, WHO, Held
from tests.support.visited_tenants import Visited

OPEN = sv.F("status") == "open"
KEYS = st.sampled_from(["t", "c", "b", "a.b", "a[]", "f_status", 'status"', "id", "tenant"])


class Tenants(Visited):
    """``backend`` is set on a subclass."""

    backend = "memory"
    opener: Any = None

    def __init__(self) -> None:
        super().__init__()
        self._closing = contextlib.ExitStack()
        root = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="securevec-")))
        self._time = Time()
        self._store = self._closing.enter_context(
            sv.SecureStore.open(
                root / "home",
                backend="memory" if self.opener else self.backend,
                key_file=root / "keys" / "root.key",
                embedder=HashEmbedder(),
                clock=Clock(self._time),
            )
        )
        if opener := type(self).opener:
            self._store.runtime.engine._opener = lambda: placed(opener(), self._store.runtime.control.placement)
        self._born = 0
        self._held: list[Held] = []
        self._dead: list[sv.Collection[Ticket]] = []

    @initialize()
    def found(self) -> None:
        """Everybody has something from the beginning on: a wall between empty rooms proves nothing, and a short run may
        look into a room before anything was brought there."""
        self._held = [self._new(name) for name in NAMES]
        for who in range(len(NAMES)):
            self.ingest(who, 1, 0, "open")
            self.ingest(who, 2, 0, "closed")

    def teardown(self) -> None:
        with contextlib.suppress(SecurevecError):
            for name in NAMES:
                self._store.delete_tenant(name)
        self._closing.close()

    def _new(self, name: str) -> Held:
        self._born += 1
        tenant = self._store.tenant(name, create=True, actor=sv.Actor(f"svc:{name}"))
        # One tenant's vectors lie under a cloak: nothing that the others do differs by it.
        cloak = sv.Cloak(noise=2.0) if name == NAMES[0] else None
        return Held(f"mark{self._born}x", tenant, tenant.collection(Ticket, retention="180d", cloak=cloak))

    @rule(who=WHO, number=NUMBERS, version=st.integers(0, 3), status=st.sampled_from(["open", "closed"]))
    def ingest(self, who: int, number: int, version: int, status: str) -> None:
        held, body = self._held[who], f"{self._held[who].mark} case {number} version {version}"
        other = self._held[(who + 1) % len(self._held)].handle._scope.namespace
        row = ticket(number, body, status=status) | {"t": other.tenant_tag, "c": other.collection_tag, "tenant_id": "x"}
        report = held.handle.ingest([row])
        if number in held.fenced:
            assert [each.error for each in report.refused] == ["SubjectErased"]
            return
        held.records[f"T-{number}"] = (body, status)

    @rule(who=WHO, number=NUMBERS, status=st.sampled_from(["open", "closed"]))
    def update(self, who: int, number: int, status: str) -> None:
        held, name = self._held[who], f"T-{number}"
        if name not in held.records:
            with pytest.raises(RecordNotFound):
                held.handle.update(name, status=status)
            return
        held.handle.update(name, status=status)
        held.records[name] = (held.records[name][0], status)

    @rule(who=WHO, numbers=st.lists(NUMBERS, max_size=3, unique=True), hostile=HOSTILE)
    def delete(self, who: int, numbers: list[int], hostile: str) -> None:
        held, names = self._held[who], [f"T-{number}" for number in numbers]
        with contextlib.suppress(SecurevecError):
            assert held.handle.delete([hostile]).deleted == 0
        shown, due = held.records.keys() & names, held.due & set(names)
        assert len(shown) <= held.handle.delete(names).deleted <= len(shown | due)
        held.due.difference_update(names)
        for name in names:
            held.records.pop(name, None)

    @rule(who=WHO)
    def delete_by_filter(self, who: int) -> None:
        held = self._held[who]
        held.handle.delete(where=OPEN)
        held.records = {name: row for name, row in held.records.items() if row[1] != "open"}

    @rule(who=WHO, whom=WHO, number=NUMBERS)
    def search(self, who: int, whom: int, number: int) -> None:
        held, other = self._held[who], self._held[whom]
        self._agrees(held, held.handle.search(f"{other.mark} case {number}", k=100), held.records)
        wanted = {name: row for name, row in held.records.items() if row[1] == "open"}
        self._agrees(
            held, held.handle.search(f"{other.mark} case", where=OPEN | ~(sv.F("status") != "open"), k=9), wanted
        )
        for found in held.handle.search_batch([other.mark, "case"], k=100, group_by="record"):
            self._agrees(held, found, held.records)

    @rule(who=WHO, number=NUMBERS, hostile=HOSTILE)
    def get(self, who: int, number: int, hostile: str) -> None:
        held = self._held[who]
        for name in (f"T-{number}", hostile):
            if name in held.records:
                assert (held.handle.get(name).body, held.handle.exists(name)) == (held.records[name][0], True)
            else:
                with pytest.raises(SecurevecError):
                    held.handle.get(name)
                with pytest.raises(SecurevecError):
                    held.handle.search(like=name)

    @rule(who=WHO, whom=WHO, key=KEYS)
    def forged_filter(self, who: int, whom: int, key: str) -> None:
        condition = Compare("status", "eq", self._held[whom].handle._scope.namespace.tenant_tag)
        object.__setattr__(condition, "key", key)
        handle = self._held[who].handle
        with pytest.raises(FilterError):
            handle.count(condition)
        with pytest.raises(FilterError):
            handle.page(where=condition)

    @rule(who=WHO, whom=WHO)
    def foreign_cursor_and_name(self, who: int, whom: int) -> None:
        held, other = self._held[who], self._held[whom]
        cursor = other.handle.page(limit=1).cursor
        if cursor is not None and who != whom:
            with pytest.raises(SecurevecError):
                held.handle.page(cursor=cursor)
        if who != whom:
            with pytest.raises(TenantNotFound):
                self._store.tenant(NAMES[whom], actor=sv.Actor(f"svc:{NAMES[who]}"))

    @rule(who=WHO)
    def export(self, who: int) -> None:
        held, target = self._held[who], io.BytesIO()
        held.handle.export(target)
        rows = [json.loads(line) for line in target.getvalue().splitlines()]
        assert {row["id"]: row["body"] for row in rows} == {name: row[0] for name, row in held.records.items()}

    @rule(who=WHO)
    def delete_the_tenant_and_use_its_name_again(self, who: int) -> None:
        self._dead.append(self._held[who].handle)
        self._store.delete_tenant(NAMES[who]).raise_if_incomplete()
        self._held[who] = self._new(NAMES[who])

    @rule(who=WHO)
    def suspend_and_resume(self, who: int) -> None:
        self._store.suspend_tenant(NAMES[who])
        with pytest.raises(TenantUnavailable):
            self._held[who].handle.search("case")
        self._store.resume_tenant(NAMES[who])

    @invariant()
    def every_tenant_has_its_own_and_nothing_else(self) -> None:
        for held in self._held:
            assert held.handle.count() == len(held.records)
            assert {record.id: (record.body, record.status) for record in held.handle.iter()} == held.records
        for handle in self._dead[-1:]:
            with pytest.raises(TenantUnavailable):
                handle.count()

    def _agrees(self, held: Held, found: sv.SearchResult[Ticket], wanted: dict[str, tuple[str, str]]) -> None:
        assert found.violations == 0
        assert {hit.record.id: (hit.text, hit.record.status) for hit in found} == wanted
        assert len(found) == len(wanted)


def play(backend: str, *, examples: int, steps: int, opener: Any = None, shrink: bool = True) -> None:
    machine = type("Machine", (Tenants,), {"backend": backend, "opener": staticmethod(opener) if opener else None})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_operation_of_all_there_are_crosses_the_wall(data: st.DataObject) -> None:
    """Each of them once, in an order that was drawn, while everybody has something: a short run of the machine leaves
    most of them out."""
    machine = Tenants()
    try:
        machine.found()
        operations = data.draw(st.permutations(machine.rules))
        assert len(operations) > 20
        for each in operations:
            for who, held in enumerate(machine._held):
                if not held.records:
                    machine.ingest(who, min({*range(1, 7)} - held.fenced), 0, "open")
            each.function(machine, **{name: data.draw(drawn) for name, drawn in each.arguments.items()})
            machine.every_tenant_has_its_own_and_nothing_else()
    finally:
        machine.teardown()


@pytest.mark.parametrize(("backend", "examples"), [("memory", 4), ("edge", 2), ("chroma", 1)])
def test_no_order_of_operations_and_no_argument_crosses_the_wall(backend: str, examples: int) -> None:
    if backend == "chroma":
        pytest.importorskip("chromadb", reason="needs securevec[chroma]")
    play(backend, examples=examples, steps=12)


@pytest.mark.soak
@pytest.mark.parametrize("backend", ["memory", "edge", "chroma"])
def test_no_order_of_operations_and_no_argument_crosses_the_wall_at_length(backend: str) -> None:
    play(backend, examples=60, steps=50)


@pytest.mark.soak
def test_no_order_of_operations_crosses_the_wall_on_a_chroma_server(tmp_path: Path) -> None:
    with chroma_server(tmp_path / "files") as (address, _):
        play("server", examples=20, steps=40, opener=lambda: chroma_at(address))


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
def test_no_order_of_operations_crosses_the_wall_on_the_server_adapter_of_qdrant() -> None:
    """On the local mode of the vendor's client."""
    play("server", examples=20, steps=40, opener=local_server)


def test_a_model_that_expects_another_answer_is_contradicted(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*arguments: object, **named: object) -> Iterator[Ticket]:
        return iter(())

    monkeypatch.setattr(sv.Collection, "iter", nothing)
    with pytest.raises(AssertionError):
        play("memory", examples=6, steps=16, shrink=False)
