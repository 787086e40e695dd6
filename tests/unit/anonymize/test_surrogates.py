"""Surrogates: shape kept, stable inside a tenant, unlinkable across tenants, never a real number."""

from __future__ import annotations

import ipaddress
import re

import pytest

from securevec.anonymize import lexicon
from securevec.anonymize.rules.checksums import digits_of, luhn
from securevec.anonymize.rules.validators import VALIDATORS
from securevec.anonymize.surrogates.values import person_parts, surrogate

KEY, OTHER = b"k" * 32, b"o" * 32
VALUES = {
    "PERSON": "Jane Smith",
    "EMAIL": "jane.smith@example.com",
    "PHONE": "+44 20 7946 0958",
    "CARD": "4111 1111 1111 1111",
    "IBAN": "GB82 WEST 1234 5698 7654 32",
    "SSN": "161-42-3291",
    "IP": "69.196.0.85",
    "MAC": "00:1A:2B:3C:4D:5E",
    "URL": "https://www.example.org/jane",
    "DATE_OF_BIRTH": "03/14/1975",
    "NPI": "1234567893",
    "MRN": "HX-20391",
    "NHS": "943 476 5919",
    "DEA": "AB1234563",
    "CRYPTO_WALLET": "0x52908400098527886E0F7030069857D2E4169EE7",
    "SUBJECT_ID": "C-10293",
    "ADDRESS": "12 Mill Hill Street",
    "POSTCODE": "QX12 3AB",
    "CUSTOMER_ID": "MB-2492-0070",
    "PL_PESEL": "02270803624",
    "DK_CPR": "211062-5629",
    "FI_HETU": "131052-308T",
    "CH_AHV": "756.9217.0769.85",
    "ROUTING_NUMBER": "021000021",
}


def test_there_are_more_than_ten_million_surrogate_names() -> None:
    given, stems, endings = lexicon.surrogate_names()
    assert len(given) * len(stems) * len(endings) > 10_000_000


@pytest.mark.parametrize("entity", VALUES)
def test_the_same_value_gives_the_same_surrogate_and_another_tenant_another(entity: str) -> None:
    value = VALUES[entity]
    assert surrogate(KEY, entity, value) == surrogate(KEY, entity, value)
    others = {surrogate(bytes([number]) * 32, entity, value) for number in range(20)}
    assert len(others) >= 18


@pytest.mark.parametrize("entity", VALUES)
def test_a_surrogate_is_never_the_value(entity: str) -> None:
    for number in range(50):
        made = surrogate(bytes([number]) * 32, entity, VALUES[entity])
        assert made
        assert VALUES[entity].casefold() not in made.casefold()


def test_casing_does_not_change_who_a_person_is() -> None:
    title, upper, lower = (surrogate(KEY, "PERSON", name) for name in ("Jane Smith", "JANE SMITH", "jane smith"))
    assert title.upper() == upper
    assert title.lower() == lower
    assert upper.isupper()
    assert lower.islower()
    assert title.istitle()
    assert surrogate(KEY, "PERSON", "Jane  Smith") == title


def test_no_word_of_a_name_survives_in_its_surrogate() -> None:
    for name in ("Ash Hill", "Clara Woodbridge", "Otto Hartwell", "Rose Ford", "Stone Graves"):
        for number in range(40):
            made = surrogate(bytes([number]) * 32, "PERSON", name).casefold()
            assert not set(name.casefold().split()) & set(made.split())


def test_a_mention_of_half_a_name_gets_half_of_the_surrogate() -> None:
    first, last = person_parts(KEY, "JANE SMITH")
    assert f"{first} {last}" == surrogate(KEY, "PERSON", "Jane Smith")


@pytest.mark.parametrize("value", ["4111 1111 1111 1111", "5500005555555559", "3782-822463-10005"])
def test_a_card_keeps_its_grouping_and_fails_its_check(value: str) -> None:
    for number in range(100):
        made = surrogate(bytes([number]) * 32, "CARD", value)
        assert re.sub(r"\d", "9", made) == re.sub(r"\d", "9", value)
        assert not luhn(digits_of(made))


@pytest.mark.parametrize(
    ("entity", "check"), [("IBAN", "iban"), ("SSN", "ssn"), ("NPI", "npi"), ("NHS", "nhs"), ("DEA", "dea")]
)
def test_a_number_with_a_check_fails_it(entity: str, check: str) -> None:
    for number in range(100):
        made = surrogate(bytes([number]) * 32, entity, VALUES[entity])
        assert len(made) == len(VALUES[entity])
        assert not VALIDATORS[check](made)


def test_addresses_lie_in_documentation_ranges() -> None:
    v4 = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    for number in range(50):
        key = bytes([number]) * 32
        assert any(ipaddress.ip_address(surrogate(key, "IP", "69.196.0.85")) in net for net in v4)
        made = ipaddress.ip_address(surrogate(key, "IP", "fe80::1"))
        assert made in ipaddress.ip_network("2001:db8::/32")
        assert int(surrogate(key, "MAC", "00:1A:2B:3C:4D:5E")[:2], 16) & 0b11 == 0b10
        assert re.fullmatch(r"[a-z]+\.[a-z]+\d\d@example\.(com|org|net)", surrogate(key, "EMAIL", "jane@acme.org"))
        assert re.match(r"https://[a-z]+\.example\.com/", surrogate(key, "URL", "https://acme.org/jane"))


@pytest.mark.parametrize("value", ["(415) 555-2671", "415.867.5309", "+1 415 867 5309", "867 5309", "12 34 56"])
def test_a_phone_keeps_its_grouping_and_is_nobodys(value: str) -> None:
    for number in range(30):
        made = surrogate(bytes([number]) * 32, "PHONE", value)
        assert re.sub(r"\d", "9", made) == re.sub(r"\d", "9", value)
        if len(digits_of(value)) >= 7:
            assert re.search(r"55501\d\d$", digits_of(made))


@pytest.mark.parametrize(
    "value", ["03/14/1975", "1975-03-14", "14.3.75", "March 5, 1984", "5th of Mar 1984", "1 JANUARY 1990"]
)
def test_a_date_stays_a_date_written_the_same_way(value: str) -> None:
    for number in range(30):
        made = surrogate(bytes([number]) * 32, "DATE_OF_BIRTH", value)
        assert VALIDATORS["birth_date"](made), made
        letters = re.sub(r"[A-Za-z]+", "x", value)
        assert len(re.findall(r"\d+", made)) == len(re.findall(r"\d+", letters))


def test_a_value_without_letters_or_digits_is_tagged() -> None:
    assert surrogate(KEY, "SUBJECT_ID", "---") == "[SUBJECT_ID]"
