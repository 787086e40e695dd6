"""What an inspection says of other programs' stores, and what it must not: any value, or a changed byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_client", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

import securevec.cli.main as cli
from securevec.anonymize import default_detector
from securevec.cli.commands.inspect import inspection_json
from securevec.cli.session import Session
from securevec.errors import SourceError, UnscopedPoint, UsageError
from securevec.foreign import ForeignPoint
from securevec.imports.inspect import inspect_source
from securevec.imports.inspection import CollectionInspection
from securevec.imports.look import KEPT_POINTS, Looking
from securevec.imports.options import ImportOptions
from securevec.imports.points import columns_of, tenant_of
from securevec.testing.embedders import HashEmbedder
from tests.support.foreign import chroma_add, chroma_files, digests, qdrant_files, qdrant_fill, qdrant_stub
from tests.support.models import CountingEmbedder

NEEDLE = "zanzibar-canary"
SECRET = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8t" * 2
"""Made up; of the form of an API key."""


def body(number: int, **more: Any) -> dict[str, Any]:
    mail = f"jane{number}@example.com"
    return {
        "text": f"{NEEDLE} {number}: write to {mail} about the case.",
        "tenant_id": "acme-canary" if number % 3 else "globex-canary",
        "contact": mail,
        "note": f"token {SECRET}" if number % 2 else "canary",
        "status": "open",
        **more,
    }


GOOD = [(number, body(number)) for number in range(30)]
BAD: list[tuple[int, dict[str, Any]]] = [
    (100, {"text": f"{NEEDLE} of nobody", "status": "open"}),
    (101, body(101, tenant_id=["acme-canary", "globex-canary"])),
    (102, {"tenant_id": "acme-canary"}),
    (103, body(103, **{"zoe.canary@example.com": "keyed by a person"})),
]
NEEDLES = (NEEDLE, "canary", "example.com", SECRET, "acme", "globex", "keyed by")


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("inspect") / "old"
    with chroma_files(directory) as client:
        chroma_add(client.create_collection("notes", embedding_function=None), [(str(k), v) for k, v in GOOD + BAD])
        chroma_add(client.create_collection("functional"), [("a", {"text": "a text", "n": 1})])
        made = client.create_collection("securevec-made", embedding_function=None, metadata={"securevec": 1})
        chroma_add(made, [("sealed", {"text": "sealed"})])
        client.create_collection("void", embedding_function=None)
    return directory


def looked(url: str, **options: Any) -> dict[str, CollectionInspection]:
    result = inspect_source(url, embedder=HashEmbedder(), **options)
    shown = json.dumps(inspection_json(result)) + repr(result)
    assert not [needle for needle in NEEDLES if needle in shown]
    return {each.name: each for each in result.collections}


def expect_notes(notes: CollectionInspection, text: str) -> None:
    fields = {field.name: field for field in notes.fields}
    assert (notes.points, notes.sampled, notes.text_field, notes.without_text) == (34, 34, text, 1)
    assert [vector.dimension for vector in notes.vectors] == [2]
    assert (notes.tenant_field, notes.tenant_reason, notes.tenants) == ("tenant_id", "by its name", 2)
    assert fields["contact"].found == {"EMAIL": 32}
    assert fields["contact"].share == 32 / 34
    assert fields[text].found["EMAIL"] == 32
    assert sum(fields["note"].found.values()) >= 15
    assert fields["status"].found == {}
    assert fields["(withheld: EMAIL)"].types == {"text": 1}
    assert notes.cost is not None
    assert notes.cost.measured > 0
    assert notes.cost.chunks >= 33
    assert notes.cost.stored_bytes > notes.cost.source_bytes > 33 * 40


def test_a_chroma_directory_is_told_by_field_and_entity_and_no_byte_of_it_changes(chroma: Path) -> None:
    before = digests(chroma)
    found = looked(f"chroma:{chroma}")
    assert digests(chroma) == before
    expect_notes(found["notes"], "document")
    assert found["notes"].missing_tenant_index is None
    assert found["notes"].unscoped == {"missing": 1, "list": 1}
    assert found["functional"].functions == ("default",)
    assert found["functional"].tenant_field is None
    assert (found["securevec-made"].ours, found["securevec-made"].fields) == (True, ())
    assert (found["void"].points, found["void"].fields, found["void"].cost) == (0, (), None)


def test_an_inspection_that_is_not_to_measure_hands_no_model_a_text(chroma: Path) -> None:
    model = CountingEmbedder()
    assert {each.cost for each in inspect_source(f"chroma:{chroma}", embedder=model, measured=False).collections} == {
        None
    }
    assert model.received == 0
    assert any(each.cost for each in inspect_source(f"chroma:{chroma}", embedder=model).collections)
    assert model.received > 0


def test_qdrant_files_are_told_with_null_and_empty_tenants_and_no_byte_of_them_changes(tmp_path: Path) -> None:
    more = [(104, body(104, tenant_id=None)), (105, body(105, tenant_id=""))]
    qdrant_files(tmp_path / "old", "notes", [*GOOD, *BAD, *more])
    before = digests(tmp_path)
    notes = looked(f"qdrant:{tmp_path / 'old'}")["notes"]
    assert digests(tmp_path) == before
    assert notes.points == 36
    assert notes.unscoped == {"missing": 1, "list": 1, "null": 1, "empty": 1}
    assert {field.name: field.types for field in notes.fields}["tenant_id"] == {"text": 33, "list": 1, "null": 1}


def test_a_qdrant_server_without_a_tenant_index_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    qdrant_fill(client, "notes", [*GOOD, *BAD])
    with qdrant_stub(client) as (url, _):
        notes = looked(url)["notes"]
    expect_notes(notes, "text")
    assert notes.missing_tenant_index is True


def test_an_index_says_the_tenant_field_before_any_name() -> None:
    looking = Looking(default_detector(), ("metadata.grp",))
    looking.add(ForeignPoint(1, {"tenant": "acme", "metadata": {"grp": "a"}}), sampled=False)
    assert looking.tenant_field() == ("metadata.grp", "the store indexes it as a tenant's")
    assert len(looking.fields["metadata.grp"].distinct) == 1


def test_what_is_said_to_be_without_one_tenant_is_what_an_import_refuses() -> None:
    looking, refused = Looking(default_detector()), 0
    options = ImportOptions("any", "text", tenant_field="tenant")
    values: list[object] = ["acme", 7, 0, "", None, True, False, 1.5, ["acme"], [], {}, {"deep": 1}]
    payloads: list[dict[str, object]] = [{"text": "a"}, *({"tenant": value} for value in values)]
    for number, fields in enumerate(payloads):
        point = ForeignPoint(number, fields)
        looking.add(point, sampled=False)
        try:
            tenant_of(columns_of(point), options)
        except UnscopedPoint:
            refused += 1
    assert sum(looking.unscoped("tenant").values()) == refused == 10


def test_a_large_sample_keeps_few_points_in_memory_and_keeps_them_from_all_over() -> None:
    looking = Looking(default_detector())
    for number in range(4 * KEPT_POINTS):
        looking.add(ForeignPoint(number, {"n": number}), sampled=True)
    kept = [columns["n"] for columns in looking.sample]
    assert looking.sampled == 4 * KEPT_POINTS
    assert KEPT_POINTS // 2 <= len(kept) <= KEPT_POINTS
    assert kept == list(range(0, 4 * KEPT_POINTS, 4 * KEPT_POINTS // len(kept)))


def test_the_sample_is_spread_over_the_collection_and_what_is_counted_is_every_point(tmp_path: Path) -> None:
    late = [(number, body(number, late="a@example.com" if number >= 25 else "none")) for number in range(30)]
    qdrant_files(tmp_path / "old", "notes", late)
    notes = looked(f"qdrant:{tmp_path / 'old'}", sample=6)["notes"]
    fields = {field.name: field for field in notes.fields}
    assert (notes.points, notes.sampled, fields["late"].sampled) == (30, 6, 6)
    assert fields["late"].found == {"EMAIL": 1}
    assert fields["late"].share == 1


def test_one_collection_is_chosen_and_a_missing_one_and_an_empty_sample_are_refused(chroma: Path) -> None:
    assert list(looked(f"chroma:{chroma}", collection="void")) == ["void"]
    with pytest.raises(SourceError):
        looked(f"chroma:{chroma}", collection="elsewhere")
    with pytest.raises(UsageError):
        looked(f"chroma:{chroma}", sample=0)


def hashing(_session: Session) -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("securevec.cli.session.Session.embedder", hashing)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["inspect", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_command_needs_no_home_and_shows_no_value_to_people_or_programs(
    run: Callable[..., tuple[int, str, str]], chroma: Path, tmp_path: Path
) -> None:
    code, people, _ = run(f"chroma:{chroma}")
    assert code == 0
    for words in (
        "tenant_id (by its name); 2 values",
        "32 EMAIL",
        "1 list, 1 missing",
        "default (stored; never loaded)",
    ):
        assert words in people
    code, programs, _ = run(f"chroma:{chroma}", "--json", "--sample", "5", "--collection", "notes")
    [notes] = json.loads(programs)["collections"]
    assert (code, notes["sampled"], notes["unscoped"]) == (0, 5, {"missing": 1, "list": 1})
    assert not [needle for needle in NEEDLES if needle in people + programs]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_store_is_a_users_mistake_and_leaves_no_traceback(
    run: Callable[..., tuple[int, str, str]], chroma: Path, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    for arguments in (
        ["chroma:plain"],
        ["ftp:plain"],
        ["nothing"],
        [f"chroma:{chroma}", "--collection", "elsewhere"],
        [f"chroma:{chroma}", "--sample", "0"],
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert "Traceback" not in err
    assert run("http://127.0.0.1:9")[0] == 4
