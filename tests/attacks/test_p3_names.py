"""P3: no name of a tenant, collection or actor, no record id, no undeclared column and no replaced value stands in a
file under the home, in an exception, on a terminal or in an audit record, in any usual encoding.

A small world with canaries for each kind; the corpus-wide leak check is in ``tests/leaks``.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

import securevec as sv
from securevec.errors import SecurevecError
from securevec.filters import Expr
from securevec.schema import marks
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.testing.memory import InMemoryBackend
from tests.support.attacks import Stage, open_stage
from tests.support.needles import Hit, Needles

TENANT = "Verdant Orchard Clinic"
COLLECTION = "referral-letters-oncology"
ACTOR = "svc:intake-desk-northwing"
PURPOSE = "quarterly-billing-reconciliation"
GUEST = "user:philippa.oakenshaw"
RECORD = "CASE-770031-zulu"
UNDECLARED = "undeclared-canary-marmalade"
SUBJECT = "rosalind.quimby@mailbox-example.com"
MENTIONED = "thaddeus.pennywhistle@mailbox-example.com"
SEALED = "sealed-note-canary-obsidian"
TOKENIZED = "tokenized-filter-canary-quartz"
QUERY = "jebediah.queried@mailbox-example.com"
CLASSIFICATION = "classification-canary-basalt"
SECRETS = {
    "tenant": TENANT,
    "collection": COLLECTION,
    "actor": ACTOR.partition(":")[2],
    "purpose": PURPOSE,
    "guest": GUEST.partition(":")[2],
    "record id": RECORD,
    "undeclared": UNDECLARED,
    "undeclared column": "undeclared_column",
    "subject": SUBJECT,
    "mentioned": MENTIONED,
    "sealed": SEALED,
    "tokenized": TOKENIZED,
    "queried": QUERY,
    "classification": CLASSIFICATION,
}
NEEDLES = Needles([*SECRETS.items(), *((f"{kind}, folded", value.casefold()) for kind, value in SECRETS.items())])


class Letter(sv.Record):
    case: sv.Key[str]
    patient: sv.Subject[str]
    body: sv.Embed[str]
    notes: sv.Seal[str]
    ward: Annotated[str, marks.Filter(mode="token")]
    status: sv.Filter[str]


def letter(**changes: Any) -> dict[str, Any]:
    return {
        "case": RECORD,
        "patient": SUBJECT,
        "body": f"Referral for further tests. Copy to {MENTIONED}, who asked twice.",
        "notes": SEALED,
        "ward": TOKENIZED,
        "status": "open",
        "undeclared_column": UNDECLARED,
    } | changes


@dataclass(frozen=True)
class Office:
    stage: Stage
    tap: TapEmbedder
    tenant: sv.Tenant
    letters: sv.Collection[Letter]


@pytest.fixture(params=["edge", "chroma", pytest.param("memory", marks=pytest.mark.soak)])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    tap = TapEmbedder(HashEmbedder())
    with open_stage(tmp_path, str(request.param), embedder=tap) as stage:
        tenant = stage.store.tenant(TENANT, create=True, actor=sv.Actor(ACTOR, purpose=PURPOSE))
        tenant.grant(sv.Actor(GUEST), "reader")
        letters = tenant.collection(Letter, name=COLLECTION, retention="30d", classification=CLASSIFICATION)
        yield Office(stage, tap, tenant, letters)


def use(office: Office) -> None:
    """Everything a tenant does in a day."""
    letters = office.letters
    assert letters.ingest([letter(), letter(case=f"{RECORD}-2")]).new == 2
    hits = letters.search(f"referral for {QUERY}", where=sv.F("ward") == TOKENIZED, k=5)
    assert len(hits) == 2
    assert MENTIONED in hits.restore("[EMAIL_1] [EMAIL_2]")
    assert letters.get(RECORD).notes == SEALED
    assert letters.count() == 2
    letters.ingest([letter(body=f"Changed: write to {MENTIONED}.")])
    letters.delete(f"{RECORD}-2")
    office.tenant.revoke(sv.Actor(GUEST), "reader")
    office.stage.store.suspend_tenant(TENANT)
    office.stage.store.resume_tenant(TENANT)


def kinds(hits: list[Hit]) -> set[tuple[str, str, str]]:
    return {(hit.kind, hit.encoding, hit.place) for hit in hits}


def test_the_search_for_needles_finds_each_of_them(tmp_path: Path) -> None:
    for number, (kind, value) in enumerate(SECRETS.items()):
        place = tmp_path / f"file{number}"
        place.write_bytes(b"padding" + value.encode("utf-16-le"))
        assert kind in {hit.kind for hit in NEEDLES.find(place.read_bytes())}


def test_no_name_id_or_value_stands_in_any_file_of_an_open_home(office: Office) -> None:
    use(office)
    assert kinds(NEEDLES.find_below(office.stage.home)) == set()


def test_no_name_id_or_value_stands_in_any_file_after_the_tenant_was_deleted(office: Office) -> None:
    use(office)
    result = office.stage.store.delete_tenant(TENANT).raise_if_incomplete()
    assert result.receipt is not None
    assert kinds(NEEDLES.find(result.receipt, "the receipt")) == set()
    assert kinds(NEEDLES.find_below(office.stage.home)) == set()


@pytest.mark.parametrize("engine", ["edge", "chroma"])
def test_no_name_id_or_value_stands_in_any_file_of_a_closed_home(tmp_path: Path, engine: str) -> None:
    with open_stage(tmp_path, engine) as stage:
        tenant = stage.store.tenant(TENANT, create=True, actor=sv.Actor(ACTOR, purpose=PURPOSE))
        letters = tenant.collection(Letter, name=COLLECTION, retention="30d", classification=CLASSIFICATION)
        letters.ingest([letter()])
        home = stage.home
    assert kinds(NEEDLES.find_below(home)) == set()
    assert kinds(NEEDLES.find_below(tmp_path / "keys")) == set()


def test_what_the_store_was_ever_handed_holds_none_of_them(office: Office) -> None:
    use(office)
    inner = office.stage.trap.inner
    if isinstance(inner, InMemoryBackend):
        assert inner.written
        for written in inner.written:
            assert kinds(NEEDLES.find(written, "a written point")) == set()
    else:
        page = inner.scan(namespace=office.letters._scope.namespace, where=None, cursor=None, limit=100)
        assert page.points
        for point in page.points:
            assert kinds(NEEDLES.find(repr(dict(point.payload)).encode(), "a stored point")) == set()


def test_no_undeclared_column_sealed_note_or_replaced_value_reaches_the_embedder(office: Office) -> None:
    use(office)
    assert office.tap.texts
    assert kinds(NEEDLES.find("\n".join(office.tap.texts).encode(), "the embedder")) == set()


def test_no_handle_result_or_record_shows_them_when_printed(office: Office) -> None:
    use(office)
    hits = office.letters.search("referral", k=3)
    runtime = office.stage.store.runtime
    shown = [office.stage.store, office.tenant, office.letters, hits, hits[0], hits[0].record, hits[0].spans]
    shown += [runtime.names, runtime.keys, runtime.audit, runtime.control]
    printed = "\n".join(repr(value) for value in shown)
    assert kinds(NEEDLES.find(printed.encode(), "repr")) == set()


FAILURES: dict[str, Callable[[Office], object]] = {
    "a record that is not there": lambda office: office.letters.get(f"{RECORD}-nowhere"),
    "an id that is too long": lambda office: office.letters.get(RECORD * 200),
    "a tenant that is not there": lambda office: office.stage.store.tenant(f"{TENANT} West"),
    "a tenant's name with a slash": lambda office: office.stage.store.tenant(f"{TENANT}/{COLLECTION}"),
    "a collection that is not there": lambda office: office.tenant.existing_collection(f"{COLLECTION}-2"),
    "another retention": lambda office: office.tenant.collection(Letter, name=COLLECTION, retention="31d"),
    "an unknown field in a filter": lambda office: office.letters.search(
        SEALED, where=sv.F("undeclared_column") == TOKENIZED
    ),
    "an order of tokens": lambda office: office.letters.search(SEALED, where=forged_order()),
    "a filter of another type": lambda office: office.letters.search(SEALED, where=sv.F("status") == 7),
    "a stranger": lambda office: office.stage.store.tenant(TENANT, actor=sv.Actor(GUEST)),
    "a bad actor": lambda office: sv.Actor(f"{ACTOR} {PURPOSE}"),
    "a role that is none": lambda office: office.tenant.grant(sv.Actor(GUEST), SEALED),
    "a query that is too long": lambda office: office.letters.search(f"{QUERY} {SEALED} " * 5000),
    "a file that is not there": lambda office: office.letters.ingest(f"/nowhere/{UNDECLARED}.csv"),
    "a suspended tenant": lambda office: suspended(office),
}


def forged_order() -> Expr:
    made = sv.F("status") == TOKENIZED
    object.__setattr__(made, "key", "ward")
    object.__setattr__(made, "op", "gt")
    return made


def suspended(office: Office) -> object:
    office.stage.store.suspend_tenant(TENANT)
    return office.letters.search(f"{QUERY} {SEALED}")


@pytest.mark.parametrize("name", FAILURES)
def test_no_exception_says_them(
    office: Office, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    office.letters.ingest([letter()])
    if name == "a stranger":
        office.tenant.revoke(sv.Actor(GUEST), "reader")
    with pytest.raises(SecurevecError) as caught:
        FAILURES[name](office)
    said = "".join(traceback.format_exception_only(caught.value)) + repr(caught.value) + caught.value.next_step
    captured = capfd.readouterr()
    seen = "\n".join([said, caplog.text, captured.out, captured.err])
    if name == "a file that is not there":
        # The caller's own path, given to the caller: the one thing a file error has to say.
        seen = seen.replace(UNDECLARED, "")
    assert kinds(NEEDLES.find(seen.encode(), name)) == set()


def test_no_refused_row_says_what_it_held(office: Office) -> None:
    report = office.letters.ingest(
        [
            letter(status=f"mail {MENTIONED}"),
            letter(case=""),
            letter(patient=None),
            letter(body="\x00" + SEALED),
            letter(notes=7),
            {UNDECLARED: SUBJECT},
        ]
    )
    assert len(report.refused) == 6
    said = repr(report) + "".join(f"{row.row} {row.field} {row.reason}" for row in report.refused)
    assert kinds(NEEDLES.find(said.encode(), "the report")) == set()


def test_no_audit_record_says_them(office: Office) -> None:
    use(office)
    with pytest.raises(SecurevecError):
        office.letters.get(f"{RECORD}-nowhere")
    logs = [path for path in (office.stage.home / "audit").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in logs) > 10_000
    for path in logs:
        assert kinds(NEEDLES.find(path.read_bytes(), path.name)) == set()
