"""The shipped attack suite on every engine: both barriers hold where each is meant to hold alone, the attacks on stored
rows do get past the first one alone (so they are attacks), and the server alone allows what the table says.

``test_attack_suite_guards.py`` takes guards out of the product: the suite must notice when one is gone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

from securevec.attack import ATTACKS, Attack, Outcome, attack, run
from securevec.attack.by_callers import BY_CALLERS
from securevec.attack.on_answers import ON_ANSWERS
from securevec.attack.on_hints import ON_HINTS
from securevec.attack.on_rows import ON_ROWS
from securevec.attack.run import Runner, staged
from securevec.attack.server import Nothing
from securevec.cli.main import main
from securevec_chroma.server import ChromaServerBackend
from tests.support.attacks import local_server
from tests.support.chroma_server import chroma_server, free_port

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

STORED = (*ON_ROWS, *ON_HINTS)
"""What is done to rows. The reader without the second barrier must fall for it: else it is no attack, and the second
barrier holding proves nothing."""
ALLOWED_BY_EDGE = {
    *(case.name for case in STORED),
    *("read-by-id", "prefetch-leaf", "facet", "overwrite-by-id", "empty-id-list"),
    *("files-in-clear", "deleted-on-disk"),
}
NEVER_ALLOWED = {
    *("cache-bleed", "pii-in-audit", "edited-audit", "foreign-cursor", "restore-foreign-original"),
    *("linkable-surrogates", *(case.name for case in ON_ANSWERS)),
}
"""Nothing of a vendor's to try these on."""
LOCAL_MODE_HAS_NONE = {"snapshot", "database-switch", "upsert-merge", "list-metadata-ghosts", "reserved-field-names"}


def assert_held(case: Attack, outcome: Outcome) -> None:
    words = [cell.word for cell in (outcome.barrier_1, outcome.barrier_2, outcome.verdict, outcome.server_alone)]
    assert {"LEAK", "failed"}.isdisjoint(words), outcome.document()
    if 1 in case.judged and case in (*STORED, *ON_ANSWERS):
        assert outcome.barrier_1.word == "passed", outcome.document()
    if case.name in NEVER_ALLOWED:
        assert outcome.server_alone.word == "not there"


@contextlib.contextmanager
def runner(*, vendor: bool, **options: Any) -> Generator[Runner]:
    """In memory or below a temporary directory, so the tenants need not be deleted one by one: the tests of a server
    and of interrupts see that they are."""
    with contextlib.ExitStack() as stack:
        stage, client = stack.enter_context(staged(**options))
        yield Runner(stage, client if vendor else Nothing())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run, "_clear", left_behind)
            stack.close()


def left_behind(*_: object) -> None:
    """Nothing is deleted."""


@pytest.fixture(scope="module")
def edge() -> Iterator[Runner]:
    with runner(vendor=True, backend="edge") as edge:
        yield edge


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.name)
def test_a_known_path_is_held_on_edge_and_the_engine_alone_allows_it(edge: Runner, case: Attack) -> None:
    outcome = edge.carry_out(case)
    assert_held(case, outcome)
    if case.name in ALLOWED_BY_EDGE:
        assert outcome.server_alone.word == "passed", outcome.document()


def on_the_others() -> Iterator[Any]:
    """Every case on every other store. The default run takes every third in memory, every ninth on Chroma, and none on
    local mode."""
    for store, step in (("memory", 3), ("chroma", 9), ("server", len(ATTACKS) + 1)):
        for number, case in enumerate(ATTACKS, start=1):
            marks = [] if number % step == 0 else [pytest.mark.soak]
            yield pytest.param(store, case, id=f"{store}-{case.name}", marks=marks)


@pytest.fixture(scope="module")
def other(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """The stores whose vendor is left out of the default run; ``server`` is Qdrant's adapter on its client's local
    mode."""
    backend = "chroma" if request.param == "chroma" else "memory"
    with runner(vendor=False, backend=backend, opener=local_server if request.param == "server" else None) as other:
        yield other


@pytest.mark.parametrize(("other", "case"), list(on_the_others()), indirect=["other"])
def test_a_known_path_is_held_on_every_other_store(other: Runner, case: Attack) -> None:
    assert_held(case, other.carry_out(case))


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["chroma", "server"])
def test_what_is_held_is_allowed_by_the_vendors_client_alone(engine: str) -> None:
    outcomes = attack("chroma") if engine == "chroma" else attack("memory", opener=local_server)
    for case, outcome in zip(ATTACKS, outcomes, strict=True):
        assert_held(case, outcome)
    allowed = {each.name for each in outcomes if each.server_alone.word == "passed"}
    assert {case.name for case in STORED} <= allowed
    if engine == "chroma":
        assert {"upsert-merge", "read-by-id", "reserved-key", "deleted-on-disk"} <= allowed
    else:
        assert {case.name for case in BY_CALLERS} - allowed == (NEVER_ALLOWED | LOCAL_MODE_HAS_NONE) & {
            case.name for case in BY_CALLERS
        }


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
