"""Rules of the stateful machine that look around: at many records, at other names, at rules, holds and jobs, and that
bring rows in files (``tests/attacks/test_stateful_tenants.py``)."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

import securevec as sv
from securevec.attack.stage import ticket
from securevec.errors import SecurevecError, UsageError
from tests.support.foreign import qdrant_files
from tests.support.governed_tenants import HOSTILE, NAMES, NUMBERS, WHO, Governed


class Visited(Governed):
    """Expects what :class:`Governed` expects."""

    @rule(who=WHO, whom=WHO, hostile=HOSTILE)
    def read_many(self, who: int, whom: int, hostile: str) -> None:
        held, other = self._held[who], self._held[whom]
        wanted = [f"T-{number}" for number in range(1, 9)]
        found = {record.id: (record.body, record.status) for record in held.handle.get_many([*wanted, hostile or "-"])}
        assert found == held.records
        diverse = held.handle.search_diverse(f"{other.mark} case", k=20)
        assert {hit.record.id for hit in diverse} <= held.records.keys()
        assert all(hit.text.startswith(held.mark) for hit in diverse)
        assert diverse.violations == 0

    @rule(who=WHO, hostile=HOSTILE)
    def ask_for_what_is_not_there(self, who: int, hostile: str) -> None:
        held, store = self._held[who], self._store
        assert held.tenant.existing_collection("ticket").count() == len(held.records)
        for ask in (held.tenant.existing_collection, held.tenant.hold_reason, held.handle.reveal, held.handle.redact):
            with pytest.raises(SecurevecError):
                ask(hostile or "-")
        for take in (store.run_job, store.cancel_job):
            with pytest.raises(SecurevecError):
                take(hostile)
        assert all(each.released_ms is not None for each in held.tenant.holds())
        store.run_jobs()
        held.handle.leakage()

    @rule(who=WHO, hostile=HOSTILE)
    def rules_come_and_go(self, who: int, hostile: str) -> None:
        store, name = self._store, NAMES[who]
        store.set_retention(tenant=name, max_age="90d", replace=True)
        assert len(store.retention_rules()) == 1
        store.remove_retention(tenant=name)
        assert store.retention_rules() == []
        with pytest.raises(SecurevecError):
            store.set_retention(tenant=f"../{hostile}", max_age="1d")
        store.rotate_root_key()

    @rule(who=WHO, number=NUMBERS, version=st.integers(0, 3))
    def bring_a_file(self, who: int, number: int, version: int) -> None:
        held, body = self._held[who], f"{self._held[who].mark} case {number} version {version}"
        row = ticket(number, body)
        with tempfile.TemporaryDirectory(prefix="securevec-") as directory:
            file = Path(directory, "rows.jsonl")
            file.write_text(json.dumps(row | {"opened": row["opened"].isoformat()}), "utf-8")
            held.handle.preview_files([file])
            report = held.handle.ingest_files([file])
        if number in held.fenced:
            assert [each.error for each in report.refused] == ["SubjectErased"]
            return
        assert report.new + report.updated + report.unchanged == 1
        held.records[f"T-{number}"] = (body, row["status"])

    @rule(who=WHO, number=NUMBERS, version=st.integers(0, 3), hostile=HOSTILE)
    def bring_a_collection(self, who: int, number: int, version: int, hostile: str) -> None:
        """From a store that somebody filled without securevec; its points say where they go, and no more."""
        held, body = self._held[who], f"{self._held[who].mark} case {number} version {version}"
        row = ticket(number, body)
        point = row | {"opened": row["opened"].isoformat(), "tenant": NAMES[who]}
        options = sv.ImportOptions("cases", "body", tenant_field="tenant", id_field="id", replace=True)
        with tempfile.TemporaryDirectory(prefix="securevec-") as directory:
            url = f"qdrant:{qdrant_files(Path(directory), 'cases', [(1, point), (2, point | {'tenant': '../acme'})])}"
            self._store.preview_import(url, to="ticket", options=options)
            report = self._store.import_from(url, to="ticket", options=options)
            with pytest.raises(SecurevecError):
                self._store.import_from(f"{url}/{hostile or '-'}", to="ticket", options=options)
        assert len(report.refused) == 1 + (number in held.fenced)
        if number not in held.fenced:
            held.records[f"T-{number}"] = (body, row["status"])

    @rule(who=WHO, to=st.sampled_from(["collection", "shared"]), hostile=HOSTILE)
    def move(self, who: int, to: Literal["collection", "shared"], hostile: str) -> None:
        """Where the store has layouts; elsewhere, and where the tenant lives already, it is refused."""
        with contextlib.suppress(UsageError):
            self._store.promote_tenant(NAMES[who], to=to).raise_if_incomplete()
        with pytest.raises(SecurevecError):
            self._store.promote_tenant(f"../{hostile}", to=to)
