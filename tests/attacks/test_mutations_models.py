"""The guards of the list of models removed one at a time: what a model receives then, which the tests of
``test_p8_models`` and ``test_p8_released_texts`` hold at nothing."""

from __future__ import annotations

import pytest

from securevec.egress import gate, governed
from securevec.keys.keyview import KeyView
from securevec.policy.models import ModelAnswer
from securevec.reading import releasing
from securevec.types import RecordRef
from tests.support.attacks import GLOBEX_MARK, Stage, text
from tests.support.models import CountingEmbedder, edit_control
from tests.support.world import Ticket


def do_nothing(*arguments: object, **named: object) -> None:
    """What stands where a guard stood."""


def yes(*arguments: object) -> ModelAnswer:
    return ModelAnswer(True, "listed")


def test_without_the_gate_a_denied_embedder_receives_texts(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.deny_model("hash")
    before = embedder.received
    monkeypatch.setattr(governed, "require_model", do_nothing)
    assert handle.search("refund", k=1)
    handle.ingest([text(60, "leaked")])
    assert embedder.received > before


def test_without_the_denial_of_what_no_entry_names_a_foreign_model_gets_texts(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, _ = counting
    hits = stage.pair().fill().acme.search("refund", k=1)
    stage.store.allow_model("gpt-5", ["internal"], kind="chat")
    monkeypatch.setattr(gate, "may_receive", yes)
    assert hits.for_model("evil", purpose="answer").texts


def test_without_reading_again_a_release_hands_out_what_was_deleted_or_never_there(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, _ = counting
    pair = stage.pair().fill()
    hits = pair.acme.search("refund", k=1)
    theirs = pair.globex.search("refund", k=1)
    pair.acme.delete([hits[0].id])
    view = stage.store.runtime.keys.view()

    def not_looked_at(*arguments: object) -> tuple[list[RecordRef], KeyView]:
        return [], view

    monkeypatch.setattr(releasing, "_still_so", not_looked_at)
    assert hits.for_model("gpt-5", purpose="answer").texts
    hits._hits = theirs._hits
    del hits.__dict__["_numbered"]
    assert GLOBEX_MARK in hits.for_model("gpt-5", purpose="answer").prompt


def test_without_the_look_at_the_collections_row_a_raised_classification_is_not_seen(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, embedder = counting
    handle = stage.acme.collection(Ticket, name="raised")
    stage.store.allow_model("hash", ["internal"], kind="embedder")
    names = stage.store.runtime.names
    edit_control(stage.home, "UPDATE collection SET classification = ?", names.classification_token("restricted"))
    before, believed = embedder.received, names.classification_token("internal")

    def as_opened(tenant: str, collection: str) -> str:
        return believed

    monkeypatch.setattr(stage.store.runtime.control, "classification_of", as_opened)
    handle.ingest([text(1, "leaked")])
    assert embedder.received > before
