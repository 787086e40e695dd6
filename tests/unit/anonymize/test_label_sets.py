"""The door of ``securevec eval``: what public sets call things is read as what they mean, and what nobody looks for is
never a silent zero. The lists of labels are those that the sets publish; no text of theirs is here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from securevec.anonymize import Finding, default_detector, evaluate
from securevec.anonymize.evaluation.labelled import labelled
from securevec.anonymize.evaluation.labels import WIDER, canonical, counted_as
from securevec.anonymize.evaluation.scoring import Scorer
from securevec.anonymize.policy import BUILTIN_ENTITIES
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.errors import RecordError

_SETS: Final[Mapping[str, Mapping[str, str]]] = {
    "ai4privacy 200k": {
        "PERSON": "FIRSTNAME MIDDLENAME LASTNAME",
        "ADDRESS": "STREET BUILDINGNUMBER SECONDARYADDRESS",
        "LOCATION": "CITY STATE COUNTY",
        "POSTCODE": "ZIPCODE",
        "COORDINATES": "NEARBYGPSCOORDINATE",
        "ORG": "COMPANYNAME",
        "PHONE": "PHONENUMBER",
        "CARD": "CREDITCARDNUMBER MASKEDNUMBER",
        "ONE_TIME_CODE": "CREDITCARDCVV PIN",
        "BANK_ACCOUNT": "ACCOUNTNUMBER",
        "CRYPTO_WALLET": "BITCOINADDRESS ETHEREUMADDRESS LITECOINADDRESS",
        "IP": "IP IPV4 IPV6",
        "MAC": "MAC",
        "IMEI": "PHONEIMEI",
        "VIN": "VEHICLEVIN",
        "LICENSE_PLATE": "VEHICLEVRM",
        "DATE_OF_BIRTH": "DOB",
        "SECRET": "PASSWORD",
        "USERNAME": "USERNAME",
        "": "ACCOUNTNAME AMOUNT CREDITCARDISSUER CURRENCY CURRENCYCODE EYECOLOR GENDER HEIGHT JOBAREA JOBTITLE JOBTYPE "
        "ORDINALDIRECTION PREFIX SEX TIME USERAGENT",
    },
    "ai4privacy 300k": {
        "PERSON": "GIVENNAME1 GIVENNAME2 LASTNAME1 LASTNAME2 LASTNAME3",
        "PHONE": "TEL",
        "SSN": "SOCIALNUMBER",
        "NATIONAL_ID": "IDCARD",
        "DRIVER_LICENSE": "DRIVERLICENSE",
        "PASSPORT": "PASSPORT",
        "DATE_OF_BIRTH": "BOD",
        "SECRET": "PASS",
        "COORDINATES": "GEOCOORD",
        "ADDRESS": "STREET BUILDING SECADDRESS",
        "LOCATION": "CITY STATE COUNTRY",
        "POSTCODE": "POSTCODE",
        "": "TITLE SEX TIME CARDISSUER",
    },
    "ai4privacy 400k and 500k": {
        "PERSON": "GIVENNAME SURNAME",
        "PHONE": "TELEPHONENUM",
        "SSN": "SOCIALNUM",
        "NATIONAL_ID": "IDCARDNUM",
        "DRIVER_LICENSE": "DRIVERLICENSENUM",
        "PASSPORT": "PASSPORTNUM",
        "TAX_ID": "TAXNUM",
        "BANK_ACCOUNT": "ACCOUNTNUM",
        "CARD": "CREDITCARDNUMBER",
        "DATE_OF_BIRTH": "DATEOFBIRTH",
        "ADDRESS": "STREET BUILDINGNUM",
        "POSTCODE": "ZIPCODE",
        "": "GENDER SEX TITLE TIME",
    },
    "Gretel finance and en": {
        "PERSON": "name first_name last_name",
        "ADDRESS": "street_address address",
        "CARD": "credit_card_number",
        "ONE_TIME_CODE": "credit_card_security_code account_pin cvv",
        "BANK_ACCOUNT": "bban account_number",
        "ROUTING_NUMBER": "bank_routing_number",
        "BIC": "swift_bic_code swift_bic",
        "DRIVER_LICENSE": "driver_license_number",
        "PASSPORT": "passport_number",
        "IP": "ipv4 ipv6",
        "COORDINATES": "local_latlng coordinate",
        "DATE": "date date_time",
        "MRN": "medical_record_number",
        "MEMBER_ID": "health_plan_beneficiary_number",
        "VEHICLE_ID": "vehicle_identifier",
        "ID": "unique_identifier certificate_license_number device_identifier biometric_identifier",
        "": "time",
    },
    "Nemotron-PII": {
        "PERSON": "first_name last_name",
        "ORG": "company_name",
        "CARD": "credit_debit_card",
        "ID": "unique_id certificate_license_number device_identifier biometric_identifier",
        "SECRET": "api_key password http_cookie",
        "USERNAME": "user_name",
        "POSTCODE": "postcode",
        "LOCATION": "city state county country",
        "PHONE": "phone_number fax_number",
        "": "occupation age_group gender sexuality political_view race_ethnicity religious_belief language blood_type "
        "employment_status education_level",
    },
    "secret scanners": {
        "SECRET": "generic_secret generic_api_key generic_password api_token oauth_token session_token database_url "
        "connection_string basic_auth SECRET_ACCESS_KEY webhook_url KEY_EXAMPLE PASSWORD_EXAMPLE",
        "": "commit_hash FILE_PATH HOSTNAME",
    },
    "vendors by country": {
        "TAX_ID": "AU_ABN IN_GSTIN cnpj",
        "NATIONAL_ID": "IN_VOTER NG_NIN KR_FRN identity_document_number alien_number",
        "MEMBER_ID": "AU_MEDICARE DE_HEALTH_INSURANCE",
        "LICENSE_PLATE": "DE_KFZ NG_VEHICLE_REGISTRATION",
        "LICENSE_NUMBER": "DE_LANR",
        "ROUTING_NUMBER": "IFSC_CODE",
    },
    "CoNLL": {"PERSON": "B-PER I-PER", "LOCATION": "LOC", "ORG": "S-ORG", "": "MISC"},
    "OntoNotes": {
        "PERSON": "PERSON",
        "LOCATION": "GPE FAC LOC",
        "ORG": "ORG",
        "DATE": "DATE",
        "": "NORP PRODUCT EVENT WORK_OF_ART LAW LANGUAGE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL",
    },
    "WNUT 2017": {
        "PERSON": "person",
        "LOCATION": "location",
        "ORG": "corporation group",
        "": "B-creative-work product",
    },
    "Few-NERD": {
        "PERSON": "person-actor person-politician",
        "LOCATION": "location-GPE location-other",
        "ORG": "organization-company organization-sportsteam",
        "": "building-airport product-car art-film event-war other-law",
    },
    "TAB": {
        "PERSON": "PERSON",
        "LOCATION": "LOC",
        "ORG": "ORG",
        "DATE": "DATETIME",
        "ID": "CODE",
        "": "DEM QUANTITY MISC",
    },
    "i2b2 and n2c2": {
        "PERSON": "NAME PATIENT DOCTOR",
        "LOCATION": "LOCATION CITY STATE COUNTRY LOCATION-OTHER LOCATION_OTHER",
        "ORG": "HOSPITAL ORGANIZATION",
        "ADDRESS": "STREET",
        "POSTCODE": "ZIP",
        "PHONE": "PHONE FAX",
        "IP": "IPADDR",
        "MRN": "MEDICALRECORD",
        "MEMBER_ID": "HEALTHPLAN",
        "BANK_ACCOUNT": "ACCOUNT",
        "VEHICLE_ID": "VEHICLE",
        "ID": "ID IDNUM LICENSE DEVICE BIOID",
        "CONTACT": "CONTACT",
        "AGE": "AGE",
        "": "PROFESSION",
    },
    "CRAPII and the Kaggle essays": {
        "PERSON": "B-NAME_STUDENT I-NAME_STUDENT NAME_INSTRUCTOR",
        "PHONE": "B-PHONE_NUM",
        "ID": "B-ID_NUM",
        "URL": "B-URL_PERSONAL",
        "ADDRESS": "I-STREET_ADDRESS",
        "USERNAME": "B-USERNAME",
    },
    "SPY": {"PERSON": "name", "PHONE": "phone_num", "ID": "id_num", "ADDRESS": "address", "USERNAME": "username"},
    "BigCode": {
        "PERSON": "NAME NAME_LICENSE NAME_EXAMPLE",
        "EMAIL": "EMAIL EMAIL_LICENSE EMAIL_EXAMPLE",
        "SECRET": "KEY PASSWORD SSH_KEY",
        "IP": "IP_ADDRESS",
        "USERNAME": "USERNAME USERNAME_LICENSE",
        "": "AMBIGUOUS",
    },
    "Presidio": {
        "PERSON": "PERSON",
        "DATE": "DATE_TIME",
        "CARD": "CREDIT_CARD",
        "CRYPTO_WALLET": "CRYPTO",
        "BANK_ACCOUNT": "US_BANK_NUMBER",
        "PASSPORT": "US_PASSPORT IT_PASSPORT IN_PASSPORT",
        "DRIVER_LICENSE": "US_DRIVER_LICENSE IT_DRIVER_LICENSE",
        "NHS": "UK_NHS",
        "UK_NINO": "UK_NINO",
        "ES_DNI": "ES_NIF ES_NIE",
        "IT_CODICE_FISCALE": "IT_FISCAL_CODE",
        "VAT_ID": "IT_VAT_CODE",
        "NATIONAL_ID": "IT_IDENTITY_CARD KR_RRN TH_TNIN IN_VOTER",
        "SG_NRIC": "SG_NRIC_FIN",
        "AU_TFN": "AU_TFN",
        "IN_PAN": "IN_PAN",
        "IN_AADHAAR": "IN_AADHAAR",
        "LICENSE_PLATE": "IN_VEHICLE_REGISTRATION",
        "FI_HETU": "FI_PERSONAL_IDENTITY_CODE",
        "PL_PESEL": "PL_PESEL",
        "": "NRP SG_UEN",
    },
    "Azure AI Language": {
        "PHONE": "PhoneNumber",
        "ORG": "Organization",
        "IP": "IPAddress",
        "DATE": "DateTime",
        "ROUTING_NUMBER": "ABARoutingNumber",
        "BIC": "SWIFTCode",
        "IBAN": "InternationalBankingAccountNumber",
        "SSN": "USSocialSecurityNumber FRSocialSecurityNumber",
        "DRIVER_LICENSE": "USDriversLicenseNumber EUDriversLicenseNumber",
        "PASSPORT": "USUKPassportNumber",
        "NATIONAL_ID": "DEIdentityCardNumber",
        "": "PersonType Quantity",
    },
    "AWS Comprehend": {
        "PERSON": "NAME",
        "CARD": "CREDIT_DEBIT_NUMBER",
        "CARD_EXPIRY": "CREDIT_DEBIT_EXPIRY",
        "ONE_TIME_CODE": "CREDIT_DEBIT_CVV PIN",
        "ROUTING_NUMBER": "BANK_ROUTING",
        "DRIVER_LICENSE": "DRIVER_ID",
        "VIN": "VEHICLE_IDENTIFICATION_NUMBER",
        "AWS_ACCESS_KEY": "AWS_ACCESS_KEY",
        "UK_NINO": "UK_NATIONAL_INSURANCE_NUMBER",
        "CA_SIN": "CA_SOCIAL_INSURANCE_NUMBER",
        "PHONE": "PHONE_OR_FAX",
        "": "IN_NREGA PROFESSION",
    },
    "Google Sensitive Data Protection": {
        "SSN": "US_SOCIAL_SECURITY_NUMBER",
        "IMEI": "IMEI_HARDWARE_ID",
        "COORDINATES": "LOCATION_COORDINATES",
        "ES_DNI": "SPAIN_NIE_NUMBER",
        "NL_BSN": "NETHERLANDS_BSN_NUMBER",
        "NATIONAL_ID": "GERMANY_IDENTITY_CARD_NUMBER SWEDEN_NATIONAL_ID_NUMBER",
        "PASSPORT": "FRANCE_PASSPORT",
        "DRIVER_LICENSE": "CANADA_DRIVERS_LICENSE_NUMBER",
        "": "CREDIT_CARD_TRACK_NUMBER ICD10_CODE",
    },
    "Private AI": {
        "PERSON": "NAME_GIVEN NAME_FAMILY NAME_MEDICAL_PROFESSIONAL",
        "ADDRESS": "LOCATION_ADDRESS_STREET",
        "ORG": "ORGANIZATION_MEDICAL_FACILITY",
        "MEMBER_ID": "HEALTHCARE_NUMBER",
        "ID": "NUMERICAL_PII",
        "VEHICLE_ID": "VEHICLE_ID",
        "": "MARITAL_STATUS ZODIAC_SIGN DATE_INTERVAL",
    },
    "OpenAI privacy filter": {
        "PERSON": "private_person",
        "PHONE": "private_phone",
        "ADDRESS": "private_address",
        "URL": "private_url",
        "DATE": "private_date",
        "BANK_ACCOUNT": "account_number",
        "SECRET": "secret",
    },
}


@pytest.mark.parametrize("name", _SETS)
def test_a_label_of_a_public_set_is_read_as_what_it_means_or_said_to_be_unknown(name: str) -> None:
    known = builtin_rules().entities | BUILTIN_ENTITIES | WIDER
    for entity, labels in _SETS[name].items():
        for label in labels.split():
            read = canonical(label)
            assert read == entity if entity else read not in known, label


@pytest.mark.parametrize(
    ("label", "entity"),
    [
        ("unique_id.vehicle_id", "VEHICLE_ID"),
        ("contact.email", "EMAIL"),
        ("PASSPORT_NO", "PASSPORT"),
        ("account_no", "BANK_ACCOUNT"),
        ("PHONE-NUMBER", "PHONE"),
        ("DATE-TIME", "DATE"),
        ("LICENSE-PLATE", "LICENSE_PLATE"),
        ("NAME-STUDENT", "PERSON"),
    ],
)
def test_a_kind_in_front_and_a_number_behind_say_no_more_and_a_dash_inside_a_label_is_no_tag(
    label: str, entity: str
) -> None:
    assert canonical(label) == canonical(f"B-{label}") == entity


def test_the_callers_own_table_is_asked_first_however_the_label_is_written() -> None:
    assert canonical("phoneNumber", {"PHONE_NUMBER": "IMEI"}) == "IMEI"


def test_a_device_or_a_licence_counts_as_the_finer_label_or_as_an_id() -> None:
    assert counted_as("IMEI", {"DEVICE_ID", "ID"}) == ("DEVICE_ID", "ID")
    assert counted_as("NPI", {"LICENSE_NUMBER"}) == ("LICENSE_NUMBER",)
    assert counted_as("RECORD_ID", {"ID"}) == ("ID",)


def test_a_number_of_a_country_counts_as_the_label_that_stands_there() -> None:
    scorer = Scorer()
    gold = [(0, 5, "SSN"), (10, 15, "TAX_ID"), (20, 25, "NATIONAL_ID")]
    scorer.add(gold, [Finding(s, e, "FR_NIR", 1.0, "test") for s, e, _ in [*gold, (30, 35, "")]])
    scores, unlabelled = scorer.scores()
    assert [scores[name].overlap.recall for name in ("SSN", "TAX_ID", "NATIONAL_ID")] == [1.0, 1.0, 1.0]
    # What stands at none of them is wrong once, not left out.
    assert sum(score.predicted for score in scores.values()) == 4
    assert not unlabelled


def test_a_finding_never_counts_as_wider_where_the_set_has_its_own_label() -> None:
    assert counted_as("CARD", {"CARD", "BANK_ACCOUNT", "ID"}) == ("CARD",)
    assert counted_as("CARD", {"BANK_ACCOUNT", "ID"}) == ("BANK_ACCOUNT", "ID")
    assert counted_as("IBAN", {"PERSON"}) == ("IBAN",)
    assert counted_as("POSTCODE", {"POSTCODE", "ADDRESS"}) == ("POSTCODE",)
    assert counted_as("POSTCODE", {"ADDRESS"}) == ("ADDRESS",)


def test_a_label_that_nobody_looks_for_is_told_and_not_scored_as_zero(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    text = "Mail jane@example.com, a Capricorn"
    spans = [[5, 21, "B-EMAIL"], [25, 34, "ZODIAC_SIGN"], [5, 9, "NAME"]]
    path.write_text(json.dumps({"text": text, "spans": spans}) + "\n", encoding="utf-8")
    document = evaluate(path, default_detector()).as_json()
    assert set(document["entities"]) == {"EMAIL", "PERSON"}
    assert document["not_looked_for"] == {"ZODIAC_SIGN": {"gold": 1, "touched_by_any": 0.0}}
    assert document["by_label"]["B-EMAIL"] == {
        "entity": "EMAIL",
        "gold": 1,
        "recall": 1.0,
        "exact_recall": 1.0,
        "touched_by_any": 1.0,
    }
    assert document["by_label"]["NAME"]["recall"] == 0.0
    assert document["by_label"]["NAME"]["touched_by_any"] == 1.0


def test_what_a_detector_of_ones_own_finds_is_scored_under_its_own_name(tmp_path: Path) -> None:
    class Signs:
        def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
            return [Finding(0, 4, "ZODIAC_SIGN", 1.0, "test")]

    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"text": "Leo it is", "spans": [[0, 3, "ZODIAC_SIGN"]]}) + "\n", encoding="utf-8")
    result = evaluate(path, Signs())
    assert result.entities["ZODIAC_SIGN"].overlap.f1 == 1.0
    assert not result.not_looked_for


_SPAN: Final = {"start": 3, "end": 7, "label": "PER"}


@pytest.mark.parametrize(
    "line",
    [
        {"text": "Hi Jane", "spans": json.dumps([_SPAN])},
        {"text": "Hi Jane", "spans": str([_SPAN])},
        {"generated_text": "Hi Jane", "pii_spans": json.dumps([_SPAN])},
        {"unmasked_text": "Hi Jane", "privacy_mask": "{'[NAME_1]': 'Jane'}",
         "span_labels": '[[0, 3, "O"], [3, 7, "NAME"]]'},
        {"text": "Hi Jane", "annotations": {"annotator1": {"entity_mentions": [
            {"entity_type": "PERSON", "start_offset": 3, "end_offset": 7}]}, "annotator2": {"entity_mentions": []}}},
        {"text": "Hi Jane", "entities": [{"category": "Person", "offset": 3, "length": 4}]},
        {"content": "Hi Jane", "fragments": [{"category": "NAME", "position": [3, 7], "value": "Jane"}]},
        {"tokens": ["Hi", "Jane"], "ner_tags": ["O", "B-PER"]},
        {"full_text": "Hi Jane", "tokens": ["Hi", "Jane"], "labels": ["O", "B-NAME_STUDENT"]},
        {"tokens": ["Hi", "Ja", "ne"], "trailing_whitespace": [True, False, False], "labels": ["O", "B-PER", "I-PER"]},
    ],
)  # fmt: skip
def test_every_layout_of_a_public_set_says_the_same(line: Mapping[str, object]) -> None:
    read = labelled(line, row=1)
    assert (read.text, read.spans) == ("Hi Jane", ((3, 7, "PERSON"),))


def test_two_names_side_by_side_in_tags_stay_two() -> None:
    line = {"tokens": ["Jane", "Doe", "Ann"], "tags": ["B-PER", "I-PER", "B-PER"]}
    assert labelled(line, row=1).spans == ((0, 8, "PERSON"), (9, 12, "PERSON"))
    plain = {"tokens": ["Jane", "Doe", "of", "Acme"], "tags": ["PER", "PER", "O", "ORG"]}
    assert labelled(plain, row=1).spans == ((0, 8, "PERSON"), (12, 16, "ORG"))


@pytest.mark.parametrize(
    "line",
    [
        {"tokens": ["Hi", "Jane"], "ner_tags": [0, 1]},
        {"tokens": ["Hi", "Jane"], "ner_tags": ["O"]},
        {"text": "Hi Jim", "tokens": ["Hi", "Jane"], "ner_tags": ["O", "B-PER"]},
        {"text": "Hi Jane", "spans": "__import__('os').getcwd()"},
        {"text": "Hi Jane", "spans": "[" * 100_000},
        {"text": "Hi Jane", "spans": "[__import__('os').getcwd()]"},
        {"text": "Hi Jane", "annotations": {"one": []}},
    ],
)
def test_a_line_whose_labels_cannot_be_known_is_refused_and_never_read_as_nothing(line: Mapping[str, object]) -> None:
    with pytest.raises(RecordError) as caught:
        labelled(line, row=1)
    assert caught.value.field in ("spans", "text")
    assert "Jane" not in str(caught.value)
