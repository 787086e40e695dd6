"""Keyed surrogates: values of the same shape that stand in for the original.

``HMAC-SHA-256(pseudonym key, domain || LP(entity) || LP(normalized value) || counter)`` is stretched into a byte stream
that chooses the parts. The same value gives the same surrogate inside a tenant; two tenants' surrogates are unrelated.
Surrogates keep length and grouping where the shape matters to a reader, and fail the checksum of their kind or lie in
ranges reserved for documentation (RFC 2606, RFC 3849, RFC 5737, the 555-01xx numbers of the North American plan).
This is pseudonymization, not encryption: equality and frequency inside one tenant remain visible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from securevec.anonymize import lexicon, national, validators
from securevec.anonymize.checksums import digits_of
from securevec.anonymize.keys import normalize
from securevec.crypto.kdf import hmac256, lp

_DOMAIN: Final = b"securevec/surrogate/v1"
_ATTEMPTS: Final = 24
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


class Stream:
    """Bytes from a keyed hash, read as numbers. Deterministic in key, entity, value and attempt."""

    __slots__ = ("_block", "_buffer", "_key", "_seed")

    def __init__(self, key: bytes, entity: str, normalized: str, attempt: int) -> None:
        self._key = key
        self._seed = _DOMAIN + lp(entity.encode(), normalized.encode()) + attempt.to_bytes(4, "big")
        self._buffer = b""
        self._block = 0

    def below(self, bound: int) -> int:
        """A number in ``[0, bound)``; 64 bits per draw keep the modulo bias below 2**-40 for every bound used."""
        if len(self._buffer) < 8:
            self._buffer += hmac256(self._key, self._seed + self._block.to_bytes(4, "big"))
            self._block += 1
        number = int.from_bytes(self._buffer[:8], "big")
        self._buffer = self._buffer[8:]
        return number % bound

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))

    def shaped(self, value: str) -> str:
        """Digits to digits, letters to letters of the same case, everything else kept."""
        return "".join(self._like(char) for char in value)

    def shaped_digits(self, value: str) -> str:
        """Digits to digits, everything else kept."""
        return "".join(str(self.below(10)) if char.isdigit() else char for char in value)

    def _like(self, char: str) -> str:
        if char.isdigit():
            return str(self.below(10))
        if char.isalpha():
            letter = chr(97 + self.below(26))
            return letter.upper() if char.isupper() else letter
        return char


def surrogate(key: bytes, entity: str, value: str) -> str:
    """The tenant's surrogate of ``value``: never the value, never containing it, never a valid checksum number."""
    normalized = normalize(entity, value)
    make = _MAKERS.get(entity, _code)
    for attempt in range(_ATTEMPTS):
        made = make(Stream(key, entity, normalized, attempt), value)
        if _unlike(entity, value, normalized, made):
            return made
    return f"[{entity}]"


def person_parts(key: bytes, full_name: str) -> tuple[str, str]:
    """Given name and surname of the surrogate of ``full_name``, so that a bare surname can follow its full name."""
    made = surrogate(key, "PERSON", full_name.casefold().title()).split()
    return made[0], made[-1]


def recase(text: str, like: str) -> str:
    """``text`` in the casing of ``like``: upper, lower, or unchanged."""
    if like.isupper() and sum(map(str.isalpha, like)) > 1:
        return text.upper()
    return text.lower() if like.islower() else text


def _unlike(entity: str, value: str, normalized: str, made: str) -> bool:
    image = normalize(entity, made)
    if image == normalized or made == value or not made or (len(value) >= 4 and value in made):
        return False
    if entity == "PERSON":
        words = {word for word in re.split(r"[\s\-'.]+", normalized) if len(word) > 1}
        return not words & set(image.split()) and not any(len(word) > 3 and word in image for word in words)
    check = _INVALID.get(entity)
    return check is None or not check(made)


def _person(stream: Stream, value: str) -> str:
    given, stems, endings = lexicon.surrogate_names()
    first = given[stream.below(len(given))]
    last = stems[stream.below(len(stems))] + endings[stream.below(len(endings))]
    words = value.split()
    if len(words) == 1 and not value.isupper():
        return recase(first if lexicon.names().is_given(value) else last, value)
    return recase(f"{first} {last}", value)


def _email(stream: Stream, value: str) -> str:
    given, stems, endings = lexicon.surrogate_names()
    first = given[stream.below(len(given))].lower()
    last = (stems[stream.below(len(stems))] + endings[stream.below(len(endings))]).lower()
    domain = ("example.com", "example.org", "example.net")[stream.below(3)]
    return recase(f"{first}.{last}{stream.below(90) + 10}@{domain}", value if value.isupper() else "x")


def _regroup(digits: str, value: str) -> str:
    source = iter(digits)
    return "".join(next(source, "0") if char.isdigit() else char for char in value)


def _phone(stream: Stream, value: str) -> str:
    main, extension = value, ""
    if match := re.search(r"\s*(?:x|ext\.?|extension)\s*\d+$", value, re.IGNORECASE):
        main, extension = value[: match.start()], stream.shaped_digits(match.group())
    size = len(digits_of(main))
    tail = f"55501{stream.digits(2)}"
    if size < 8:
        return _regroup(tail[-size:] if size == 7 else "55501"[: max(size - 2, 0)] + stream.digits(2), main) + extension
    head = stream.digits(size - 7)
    if main.lstrip().startswith("+"):
        # +999 is assigned to no country; +1 keeps its plan because 555-01xx is reserved in it.
        head = (
            "1" + str(2 + stream.below(8)) + head[2:] if size == 11 and "+1" in main else ("999" + head[3:])[: size - 7]
        )
    elif main.lstrip().startswith("0"):
        head = "0" + head[1:]
    elif size == 10:
        head = str(2 + stream.below(8)) + head[1:]
    return _regroup(head + tail, main) + extension


def _card(stream: Stream, value: str) -> str:
    size = max(len(digits_of(value)), 12)
    return _regroup("9" + stream.digits(size - 1), value)


def _iban(stream: Stream, value: str) -> str:
    made, seen = [], 0
    for char in value:
        if not char.isalnum():
            made.append(char)
            continue
        # Check digits 00 are outside the range mod 97-10 can produce.
        made.append(char if seen < 2 else "0" if seen < 4 else stream.shaped(char))
        seen += 1
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


def _date(stream: Stream, value: str) -> str:
    """Another date written the same way: months stay months, days 1 to 12 so that either order is a date."""
    month = _MONTHS[stream.below(12)]

    def word(match: re.Match[str]) -> str:
        text = match.group()
        if not any(name.lower().startswith(text.lower()[:3]) for name in _MONTHS) or len(text) < 3:
            return text
        return recase(month if len(text) > 3 else month[:3], text)

    def number(match: re.Match[str]) -> str:
        text = match.group()
        if len(text) == 4:
            return str(1930 + stream.below(75))
        if len(text) == 2:
            return f"{1 + stream.below(12):02d}"
        return str(1 + stream.below(9)) if len(text) == 1 else stream.digits(len(text))

    return re.sub(r"\d+", number, re.sub(r"[A-Za-z]+", word, value))


def _wallet(stream: Stream, value: str) -> str:
    prefix = 4 if value.lower().startswith("bc1") else 2 if value.startswith("0x") else 1
    return value[:prefix] + stream.shaped(value[prefix:])


_STREETS: Final = ("Street", "Road", "Lane", "Avenue", "Close")


def _address(stream: Stream, value: str) -> str:
    """A house number and a street that sounds like one."""
    _, stems, endings = lexicon.surrogate_names()
    street = f"{stems[stream.below(len(stems))]}{endings[stream.below(len(endings))]}"
    return recase(f"{1 + stream.below(199)} {street} {_STREETS[stream.below(len(_STREETS))]}", value)


def _place(stream: Stream, value: str) -> str:
    _, stems, endings = lexicon.surrogate_names()
    name = f"{stems[stream.below(len(stems))]}{endings[stream.below(len(endings))]}"
    return recase(f"{('Old', 'New', 'Lower', 'Upper', 'Little')[stream.below(5)]} {name}", value)


def _org(stream: Stream, value: str) -> str:
    _, stems, endings = lexicon.surrogate_names()
    name = f"{stems[stream.below(len(stems))]}{endings[stream.below(len(endings))]}"
    return recase(f"{name} {('Group', 'Partners', 'Works', 'Services', 'Holdings')[stream.below(5)]}", value)


def _code(stream: Stream, value: str) -> str:
    return stream.shaped(value)


_MAKERS: Final[Mapping[str, Callable[[Stream, str], str]]] = {
    "PERSON": _person,
    "EMAIL": _email,
    "PHONE": _phone,
    "CARD": _card,
    "IBAN": _iban,
    "SSN": _ssn,
    "IP": _ip,
    "MAC": _mac,
    "URL": _url,
    "DATE_OF_BIRTH": _date,
    "DATE": _date,
    "CRYPTO_WALLET": _wallet,
    "ADDRESS": _address,
    "LOCATION": _place,
    "ORG": _org,
}

_INVALID: Final[Mapping[str, Callable[[str], bool]]] = {
    "CARD": validators.card,
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
