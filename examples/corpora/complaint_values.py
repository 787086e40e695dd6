"""Invented values for the complaints corpus: right by their checks, and nobody's.

What the help desk's values already cover comes from :mod:`helpdesk_values`. National numbers pass the check of their
country and carry a birth date, department, series or office that is not in use (births after 2090 where the century
can be written, French department 99 with country 999, Spanish numbers above 99.9 million, the Dutch and German ranges
kept for tests, German numbers beginning with 0, British administrative prefixes). Banks are called TEST or have codes
no bank has; sort codes begin with 00 or 99.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from helpdesk_values import MONTHS, digits, luhn_digit

_HEAD_OFFICE: Final = "X" * 3  # as ISO 9362 writes the branch of a head office

STREETS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "dev": {
        "en": ("Tannery Lane", "Bramble Road", "Mill Hill Street", "Kestrel Avenue", "Orchard Close", "Station Road"),
        "us": ("Juniper Avenue", "W 14th Street", "Old Quarry Road", "Sycamore Drive", "Lakeview Blvd"),
        "de": ("Lindenstraße", "Am Mühlbach", "Gartenweg", "Goethestr."),
        "fr": ("rue des Tilleuls", "avenue du Port", "place de la Halle"),
        "es": ("Calle del Olmo", "Avenida de la Fuente", "Plaza Nueva"),
        "it": ("Via dei Mulini", "Piazza Vecchia", "Corso Umbria"),
        "nl": ("Molenweg", "Kerkstraat", "Oude Gracht"),
        "se": ("Björkvägen", "Storgatan"),
    },
    "heldout": {
        "en": (
            "Saddler's Row",
            "Harebell Crescent",
            "Upper Chapel Terrace",
            "Weir Gardens",
            "Quay Street",
            "Fox Drive",
        ),
        "us": ("Cottonwood Court", "N Meridian St", "Harvest Moon Way", "Elm Parkway", "State Route 9"),
        "de": ("Ahornallee", "Hinter der Kirche", "Rosenstr.", "Schulgasse"),
        "fr": ("boulevard des Marins", "chemin du Moulin", "quai Vert"),
        "es": ("Paseo de los Almendros", "C/ Mayor", "Camino Viejo"),
        "it": ("Viale della Pace", "Via Garofano", "Largo San Pietro"),
        "nl": ("Havenkade", "Beukenlaan", "Nieuwstraat"),
        "se": ("Lingonstigen", "Kyrkogatan"),
    },
}


def _check(number: str, weights: Sequence[int]) -> int:
    return sum(int(char) * weight for char, weight in zip(number, weights, strict=True))


def address(rng: Random, split: str) -> str:
    """Number and street, as it is written in Britain, Ireland and the United States."""
    if rng.random() < 0.3:
        street, number = rng.choice(STREETS[split]["us"]), rng.randint(102, 9400)
        return f"{number} {street}" + (f", Apt {rng.randint(2, 40)}" if rng.random() < 0.3 else "")
    flat = rng.choice(["", "", "", f"Flat {rng.randint(1, 30)}, "])
    return f"{flat}{rng.randint(1, 180)}{rng.choice(['', '', 'a', 'B'])} {rng.choice(STREETS[split]['en'])}"


def street(rng: Random, split: str, country: str) -> str:
    """The same in the order of a country of the continent."""
    number = rng.randint(1, 140)
    name = rng.choice(STREETS[split][country])
    if country == "fr":
        return f"{number}{rng.choice(['', ',', ' bis'])} {name}"
    return f"{name}, {number}" if country in ("es", "it") and rng.random() < 0.5 else f"{name} {number}"


def postcode(rng: Random) -> str:
    """A British postcode in an area that does not exist (the letters of the inward part are allowed ones)."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    outward = f"{rng.choice(['QX', 'ZA', 'VQ', 'XJ'])}{rng.randint(1, 39)}"
    return f"{outward} {rng.randint(0, 9)}{rng.choice(letters)}{rng.choice(letters)}"


def sort_code(rng: Random) -> str:
    """Six digits of no bank."""
    body = f"{rng.choice(['00', '99'])}{digits(rng, 4)}"
    return rng.choice(["{}-{}-{}", "{}-{}-{}", "{} {} {}"]).format(body[:2], body[2:4], body[4:])


def account(rng: Random) -> str:
    """Eight digits."""
    return f"{rng.randint(1, 9)}{digits(rng, 7)}"


def bic(rng: Random) -> str:
    """A code of a bank that is none (ISO 9362), with the branch, with that of the head office, or without one."""
    country = rng.choice(["GB", "DE", "FR", "NL", "IE", "ES"])
    return f"{rng.choice(['TEST', 'MRWB', 'FAKE'])}{country}2{rng.choice('XLM')}{rng.choice(['', _HEAD_OFFICE, 'F12'])}"


def customer(rng: Random, split: str) -> str:
    """A customer number of Merrowby Pay."""
    other = digits(rng, 8) if split == "dev" else f"C{digits(rng, 7)}"
    return rng.choice([f"MB-{digits(rng, 4)}-{digits(rng, 4)}", other])


def complaint(rng: Random, split: str) -> str:
    """A complaint number."""
    if split == "dev":
        return rng.choice([f"CMP-2026-{digits(rng, 6)}", f"#{rng.randint(1, 9)}{digits(rng, 6)}"])
    return rng.choice([f"CMP-2026-{digits(rng, 6)}", f"2026/{digits(rng, 6)}"])


def nino(rng: Random) -> str:
    """A British national insurance number with a prefix that is used for administration only."""
    body = f"{rng.choice(['CR', 'MW', 'NC', 'PY', 'PZ'])}{digits(rng, 6)}{rng.choice('ABCD')}"
    return rng.choice([body, " ".join((body[:2], body[2:4], body[4:6], body[6:8], body[8]))])


def steuer(rng: Random) -> str:
    """A German tax number of the test range: it begins with 0."""
    while True:
        body = "0" + digits(rng, 9)
        if len(set(body)) == 9 and max(body.count(char) for char in body) == 2:
            break
    product = 10
    for char in body:
        product = ((int(char) + product) % 10 or 10) * 2 % 11
    number = body + str((11 - product) % 10)
    return rng.choice([number, f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"])


def nir(rng: Random) -> str:
    """A French social security number of somebody born abroad in a country that does not exist."""
    body = f"{rng.choice('12')}{rng.randint(30, 99)}{rng.randint(1, 12):02d}99999{digits(rng, 3)}"
    number = f"{body}{97 - int(body) % 97:02d}"
    if rng.random() < 0.5:
        return number
    parts = (number[0], number[1:3], number[3:5], number[5:7], number[7:10], number[10:13], number[13:])
    return " ".join(parts)


def dni(rng: Random) -> str:
    """A Spanish identity number above those handed out."""
    number = f"999{digits(rng, 5)}"
    return f"{number}{rng.choice(['', '-'])}{'TRWAGMYFPDXBNJZSQVHLCKE'[int(number) % 23]}"


def codice_fiscale(rng: Random) -> str:
    """An Italian tax code of a municipality that does not exist."""
    consonants = "BCDFGLMNPRSTVZ"
    body = "".join(rng.choice(consonants) for _ in range(6))
    body += f"{rng.randint(40, 99)}{rng.choice('ABCDEHLMPRST')}{rng.randint(1, 28):02d}Z999"
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    values = [int(char) if char.isdigit() else ord(char) - 65 for char in body]
    total = sum(value if index % 2 else odd[value] for index, value in enumerate(values))
    return body + chr(65 + total % 26)


def bsn(rng: Random) -> str:
    """A Dutch citizen number of the test range."""
    while True:
        body = f"9999{digits(rng, 4)}"
        check = _check(body, range(9, 1, -1)) % 11
        if check < 10:
            return f"{body}{check}"


def pesel(rng: Random) -> str:
    """A Polish number of somebody born in the twenty-third century."""
    body = f"{rng.randint(0, 99):02d}{rng.randint(61, 72)}{rng.randint(1, 28):02d}{digits(rng, 4)}"
    return body + str(-_check(body, (1, 3, 7, 9) * 2 + (1, 3)) % 10)


def personnummer(rng: Random) -> str:
    """A Swedish number with the day raised by 60, as for people without one."""
    body = f"{rng.randint(30, 99)}{rng.randint(1, 12):02d}{rng.randint(61, 88)}{rng.randint(980, 999)}"
    number = body + luhn_digit(body)
    return rng.choice([f"{number[:6]}-{number[6:]}", f"19{number[:6]}-{number[6:]}"])


def pps(rng: Random) -> str:
    """An Irish number."""
    body = f"99{digits(rng, 5)}"
    return body + "WABCDEFGHIJKLMNOPQRSTUV"[_check(body, range(8, 1, -1)) % 23]


def nif(rng: Random) -> str:
    """A Portuguese tax number."""
    body = f"299{digits(rng, 5)}"
    check = 11 - _check(body, range(9, 1, -1)) % 11
    return body + str(check if check < 10 else 0)


def ahv(rng: Random) -> str:
    """A Swiss social security number: 756 and the check of EAN-13."""
    body = f"756{digits(rng, 9)}"
    number = body + str(-_check(body, (1, 3) * 6) % 10)
    return f"{number[:3]}.{number[3:7]}.{number[7:11]}.{number[11:]}"


def cpr(rng: Random) -> str:
    """A Danish number; those of today need no check digit."""
    return f"{rng.randint(61, 88)}{rng.randint(1, 12):02d}{rng.randint(30, 99)}-{digits(rng, 4)}"


def hetu(rng: Random) -> str:
    """A Finnish code of the range kept for tests (900 to 999)."""
    body = f"{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randint(40, 99)}"
    serial = f"9{digits(rng, 2)}"
    return f"{body}-{serial}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(body + serial) % 31]}"


def fnr(rng: Random) -> str:
    """A Norwegian number with the month raised by 80, as test persons have it."""
    while True:
        body = f"{rng.randint(1, 28):02d}{rng.randint(81, 92)}{rng.randint(40, 99)}{digits(rng, 3)}"
        first = -_check(body, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
        second = -_check(f"{body}{first % 10}", (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if first < 10 and second < 10:
            return rng.choice([f"{body}{first}{second}", f"{body[:6]} {body[6:]}{first}{second}"])


def rijksregister(rng: Random) -> str:
    """A Belgian number of somebody born in month 0 of an unknown year."""
    body = f"{rng.randint(40, 99)}00{rng.randint(1, 28):02d}{digits(rng, 3)}"
    number = f"{body}{97 - int(body) % 97:02d}"
    return f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"


def passport(rng: Random) -> str:
    """A passport number: nine digits, or a letter and eight."""
    return rng.choice([f"99{digits(rng, 7)}", f"X{digits(rng, 8)}", f"XX{digits(rng, 7)}"])


def licence(rng: Random) -> str:
    """A British driver number of an invented holder, or one of another country."""
    born = f"{rng.randint(0, 9)}{rng.randint(51, 62)}{rng.randint(32, 60)}{rng.randint(0, 9)}"
    british = f"{rng.choice(['ZZXQA', 'QXJVA', 'XQZ99'])}{born}ZX9XX"
    return rng.choice([british, f"X{digits(rng, 7)}", f"9{digits(rng, 8)}"])


def wallet(rng: Random) -> str:
    """A Bitcoin address (base58 with its check) of a random hash, or an Ethereum address."""
    if rng.random() < 0.5:
        return f"0x{rng.getrandbits(160):040x}"
    raw = b"\x00" + rng.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
    return "1" + text


def day(rng: Random, split: str) -> str:
    """A day of the year 2026 that is nobody's birthday."""
    at = datetime(2026, 1, 5) + timedelta(days=rng.randint(0, 280))  # noqa: DTZ001 - a day, not a moment
    if split == "dev":
        return rng.choice([f"{at.day} {MONTHS[at.month - 1]} 2026", at.strftime("%d/%m/%Y"), at.date().isoformat()])
    return rng.choice(
        [f"{MONTHS[at.month - 1]} {at.day}", at.strftime("%d.%m.%Y"), f"{at.day} {MONTHS[at.month - 1][:3]} 2026"]
    )


def moment(rng: Random) -> str:
    """A time stamp as a log has it."""
    at = datetime(2026, 1, 5) + timedelta(seconds=rng.randint(0, 280 * 86_400))  # noqa: DTZ001 - printed with its zone
    return f"{at.isoformat()}.{digits(rng, 3)}Z"


def order(rng: Random) -> str:
    """Sixteen digits in the groups of a card that fail the check of cards: an order number."""
    body = f"70{digits(rng, 13)}"
    number = body + str((int(luhn_digit(body)) + rng.randint(1, 9)) % 10)
    return rng.choice([number, f"{number[:4]}-{number[4:8]}-{number[8:12]}-{number[12:]}"])


def uuid(rng: Random) -> str:
    """A random UUID (RFC 9562)."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
