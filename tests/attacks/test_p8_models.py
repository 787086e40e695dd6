"""P8, the list of models: an embedder that may not receive a collection's texts receives none, whatever calls it, and a
list that cannot be read lets nobody receive anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.egress import gate
from securevec.embed import ModelIdentity
from securevec.errors import ConfigError, ControlUnavailable, EmbedderError, ModelNotAllowed, PolicyDenied
from securevec.policy.models import Use
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, CollectionId, Matrix
from tests.support.attacks import Stage, open_stage, text
from tests.support.models import (
    NAME,
    CountingEmbedder,
    edit_control,
    every_call_that_embeds,
    http_sink,
    require_refused,
)
from tests.support.world import ACME, Ticket


def test_without_a_list_nothing_changes(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, embedder = counting
    pair = stage.pair().fill()
    assert stage.store.models() is None
    assert pair.acme.search("refund", k=3)
    assert embedder.received > 0


def test_a_model_that_is_not_on_the_list_receives_nothing_from_a_collection_open_before(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model("another-model", ["internal"], kind="embedder")
    require_refused(stage, embedder, handle)
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    assert len(handle.search("refund", k=3)) == 3


def test_reading_and_deleting_go_on_for_a_model_that_may_no_longer_receive_anything(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    name = stage.pair().fill().name
    stage.store.deny_model(NAME)
    before = embedder.received
    handle = stage.acme.collection(Ticket, name=name, retention="180d")
    assert handle.get("T-1").status == "open"
    assert not any(handle.verify().findings.values())
    assert handle.delete(["T-1"]).deleted == 1
    assert stage.acme.erase_subject("customer2@example.com").about == 1
    assert embedder.received == before


def test_documents_of_a_folder_are_not_handed_to_a_model_that_may_not_receive_them(
    counting: tuple[Stage, CountingEmbedder], tmp_path: Path
) -> None:
    stage, embedder = counting
    pages = stage.acme.collection(sv.Page, name="docs")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.md").write_text("# Lifts\n\nThe lift was late.", encoding="utf-8")
    stage.store.deny_model(NAME)
    assert pages.preview_files([folder]).new == 1
    with pytest.raises(ModelNotAllowed):
        pages.ingest(folder)
    assert embedder.received == 0
    assert pages.count() == 0


def test_no_collection_is_made_for_a_model_that_may_not_receive_its_classification(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    stage.store.allow_model(NAME, ["public"], kind="embedder")
    with pytest.raises(ModelNotAllowed):
        stage.acme.collection(Ticket, name="secret", classification="restricted")
    assert stage.audit()[0]["outcome"] == "denied"
    assert "secret" not in stage.acme.collections()
    stage.acme.collection(Ticket, name="open", classification="public").ingest([text(1, "fine")])
    assert embedder.received > 0


def test_another_tenants_permission_is_not_ones_own(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, embedder = counting
    pair = stage.pair().fill()
    stage.store.allow_model(NAME, ["internal"], kind="embedder", tenant="globex")
    require_refused(stage, embedder, pair.acme)
    assert pair.globex.search("refund", k=1)


def test_denied_to_one_tenant_counts_over_allowed_to_all(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, embedder = counting
    pair = stage.pair().fill()
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    stage.store.deny_model(NAME, tenant="acme")
    require_refused(stage, embedder, pair.acme)
    assert pair.globex.search("refund", k=1)


def test_a_chat_models_permission_is_none_to_embed(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="chat")
    require_refused(stage, embedder, handle)


@pytest.mark.parametrize("listed", ["Hash", "HASH", "hash-1", "has", "hash.", "h"])
def test_a_name_that_is_nearly_the_same_is_another_model(counting: tuple[Stage, CountingEmbedder], listed: str) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(listed, ["internal"], kind="embedder")
    require_refused(stage, embedder, handle)


@pytest.mark.parametrize(
    "name",
    [
        "h\u0430sh",
        "\uff48ash",
        "hash\u200b",
        " hash",
        "hash ",
        "ha sh",
        "hash\n",
        "ha\u0301sh",
        "",
        "*",
        "h*",
        "a" * 129,
    ],
)
def test_a_name_that_only_looks_like_one_is_never_listed(counting: tuple[Stage, CountingEmbedder], name: str) -> None:
    stage, _ = counting
    calls: tuple[Callable[[], object], ...] = (
        lambda: stage.store.allow_model(name, ["internal"], kind="embedder"),
        lambda: stage.store.deny_model(name),
    )
    for call in calls:
        with pytest.raises(ConfigError, match="field model") as refusal:
            call()
        assert not name.strip("*") or name not in str(refusal.value)
    assert stage.store.models() is None


def test_texts_of_a_collection_that_is_gone_or_another_tenants_are_handed_to_nobody(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, _ = counting
    pair = stage.pair()
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    use = Use(NAME, "embedder", stage.acme.id, "internal")
    assert gate.ask(stage.store.runtime, use, pair.acme.id) == (True, "listed")
    for collection in (pair.globex.id, CollectionId("0" * 32)):
        assert gate.ask(stage.store.runtime, use, collection) == (False, "reclassified")


@pytest.mark.parametrize("edited", ["restricted", ""])
def test_a_classification_raised_or_taken_away_under_an_open_collection_is_seen(
    counting: tuple[Stage, CountingEmbedder], edited: str
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    assert handle.search("refund", k=1)
    token = stage.store.runtime.names.classification_token(edited) if edited else ""
    edit_control(stage.home, "UPDATE collection SET classification = ? WHERE collection = ?", token, handle.id)
    require_refused(stage, embedder, handle)


def test_nobody_but_the_operator_changes_or_reads_the_list(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, _ = counting
    stage.pair()
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    stage.store._actor = ACME
    for call in (
        lambda: stage.store.allow_model("evil", ["internal"], kind="chat"),
        lambda: stage.store.allow_model("evil", ["internal"], kind="chat", tenant="acme"),
        lambda: stage.store.deny_model(NAME),
        lambda: stage.store.deny_model(NAME, tenant="acme"),
        lambda: stage.store.clear_models(),
        lambda: stage.store.models(),
        lambda: stage.store.check_model(NAME, tenant="acme", collection="tickets0"),
    ):
        with pytest.raises(PolicyDenied):
            call()
        assert (stage.audit()[0]["action"], stage.audit()[0]["outcome"]) == ("model.rule", "denied")
    stage.store._actor = sv.Actor.local()
    assert [entry.model for entry in stage.store.models() or ()] == [NAME]


def test_every_change_of_the_list_is_recorded_without_its_names(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, _ = counting
    stage.store.allow_model("secretly-named", ["internal"], kind="chat", provider="provider-x", region="region-y")
    stage.store.deny_model("secretly-named", tenant="acme")
    stage.store.clear_models()
    records = stage.audit(6)
    assert [(r["action"], r["phase"], r["detail"]["change"]) for r in records] == [
        ("model.rule", phase, change)
        for change in ("replaced", "replaced", "removed")
        for phase in ("intent", "result")
    ]
    assert {r["detail"].get("model") for r in records[:4]} == {stage.store.runtime.names.model_token("secretly-named")}
    log = b"".join(path.read_bytes() for path in (stage.home / "audit").rglob("*.jsonl"))
    control = b"".join(path.read_bytes() for path in stage.home.glob("control.db*"))
    for word in (b"secretly-named", b"provider-x", b"region-y"):
        assert word not in log
        assert word not in control


def test_an_erasure_waits_for_an_allowed_model_and_shows_the_person_to_nobody_meanwhile(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    """What is left of a record that mentions somebody is embedded anew, by a model that may receive it or by none."""
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.deny_model(NAME)
    before = embedder.received
    with pytest.raises(ModelNotAllowed):
        stage.acme.erase_subject("person3@example.com")
    assert embedder.received == before
    assert not handle.exists("T-3")
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    assert [job.state for job in stage.store.run_jobs()] == ["done"]
    assert "person3" not in str(handle.get("T-3").body)


def test_a_list_taken_away_lets_nobody_receive_anything_where_one_is_required(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    stage.store.runtime.models_required = True
    assert handle.search("refund", k=1)
    edit_control(stage.home, "DELETE FROM model_list")
    require_refused(stage, embedder, handle)
    assert not stage.store.check_model(NAME, tenant="acme", collection="tickets0", kind="embedder").allowed
    with pytest.raises(ModelNotAllowed):
        stage.acme.collection(Ticket, name="another")


def test_two_changes_at_once_are_not_lost(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, _ = counting
    store, control = stage.store, stage.store.runtime.control
    store.allow_model("first", ["internal"], kind="chat")
    before = control.model_list()
    assert before is not None
    store.allow_model("second", ["internal"], kind="chat")
    with pytest.raises(ControlUnavailable, match="meanwhile"):
        control.replace_model_list(before, expect=before, now_ms=0)
    assert [entry.model for entry in store.models() or ()] == ["first", "second"]


def test_a_deleted_tenants_entries_are_not_listed_and_leave_with_the_next_change(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, _ = counting
    store = stage.store
    store.allow_model("theirs", ["internal"], kind="chat", tenant="acme")
    store.delete_tenant("acme").raise_if_incomplete()
    assert store.models() == []
    store.allow_model("ours", ["internal"], kind="chat")
    entries = gate.entries_of(store.runtime) or ()
    assert [entry.model for entry in entries] == ["ours"]


# -- a model behind a socket ------------------------------------------------------------------------------------------


def test_a_blocked_remote_model_gets_no_byte_and_no_connection(tmp_path: Path) -> None:
    with http_sink() as sink, open_stage(tmp_path, "memory", embedder=sink.embedder()) as stage:
        handle = stage.pair().fill().acme
        assert handle.search("refund", k=1)
        assert sink.bytes > 0
        seen = (sink.bytes, sink.connections)
        stage.store.deny_model("remote-embed-1")
        for name, call in every_call_that_embeds(handle).items():
            with pytest.raises(ModelNotAllowed):
                call()
            assert (sink.bytes, sink.connections) == seen, name
        with pytest.raises(ModelNotAllowed):
            stage.acme.collection(Ticket, name="another")
        assert (sink.bytes, sink.connections) == seen


class Turncoat(CountingEmbedder):
    """Says that it is another model from the moment it is told to, or from within a call."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self._inner.identity
        self.within: ModelIdentity | None = None

    @property
    def identity(self) -> ModelIdentity:
        return self.now

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        made = super().embed(texts)
        self.now = self.within or self.now
        return made


@pytest.mark.parametrize("field", ["name", "digest", "dimension"])
def test_an_embedder_that_becomes_another_model_under_an_open_collection_receives_nothing(
    tmp_path: Path, field: str
) -> None:
    """Both are on the list, so the list alone would let the other one have it, and two models' vectors would mix."""
    embedder = Turncoat()
    changed: dict[str, Any] = {field: 7 if field == "dimension" else "f" * 64}
    other = dataclasses.replace(embedder.now, **changed)
    with open_stage(tmp_path, "memory", embedder=embedder) as stage:
        for name in (NAME, other.name):
            stage.store.allow_model(name, ["internal"], kind="embedder")
        handle = stage.pair().fill().acme
        embedder.now, before = other, embedder.received
        for call in every_call_that_embeds(handle).values():
            with pytest.raises(EmbedderError):
                call()
        assert embedder.received == before


def test_what_an_embedder_answers_while_it_becomes_another_model_is_not_stored_or_asked_with(tmp_path: Path) -> None:
    embedder = Turncoat()
    with open_stage(tmp_path, "memory", embedder=embedder) as stage:
        handle = stage.pair().fill().acme
        held = handle.count()
        honest, embedder.within = embedder.now, dataclasses.replace(embedder.now, digest="f" * 64)
        with pytest.raises(EmbedderError):
            handle.search("refund", k=3)
        embedder.now = honest
        with pytest.raises(EmbedderError):
            handle.ingest([text(99, "never")])
        embedder.now, embedder.within = honest, None
        assert handle.count() == held


def test_a_model_denied_while_an_ingest_runs_gets_nothing_of_the_next_batch(tmp_path: Path) -> None:
    embedder = Turncoat()
    with open_stage(tmp_path, "memory", embedder=embedder) as stage:
        handle = stage.pair().acme
        stage.store.allow_model(NAME, ["internal"], kind="embedder")
        honest, asked = HashEmbedder.embed, list[int]()

        def denied_meanwhile(inner: HashEmbedder, texts: Sequence[AnonymizedText]) -> Matrix:
            asked.append(len(texts))
            stage.store.deny_model(NAME)
            return honest(inner, texts)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HashEmbedder, "embed", denied_meanwhile)
            with pytest.raises(ModelNotAllowed):
                handle.ingest([text(number, f"refund {number}") for number in range(200)])
        assert len(asked) == 1, "what was under way is done, and nothing after it"
        assert handle.count() == asked[0] < 200
