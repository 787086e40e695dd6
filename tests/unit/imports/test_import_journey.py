"""Collections of other programs carried over: every point is stored in its tenant, protected, or listed as refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_client", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.control.store import ControlStore
from securevec.errors import (
    BackendError,
    ImportIncomplete,
    SourceError,
    TenantNotFound,
    UsageError,
)
from securevec.foreign import ForeignPoint
from securevec.reading.live import whole_records
from securevec.testing.embedders import HashEmbedder
from securevec_chroma.source_files import ChromaFiles
from tests.support.foreign import chroma_add, chroma_files, digests, edge_shard, qdrant_files
from tests.support.meanwhile import meanwhile


class Note(sv.Record):
    id: sv.Key[str]
    document: sv.Embed[str]
    email: sv.Subject[str | None] = None
    status: sv.Filter[str | None] = None


OPTIONS = sv.ImportOptions("notes", "document", tenant_field="tenant")


def body(number: int, tenant: object, **more: Any) -> tuple[str, dict[str, Any]]:
    text = f"Jane Porter (jane{number}@example.com) asks about case {number}."
    return f"n{number}", {"text": text, "tenant": tenant, "email": f"jane{number}@example.com", **more}


GOOD = [body(number, "acme" if number % 3 else "globex", status="open", undeclared="canary") for number in range(30)]
BAD: list[tuple[str, dict[str, Any]]] = [
    ("missing", {"text": "nobody's"}),
    ("empty", {"text": "nobody's", "tenant": ""}),
    ("several", {"text": "two tenants'", "tenant": ["acme", "globex"]}),
    ("fraction", {"text": "half a tenant's", "tenant": 1.5}),
    ("slash", {"text": "no name", "tenant": "a/b"}),
    ("vector-only", {"text": None, "tenant": "acme"}),
    ("jane@example.com", {"text": None, "tenant": "acme"}),
    ("mixed", {"text": "status is a number", "tenant": "acme", "status": 7}),
    ("pii-in-filter", {"text": "clear", "tenant": "acme", "status": "jane@example.com"}),
]


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("import") / "old"
    with chroma_files(directory) as client:
        chroma_add(client.create_collection("notes", embedding_function=None), [*GOOD, *BAD])
        client.create_collection("securevec-made", embedding_function=None, metadata={"securevec": 1})
    return directory


def open_store(root: Path) -> sv.SecureStore:
    return sv.SecureStore.open(
        root / "home", backend="memory", key_file=root / "keys" / "root.key", embedder=HashEmbedder()
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sv.SecureStore]:
    with open_store(tmp_path) as opened:
        yield opened


def records(store: sv.SecureStore, tenant: str, collection: str) -> list[dict[str, Any]]:
    return [record.model_dump() for record in store.tenant(tenant).existing_collection(collection).iter()]


def ids(store: sv.SecureStore, tenant: str, collection: str = "notes") -> set[str]:
    return {record["id"] for record in records(store, tenant, collection)}


def test_every_point_is_in_its_tenant_and_verified_or_listed_with_its_reason(
    store: sv.SecureStore, chroma: Path
) -> None:
    before = digests(chroma)
    seen: list[tuple[int, int | None]] = []
    report = store.import_from(
        f"chroma:{chroma}",
        to="notes",
        options=OPTIONS,
        record=Note,
        create_tenants=True,
        progress=lambda at: seen.append((at.bytes_read, at.bytes_total)),
    )
    report.raise_if_incomplete()
    assert digests(chroma) == before
    by_tenant = {each.tenant: each for each in report.tenants}
    assert (by_tenant["globex"].points, by_tenant["globex"].stored, by_tenant["globex"].refused) == (10, 10, 0)
    assert (by_tenant["acme"].points, by_tenant["acme"].stored, by_tenant["acme"].refused) == (24, 20, 4)
    assert report.points == len(GOOD) + len(BAD)
    reasons = {each.key: (each.error, each.field) for each in report.refused}
    assert reasons == {
        "missing": ("UnscopedPoint", "tenant"),
        "empty": ("UnscopedPoint", "tenant"),
        "several": ("UnscopedPoint", "tenant"),
        "fraction": ("UnscopedPoint", "tenant"),
        "slash": ("RecordError", "tenant"),
        "vector-only": ("RecordError", "document"),
        "(withheld: EMAIL)": ("RecordError", "document"),
        "mixed": ("RecordError", "status"),
        "pii-in-filter": ("RecordError", "status"),
    }
    assert ids(store, "globex") == {key for key, held in GOOD if held["tenant"] == "globex"}
    hits = store.tenant("acme").collection(Note, name="notes").search("asks about case", k=3)
    assert len(hits) == 3
    assert all("jane" not in hit.text.lower() for hit in hits)
    assert report.redactions["EMAIL"] >= 30
    assert seen[-1] == (2 * report.points, 2 * report.points)
    assert "delete_collection(" in report.drop
    assert str(chroma) in report.drop
    assert "acme" not in repr(report) + str(report)


def test_a_second_run_stores_nothing_again_and_refuses_the_same(store: sv.SecureStore, chroma: Path) -> None:
    def run() -> sv.ImportReport:
        return store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note, create_tenants=True)

    first, second = run(), run()
    assert (second.new, second.updated, second.unchanged) == (0, 0, 30)
    assert second.refused == first.refused
    assert second.stored == 30
    assert ids(store, "acme") | ids(store, "globex") == {key for key, _ in GOOD}


def test_tenants_that_are_not_there_are_made_only_when_asked(store: sv.SecureStore, chroma: Path) -> None:
    store.tenant("acme", create=True)
    report = store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note)
    refused = [each for each in report.refused if each.tenant == "globex"]
    assert len(refused) == 10
    assert {each.error for each in refused} == {"TenantNotFound"}
    assert report.complete
    assert [each.tenant for each in report.tenants] == ["acme"]
    with pytest.raises(TenantNotFound):
        store.tenant("globex")
    with pytest.raises(TenantNotFound):
        store.import_from(f"chroma:{chroma}", to="notes", options=sv.ImportOptions("notes", "document", tenant="new"))


def test_a_suspended_tenant_takes_no_point_and_the_others_get_theirs(store: sv.SecureStore, chroma: Path) -> None:
    for name in ("acme", "globex"):
        store.tenant(name, create=True)
    store.suspend_tenant("acme")
    report = store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note)
    acme = [each.error for each in report.refused if each.tenant == "acme"]
    assert (len(acme), acme.count("TenantUnavailable")) == (24, 22)
    assert [(each.tenant, each.stored) for each in report.tenants] == [("globex", 10)]
    assert report.complete


def test_a_dry_run_counts_what_the_import_does_and_leaves_nothing_behind(store: sv.SecureStore, chroma: Path) -> None:
    store.tenant("globex", create=True)
    arguments: dict[str, Any] = {"to": "notes", "options": OPTIONS, "record": Note, "create_tenants": True}
    preview = store.preview_import(f"chroma:{chroma}", **arguments)
    assert store.tenants() == [("globex", "active")]
    assert store.tenant("globex").collections() == []
    report = store.import_from(f"chroma:{chroma}", **arguments)
    assert [(each.tenant, each.exists, each.new) for each in preview.tenants] == [
        ("acme", False, 20),
        ("globex", True, 10),
    ]
    assert preview.redactions == report.redactions
    assert preview.refused == report.refused
    again = store.preview_import(f"chroma:{chroma}", **arguments)
    assert [(each.new, each.unchanged) for each in again.tenants] == [(0, 20), (0, 10)]


def test_without_a_schema_one_is_proposed_and_everything_found_in_it_is_protected(
    store: sv.SecureStore, chroma: Path
) -> None:
    report = store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, create_tenants=True)
    schema = {field.name: field.kind for field in store.tenant("acme").existing_collection("notes").schema.fields}
    assert schema == {
        "id": "key",
        "document": "embed",
        "email": "subject",
        # One value of the sample was an address, so the store may not read it.
        "status": "seal",
        "undeclared": "filter",
    }
    assert report.stored == 31
    held = orjson.dumps(records(store, "acme", "notes")).decode()
    assert "jane" not in held.lower()


def test_a_mapping_names_the_tenants_and_what_it_leaves_out_is_refused(store: sv.SecureStore, chroma: Path) -> None:
    options = replace(OPTIONS, tenants={"acme": "Acme Ltd"})
    report = store.import_from(f"chroma:{chroma}", to="notes", options=options, record=Note, create_tenants=True)
    assert [each.tenant for each in report.tenants] == ["Acme Ltd"]
    assert sum(each.reason.endswith("mapping of tenants.") for each in report.refused) == 11
    assert report.complete


def test_points_that_share_an_id_are_refused_and_not_stored_over_each_other(
    store: sv.SecureStore, tmp_path: Path
) -> None:
    points = [(number, {"text": f"part {number}", "tenant": "acme", "doc": f"d{number // 2}"}) for number in range(6)]
    url = f"qdrant:{qdrant_files(tmp_path / 'old', 'parts', points)}"
    options = sv.ImportOptions("parts", "text", tenant_field="tenant", id_field="doc")
    for _ in range(2):
        report = store.import_from(url, to="parts", options=options, create_tenants=True)
        assert [(each.key, each.error) for each in report.refused] == [
            ("1", "FileConflict"),
            ("3", "FileConflict"),
            ("5", "FileConflict"),
        ]
        assert report.complete
    texts = {record["text"] for record in records(store, "acme", "parts")}
    assert texts == {"part 0", "part 2", "part 4"}


def test_a_record_from_elsewhere_is_not_set_back_unless_that_is_asked_for(
    store: sv.SecureStore, tmp_path: Path
) -> None:
    place = edge_shard(tmp_path / "parts", [(1, {"text": "old one"}), (2, {"text": "old two"})])
    options = sv.ImportOptions("parts", "text", tenant="acme")
    acme = store.tenant("acme", create=True)

    def run(**changes: Any) -> sv.ImportReport:
        return store.import_from(f"edge:{place}", to="parts", options=replace(options, **changes))

    assert run().new == 2
    parts = acme.existing_collection("parts")
    parts.ingest([{"id": "1", "text": "new one, by the program that moved here"}])
    report = run()
    assert [(each.key, each.error) for each in report.refused] == [("1", "FileConflict")]
    assert parts.get("1").model_dump()["text"].startswith("new one")
    other = edge_shard(tmp_path / "other", [(2, {"text": "another source's two"})])
    clash = store.import_from(f"edge:{other}", to="parts", options=replace(options, collection="other"))
    assert [each.error for each in clash.refused] == ["FileConflict"]
    assert run(replace=True).updated == 1
    assert parts.get("1").model_dump()["text"] == "old one"


def test_what_a_program_stores_while_an_import_is_at_its_batch_is_not_set_back(
    store: sv.SecureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program that moved here goes on: it stores one record anew, and another for the first time, behind the look
    by which the import decided and before its batch is announced."""
    place, options = tmp_path / "parts", sv.ImportOptions("parts", "text", tenant="acme")
    acme = store.tenant("acme", create=True)

    def run(points: Sequence[tuple[int, dict[str, Any]]]) -> sv.ImportReport:
        shutil.rmtree(place, ignore_errors=True)
        return store.import_from(f"edge:{edge_shard(place, points)}", to="parts", options=options)

    assert run([(1, {"text": "first 1"})]).new == 1
    parts = acme.existing_collection("parts")
    mine = [{"id": key, "text": "by the program"} for key in ("1", "2")]
    meanwhile(monkeypatch, ControlStore, "begin_batch", lambda: parts.ingest(mine))
    report = run([(number, {"text": f"second {number}"}) for number in (1, 2, 3)])
    assert [(each.key, each.error) for each in report.refused] == [("1", "FileConflict"), ("2", "FileConflict")]
    texts = {record["id"]: record["text"] for record in records(store, "acme", "parts")}
    assert texts == {"1": "by the program", "2": "by the program", "3": "second 3"}
    assert (report.new, report.updated, report.stored) == (1, 0, 1)


def test_nested_payloads_are_reached_by_dotted_names(store: sv.SecureStore, tmp_path: Path) -> None:
    points = [
        (1, {"page_content": "Hello from a chain.", "metadata": {"tenant": "acme", "source": "a.md", "page": 3}}),
        (2, {"_node_content": '{"text": "Hello from an index."}', "metadata": {"tenant": 7}}),
    ]
    url = f"qdrant:{qdrant_files(tmp_path / 'old', 'chain', points)}"
    options = sv.ImportOptions("chain", "page_content", tenant_field="metadata.tenant")
    store.import_from(url, to="chain", options=options, create_tenants=True)
    assert records(store, "acme", "chain") == [
        {
            "id": "1",
            "page_content": "Hello from a chain.",
            "metadata_source": "a.md",
            "metadata_page": 3,
        }
    ]
    options = replace(options, text_field="_node_content.text")
    store.import_from(url, to="chain", options=options, create_tenants=True)
    assert [record["node_content_text"] for record in records(store, "7", "chain")] == ["Hello from an index."]


@pytest.mark.parametrize("when", ["added", "removed", "edited"])
def test_a_source_that_is_written_to_meanwhile_is_said_to_have_changed(
    store: sv.SecureStore, chroma: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    readings: list[int] = []
    pages = ChromaFiles.pages

    def changing(files: ChromaFiles, name: str, **options: Any) -> Iterator[Sequence[ForeignPoint]]:
        readings.append(1)
        points = [point for page in pages(files, name, **options) for point in page]
        if len(readings) == 2:
            match when:
                case "added":
                    points.append(ForeignPoint("late", {"document": "late", "tenant": "late"}))
                case "removed":
                    del points[0]
                case _:
                    points[0] = ForeignPoint(points[0].key, {**points[0].fields, "document": "edited"})
        yield points

    monkeypatch.setattr(ChromaFiles, "pages", changing)
    report = store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note, create_tenants=True)
    assert report.changed
    with pytest.raises(ImportIncomplete):
        report.raise_if_incomplete()
    monkeypatch.undo()
    store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note).raise_if_incomplete()


def test_a_source_that_fails_half_way_loses_nothing_and_a_second_run_goes_on(
    store: sv.SecureStore, chroma: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = ChromaFiles.pages

    def failing(files: ChromaFiles, name: str, **options: Any) -> Iterator[Sequence[ForeignPoint]]:
        yield from pages(files, name, size=10)
        raise BackendError("The vector store failed while reading the files.")

    monkeypatch.setattr("securevec.imports.lanes.LANE", 5)
    with monkeypatch.context() as patch:
        patch.setattr(ChromaFiles, "pages", failing)
        with pytest.raises(BackendError):
            store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note, create_tenants=True)
    report = store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note)
    assert report.unchanged >= 25
    assert report.new + report.unchanged == 30
    report.raise_if_incomplete()


def test_a_store_that_loses_what_it_took_is_found_out_at_the_end(
    store: sv.SecureStore, chroma: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(*arguments: Any, **options: Any) -> set[Any]:
        return set(list(whole_records(*arguments, **options))[1:])

    monkeypatch.setattr("securevec.imports.journey.whole_records", forgetful)
    report = store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note, create_tenants=True)
    assert not report.complete
    with pytest.raises(sv.errors.ImportIncomplete):
        report.raise_if_incomplete()


def test_what_cannot_be_a_source_is_refused_before_anything_is_made(
    store: sv.SecureStore, chroma: Path, tmp_path: Path
) -> None:
    def refused(url: str, collection: str = "notes") -> type[Exception]:
        with pytest.raises(SourceError) as caught:
            store.import_from(url, to="notes", options=replace(OPTIONS, collection=collection), create_tenants=True)
        return caught.type

    assert refused(f"chroma:{chroma}", "absent") is SourceError
    assert refused(f"chroma:{chroma}", "securevec-made") is SourceError
    assert refused(f"chroma:{tmp_path / 'home'}") is SourceError
    assert refused(f"chroma:{tmp_path / 'home' / 'engine'}") is SourceError
    assert refused(f"chroma:{tmp_path}") is SourceError
    assert store.tenants() == []
    bad: list[dict[str, Any]] = [{}, {"tenant": "a", "tenant_field": "b"}, {"tenant": "a", "tenants": {}}]
    for options in bad:
        with pytest.raises(UsageError):
            sv.ImportOptions("notes", "document", **options)


def test_the_import_is_recorded_for_each_tenant_and_says_no_content(store: sv.SecureStore, chroma: Path) -> None:
    store.import_from(f"chroma:{chroma}", to="notes", options=OPTIONS, record=Note, create_tenants=True)
    lines = [
        line
        for file in (store.home / "audit").rglob("*.jsonl")
        for line in file.read_text("utf-8").splitlines()
        if '"import"' in line
    ]
    assert len(lines) == 2
    for line in lines:
        assert "jane" not in line.lower()
        assert '"points"' in line
