"""Surrogates keep country, script, language, gender and form, and belong to nobody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import product

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.anonymize import lexicon
from securevec.anonymize.rules import national
from securevec.anonymize.rules.checksums import digits_of
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.anonymize.rules.validators import VALIDATORS
from securevec.anonymize.surrogates.people import _lists, script_of, speech_of
from securevec.anonymize.surrogates.phones import KEPT_FOR_FICTION, UNUSED, country_code
from securevec.anonymize.surrogates.values import _vin, person_parts, surrogate

KEY = b"k" * 32
KEYS = [bytes([number]) * 32 for number in range(12)]
# Ascension has numbers of every beginning: it gets one of no country.
REGIONS = sorted(region for region in phonenumbers.SUPPORTED_REGIONS if region != "AC")
STYLES = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
)


def _kept(code: str, local: str) -> bool:
    if code == "1":
        return local[3:8] == "55501"
    return any(re.fullmatch(form.replace("#", r"\d"), local) for form in KEPT_FOR_FICTION[code])


def test_a_telephone_number_of_any_country_keeps_it_and_is_nobodys() -> None:
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    for region, kind in product(REGIONS, kinds):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        for style in STYLES[:2]:
            written = phonenumbers.format_number(example, style)
            for key in KEYS[:4]:
                made = surrogate(key, "PHONE", written)
                digits = digits_of(made)
                code = str(example.country_code)
                assert country_code(digits) == code, (written, made)
                local = digits.removeprefix(code)
                if code in UNUSED:
                    number = phonenumbers.PhoneNumber(country_code=example.country_code, national_number=int(local))
                    assert not phonenumbers.is_valid_number(number), (written, made)
                    assert re.sub(r"\d", "9", made) == re.sub(r"\d", "9", written)
                else:
                    assert _kept(code, local), (written, made)


def test_every_country_code_has_numbers_of_nobody() -> None:
    ours = {"1", *KEPT_FOR_FICTION, *UNUSED}
    # Freephone and shared-cost numbers of no country, and a code without examples.
    assert {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE} - ours <= {"247", "800", "808", "888"}
    assert all(not a.startswith(b) for a in ours for b in ours if a != b)


@pytest.mark.parametrize(
    ("written", "fits"),
    [
        ("030 1234567", r"0(30 23125|69 90009|40 66969|89 99998|221 4710)"),
        ("0171 3920012", r"0(171 39200\d\d|176 040690)"),
        ("06 12 34 56 78", r"06 39 98 \d\d \d\d"),
        ("07911 123456", r"07700 900\d{3}"),
        ("(0)20 7946 0958", r"\(0\)\d\d \d{4} \d{4}"),
        ("(415) 555-2671", r"\([2-9]\d\d\) 555-01\d\d"),
        ("1-702-867-5309", r"1-[2-9]\d\d-555-01\d\d"),
        ("+44 (0)7911 123456", r"\+44 \(0\)7700 900\d{3}"),
        ("0049 30 1234567", r"0049 \d"),
        ("415.867.5309 x22", r"[2-9]\d\d\.555\.01\d\d x\d\d"),
    ],
)
def test_a_number_as_written_at_home_stays_of_its_country(written: str, fits: str) -> None:
    for key in KEYS:
        made = surrogate(key, "PHONE", written)
        joined = made if re.match(fits, made) else re.sub(r"[ /]", "", made)
        assert re.match(fits, made) or re.match(re.sub(" ", "", fits), joined), made


def test_the_same_number_written_otherwise_has_the_same_digits() -> None:
    for one, other in (
        ("+49 171 1234567", "+491711234567"),
        ("06 12 34 56 78", "0612345678"),
        ("(415) 867-5309", "415.867.5309"),
    ):
        assert digits_of(surrogate(KEY, "PHONE", one)) == digits_of(surrogate(KEY, "PHONE", other))


@pytest.mark.parametrize(
    ("name", "language", "gender"),
    [
        ("Jane Smith", "en", "f"),
        ("Hans Müller", "de", "m"),
        ("Sabine Berger", "de", "f"),
        ("Maëlle Dupont", "fr", "f"),
        ("José García", "es", "m"),
        ("Giulia Rossi", "it", "f"),
        ("João Silva", "pt", "m"),
        ("Sjoerd van der Meer", "nl", "m"),
        ("Anna Kowalska", "pl", "f"),
        ("Åsa Lindqvist", "sv", "f"),
        ("Мария Иванова", "cyrl", "f"),
        ("Иван Петров", "cyrl", "m"),
        ("Δήμητρα Παπαδοπούλου", "grek", "f"),
        ("דוד כהן", "hebr", "m"),
        ("فاطمة العلي", "arab", "f"),
        ("राजेश शर्मा", "deva", "m"),
        ("李小龙", "hani", ""),
        ("山田 太郎", "jpan", ""),
        ("김철수", "hang", ""),
        ("Maria Weber", "en", "f"),
        ("Zorvath Qux", "en", ""),
    ],
)
def test_a_name_keeps_script_language_and_gender(name: str, language: str, gender: str) -> None:
    said = speech_of(name)
    assert (said.language, said.gender) == (language, gender)
    for key in KEYS:
        made = surrogate(key, "PERSON", name)
        assert script_of(made) == script_of(name)
        if gender:
            first = made.split()[0]
            neutral = lexicon.surrogate_names()[0] if language == "en" else ()
            assert first in _lists().words[(language, gender)], made
            assert not neutral or first in neutral
        assert (" " in made) == (" " in name)


def test_a_surname_bends_with_the_gender() -> None:
    for key in KEYS:
        assert surrogate(key, "PERSON", "Anna Kowalska").endswith("a")
        assert surrogate(key, "PERSON", "Мария Иванова").endswith("а") or surrogate(
            key, "PERSON", "Мария Иванова"
        ).endswith("я")
        assert surrogate(key, "PERSON", "Jan Kowalski").endswith("i")


@pytest.mark.parametrize("name", ["Jürgen Müller", "José García", "Иван Петров", "Anna Kowalska", "Zoë Brandt"])
def test_casing_and_composition_do_not_change_who_a_person_of_any_language_is(name: str) -> None:
    made = surrogate(KEY, "PERSON", name)
    assert surrogate(KEY, "PERSON", name.upper()) == made.upper()
    assert surrogate(KEY, "PERSON", name.lower()) == made.lower()
    assert surrogate(KEY, "PERSON", unicodedata.normalize("NFD", name)) == made
    assert " ".join(person_parts(KEY, name)) == made


def test_a_chinese_name_keeps_no_character_of_the_original() -> None:
    for name in ("王小明", "김철수", "山田 太郎"):
        for number in range(60):
            assert not set(name) & set(surrogate(bytes([number]) * 32, "PERSON", name)) - {" "}


@pytest.mark.parametrize(
    ("entity", "value", "fits"),
    [
        ("POSTCODE", "75002", r"\d{5}"),
        ("POSTCODE", "SW1A 1AA", r"[QVX][A-Z]\d[A-Z] \d[A-Z]{2}"),
        ("POSTCODE", "K1A 0B1", r"[DFIOQUWZ]\d[A-Z] \d[A-Z]\d"),
        ("POSTCODE", "1012 AB", r"\d{4} S[ADS]"),
        ("POSTCODE", "00-950", r"\d\d-\d{3}"),
        ("POSTCODE", "114 55", r"\d{3} \d\d"),
        ("POSTCODE", "97201-1234", r"\d{5}-\d{4}"),
        ("BIC", "DEUTDEFF500", r"[A-Z]{4}DE[A-Z]0\d{3}"),
        ("BIC", "nedszajj", r"[a-z]{4}za[a-z]0"),
        ("VAT_ID", "ATU12345678", r"AT[A-Z]\d{8}"),
        ("ITIN", "912-78-1234", r"9\d\d-[0-4]\d-\d{4}"),
        ("UK_NINO", "AB 12 34 56 D", r"QQ \d\d \d\d \d\d [A-D]"),
        ("CARD_EXPIRY", "08/29", r"(?:0[1-9]|1[0-2])/\d\d"),
        ("CARD_EXPIRY", "2027-12", r"20\d\d-(?:0[1-9]|1[0-2])"),
        ("CARD_EXPIRY", "04 / 2031", r"(?:0[1-9]|1[0-2]) / 20\d\d"),
        ("COORDINATES", "40.4461° N, 79.9822° W", r"\d\d\.\d{4}° N, \d\d\.\d{4}° W"),
        ("CRYPTO_WALLET", "0x52908400098527886E0F7030069857D2E4169EE7", r"0x[0-9a-fA-F]{40}"),
        ("CRYPTO_WALLET", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", r"ltc1[02-9ac-hj-np-z]{39}"),
        ("CRYPTO_WALLET", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", r"1[1-9A-HJ-NP-Za-km-z]{33}"),
        ("RECORD_ID", "9f2c7be0-4829-417c-9f2c-7be04829a17c", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("ADDRESS", "Lindenstraße 5", r"\w+straße \d+"),
        ("ADDRESS", "12 rue de la Paix", r"\d+ rue \w+"),
        ("ADDRESS", "Calle del Olmo, 14", r"Calle \w+, \d+"),
        ("ADDRESS", "Via dei Mulini 7", r"Via \w+ \d+"),
        ("ADDRESS", "Kerkstraat 12", r"\w+straat \d+"),
        ("ADDRESS", "ul. Garbarska 9", r"ul\. \w+a \d+"),
        ("ADDRESS", "Storgatan 5", r"\w+gatan \d+"),
        ("ADDRESS", "P.O. Box 101", r"P\.O\. Box \d{3}"),
        ("ADDRESS", "44 JUNIPER AVENUE", r"\d+ [A-Z]+ AVENUE"),
        ("ADDRESS", "улица Ленина 5", r"улица \w+ \d+"),
        ("ORG", "Müller GmbH", r"\w+ GmbH"),
        ("ORG", "Acme Widgets, Inc.", r"\w+ \w+ Inc\."),
        ("ORG", "Garance SARL", r"\w+ SARL"),
        ("LOCATION", "Москва", r"[а-яё]+"),
        ("LOCATION", "Berlin", r"\w+ \w+"),
        ("DATE_OF_BIRTH", "12. März 1980", r"\d\d\. (?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)\w* \d{4}"),
        ("DATE_OF_BIRTH", "5 de mayo de 1990", r"\d de \w+o?\w* de \d{4}"),
        ("DATE_OF_BIRTH", "14.3.75", r"\d\d\.\d\.[3-9]\d"),
        ("DATE_OF_BIRTH", "March 3rd, 1977", r"[A-Z]\w+ (?:1st|2nd|3rd|[4-9]th), \d{4}"),
        ("DATE_OF_BIRTH", "4 мая 1990", r"\d [а-я]+ \d{4}"),
    ],
)
def test_a_value_keeps_its_form(entity: str, value: str, fits: str) -> None:
    for key in KEYS:
        made = surrogate(key, entity, value)
        assert re.fullmatch(fits, made, re.IGNORECASE if "[а" in fits else 0), made
        assert made != value


@pytest.mark.parametrize(
    ("entity", "value", "check"),
    [
        ("IMEI", "49-015420-323751-8", "imei"),
        ("ITIN", "912-78-1234", "itin"),
        ("TAX_ID", "RSSMRA85T10A562S", "codice_fiscale"),
        ("NATIONAL_ID", "53109278K", "dni"),
        ("NATIONAL_ID", "44051401359", "pesel"),
        ("CRYPTO_WALLET", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "bech32"),
    ],
)
def test_a_stand_in_that_a_check_can_judge_fails_it(entity: str, value: str, check: str) -> None:
    assert not any(VALIDATORS[check](surrogate(bytes([n]) * 32, entity, value)) for n in range(100))


@pytest.mark.parametrize(
    ("entity", "value", "check"),
    [
        ("TAX_ID", "7707083893", national.inn),
        ("TAX_ID", "500100732259", national.inn),
        ("SSN", "112-233-445 95", national.snils),
    ],
)
def test_a_stand_in_of_a_number_behind_a_russian_label_fails_its_check(
    entity: str, value: str, check: Callable[[str], bool]
) -> None:
    assert check(value)
    assert not any(check(surrogate(number.to_bytes(32, "big"), entity, value)) for number in range(400))


@pytest.mark.parametrize(
    ("rule", "entity", "value"),
    [("in-pan", "IN_PAN", "ABCPE1234F"), ("mx-curp", "MX_CURP", "HEGG560427MVZRRL04"),
     ("us-mbi", "MEDICARE_ID", "1EG4-TE5-MK73"), ("us-mbi", "MEDICARE_ID", "1EG4TE5MK73")],
)  # fmt: skip
def test_a_stand_in_of_a_number_without_a_check_has_a_form_that_is_never_given_out(
    rule: str, entity: str, value: str
) -> None:
    form = re.compile(next(each.regex for each in builtin_rules().rules if each.id == rule))
    assert form.fullmatch(value)
    assert not any(form.fullmatch(surrogate(bytes([n]) * 32, entity, value)) for n in range(100))


def test_a_stand_in_of_a_vehicles_number_fails_the_check_of_its_ninth_place() -> None:
    assert _vin("1HGCM82633A004352")
    assert _vin("11111111111111111")
    assert not any(_vin(surrogate(bytes([n]) * 32, "VIN", "1HGCM82633A004352")) for n in range(200))


IBANS = ("DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947", "MT84MALT011000012345MTLCAST001S",
         "GB82 WEST 1234 5698 7654 32", "PL61109010140000071219812874")  # fmt: skip


@pytest.mark.parametrize("value", IBANS)
def test_an_iban_keeps_its_country_and_fails_its_check(value: str) -> None:
    for key in KEYS:
        made = surrogate(key, "IBAN", value)
        assert made[:2] == value[:2]
        assert len(made) == len(value)
        assert not VALIDATORS["iban"](made)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(["PERSON", "PHONE", "ADDRESS", "LOCATION", "ORG", "POSTCODE", "BIC", "VAT_ID", "DATE_OF_BIRTH"]),
    st.text(min_size=1, max_size=24).map(lambda text: text.encode(errors="ignore").decode()).filter(str.strip),
)
def test_any_value_has_a_stable_surrogate_that_is_not_the_value(entity: str, value: str) -> None:
    made = surrogate(KEY, entity, value)
    assert made == surrogate(KEY, entity, value)
    assert made != value
    assert len(value) < 4 or value not in made
