"""Each guard removed in turn, so that a reader sees which of them carries the load.

Where a second barrier stands behind the first, removing one changes nothing, and removing both leaks: the tests above
this file would notice. Where a guard stands alone, removing it makes its attack succeed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import securevec as sv
from securevec import search
from securevec.attack.rows import Vandal, stored
from securevec.crypto.armour import from_text
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, read_key_id
from securevec.errors import (
    IsolationViolation,
    RecordNotFound,
)
from securevec.filters import Expr
from securevec.keys.keyring import KeyRing
from securevec.keys.keyview import KeyView
from securevec.reading import judge, live
from securevec.state.runtime import CollectionScope, Runtime
from securevec.testing.lying import Lie
from securevec.types import Namespace, StoredPoint
from tests.support.attacks import (
    ACME_MARK,
    DAY_MS,
    GLOBEX_MARK,
    Pair,
    Stage,
    open_stage,
    texts_of,
    without_counting_each_point_once,
)
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

Patch = pytest.MonkeyPatch


def do_nothing(*arguments: object, **named: object) -> None:
    """What stands where a guard stood."""


def always(expr: Expr, row: object) -> bool:
    return True


def never(expires_ms: int | None, *, now_ms: int) -> bool:
    return False


def foreign(hits: sv.SearchResult[Ticket]) -> int:
    return sum(ACME_MARK in hit.text for hit in hits)


# -- the two barriers between tenants --------------------------------------------------------------------------------


def remove_the_namespace(stage: Stage, patch: Patch) -> None:
    """The first barrier. On the shared layout the filter itself is taken out; elsewhere every place answers."""
    if stage.engine != "server":
        stage.trap.lie = Lie.IGNORE_NAMESPACE
        return
    from qdrant_client.models import Filter

    from securevec_qdrant import server, server_filters

    fenced = server_filters.fenced

    def unfenced(namespace: Namespace, *, where: Expr | None = None, ids: Sequence[UUID] | None = None) -> Filter:
        conditions = fenced(namespace, where=where, ids=ids).must
        assert isinstance(conditions, list)
        return Filter(must=conditions[2:])

    def believed(namespace: Namespace, point: object, payload: Any, *, score: float = 0.0, vector: Any = None) -> Any:
        return StoredPoint(UUID(str(point)), dict(payload), score, vector)

    patch.setattr(server, "fenced", unfenced)
    patch.setattr(server, "stored_point", believed)


def remove_the_envelopes_place(patch: Patch) -> None:
    """The second barrier: any envelope is opened with the key it names, in the place that key belongs to."""

    def open_anywhere(
        keys: KeyRing | KeyView,
        collection: CollectionScope,
        point: StoredPoint,
        *,
        payload_key: str,
        path: str,
        blob: bytes | None = None,
    ) -> bytes:
        blob = from_text(point.payload.get(payload_key))
        key = keys.key_by_id(read_key_id(blob))
        return open_sealed(key, blob, Place(tenant=key.tenant, collection=key.collection, point=point.id, field=path))

    patch.setattr(judge, "open_envelope", open_anywhere)
    patch.setattr(judge, "check_place", do_nothing)


@pytest.fixture(params=["memory", "edge", "chroma", "server"])
def walled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with open_stage(tmp_path, str(request.param)) as stage:
        yield stage.pair().fill()


def test_without_the_namespace_the_envelope_still_keeps_foreign_rows_out(
    walled: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What stands in place of addresses differs from run to run, and with it which row is nearest to a text: a foreign
    # row's own vector is nearest to that row.
    foreigner = Vandal(walled.stage, walled.acme).row()
    remove_the_namespace(walled.stage, monkeypatch)
    hits = walled.globex.search(f"refund {GLOBEX_MARK}", k=12)
    assert (len(hits), foreign(hits)) == (8, 0)
    assert hits.violations == 8
    assert GLOBEX_MARK in walled.globex.get("T-1").body
    with pytest.raises(IsolationViolation):
        walled.globex.search(vector=foreigner.vector, k=1)


def test_without_the_envelopes_place_the_namespace_still_keeps_foreign_rows_out(
    walled: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_the_envelopes_place(monkeypatch)
    hits = walled.globex.search(f"refund {ACME_MARK} case", k=100)
    assert len(hits) == 8
    assert foreign(hits) == 0


def test_without_both_foreign_rows_are_answered(walled: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    remove_the_namespace(walled.stage, monkeypatch)
    remove_the_envelopes_place(monkeypatch)
    hits = walled.globex.search(f"refund {ACME_MARK} case", k=8)
    assert foreign(hits) > 0


def test_without_the_place_a_row_copied_behind_the_wall_is_answered(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    Vandal(lone_pair.stage, lone_pair.globex).put(Vandal(lone_pair.stage, lone_pair.acme).row())
    assert foreign(lone_pair.globex.search("refund", k=100)) == 0
    remove_the_envelopes_place(monkeypatch)
    assert foreign(lone_pair.globex.search("refund", k=100)) == 1


# -- what else is judged ---------------------------------------------------------------------------------------------


def all_of_them(
    runtime: Runtime, collection: CollectionScope, found: Sequence[object], asked: object
) -> tuple[list[object], bool]:
    return list(found), False


def any_generation_is_live(judged: object, known: object) -> str:
    return "live"


def test_without_the_manifest_a_deleted_record_put_back_is_served(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    old = globex.row_of("T-2")
    lone_pair.globex.delete("T-2")
    globex.put(old)
    assert "T-2" not in {hit.id for hit in lone_pair.globex.search("refund", k=100)}
    monkeypatch.setattr(judge, "_state_of", any_generation_is_live)
    # The manifest is asked a second time before the answer leaves.
    assert "T-2" not in {hit.id for hit in lone_pair.globex.search("refund", k=100)}
    monkeypatch.setattr(search, "_still_live", all_of_them)
    assert "T-2" in {hit.id for hit in lone_pair.globex.search("refund", k=100)}


def test_without_the_sealed_filter_values_an_edited_copy_is_served(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    globex.put(globex.row_of("T-2").but(f_status="open"))
    where = sv.F("status") == "open"
    assert "T-2" not in {hit.id for hit in lone_pair.globex.search("refund", where=where, k=100)}
    monkeypatch.setattr(judge, "matches", always)
    assert "T-2" in {hit.id for hit in lone_pair.globex.search("refund", where=where, k=100)}


def test_without_the_sealed_expiry_an_edited_hint_is_served(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    globex.put(globex.row_of("T-2").but(x=2**50))
    lone_pair.stage.time.forward(181 * DAY_MS)
    assert len(lone_pair.globex.search("refund", k=100)) == 0
    monkeypatch.setattr(judge, "expired", never)
    assert len(lone_pair.globex.search("refund", k=100)) == 0, "the last look before an answer reads it again"
    monkeypatch.setattr(search, "expired", never)
    assert "T-2" in {hit.id for hit in lone_pair.globex.search("refund", k=100)}


def test_without_the_point_ids_check_the_envelope_still_refuses_a_moved_row(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    globex.put(replace(globex.row_of("T-2"), id=uuid4()))
    monkeypatch.setattr(judge, "check_place", do_nothing)
    hits = lone_pair.globex.search("refund", k=100)
    assert (len(hits), hits.violations) == (8, 1)


def test_without_asking_for_exactly_this_point_another_record_is_answered(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = stored(Vandal(lone_pair.stage, lone_pair.globex).row_of("T-2"))
    lone_pair.stage.trap.edit_fetch = lambda found: [other]
    with pytest.raises(IsolationViolation):
        lone_pair.globex.get("T-1")

    def believed(runtime: Runtime, collection: CollectionScope, ids: Sequence[UUID]) -> list[StoredPoint]:
        return runtime.backend().fetch(namespace=collection.namespace, ids=ids)

    monkeypatch.setattr(live, "fetch_only", believed)
    assert lone_pair.globex.get("T-1").id == "T-2"


def test_without_counting_each_point_once_a_repeated_one_pushes_others_out(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone_pair.stage.trap.edit = lambda found: [point for point in found for _ in range(3)]
    assert len({hit.id for hit in lone_pair.globex.search("refund", k=3)}) == 3
    without_counting_each_point_once(monkeypatch)
    assert len({hit.id for hit in lone_pair.globex.search("refund", k=3)}) == 1


def test_without_the_limit_on_wrong_answers_a_flooded_search_looks_like_an_empty_one(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone_pair.stage.trap.lie = Lie.FOREIGN
    with pytest.raises(IsolationViolation):
        lone_pair.globex.search("refund", k=8)

    class Uncounted(judge.Verdicts):
        """Never sees a violation."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, 0 if name == "violations" else value)

    monkeypatch.setattr(judge, "Verdicts", Uncounted)
    hits = lone_pair.globex.search("refund", k=8)
    assert (len(hits), hits.violations) == (0, 0)
    assert texts_of(hits) == ""
    with pytest.raises(RecordNotFound):
        lone_pair.globex.get("T-99")
