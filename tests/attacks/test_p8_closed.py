"""A store that was closed: every public method of it and of every handle it gave is a typed error that says so, and
nothing is carried out. The lists are compared with the classes, so that a new method cannot be left out."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

pytest.importorskip("chromadb", reason="needs securevec[chroma]")

import chromadb

import securevec as sv
from securevec.attack.stage import ACME, GLOBEX, Ticket
from securevec.errors import SecurevecError, Unavailable
from securevec.imports.options import ImportOptions
from securevec.reading.hits import SearchResult
from securevec.store.tenant import Tenant
from tests.support.attacks import open_stage, text

HARMLESS = {
    "SecureStore": {"actor", "home", "open", "runtime", "close"},
    "Tenant": {"id"},
    "Collection": {"id", "record_class", "schema"},
    "SearchResult": {"context", "count", "index", "answered_by"},
}
"""They ask the store for nothing: values that are held already, making another store, and closing again."""


def calls(
    store: sv.SecureStore, tenant: Tenant, handle: sv.Collection[Ticket], hits: SearchResult[Ticket], files: Path
) -> dict[str, dict[str, Callable[[], object]]]:
    options = ImportOptions(collection="old", text_field="body", tenant="acme")
    source = f"chroma:{files.with_name('foreign')}"
    return {
        "SecureStore": {
            "allow_model": lambda: store.allow_model("gpt-5", ["internal"], kind="chat"),
            "apply_retention": lambda: store.apply_retention("0" * 64),
            "cancel_job": lambda: store.cancel_job("0" * 32),
            "check_model": lambda: store.check_model("gpt-5", tenant="acme", collection="tickets0"),
            "clear_models": lambda: store.clear_models(),
            "delete_tenant": lambda: store.delete_tenant("acme"),
            "deny_model": lambda: store.deny_model("gpt-5"),
            "import_from": lambda: store.import_from(source, to="tickets0", options=options),
            "models": lambda: store.models(),
            "preview_import": lambda: store.preview_import(source, to="tickets0", options=options),
            "rotate_root_key": lambda: store.rotate_root_key(),
            "rotate_signing_key": lambda: store.rotate_signing_key(),
            "rotate_tenant_keys": lambda: store.rotate_tenant_keys(),
            "roll_keys": lambda: store.roll_keys("acme", "ticket"),
            "reseal": lambda: store.reseal("acme", "ticket"),
            "renew_tokens": lambda: store.renew_tokens("acme"),
            "renew_surrogates": lambda: store.renew_surrogates("acme"),
            "reindex": lambda: store.reindex("acme", "ticket"),
            "recloak": lambda: store.recloak("acme", "ticket"),
            "promote_tenant": lambda: store.promote_tenant("acme", to="collection"),
            "quota": lambda: store.quota("acme"),
            "remove_retention": lambda: store.remove_retention(tenant="acme"),
            "resume_tenant": lambda: store.resume_tenant("acme"),
            "retention_plan": lambda: store.retention_plan(),
            "retention_rules": lambda: store.retention_rules(),
            "run_job": lambda: store.run_job("0" * 32),
            "run_jobs": lambda: store.run_jobs(),
            "set_quota": lambda: store.set_quota("acme", points=10),
            "set_retention": lambda: store.set_retention(tenant="acme", max_age="30d"),
            "suspend_tenant": lambda: store.suspend_tenant("acme"),
            "tenant": lambda: store.tenant("acme", actor=ACME),
            "tenants": lambda: store.tenants(),
        },
        "Tenant": {
            "collection": lambda: tenant.collection(Ticket, name="another"),
            "collections": lambda: tenant.collections(),
            "erase_subject": lambda: tenant.erase_subject("jane@example.com"),
            "existing_collection": lambda: tenant.existing_collection("tickets0"),
            "export_subject": lambda: tenant.export_subject("jane@example.com"),
            "find_subject": lambda: tenant.find_subject("jane@example.com"),
            "grant": lambda: tenant.grant(GLOBEX, "reader"),
            "hold": lambda: tenant.hold("case 1"),
            "hold_reason": lambda: tenant.hold_reason("0" * 32),
            "holds": lambda: tenant.holds(),
            "preview_files": lambda: tenant.preview_files(Ticket, [files]),
            "purge": lambda: tenant.purge(),
            "release": lambda: tenant.release("0" * 32),
            "revoke": lambda: tenant.revoke(GLOBEX, "reader"),
        },
        "Collection": {
            "cloak_report": lambda: handle.cloak_report(),
            "count": lambda: handle.count(),
            "delete": lambda: handle.delete("T-1"),
            "describe": lambda: handle.describe(),
            "exists": lambda: handle.exists("T-1"),
            "export": lambda: handle.export(io.BytesIO()),
            "get": lambda: handle.get("T-1"),
            "get_many": lambda: handle.get_many(["T-1"]),
            "ingest": lambda: handle.ingest([text(1, "late")]),
            "ingest_files": lambda: handle.ingest_files([files]),
            "iter": lambda: list(handle.iter()),
            "page": lambda: handle.page(),
            "preview_files": lambda: handle.preview_files([files]),
            "redact": lambda: handle.redact(hits[0].span_ids[0]),
            "reveal": lambda: handle.reveal(hits[0].span_ids),
            "search": lambda: handle.search("refund"),
            "search_batch": lambda: handle.search_batch(["refund"]),
            "search_diverse": lambda: handle.search_diverse("refund"),
            "update": lambda: handle.update("T-1", status="late"),
            "verify": lambda: handle.verify(),
            "leakage": lambda: handle.leakage(),
        },
        "SearchResult": {
            "for_model": lambda: hits.for_model("gpt-5", purpose="answer"),
            "restore": lambda: hits.restore("[EMAIL_1]"),
        },
    }


def test_every_public_method_after_close_is_a_typed_error_and_does_nothing(tmp_path: Path) -> None:
    files = tmp_path / "rows.jsonl"
    files.write_text('{"id": "T-900", "body": "late"}\n')
    foreign = chromadb.PersistentClient(str(tmp_path / "foreign"))
    foreign.create_collection("old").add(ids=["1"], embeddings=[1.0, 0.0], metadatas=[{"body": "late"}])
    with open_stage(tmp_path, "edge") as stage:
        pair = stage.pair().fill()
        store, tenant, handle = stage.store, stage.acme, pair.acme
        hits = handle.search("refund", k=3)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*") if path.is_file()}
    listed = calls(store, tenant, handle, hits, files)
    for owner in (sv.SecureStore, Tenant, sv.Collection, SearchResult):
        public = {name for name in dir(owner) if not name.startswith("_")} - HARMLESS[owner.__name__]
        assert public == listed[owner.__name__].keys(), f"what does {owner.__name__} do once it is closed?"
    said: dict[str, str] = {}
    for kind, each in listed.items():
        for name, call in each.items():
            try:
                call()
            except Unavailable as error:
                if "closed" not in str(error):
                    said[f"{kind}.{name}"] = f"{type(error).__name__}: {error}"
            except SecurevecError as error:
                said[f"{kind}.{name}"] = f"{type(error).__name__}: {error}"
            except Exception as error:  # noqa: BLE001  # the list of all of them is the finding
                said[f"{kind}.{name}"] = f"untyped {error!r}"
            else:
                said[f"{kind}.{name}"] = "answered"
    assert said == {}
    store.close()
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*") if path.is_file()}
    assert after == before
