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
from securevec.anonymize.rules import national, personal, validators
from securevec.anonymize.rules.checksums import digits_of, luhn
from securevec.anonymize.surrogates.people import EASTERN, person, script_of
from securevec.anonymize.surrogates.phones import phone
from securevec.anonymize.surrogates.places import address, bic, date, organisation, place, postcode
from securevec.anonymize.surrogates.stream import Stream, recase
from securevec.crypto.kdf import Keyed

_ATTEMPTS: Final = 24
_NAME_CUTS: Final = re.compile(r"[\s\-'.]+")
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_OPEN_LOCATION: Final = "23456789CFGHJMPQRVWX"
_CHAIN: Final = re.compile(
    r"(?i)(?:bc|tb|ltc|cosmos|osmo|addr|terra|juno|stake|inj|celestia|kaspa|sei|bnb|lnurl)1|bitcoincash:"
    r"|ln(?:bc|tb)\d{1,12}[munp]?1"
)
_PLUS_CODE: Final = re.compile(rf"[{_OPEN_LOCATION}]+\+[{_OPEN_LOCATION}]+")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PAN: Final = re.compile(r"(?i)[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]")
_MBI: Final = re.compile(
    r"(?i)[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d\d"
)
_CURP: Final = re.compile(r"(?i)[A-Z][AEIOUX][A-Z]{2}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[HMX].{7}")
_VIN: Final = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_VIN_VALUES: Final = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True))
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
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
    if "://" not in value and not value.lower().startswith("www."):
        # A domain alone stays one, and a page of it a page.
        return f"{host}.example.com" + (f"/{stream.below(16**8):08x}" if "/" in value else "")
    scheme = "http://" if value.lower().startswith("http://") else "https://"
    return f"{scheme}{host}.example.com/{stream.below(16**8):08x}"


def _wallet(stream: Stream, value: str) -> str:
    """The network's beginning stays, the rest is of its alphabet. That its check holds happens once in 2**30."""
    if value.lower().startswith("0x"):
        return value[:2] + stream.hexadecimal(value[2:])
    if (chain := _CHAIN.match(value)) is not None:
        size = chain.end()
        made = stream.spelled(value[size:], _BECH32)
        return value[:size] + (made.upper() if value.isupper() else made)
    return value[:1] + stream.spelled(value[1:], _BASE32 if set(value) <= set(_BASE32) else _BASE58)


def _nino(stream: Stream, value: str) -> str:
    """The prefix QQ, which is given to nobody (HMRC, NIM39110), digits, and one of the four last letters."""
    letters = iter("QQ" + stream.choice("ABCD"))
    return recase(
        "".join(next(letters, "D") if char.isalpha() else char for char in stream.shaped_digits(value)), value
    )


def _expiry(stream: Stream, value: str) -> str:
    """A month and a year, written the same way."""
    month, year = f"{1 + stream.below(12):02}", str(30 + stream.below(40))
    written = {2: year, 4: f"20{year}"}
    numbers = [match.span() for match in re.finditer(r"\d+", value)]
    if len(numbers) != 2 or any(end - start not in written for start, end in numbers):
        return stream.shaped_digits(value)
    (first, behind), (second, end) = numbers
    year_first = behind - first == 4
    made = (written[behind - first], month) if year_first else (month, written[end - second])
    return f"{value[:first]}{made[0]}{value[behind:second]}{made[1]}{value[end:]}"


def _coordinates(stream: Stream, value: str) -> str:
    """Digits alone: N and E stay what they are. The letters of a plus code are its place."""
    if _PLUS_CODE.fullmatch(value):
        at = value.index("+")
        return f"{stream.spelled(value[:at], _OPEN_LOCATION)}+{stream.spelled(value[at + 1 :], _OPEN_LOCATION)}"
    return stream.shaped_digits(value)


def _vat(stream: Stream, value: str) -> str:
    """The country stays; the rest has its shape."""
    size = 2 if value[:2].isalpha() else 0
    return value[:size] + stream.shaped(value[size:])


def _code(stream: Stream, value: str) -> str:
    return stream.hexadecimal(value) if _UUID.fullmatch(value) else stream.shaped(value)


def _vin(value: str) -> bool:
    """The ninth sign is the check of 49 CFR 565.15, as on vehicles of North America."""
    code = value.upper()
    if _VIN.fullmatch(code) is None:
        return False
    total = sum((int(c) if c.isdigit() else _VIN_VALUES[c]) * w for c, w in zip(code, _VIN_WEIGHTS, strict=True))
    return code[8] == "0123456789X"[total % 11]


_MAKERS: Final[Mapping[str, Callable[[Stream, str], str]]] = {
    "PERSON": person,
    "EMAIL": _email,
    "PHONE": phone,
    "CARD": _card,
    "IBAN": _iban,
    "SSN": _ssn,
    "ITIN": _ssn,
    "UK_NINO": _nino,
    "CARD_EXPIRY": _expiry,
    "COORDINATES": _coordinates,
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

_OF_TAXES: Final = (
    *(national.codice_fiscale, national.steuer_id, national.nif, national.itin, national.cpf),
    national.inn,
)
_OF_PEOPLE: Final = (
    *(national.dni, national.pesel, national.cpf, national.bsn, national.personnummer, national.fodselsnummer),
    *(national.kimlik, national.aadhaar, national.nric, national.rijksregister, national.za_id, national.hetu),
)
_INVALID: Final[Mapping[str, Callable[[str], bool]]] = {
    "CARD": lambda value: luhn(digits_of(value)),
    "IBAN": validators.iban,
    "SSN": lambda value: validators.ssn(value) or national.snils(value),
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
    "ROUTING_NUMBER": lambda value: validators.aba(value) or (value[:4].isalpha() and value[4:5] == "0"),
    "IMEI": personal.imei,
    "VIN": _vin,
    "IN_PAN": lambda value: _PAN.fullmatch(value) is not None,
    "MEDICARE_ID": lambda value: _MBI.fullmatch(value) is not None,
    "MX_CURP": lambda value: _CURP.fullmatch(value) is not None,
    "TAX_ID": lambda value: any(check(value) for check in _OF_TAXES),
    "NATIONAL_ID": lambda value: any(check(value) for check in _OF_PEOPLE),
}
"""Kinds whose surrogate must fail its own check, so that nobody's real number comes out by chance."""
