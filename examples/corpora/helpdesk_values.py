"""Invented values for the help desk corpus: numbers that pass their checks and belong to nobody.

Where a format sets numbers aside for documentation, drama or testing, they are drawn from there: e-mail
domains of RFC 2606, addresses of RFC 5737 and RFC 3849, MAC addresses of RFC 7042, 555-01xx, the numbers that
Ofcom, ACMA, ARCEP and the Bundesnetzagentur keep for film and radio, card prefixes of test cards, social
security areas 773 to 899 that were never handed out by area. Keys carry the word EXAMPLE.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata
from datetime import date
from random import Random

MONTHS = (
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
)
_US_AREAS = ("212", "312", "415", "503", "617", "718", "206", "303", "404", "512", "614", "702")
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org", "inbox.test")
_CARDS = (("424242", 16), ("400005", 16), ("555555", 16), ("222300", 16), ("378282", 15), ("601111", 16))
_WORDS = ("Marigold", "Teapot", "Lantern", "Harbour", "Pumpkin", "Sparrow", "Thunder", "Velvet", "Walnut", "Compass")
_ALNUM = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def digits(rng: Random, count: int) -> str:
    """``count`` random digits."""
    return "".join(rng.choice("0123456789") for _ in range(count))


def luhn_digit(body: str) -> str:
    """The check digit of ISO/IEC 7812 for ``body``."""
    total = 0
    for index, character in enumerate(reversed(body)):
        value = int(character) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def ascii_fold(text: str) -> str:
    """Letters without marks, lower case, for use in an e-mail address."""
    plain = text.translate(str.maketrans("łøæðß", "loads")).lower().translate(str.maketrans("łøæð", "load"))
    kept = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode("ascii")
    return "".join(character for character in kept if character.isalnum())


def email(rng: Random, given: str, surname: str) -> str:
    """An address as this person might have it."""
    first, last = ascii_fold(given), ascii_fold(surname)
    local = rng.choice(
        [
            f"{first}.{last}",
            f"{first}.{last}",
            f"{first[0]}{last}",
            f"{last}.{first}",
            f"{first}_{last[:1]}{digits(rng, 2)}",
            f"{first}.{last}+clinic",
            f"{first}{digits(rng, 3)}",
        ]
    )
    address = f"{local}@{rng.choice(_DOMAINS)}"
    roll = rng.random()
    if roll < 0.06:
        return address.upper()
    return address.title() if roll < 0.1 else address


def phone(rng: Random) -> str:
    """A telephone number in one of the ways people write them."""
    area, line = rng.choice(_US_AREAS), f"01{digits(rng, 2)}"
    british, mobile = f"7946 0{digits(rng, 3)}", f"900{digits(rng, 3)}"
    american = [
        f"({area}) 555-{line}",
        f"{area}-555-{line}",
        f"{area}.555.{line}",
        f"{area} 555 {line}",
        f"+1 {area} 555 {line}",
        f"+1-{area}-555-{line}",
        f"1-{area}-555-{line}",
        f"+1{area}555{line}",
    ]
    abroad = [
        f"020 {british}",
        f"+44 20 {british}",
        f"07700 {mobile}",
        f"+44 7700 {mobile}",
        f"+44 (0)20 {british}",
        f"+61 491 570 {rng.choice(['156', '157', '158', '159', '110', '313', '737'])}",
        f"+33 1 99 00 {digits(rng, 2)} {digits(rng, 2)}",
        f"+49 30 23125 {digits(rng, 3)}",
    ]
    return rng.choice(american if rng.random() < 0.65 else abroad)


def card(rng: Random) -> str:
    """A card number of a test range with a right check digit."""
    prefix, length = rng.choice(_CARDS)
    body = prefix + digits(rng, length - 1 - len(prefix))
    number = body + luhn_digit(body)
    if length == 15:
        return rng.choice([number, f"{number[:4]} {number[4:10]} {number[10:]}"])
    groups = [number[index : index + 4] for index in range(0, 16, 4)]
    return rng.choice([" ".join(groups), " ".join(groups), "-".join(groups), number])


def iban(rng: Random) -> str:
    """An IBAN with right check digits (ISO 13616) at a bank called TEST or of no name."""
    country, bban = rng.choice(
        [
            ("GB", f"TEST{digits(rng, 14)}"),
            ("NL", f"TEST0{digits(rng, 9)}"),
            ("IE", f"TEST{digits(rng, 14)}"),
            ("DE", f"99{digits(rng, 16)}"),
            ("FR", f"99999{digits(rng, 18)}"),
            ("ES", f"9999{digits(rng, 16)}"),
            ("CH", f"99999{digits(rng, 12)}"),
        ]
    )
    number = "".join(str(int(character, 36)) for character in f"{bban}{country}00")
    whole = f"{country}{98 - int(number) % 97:02d}{bban}"
    if rng.random() < 0.6:
        return " ".join(whole[index : index + 4] for index in range(0, len(whole), 4))
    return whole


def ssn(rng: Random) -> str:
    """A social security number of an area that was never assigned."""
    area, group, serial = rng.randint(773, 899), rng.randint(1, 99), rng.randint(1, 9999)
    return rng.choice([f"{area}-{group:02d}-{serial:04d}"] * 4 + [f"{area} {group:02d} {serial:04d}"])


def ip(rng: Random) -> str:
    """An IPv4 address of RFC 5737, sometimes a private one."""
    net = rng.choice(["192.0.2", "198.51.100", "203.0.113", "203.0.113", f"10.20.{rng.randint(0, 40)}"])
    return f"{net}.{rng.randint(2, 254)}"


def ip6(rng: Random) -> str:
    """An IPv6 address of RFC 3849."""
    return f"2001:db8:{rng.randint(1, 65535):x}::{rng.randint(1, 65535):x}:{rng.randint(1, 65535):x}"


def mac(rng: Random) -> str:
    """A MAC address of the documentation range, or a locally administered one."""
    head = rng.choice([[0x00, 0x00, 0x5E, 0x00, 0x53], [0x02, *(rng.randint(0, 255) for _ in range(4))]])
    text = rng.choice([":", ":", "-"]).join(f"{octet:02x}" for octet in [*head, rng.randint(0, 255)])
    return text.upper() if rng.random() < 0.6 else text


def mrn(rng: Random) -> str:
    """A medical record number as the desk prints it."""
    return rng.choice([digits(rng, 1).replace("0", "4") + digits(rng, 6), f"00{digits(rng, 6)}", f"L{digits(rng, 7)}"])


def npi(rng: Random) -> str:
    """A national provider identifier: ten digits, check digit over the 80840 prefix."""
    body = rng.choice("12") + digits(rng, 8)
    return body + luhn_digit("80840" + body)


def birth_date(rng: Random) -> str:
    """A date of birth in one of the ways people write it."""
    born = date(rng.randint(1934, 2007), rng.randint(1, 12), rng.randint(1, 28))
    month = MONTHS[born.month - 1]
    return rng.choice(
        [
            f"{born.day} {month} {born.year}",
            f"{month} {born.day}, {born.year}",
            f"{born.month:02d}/{born.day:02d}/{born.year}",
            f"{born.month}/{born.day}/{born.year}",
            born.isoformat(),
            f"{born.day:02d}.{born.month:02d}.{born.year}",
            f"{born.day} {month[:3]} {born.year}",
        ]
    )


def password(rng: Random) -> str:
    """A password of the kind people choose and clinics hand out."""
    word = rng.choice(_WORDS)
    return rng.choice(
        [
            f"{word}-{digits(rng, 4)}",
            f"{word}{digits(rng, 3)}!",
            f"{rng.choice(_WORDS)}.{word}.{digits(rng, 2)}",
            "".join(rng.choice(_ALNUM) for _ in range(11)) + rng.choice("#!?"),
        ]
    )


def api_key(rng: Random) -> str:
    """A key in a well-known form. None is real: EXAMPLE stands in it, and the rest comes from the seed."""

    def tail(count: int) -> str:
        return "".join(rng.choice(_ALNUM) for _ in range(count))

    upper = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(9))
    return rng.choice(
        [
            f"AKIA{upper}EXAMPLE",
            f"ghp_EXAMPLE{tail(29)}",
            f"sk_test_EXAMPLE{tail(21)}",
            f"AIzaSyEXAMPLE{tail(26)}",
            f"lgh_EXAMPLE_{tail(28)}",
            f"{rng.getrandbits(160):040x}",
        ]
    )


def jwt(rng: Random) -> str:
    """A signed JSON web token (RFC 7519) under a key that is thrown away."""

    def part(value: dict[str, object]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=")

    signed = b".".join(
        (part({"alg": "HS256", "typ": "JWT"}), part({"sub": f"example-{digits(rng, 6)}", "iat": 1700000000}))
    )
    mac256 = hmac.new(rng.randbytes(32), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac256).rstrip(b"=")).decode()


def url_user(rng: Random, given: str, surname: str) -> str:
    """``user:password`` as it stands inside a URL."""
    return f"{ascii_fold(given)[:1]}{ascii_fold(surname)}:{rng.choice(_WORDS)}-{digits(rng, 4)}"
