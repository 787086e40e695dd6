"""Keyed surrogates: values of the same shape that stand in for the original.

``HMAC-SHA-256(pseudonym key, domain || LP(entity) || LP(normalized value) || counter)`` is stretched into a byte stream
that chooses the parts. The same value gives the same surrogate inside a tenant; two tenants' surrogates are unrelated.
Surrogates keep length, grouping and what says a country or a language where that matters to a reader, and fail the
checksum of their kind or lie in ranges reserved for documentation and fiction (RFC 2606, RFC 3849, RFC 5737; telephone
numbers: :mod:`securevec.anonymize.surrogates.phones`).
This is pseudonymization, not encryption: equality and frequency inside one tenant remain visible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.keys import normalize
from securevec.anonymize.rules import national, validators
from securevec.anonymize.rules.checksums import digits_of, luhn
from securevec.anonymize.surrogates.people import EASTERN, person, script_of
from securevec.anonymize.surrogates.phones import phone
from securevec.anonymize.surrogates.places import address, bic, date, organisation, place, postcode
from securevec.anonymize.surrogates.stream import Stream, recase
from securevec.crypto.kdf import Keyed

_ATTEMPTS: Final = 24
_NAME_CUTS: Final = re.compile(r"[\s\-'.]+")
_BY_CHARACTER: Final = EASTERN - {"kana"}
"""Scripts in which one character of a name says much of it."""


def surrogate(key: bytes | Keyed, entity: str, value: str) -> str:
    """The tenant's surrogate of ``value``: never the value, never containing it, never a valid checksum number.

    ``key``: the pseudonym key, or its hash begun already by whoever asks for many.
    """
    if isinstance(key, bytes):
        key = Keyed(key)
    normalized = normalize(entity, value)
    make = _MAKERS.get(entity, _code)
    for attempt in range(_ATTEMPTS):
        made = make(Stream(key, entity, normalized, attempt), value)
        if _unlike(entity, value, normalized, made):
            return made
    return f"[{entity}]"


def person_parts(key: bytes | Keyed, full_name: str) -> tuple[str, str]:
    """Given name and surname of the surrogate of ``full_name``, so that a bare surname can follow its full name."""
    made = surrogate(key, "PERSON", full_name.casefold().title()).split()
    return made[0], made[-1]


def _unlike(entity: str, value: str, normalized: str, made: str) -> bool:
    image = normalize(entity, made)
    if image == normalized or made == value or not made or (len(value) >= 4 and value in made):
        return False
    if entity == "PERSON":
        if script_of(value) in _BY_CHARACTER:
            return not {char for char in normalized if char.isalpha()} & set(image)
        words = {word for word in _NAME_CUTS.split(normalized) if len(word) > 1}
        return not words & set(image.split()) and not any(len(word) > 3 and word in image for word in words)
    check = _INVALID.get(entity)
    return check is None or not check(made)


def _email(stream: Stream, value: str) -> str:
    given, stems, endings = lexicon.surrogate_names()
    first = given[stream.below(len(given))].lower()
    last = (stems[stream.below(len(stems))] + endings[stream.below(len(endings))]).lower()
    domain = ("example.com", "example.org", "example.net")[stream.below(3)]
    return recase(f"{first}.{last}{stream.below(90) + 10}@{domain}", value if value.isupper() else "x")


def _regroup(digits: str, value: str) -> str:
    source = iter(digits)
    return "".join(next(source, "0") if char.isdigit() else char for char in value)


def _card(stream: Stream, value: str) -> str:
    size = max(len(digits_of(value)), 12)
    return _regroup("9" + stream.digits(size - 1), value)


def _iban(stream: Stream, value: str) -> str:
    made: list[str] = []
    seen = 0
    for at, char in enumerate(value):
        if seen == 4:
            return "".join(made) + stream.shaped(value[at:])
        if char.isalnum():
            # Check digits 00 are outside the range mod 97-10 can produce.
            made.append(char if seen < 2 else "0")
            seen += 1
        else:
            made.append(char)
    return "".join(made)


def _ssn(stream: Stream, value: str) -> str:
    # Areas 900-999 are never issued; groups 00-49 keep it clear of taxpayer numbers too.
    return _regroup("9" + stream.digits(2) + str(stream.below(5)) + stream.digits(5), value)


def _ip(stream: Stream, value: str) -> str:
    if ":" in value:
        groups = [f"{stream.below(65536):x}" for _ in range(4)]
        return "2001:db8:" + ":".join(groups[:2]) + "::" + ":".join(groups[2:])
    net = ("192.0.2", "198.51.100", "203.0.113")[stream.below(3)]
    return f"{net}.{1 + stream.below(254)}"


def _mac(stream: Stream, value: str) -> str:
    pairs = "02" + "".join("0123456789abcdef"[stream.below(16)] for _ in range(10))
    source = iter(pairs)
    made = "".join(next(source, "0") if char.isalnum() else char for char in value)
    return made.upper() if value.isupper() else made


def _url(stream: Stream, value: str) -> str:
    _, stems, endings = lexicon.surrogate_names()
    host = (stems[stream.below(len(stems))] + endings[stream.below(len(endings))]).lower()
    scheme = "http://" if value.lower().startswith("http://") else "https://"
    return f"{scheme}{host}.example.com/{stream.below(16**8):08x}"


def _wallet(stream: Stream, value: str) -> str:
    prefix = 4 if value.lower().startswith("bc1") else 2 if value.startswith("0x") else 1
    return value[:prefix] + stream.shaped(value[prefix:])


def _vat(stream: Stream, value: str) -> str:
    """The country stays; the rest has its shape."""
    size = 2 if value[:2].isalpha() else 0
    return value[:size] + stream.shaped(value[size:])


def _code(stream: Stream, value: str) -> str:
    return stream.shaped(value)


_MAKERS: Final[Mapping[str, Callable[[Stream, str], str]]] = {
    "PERSON": person,
    "EMAIL": _email,
    "PHONE": phone,
    "CARD": _card,
    "IBAN": _iban,
    "SSN": _ssn,
    "IP": _ip,
    "MAC": _mac,
    "URL": _url,
    "DATE_OF_BIRTH": date,
    "DATE": date,
    "CRYPTO_WALLET": _wallet,
    "ADDRESS": address,
    "LOCATION": place,
    "ORG": organisation,
    "POSTCODE": postcode,
    "BIC": bic,
    "VAT_ID": _vat,
}

_INVALID: Final[Mapping[str, Callable[[str], bool]]] = {
    "CARD": lambda value: luhn(digits_of(value)),
    "IBAN": validators.iban,
    "SSN": validators.ssn,
    "ITIN": national.itin,
    "NPI": validators.npi,
    "NHS": national.nhs,
    "DEA": validators.dea,
    "CA_SIN": national.sin,
    "ES_DNI": national.dni,
    "NL_BSN": national.bsn,
    "DE_TAX_ID": national.steuer_id,
    "FR_NIR": national.nir,
    "IN_AADHAAR": national.aadhaar,
    "AU_TFN": national.tfn,
    "BR_CPF": national.cpf,
    "IT_CODICE_FISCALE": national.codice_fiscale,
    "PL_PESEL": national.pesel,
    "SE_PERSONNUMMER": national.personnummer,
    "NO_FODSELSNUMMER": national.fodselsnummer,
    "DK_CPR": national.cpr,
    "FI_HETU": national.hetu,
    "IE_PPS": national.pps,
    "PT_NIF": national.nif,
    "BE_NATIONAL": national.rijksregister,
    "CH_AHV": national.ahv,
    "AT_SVNR": national.svnr,
    "TR_KIMLIK": national.kimlik,
    "ZA_ID": national.za_id,
    "SG_NRIC": national.nric,
    "UK_UTR": national.utr,
    "ROUTING_NUMBER": validators.aba,
}
"""Kinds whose surrogate must fail its own check, so that nobody's real number comes out by chance."""
