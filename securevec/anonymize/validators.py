"""Checks on the text of a candidate. Each takes the value and says whether it can be what the rule claims.

These are predicates inside the detector, not security checks: a ``False`` only means "not this entity".

Sources: ISO/IEC 7812-1 annex B (Luhn), ISO 13616 and ISO/IEC 7064 mod 97-10 (IBAN), SSA rules on area, group and
serial numbers, 45 CFR 162.406 (NPI, Luhn with prefix 80840), NHS data dictionary (modulus 11), 21 CFR 1301 (DEA check
digit), BIP 13 and BIP 173 (Bitcoin addresses), the tax authorities' published rules for the national numbers.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import re
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from securevec.anonymize import phones

_IBAN_LENGTH: Final[Mapping[str, int]] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


_DIGIT_GROUP: Final = re.compile(r"\d+")


def alnum(value: str) -> str:
    return "".join(filter(str.isalnum, value)).upper()


def digits_of(value: str) -> str:
    return "".join(char for char in value if "0" <= char <= "9")


def luhn(digits: str) -> bool:
    total = 0
    for index, char in enumerate(reversed(digits)):
        number = ord(char) - 48
        if index % 2:
            number = number * 2 - 9 if number > 4 else number * 2
        total += number
    return bool(digits) and total % 10 == 0


def card(value: str) -> bool:
    """12 to 19 digits that pass Luhn and are not one digit repeated."""
    digits = digits_of(value)
    if not 12 <= len(digits) <= 19 or len(set(digits)) == 1 or digits[0] == "0":
        return False
    # Twelve digits are a card only in the ranges of Maestro; other numbers of that length pass Luhn one time in ten.
    return luhn(digits) and (len(digits) > 12 or digits[:2] in {"50", "56", "57", "58", "59"} or digits[0] == "6")


def card_extent(value: str) -> tuple[int, int] | None:
    """The longest run of whole digit groups in ``value`` that is a card number."""
    groups = [match.span() for match in _DIGIT_GROUP.finditer(value)]
    best: tuple[int, int] | None = None
    for first in range(len(groups)):
        for last in range(len(groups) - 1, first - 1, -1):
            start, end = groups[first][0], groups[last][1]
            if card(value[start:end]) and (best is None or end - start > best[1] - best[0]):
                best = (start, end)
    return best


def iban_extent(value: str) -> tuple[int, int] | None:
    """The leading part of ``value`` that has the length of its country and passes the check."""
    wanted = _IBAN_LENGTH.get(value[:2].upper(), 0)
    seen = 0
    for index, char in enumerate(value):
        seen += char.isalnum()
        if seen == wanted:
            whole = index + 1 == len(value) or not value[index + 1].isalnum()
            return (0, index + 1) if whole and iban(value[: index + 1]) else None
    return None


def iban(value: str) -> bool:
    code = alnum(value)
    if _IBAN_LENGTH.get(code[:2], 0) != len(code) or not code.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in code[4:] + code[:4])) % 97 == 1


def coded(value: str) -> bool:
    """An identifier rather than a word: at least four letters or digits, two of them digits."""
    return len(alnum(value)) >= 4 and len(digits_of(value)) >= 2


def ssn(value: str) -> bool:
    digits = digits_of(value)
    if len(digits) != 9 or len(set(digits)) == 1:
        return False
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def itin(value: str) -> bool:
    digits = digits_of(value)
    group = int(digits[3:5]) if len(digits) == 9 else 0
    return digits[:1] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


def npi(value: str) -> bool:
    digits = digits_of(value)
    return len(digits) == 10 and digits[0] in "12" and luhn("80840" + digits)


def nhs(value: str) -> bool:
    digits = digits_of(value)
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(char) * (10 - index) for index, char in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10


def dea(value: str) -> bool:
    digits = digits_of(value)[-7:]
    if len(digits) != 7:
        return False
    number = [int(char) for char in digits]
    return (number[0] + number[2] + number[4] + 2 * (number[1] + number[3] + number[5])) % 10 == number[6]


def nino(value: str) -> bool:
    code = alnum(value)
    return code[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def sin(value: str) -> bool:
    digits = digits_of(value)
    return len(digits) == 9 and digits[0] not in "08" and len(set(digits)) > 1 and luhn(digits)


def dni(value: str) -> bool:
    """Spanish DNI and NIE: a letter chosen by the number modulo 23."""
    code = alnum(value)
    number = code[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == code[-1]


def bsn(value: str) -> bool:
    digits = digits_of(value)
    if len(digits) != 9 or digits == "0" * 9:
        return False
    total = sum(int(char) * (9 - index) for index, char in enumerate(digits[:8])) - int(digits[8])
    return total % 11 == 0


def steuer_id(value: str) -> bool:
    """German tax id: eleven digits, ISO/IEC 7064 mod 11,10, one digit repeated among the first ten."""
    digits = digits_of(value)
    if len(digits) != 11 or digits[0] == "0" or len(set(digits[:10])) not in {8, 9}:
        return False
    product = 10
    for char in digits[:10]:
        total = (int(char) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def nir(value: str) -> bool:
    """French social security number with its two-digit key."""
    code = alnum(value)
    number = code[:13].replace("2A", "19").replace("2B", "18")
    return len(code) == 15 and number.isdigit() and code[13:].isdigit() and 97 - int(number) % 97 == int(code[13:])


_D: Final = "0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210"


def aadhaar(value: str) -> bool:
    """Indian Aadhaar: twelve digits, Verhoeff check (dihedral group D5)."""
    digits = digits_of(value)
    if len(digits) != 12 or digits[0] in "01" or len(set(digits)) == 1:
        return False
    permutation = list(range(10))
    step = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for char in reversed(digits):
        check = int(_D[check * 10 + permutation[int(char)]])
        permutation = [step[number] for number in permutation]
    return check == 0


def tfn(value: str) -> bool:
    digits = digits_of(value)
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10)
    return len(digits) == 9 and sum(int(char) * weight for char, weight in zip(digits, weights, strict=True)) % 11 == 0


def cpf(value: str) -> bool:
    digits = digits_of(value)
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    for size in (9, 10):
        total = sum(int(char) * (size + 1 - index) for index, char in enumerate(digits[:size]))
        if total * 10 % 11 % 10 != int(digits[size]):
            return False
    return True


def codice_fiscale(value: str) -> bool:
    code = alnum(value)
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    total = 0
    for index, char in enumerate(code[:15]):
        number = int(char) if char.isdigit() else ord(char) - 65
        total += odd[number] if index % 2 == 0 else number
    return len(code) == 16 and code[15] == chr(65 + total % 26)


def ip(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not address.is_unspecified and not address.is_loopback


def email(value: str) -> bool:
    local, _, domain = value.rpartition("@")
    return bool(local) and ".." not in value and not domain.startswith(("-", ".")) and len(value) <= 320


def birth_date(value: str) -> bool:
    """A numeric date has a month and a day in range in some order, and a year that fits."""
    numbers = [int(part) for part in "".join(c if c.isdigit() else " " for c in value).split()]
    if any(char.isalpha() for char in value):
        return any(1 <= number <= 31 for number in numbers)
    if len(numbers) != 3:
        return False
    if numbers[0] > 31:
        return 1850 <= numbers[0] <= 2100 and 1 <= numbers[1] <= 12 and 1 <= numbers[2] <= 31
    first, second, year = numbers
    return min(first, second) in range(1, 13) and max(first, second) <= 31 and (year < 100 or 1850 <= year <= 2100)


def entropy(value: str) -> float:
    """Shannon entropy of the characters, bits per character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values()) if value else 0.0


_PLACEHOLDER: Final = re.compile(
    r"(?i)(?:example|change.?me|placeholder|redacted|(?:insert|your|enter|my|some)[_\-.].*|.{0,4}x{4,}.{0,4}|\*+|\.+|none|null|true|false)"
)


def secret_value(value: str) -> bool:
    """Not a placeholder, not a variable, not a plain lower-case word: what a person would call a password."""
    if len(value) < 6 or value[0] in "$<{%(" or _PLACEHOLDER.fullmatch(value):
        return False
    kinds = sum((any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value))))
    kinds += any(not char.isalnum() for char in value.strip(".,-_"))
    return entropy(value) >= 2.5 and kinds >= 2


def strong_password(value: str) -> bool:
    """What a password rule enforces: three of capital, small letter, digit and special character."""
    kinds = sum((any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value))))
    kinds += any(not char.isalnum() for char in value)
    return kinds >= 3 and secret_value(value)


def generated_key(value: str) -> bool:
    """Long, mixed and evenly spread; hyphenated words, UUIDs and plain hexadecimal digests are not meant."""
    longest = max(re.split(r"[_\-+/]", value), key=len)
    if not longest or re.fullmatch(r"[0-9a-f]+|[A-Z]+|[a-z]+|[0-9]+|[0-9A-F]+", longest):
        return False
    return entropy(value) >= 3.8 and sum(map(str.isdigit, value)) >= 3


def random_value(value: str) -> bool:
    """Characters spread like those of a generated key."""
    return entropy(value) >= 3.0 and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def jwt(value: str) -> bool:
    head = value.split(".")[0]
    try:
        decoded = urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except ValueError:
        return False
    return decoded.startswith(b"{") and b'"' in decoded


_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(value: str) -> bool:
    number = 0
    for char in value:
        number = number * 58 + _BASE58.index(char)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return False
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def bech32(value: str) -> bool:
    """Checksum constant 1 (BIP 173) or 0x2bc830a3 (BIP 350)."""
    prefix, _, data = value.lower().rpartition("1")
    charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    if not prefix or any(char not in charset for char in data):
        return False
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = 1
    for number in values + [charset.index(char) for char in data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ number
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check in {1, 0x2BC830A3}


VALIDATORS: Final[Mapping[str, Callable[[str], bool]]] = {
    "aadhaar": aadhaar, "base58check": base58check, "bech32": bech32, "birth_date": birth_date, "bsn": bsn,
    "card": card, "codice_fiscale": codice_fiscale, "coded": coded, "cpf": cpf, "dea": dea, "dni": dni, "email": email, "iban": iban,
    "ip": ip, "itin": itin, "jwt": jwt, "nhs": nhs, "nino": nino, "nir": nir, "npi": npi, "phone": phones.plausible,
    "phone_strict": phones.valid, "random_value": random_value, "secret_value": secret_value, "sin": sin, "ssn": ssn,
    "strong_password": strong_password, "generated_key": generated_key,
    "steuer_id": steuer_id, "tfn": tfn,
}  # fmt: skip

EXTENTS: Final[Mapping[str, Callable[[str], tuple[int, int] | None]]] = {"card": card_extent, "iban": iban_extent}
"""Validators that may accept a part of a greedy match: where it lies in the match, or None."""
