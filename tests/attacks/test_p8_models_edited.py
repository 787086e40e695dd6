"""P8, a list of models that was edited, cut or exchanged: it lets nobody receive anything, and so does an error in the
check."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

import securevec as sv
from securevec.egress import gate
from securevec.errors import ControlUnavailable, ModelNotAllowed
from securevec.policy.models import ModelEntry, ModelList, to_json
from tests.support.attacks import Stage, open_stage
from tests.support.models import NAME, CountingEmbedder, edit_control, require_refused


def sealed_now(stage: Stage) -> bytes:
    with closing(sqlite3.connect(stage.home / "control.db")) as connection:
        return bytes(connection.execute("SELECT sealed FROM model_list").fetchone()[0])


def flip(sealed: bytes) -> bytes:
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


EDITS: dict[str, Callable[[bytes], bytes]] = {
    "flipped": flip,
    "cut": lambda sealed: sealed[:-5],
    "empty": lambda sealed: b"",
    "in clear": lambda sealed: b'{"v":1,"models":[]}',
    "zeros": lambda sealed: bytes(len(sealed)),
}


@pytest.mark.parametrize("how", EDITS)
def test_a_list_edited_by_hand_lets_nobody_receive_anything(counting: tuple[Stage, CountingEmbedder], how: str) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    assert handle.search("refund", k=1)
    edit_control(stage.home, "UPDATE model_list SET sealed = ?", EDITS[how](sealed_now(stage)))
    require_refused(stage, embedder, handle)
    with pytest.raises(ModelNotAllowed, match=r"model_list\.sealed"):
        handle.search("refund")
    assert stage.store.check_model(NAME, tenant="acme", collection="tickets0").reason == "unreadable"


def test_a_list_of_another_home_does_not_count_here(counting: tuple[Stage, CountingEmbedder], tmp_path: Path) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model("another", ["internal"], kind="embedder")
    (tmp_path / "second").mkdir()
    with open_stage(tmp_path / "second", "memory") as other:
        other.store.allow_model(NAME, ["internal"], kind="embedder")
        theirs = sealed_now(other)
    edit_control(stage.home, "UPDATE model_list SET sealed = ?", theirs)
    require_refused(stage, embedder, handle)


DOCUMENTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "models": lambda said: said | {"models": "all"},
    "allow": lambda said: said | {"models": [said["models"][0] | {"allow": "internal"}]},
    "kind": lambda said: said | {"models": [said["models"][0] | {"kind": "any"}]},
    "model": lambda said: said | {"models": [said["models"][0] | {"model": "h*"}]},
    "tenant": lambda said: said | {"models": [said["models"][0] | {"tenant": "acme"}]},
    "originals": lambda said: said | {"models": [said["models"][0] | {"originals": "no"}]},
    "runs": lambda said: said | {"models": [said["models"][0] | {"runs": ""}]},
    "region": lambda said: said | {"models": [said["models"][0] | {"region": 7}]},
    "provider": lambda said: said | {"models": [{k: v for k, v in said["models"][0].items() if k != "provider"}]},
    "another release": lambda said: said | {"v": 3},
    "number": lambda said: said | {"number": True},
    "one twice": lambda said: said | {"models": said["models"] * 2},
}


@pytest.mark.parametrize("field", DOCUMENTS)
def test_a_field_that_cannot_be_used_is_named_and_lets_nobody_receive_anything(
    counting: tuple[Stage, CountingEmbedder], field: str
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    runtime = stage.store.runtime
    document = DOCUMENTS[field](to_json(ModelList((ModelEntry(NAME, "embedder", ("internal",)),), 1)))
    edit_control(
        stage.home,
        "UPDATE model_list SET sealed = ?",
        runtime.names.seal(orjson.dumps(document), row=bytes(16), kind=gate.KIND),
    )
    require_refused(stage, embedder, handle)
    with pytest.raises(ModelNotAllowed, match=field):
        handle.search("refund")


def test_an_unreadable_list_is_not_changed_only_cleared(counting: tuple[Stage, CountingEmbedder]) -> None:
    stage, _ = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")
    edit_control(stage.home, "UPDATE model_list SET sealed = ?", flip(sealed_now(stage)))
    with pytest.raises(sv.SecurevecError):
        stage.store.allow_model(NAME, ["internal"], kind="embedder")
    stage.store.clear_models()
    assert handle.search("refund", k=1)


def test_an_error_in_the_check_denies(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    stage.store.allow_model(NAME, ["internal"], kind="embedder")

    def fails(*_: object) -> object:
        raise RuntimeError("canary-in-an-error")

    monkeypatch.setattr(gate, "may_receive", fails)
    require_refused(stage, embedder, handle)
    with pytest.raises(ModelNotAllowed) as refusal:
        handle.search("refund")
    assert "canary" not in str(refusal.value)


def test_a_control_store_that_does_not_answer_lets_nobody_receive_anything(
    counting: tuple[Stage, CountingEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, embedder = counting
    handle = stage.pair().fill().acme
    before = embedder.received

    def busy() -> bytes | None:
        raise ControlUnavailable("The control store is busy with another process.")

    monkeypatch.setattr(stage.store.runtime.control, "model_list", busy)
    with pytest.raises(ControlUnavailable):
        handle.search("refund")
    assert embedder.received == before
