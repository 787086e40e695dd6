"""P8, an older list of models put back into the control store, or the list taken out of it, by who can write that file
and holds no key: no model receives anything, in no process, until an operator makes the list anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import orjson
import pytest

import securevec as sv
from securevec.egress import gate
from securevec.errors import EnvelopeRejected, KeyRejected, ModelNotAllowed
from securevec.keys.keyring import KeyRing
from securevec.policy.models import VERSION, ModelEntry, ModelList, to_json
from tests.support.attacks import Stage
from tests.support.models import NAME, CountingEmbedder, edit_control, require_refused
from tests.support.world import Ticket


def stands(stage: Stage) -> bytes:
    """The row of the list, as a copy of the file has it."""
    with closing(sqlite3.connect(stage.home / "control.db")) as connection:
        return bytes(connection.execute("SELECT sealed FROM model_list").fetchone()[0])


def put_back(stage: Stage, sealed: bytes) -> None:
    edit_control(stage.home, "UPDATE model_list SET sealed = ?", sealed)


def denied_since(stage: Stage) -> tuple[sv.Collection[Ticket], bytes]:
    """A collection whose embedder was allowed and is not any more, and the list of before."""
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    assert handle.search("refund", k=1)
    before = stands(stage)
    stage.store.deny_model(NAME)
    return handle, before


def test_a_list_of_before_a_denial_put_back_lets_nobody_receive_anything(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    handle, before = denied_since(stage)
    put_back(stage, before)
    require_refused(stage, embedder, handle)
    with pytest.raises(ModelNotAllowed, match="put back"):
        handle.search("refund")
    assert stage.store.check_model(NAME, tenant="acme", collection="tickets0").reason == "unreadable"
    with pytest.raises(EnvelopeRejected):
        stage.store.models()
    with pytest.raises(EnvelopeRejected):
        stage.store.allow_model("another", ["internal"], kind="chat")


def test_a_list_of_before_it_was_cleared_put_back_is_not_in_force_again(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    handle, before = denied_since(stage)
    stage.store.clear_models()
    assert stage.store.models() is None
    assert handle.search("refund", k=1)
    put_back(stage, before)
    require_refused(stage, embedder, handle)


def test_a_list_taken_out_of_the_control_store_is_no_home_without_one(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    handle, _ = denied_since(stage)
    edit_control(stage.home, "DELETE FROM model_list")
    require_refused(stage, embedder, handle)
    with pytest.raises(ModelNotAllowed, match="taken out"):
        handle.search("refund")


def test_an_operator_makes_the_list_anew_over_one_that_was_put_back(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, _ = counting
    handle, before = denied_since(stage)
    put_back(stage, before)
    stage.store.clear_models()
    assert handle.search("refund", k=1)
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    assert handle.search("refund", k=1)
    put_back(stage, before)
    with pytest.raises(ModelNotAllowed):
        handle.search("refund")


def test_a_list_changed_before_a_kill_is_in_force_and_the_one_before_it_is_refused_from_the_next_look_on(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    before = stands(stage)

    def killed(_: KeyRing, number: int) -> None:
        assert number == 2

    with monkeypatch.context() as patched:
        patched.setattr(KeyRing, "keep_models", killed)
        stage.store.deny_model(NAME)
    require_refused(stage, embedder, handle)
    put_back(stage, before)
    with pytest.raises(ModelNotAllowed, match="put back"):
        handle.search("refund")


def test_a_list_of_the_first_format_counts_until_a_newer_one_was_made(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, _ = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    entry = ModelEntry(NAME, "embedder", ("internal",))
    said = to_json(ModelList((entry,), 0))
    assert said.pop("number") == 0
    runtime = stage.store.runtime
    first = runtime.names.seal(orjson.dumps(said | {"v": VERSION - 1}), row=bytes(16), kind=gate.KIND)
    put_back(stage, first)
    with pytest.raises(ModelNotAllowed, match="put back"):
        handle.search("refund")
    with closing(sqlite3.connect(stage.home / "keys" / "keys.db")) as connection, connection:
        connection.execute(
            "DELETE FROM keys WHERE use = (SELECT use FROM uses WHERE kind = 'installation' AND purpose = 'models')"
        )
    assert handle.search("refund", k=1)
    assert [each.model for each in stage.store.models() or ()] == [NAME]


def test_a_lower_number_written_into_the_key_store_does_not_open(
    counting: tuple[Stage, CountingEmbedder],
) -> None:
    stage, embedder = counting
    handle, before = denied_since(stage)
    put_back(stage, before)
    with closing(sqlite3.connect(stage.home / "keys" / "keys.db")) as connection, connection:
        changed = connection.execute(
            "UPDATE epochs SET name = '1' WHERE name = '2' AND NOT EXISTS (SELECT 1 FROM epochs WHERE name = '1')"
        )
        if not changed.rowcount:
            connection.execute(
                "UPDATE keys SET epoch = (SELECT epoch FROM epochs WHERE name = '1') WHERE use = "
                "(SELECT use FROM uses WHERE kind = 'installation' AND purpose = 'models')"
            )
    with pytest.raises(KeyRejected):
        stage.store.runtime.keys.models_seen()
    require_refused(stage, embedder, handle)
