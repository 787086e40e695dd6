"""P8, the list of models: a change that another overtook is not said to be made, and an answer names what is there."""

from __future__ import annotations

import pytest

from securevec.egress import registry
from securevec.errors import CollectionNotFound, ControlUnavailable
from securevec.policy.models import Use
from securevec.types import CollectionId
from tests.support.attacks import Stage
from tests.support.models import NAME, CountingEmbedder


def test_a_change_that_another_one_overtook_is_an_error_and_the_other_stays(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, _ = counting
    control = stage.store.runtime.control
    honest = control.model_list

    def read_and_overtaken() -> bytes | None:
        before = honest()
        monkeypatch.setattr(control, "model_list", honest)
        stage.store.allow_model("first", ["internal"], kind="chat")
        return before

    monkeypatch.setattr(control, "model_list", read_and_overtaken)
    with pytest.raises(ControlUnavailable, match="meanwhile"):
        stage.store.allow_model("second", ["internal"], kind="chat")
    assert [entry.model for entry in stage.store.models() or ()] == ["first"]
    assert [record["outcome"] for record in stage.audit(2)] == ["failed", "allowed"]


def test_nothing_is_said_of_a_collection_that_the_tenant_has_not(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, _ = counting
    pair, runtime = stage.pair(), stage.store.runtime
    scope = stage.store._of("acme")
    use = Use(NAME, "embedder", scope.tenant, "internal")
    for collection in (pair.globex.id, CollectionId("0" * 32)):
        with pytest.raises(CollectionNotFound):
            registry.check_model(runtime, scope, use, collection)


def test_a_look_at_the_list_counts_what_it_showed(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, _ = counting
    assert stage.store.models() is None
    assert stage.audit()[0]["counts"] == {"found": 0}
    for name in ("first", "second"):
        stage.store.allow_model(name, ["internal"], kind="chat")
    assert len(stage.store.models() or ()) == 2
    assert stage.audit()[0]["counts"] == {"found": 2}
