"""Rules of the stateful machine that erase, hold, count, grant and let time pass: what governs records, beside what
reads and writes them (``tests/attacks/test_stateful_tenants.py``)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import securevec as sv
from securevec.attack.stage import Ticket, ticket
from securevec.errors import LegalHold, PolicyDenied, SecurevecError, TenantNotFound, UsageError, VectorError

NAMES = ("acme", "globex", "initech")
NUMBERS = st.integers(1, 6)
WHO = st.integers(0, len(NAMES) - 1)
HOSTILE = st.sampled_from(["", "T-*", "../acme/T-1", "' or 1=1 --", "T-1\x00", "\u202eT-1", "T-999", "acme", "*"])
_DAY = 24 * 60 * 60 * 1000
_LONGER_THAN_EVERYTHING = 200 * _DAY
"""Than the retention of the collections, and than the fence of an erasure."""


@dataclass
class Held:
    """What one tenant must be answered with: text and status by record id. ``fenced``: numbers of erased customers.
    ``due``: records that may still lie there, shown to nobody; whoever deletes one has deleted it."""

    mark: str
    tenant: sv.Tenant
    handle: sv.Collection[Ticket]
    records: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    fenced: set[int] = field(default_factory=set[int])
    due: set[str] = field(default_factory=set[str])


def customer(number: int) -> str:
    return f"customer{number}@example.com"


class Governed(RuleBasedStateMachine):
    """Expects ``_store``, ``_held`` and ``_time`` of the machine."""

    if TYPE_CHECKING:
        _store: sv.SecureStore
        _held: list[Held]
        _time: Any

    @rule(who=WHO, number=NUMBERS, hostile=HOSTILE)
    def erase_a_customer(self, who: int, number: int, hostile: str) -> None:
        """The same customer is one of every tenant, and erased from this one."""
        held = self._held[who]
        with contextlib.suppress(SecurevecError):
            done = held.tenant.erase_subject(hostile)
            assert (done.about, done.mentions) == (0, 0)
        held.tenant.erase_subject(customer(number)).raise_if_incomplete()
        held.records.pop(f"T-{number}", None)
        held.fenced.add(number)

    @rule(who=WHO, number=NUMBERS, scope=st.sampled_from(["tenant", "collection", "record", "subject"]))
    def hold_and_release(self, who: int, number: int, scope: str) -> None:
        held, name = self._held[who], f"T-{number}"
        if name not in held.records:
            return
        collection = "ticket" if scope in ("collection", "record") else None
        hold = held.tenant.hold(
            "a lawsuit",
            collection=collection,
            record=name if scope == "record" else None,
            subject=customer(number) if scope == "subject" else (),
        )
        with pytest.raises(LegalHold):
            held.handle.delete([name])
        with pytest.raises(LegalHold):
            held.tenant.erase_subject(customer(number))
        with pytest.raises(LegalHold):
            self._store.delete_tenant(NAMES[who])
        with pytest.raises(LegalHold):
            held.handle.update(name, status="open" if held.records[name][1] == "closed" else "closed")
        with pytest.raises(SecurevecError):
            self._held[(who + 1) % len(NAMES)].tenant.release(hold.id)
        self._store.tenant(NAMES[who]).release(hold.id)

    @rule(who=WHO)
    def everything_expires(self, who: int) -> None:
        """Nobody is shown what is due, before and after one tenant's due records are removed."""
        self._time.forward(_LONGER_THAN_EVERYTHING)
        for held in self._held:
            held.due.update(held.records)
            held.records.clear()
            held.fenced.clear()
        plan = self._store.retention_plan(tenant=NAMES[who])
        if plan.records:
            for result in self._store.apply_retention(plan.digest):
                result.raise_if_incomplete()
        self._held[who].due.clear()
        assert self._store.retention_plan(tenant=NAMES[who]).records == 0

    @rule(who=WHO)
    def fill_the_quota(self, who: int) -> None:
        held = self._held[who]
        self._store.set_quota(NAMES[who], points=max(1, self._store.quota(NAMES[who]).points))
        try:
            numbers = range(7, 9)
            report = held.handle.ingest([ticket(number, f"{held.mark} too many") for number in numbers])
            assert {row.error for row in report.refused} == {"QuotaExceeded"}
            assert report.new <= 1
            assert held.handle.delete([f"T-{number}" for number in numbers]).deleted == report.new
        finally:
            self._store.set_quota(NAMES[who])

    @rule(who=WHO, whom=WHO, role=st.sampled_from(["reader", "writer"]))
    def grant_and_revoke(self, who: int, whom: int, role: str) -> None:
        held, guest = self._held[who], sv.Actor(f"svc:guest-of-{NAMES[whom]}")
        with pytest.raises(TenantNotFound):
            self._store.tenant(NAMES[who], actor=guest)
        held.tenant.grant(guest, role)
        there = self._store.tenant(NAMES[who], actor=guest).collection(Ticket)
        assert there.count() == len(held.records)
        if role == "reader":
            with pytest.raises(PolicyDenied):
                there.delete(["T-1"])
            with pytest.raises(PolicyDenied):
                there.ingest([ticket(1, "by a reader")])
        with pytest.raises(TenantNotFound):
            self._store.tenant(NAMES[(who + 1) % len(NAMES)], actor=guest)
        held.tenant.revoke(guest, role)
        with pytest.raises(SecurevecError):
            there.count()

    @rule(who=WHO, whom=WHO)
    def restore_what_was_never_issued(self, who: int, whom: int) -> None:
        held, other = self._held[who], self._held[whom]
        found = held.handle.search(other.mark, k=9)
        said = f"[EMAIL_1] [PERSON_9] {other.mark} [SUBJECT_ID_1]"
        assert found.restore(said) == said
        if who != whom:
            assert other.mark not in found.context()

    @rule(who=WHO, number=NUMBERS, vector=st.sampled_from(["good", "short", "nan", "zero", "unknown"]))
    def ingest_given_vectors(self, who: int, number: int, vector: str) -> None:
        held, body = self._held[who], f"{self._held[who].mark} case {number} given"
        given = np.ones((1, 64 if vector != "short" else 63), dtype=np.float32)
        given *= {"nan": np.float32("nan"), "zero": np.float32(0)}.get(vector, np.float32(1))
        if number in held.fenced:
            return
        row = [ticket(number, body, status="open")]
        if vector == "unknown":
            with pytest.raises(PolicyDenied):
                held.handle.ingest(row, vectors=given, vectors_of="unknown")
        elif vector == "good":
            held.handle.ingest(row, vectors=given, vectors_of="anonymized_text")
            held.records[f"T-{number}"] = (body, "open")
        elif vector == "short":
            with pytest.raises(VectorError):
                held.handle.ingest(row, vectors=given, vectors_of="anonymized_text")
        else:
            report = held.handle.ingest(row, vectors=given, vectors_of="anonymized_text")
            assert [each.error for each in report.refused] == ["VectorError"]

    @rule(who=WHO, number=NUMBERS)
    def find_and_export_a_customer(self, who: int, number: int) -> None:
        held, there = self._held[who], f"T-{number}" in self._held[who].records
        assert held.tenant.find_subject(customer(number)).about == int(there)
        exported = list(held.tenant.export_subject(customer(number)))
        assert [each["relation"] for each in exported] == ["about"] * int(there)
        assert all(held.mark in str(each) for each in exported)
        with pytest.raises(UsageError):
            held.tenant.find_subject()

    @rule(who=WHO)
    def verify_describe_and_purge(self, who: int) -> None:
        held = self._held[who]
        held.handle.verify().raise_if_wrong()
        assert held.handle.describe().records == len(held.records)
        held.tenant.purge()

    @rule(
        who=WHO,
        which=st.sampled_from(["roll", "reseal", "reindex", "recloak", "renew", "rename", "wrap", "sign"]),
        hostile=HOSTILE,
    )
    def exchange_a_key(self, who: int, which: str, hostile: str) -> None:
        """Every key that can be exchanged, in the middle of everything else; under a hold and after an erasure too."""
        store, name = self._store, NAMES[who]
        if which in ("reseal", "reindex"):
            exchange = store.reseal if which == "reseal" else store.reindex
            with pytest.raises(SecurevecError):
                exchange(name, hostile)
            exchange(name, "ticket").raise_if_incomplete()
        elif which == "recloak" and self._held[who].handle.describe().cloak is None:
            with pytest.raises(UsageError):
                store.recloak(name, "ticket")
        elif which == "recloak":
            store.recloak(name, "ticket").raise_if_incomplete()
        elif which == "renew":
            with pytest.raises(SecurevecError):
                store.renew_tokens(f"../{hostile}")
            store.renew_tokens(name).raise_if_incomplete()
        elif which == "rename":
            with contextlib.suppress(LegalHold):
                store.renew_surrogates(name).raise_if_incomplete()
        elif which == "roll":
            store.roll_keys(name, "ticket")
        elif which == "wrap":
            store.rotate_tenant_keys(name)
        else:
            store.rotate_signing_key()
