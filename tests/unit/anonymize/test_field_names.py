"""What the name of a field says of its value: found alike in a record, in JSON and in CSV; own ids may stay clear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import pytest

import securevec as sv
from securevec.anonymize import Anonymizer, BuiltinDetector, Finding, default_detector
from securevec.anonymize.policy import OperatorPolicy
from securevec.anonymize.rules.heads import _labels, label_of
from securevec.rows.infer import infer
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME

NAMED = [
    ("mrn", "A1234567", "MRN"),
    ("patientId", "P100231", "MRN"),
    ("passport_no", "533380006", "PASSPORT"),
    ("numeroPasseport", "12AB34567", "PASSPORT"),
    ("customer_id", "C-10442", "CUSTOMER_ID"),
    ("numero_de_cliente", "4821037", "CUSTOMER_ID"),
    ("kundennummer", "48213", "CUSTOMER_ID"),
    ("driverLicenseNumber", "A56319335", "DRIVER_LICENSE"),
    ("codice_fiscale", "RSSMRA85T35A562T", "TAX_ID"),
    ("iban", "DE89370400440532013001", "IBAN"),
    ("credit_card", "4111 1111 1111 1112", "CARD"),
    ("plate", "KA-XT 318", "LICENSE_PLATE"),
    ("licensePlate", "QC51 TVW", "LICENSE_PLATE"),
    ("username", "brave_otter21", "USERNAME"),
    ("benutzername", "hinz", "USERNAME"),
    ("api_key", "9f86d081884c7d65", "SECRET"),
    ("contrasena", "MiClave99", "SECRET"),
    ("cvv", "123", "ONE_TIME_CODE"),
    ("data_nascimento", "14/03/1975", "DATE_OF_BIRTH"),
    ("birthDate", "March 14, 1975", "DATE_OF_BIRTH"),
    ("policy_number", "PL-88213-B", "MEMBER_ID"),
    ("caseId", "C-4711", "CASE_NUMBER"),
    ("ssn", "161423291", "SSN"),
    ("company", "Northway Freight", "ORG"),
    ("stadt", "Ulm", "LOCATION"),
]
"""Values of which most say nothing by themselves."""


def found(text: str, field_name: str = "") -> list[tuple[str, str]]:
    return [(f.entity, text[f.start : f.end]) for f in default_detector().detect(text, field_name=field_name)]


@pytest.mark.parametrize(("name", "value", "entity"), NAMED)
def test_a_field_a_key_and_a_column_of_one_name_say_the_same(name: str, value: str, entity: str) -> None:
    assert found(value, name) == [(entity, value)]
    assert (entity, value) in found(json.dumps({name: value, "n": 1}))
    assert (entity, value) in found(f'n,{name},open\n1,"{value}",yes\n2,"{value}",no\n')


def test_a_batch_says_what_each_text_says_alone() -> None:
    texts = [(name, value) for name, value, _ in NAMED] + [("body", value) for _, value, _ in NAMED]
    assert default_detector().detect_each(texts) == [
        default_detector().detect(text, field_name=name) for name, text in texts
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer_id", "7"), ("passport", "expired"), ("passport_issue_date", "lately"), ("case_type", "billing-2024"),
        ("employee_count", "48213"), ("employees", "48213"), ("tickets", "4821"), ("card_id", "411111111111"),
        ("password", "required"), ("api_key", "${API_KEY}"), ("has_password", "true"), ("username", "root"),
        ("order_id", "4711234"), ("status", "A1234567"), ("title", "Order 48213 lost"), ("secret", "none"),
        ("login_count", "4821"), ("mrn", "see the letter"),
    ],
)  # fmt: skip
def test_a_name_alone_makes_nothing_of_a_value_of_another_form(name: str, value: str) -> None:
    assert found(value, name) == []


def test_in_a_field_for_passwords_anything_is_one_and_in_a_text_what_looks_like_one() -> None:
    assert found("correct horse battery", "password") == [("SECRET", "correct horse battery")]
    assert found(json.dumps({"password": "Shown once to each new colleague", "n": 1})) == []


def test_a_long_text_is_read_for_what_it_says_and_not_for_its_fields_name() -> None:
    text = "4821037 again. " + "we talked about it again and again. " * 8
    assert found(text[:40], "kundennummer") == [("CUSTOMER_ID", "4821037")]
    assert found(text, "kundennummer") == []


@pytest.mark.parametrize("name", ["", "x", "_", "9" * 70, "a_b_c_d_e_f_g_h_passport", "no", "id", "number", "n n n"])
def test_names_that_say_nothing_are_no_labels(name: str) -> None:
    assert label_of(name) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer_id", "C-10442"), ("customerId", "cus_NffrFeUfNV2Hib"), ("user_id", "jdoe81"),
        ("user_id", "u_8f3ka9"),
        ("account_id", "67520190"), ("case_id", "GRV-2026-004412"), ("ticket", "T-4711"), ("employee_id", "E-73915"),
        ("member_id", "48213"), ("latitude", "48.85661"), ("company", "Northway Freight"), ("status", "open"),
    ],
)  # fmt: skip
def test_an_id_of_ones_own_may_stand_in_the_clear(name: str, value: str) -> None:
    assert Anonymizer().findings_in_clear(value, name) == []
    assert Anonymizer().findings_in_clear(value, name) == []


@pytest.mark.parametrize(
    ("name", "value", "entity"),
    [
        ("customer_id", "jane@example.com", "EMAIL"), ("customer_id", "+1 202 555 0123", "PHONE"),
        ("ssn", "161423291", "SSN"), ("mrn", "A1234567", "MRN"), ("patient_id", "P100231", "MRN"),
        ("passport_no", "533380006", "PASSPORT"), ("username", "brave_otter21", "USERNAME"),
        ("password", "correct horse", "SECRET"), ("plate", "KA-XT 318", "LICENSE_PLATE"),
        ("status", "GRV-2026-004412", "CASE_NUMBER"),
    ],
)  # fmt: skip
def test_what_others_know_a_person_by_may_not(name: str, value: str, entity: str) -> None:
    assert [f.entity for f in Anonymizer().findings_in_clear(value, name)] == [entity]


class Visit(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    customer_id: sv.Filter[str | None] = None
    mrn: sv.Filter[str | None] = None
    ssn: Annotated[str | None, sv.marks.Filter(mode="token")] = None
    passport_no: sv.Seal[str | None] = None
    case_no: sv.Seal[int | None] = None
    medical_record: sv.Seal[int | None] = None


def test_a_store_takes_own_ids_in_the_clear_and_says_how_to_keep_the_others(tmp_path: Path) -> None:
    rows = [
        Visit(id="a", body="one", customer_id="C-10442", ssn="161423291", passport_no="533380006", case_no=48213377),
        Visit(id="b", body="two", mrn="A1234567"),
        Visit(id="c", body="three", medical_record=48213377),
    ]
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", key_file=tmp_path / "keys" / "root.key", embedder=HashEmbedder()
    ) as store:
        visits = store.tenant("acme", create=True, actor=ACME).collection(Visit)
        report = visits.ingest(rows)
        assert [(row.row, row.field) for row in report.refused] == [(2, "mrn"), (3, "medical_record")]
        assert 'Filter(mode="token")' in report.refused[0].reason
        assert "A1234567" not in str(report.refused)
        kept = visits.get("a")
        assert kept.customer_id == "C-10442"
        assert kept.ssn == "161423291"
        assert kept.case_no == 48213377
        assert kept.passport_no != "533380006"
        assert [hit.id for hit in visits.search("one", where=sv.F("customer_id") == "C-10442")] == ["a"]


def test_clear_values_of_a_batch_are_read_with_its_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone: list[str] = []
    detect = BuiltinDetector.detect

    def noted(self: BuiltinDetector, text: str, *, field_name: str = "") -> list[Finding]:
        alone.append(text)
        return detect(self, text, field_name=field_name)

    monkeypatch.setattr(BuiltinDetector, "detect", noted)
    rows = [Visit(id=str(n), body=f"visit {n}", customer_id=f"C-{n}0442") for n in range(3)]
    rows.append(Visit(id="d", body="one more", mrn="A1234567"))
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", key_file=tmp_path / "keys" / "root.key", embedder=HashEmbedder()
    ) as store:
        report = store.tenant("acme", create=True, actor=ACME).collection(Visit).ingest(rows)
    assert [(row.row, row.field) for row in report.refused] == [(4, "mrn")]
    assert alone == []


def test_what_is_proposed_for_a_file_takes_the_rows_of_that_file(tmp_path: Path) -> None:
    path = tmp_path / "visits.jsonl"
    rows = [
        {"id": f"a{n}", "mrn": 48213377 + n, "phone": 12025550100 + n, "passport_no": f"A12345{n:02}",
         "note": "the patient came in on monday and left again soon after that"}
        for n in range(4)
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)))
    detector = default_detector()
    source = infer(
        path, anonymizer_findings=lambda name, value: [f.entity for f in detector.detect(value, field_name=name)]
    )
    assert "PII: MRN" in source
    assert "PII: PASSPORT" in source
    scope: dict[str, object] = {}
    exec(compile(source, "proposed", "exec", dont_inherit=True), scope)
    proposed = scope["Visit"]
    assert isinstance(proposed, type)
    assert issubclass(proposed, sv.Record)
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", key_file=tmp_path / "keys" / "root.key", embedder=HashEmbedder()
    ) as store:
        report = store.tenant("acme", create=True, actor=ACME).collection(proposed).ingest(path)
        assert report.refused == ()
        assert report.new == len(rows)


@pytest.mark.parametrize(
    "text",
    [
        "patient:\n  insurance_id: ZGP882019\n  mrn: MR-20931\n",
        "INSURANCE_ID=ZGP882019\nMRN=MR-20931\nDEBUG=false\n",
        '  insurance_id = "ZGP882019"\n  mrn          = "MR-20931"\n',
        "app.patient.insuranceId: ZGP882019,\napp.patient.mrn: MR-20931",
    ],
)
def test_a_line_of_one_name_and_one_value_is_read_like_a_field(text: str) -> None:
    assert [each for each in found(text) if each[0] in {"MEMBER_ID", "MRN"}] in (
        [("MEMBER_ID", "ZGP882019"), ("MRN", "MR-20931")],
    )


@pytest.mark.parametrize(
    "text",
    [
        "password = users.password(user)",
        "username: The name of the user",
        "case: see 2024",
        "tickets: 4821",
        "pin = pins[3]",
    ],
)
def test_lines_of_code_and_of_explanations_name_nobody(text: str) -> None:
    assert found(text) == []


def test_every_kind_that_a_name_gives_away_may_be_named_by_an_operator_policy() -> None:
    kinds = {label.entity for known in _labels() for label in known.values()}
    assert {"LICENSE_NUMBER", "RECORD_ID", "DEVICE_ID"} <= kinds
    OperatorPolicy.from_mapping(dict.fromkeys(kinds, "tag"))
