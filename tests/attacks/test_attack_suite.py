"""The shipped attack suite on every engine: both barriers hold where each is meant to hold alone, the attacks on stored
rows do get past the first one alone (so they are attacks), and the server alone allows what the table says.

The mutations of ``test_mutations.py`` take guards out of the product; here the suite must notice when one is gone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

from securevec import judge, search
from securevec.attack import ATTACKS, Outcome, attack
from securevec.attack.by_callers import BY_CALLERS
from securevec.attack.on_rows import ON_ROWS
from securevec.cli.main import main
from securevec_chroma.server import ChromaServerBackend
from tests.support.attacks import local_server
from tests.support.chroma_server import chroma_server, free_port

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

ISSUE = {
    "reserved-key", "read-by-id", "overwrite-by-id", "filter-composition", "json-path-key", "prefetch-leaf",
    "lookup-from", "group-lookup", "facet", "unfiltered-scroll", "unfiltered-count", "array-tenant",
    "list-metadata-ghosts", "upsert-merge", "cache-bleed", "recreated-tenant", "uuid-access", "relabelled-rows",
    "edited-metadata", "swapped-rows", "rolled-back-row", "plaintext",
}  # fmt: skip
NEVER_ALLOWED = {"cache-bleed", "pii-in-audit", "edited-audit"}
"""Nothing of a vendor's to try these on."""


def assert_held(outcomes: list[Outcome]) -> dict[str, Outcome]:
    by_name = {each.name: each for each in outcomes}
    assert list(by_name) == [each.name for each in ATTACKS]
    wrong = [each.document() for each in outcomes if each.leaked or each.failed or each.server_alone.word == "failed"]
    assert wrong == []
    for case in ON_ROWS:
        if 1 in case.judged:
            # Else it is not an attack, and the second barrier holding proves nothing.
            assert by_name[case.name].barrier_1.word == "passed", case.name
    return by_name


def allowed(outcomes: dict[str, Outcome]) -> set[str]:
    return {name for name, each in outcomes.items() if each.server_alone.word == "passed"}


def test_every_known_path_is_held_on_edge_and_the_engine_alone_allows_them() -> None:
    outcomes = assert_held(attack("edge"))
    assert {case.name for case in ON_ROWS} <= allowed(outcomes)
    assert {"read-by-id", "prefetch-leaf", "facet", "overwrite-by-id", "empty-id-list"} <= allowed(outcomes)
    assert not NEVER_ALLOWED & allowed(outcomes)


@pytest.mark.soak
def test_every_known_path_is_held_on_the_server_adapter_and_qdrants_client_alone_allows_them() -> None:
    outcomes = assert_held(attack("memory", opener=local_server))
    assert {case.name for case in ON_ROWS} <= allowed(outcomes)
    local_mode_has_none = {"snapshot", "database-switch", "upsert-merge", "list-metadata-ghosts", *NEVER_ALLOWED}
    assert {case.name for case in BY_CALLERS} - allowed(outcomes) == local_mode_has_none - {
        "pii-in-audit",
        "edited-audit",
    }


@pytest.mark.soak
def test_every_known_path_is_held_on_chroma_and_chroma_alone_allows_them() -> None:
    outcomes = assert_held(attack("chroma"))
    assert {case.name for case in ON_ROWS} <= allowed(outcomes)
    assert {"upsert-merge", "read-by-id", "reserved-key", "deleted-on-disk"} <= allowed(outcomes)


def test_the_issues_paths_are_all_among_them() -> None:
    assert {case.name for case in ATTACKS} >= ISSUE


def test_on_a_chroma_server_nothing_is_left_behind_and_the_answer_is_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "home"))
    chosen = ["uuid-access", "database-switch", "read-by-id", "foreign-row"]
    with chroma_server(tmp_path / "files") as (address, _):
        code = main(["attack", "--backend", address, "--json", *(part for name in chosen for part in ("--only", name))])
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        left = ChromaServerBackend(address)
        assert left._client.api.list_collections() == []
        left.close()
    assert code == 0
    assert (answer["backend"], answer["leaks"], answer["failed"]) == ("chroma", 0, 0)
    assert {path["path"]: path["server_alone"]["result"] for path in answer["paths"]} == dict.fromkeys(chosen, "passed")
    assert not (tmp_path / "home").exists()


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    with chroma_server(tmp_path / "files") as (address, _):

        def interrupt(number: int, total: int, name: str) -> None:
            if number == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            attack(address, say=interrupt)
        left = ChromaServerBackend(address)
        assert left._client.api.list_collections() == []
        left.close()


def test_a_store_that_does_not_answer_is_unavailable_and_not_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "home"))
    assert main(["attack", "--backend", f"chroma://127.0.0.1:{free_port()}"]) == 4
    assert capsys.readouterr().out == ""
    assert main(["attack", "--backend", "nowhere"]) == 2
    assert main(["attack", "--backend", "memory", "--only", "no-such-path"]) == 2


def test_a_product_without_the_judgement_leaks_and_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def always(where: object, row: object) -> bool:
        return True

    def any_generation(judged: object, known: object) -> str:
        return "live"

    def all_of_them(runtime: object, collection: object, found: list[object], asked: object) -> list[object]:
        return found

    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(judge, "matches", always)
    monkeypatch.setattr(judge, "_state_of", any_generation)
    monkeypatch.setattr(search, "_still_live", all_of_them)
    names = ["edited-metadata", "edited-date", "rolled-back-row", "deleted-row"]
    leaking = [each.name for each in attack("memory", only=names) if each.verdict.word == "LEAK"]
    assert leaking == ["rolled-back-row", "deleted-row", "edited-metadata", "edited-date"]
    assert main(["attack", "--backend", "memory", "--only", "edited-metadata"]) == 1
    assert "LEAK" in capsys.readouterr().out


def test_the_threat_model_names_every_path() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/threat-model.md").read_text(encoding="utf-8")
    assert [case.name for case in ATTACKS if f"`{case.name}`" not in page] == []
