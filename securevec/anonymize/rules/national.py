"""Check rules of national numbers, as published by the authorities that issue them.

Predicates on a candidate's text, as in :mod:`securevec.anonymize.rules.validators`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from securevec.anonymize.rules.checksums import alnum, digits_of, luhn

_D: Final = "0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210"
"""Multiplication table of the dihedral group D5, row by row (Verhoeff's scheme)."""
_PRODUCTS: Final = [[int(_D[row * 10 + column]) for column in range(10)] for row in range(10)]
_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _permutations() -> list[list[int]]:
    """What stands for each digit at each of eight places, after which they repeat."""
    made = [list(range(10))]
    while len(made) < 8:
        made.append([_STEP[number] for number in made[-1]])
    return made


_PERMUTED: Final = _permutations()


def itin(value: str) -> bool:
    digits = digits_of(value)
    group = int(digits[3:5]) if len(digits) == 9 else 0
    return digits[:1] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


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
    """German tax id: eleven digits, ISO/IEC 7064 mod 11,10, a repeated digit; those of tests begin with 0."""
    digits = digits_of(value)
    if len(digits) != 11 or len(set(digits[:10])) not in {8, 9}:
        return False
    product = 10
    for char in digits[:10]:
        total = (int(char) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


_MONTH: Final = re.compile(r"0[1-9]|1[0-2]|20|3\d|4[0-2]|[5-9]\d")
"""Months, and what stands in their place where none is known."""


def nir(value: str) -> bool:
    """French social security number with its two-digit key."""
    code = alnum(value)
    number = code[:13].replace("2A", "19").replace("2B", "18")
    if code == value and _MONTH.fullmatch(code, 3, 5) is None:
        # Fifteen digits in a row are many things, and one in 97 passes the check.
        return False
    return len(code) == 15 and number.isdigit() and code[13:].isdigit() and 97 - int(number) % 97 == int(code[13:])


def aadhaar(value: str) -> bool:
    """Indian Aadhaar: twelve digits, Verhoeff check (dihedral group D5)."""
    digits = digits_of(value)
    if len(digits) != 12 or digits[0] in "01" or len(set(digits)) == 1:
        return False
    check = 0
    for place, char in enumerate(reversed(digits)):
        check = _PRODUCTS[check][_PERMUTED[place % 8][ord(char) - 48]]
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


def codice_shape(value: str) -> bool:
    """A code that passes, or one in capitals whose day is one of a month (women's are 40 later): nothing else is so
    written, and it is somebody's when its last letter was mistyped."""
    return codice_fiscale(value) or (value.isupper() and int(value[9:11]) % 40 in range(1, 32) and value[9] < "8")


def nhs(value: str) -> bool:
    digits = digits_of(value)
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(char) * (10 - index) for index, char in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10


def _weighted(digits: str, weights: Iterable[int]) -> int:
    return sum(int(char) * weight for char, weight in zip(digits, weights, strict=True))


def _day(day: int, month: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def pesel(value: str) -> bool:
    """Polish number: the century is added to the month in twenties; weights 1, 3, 7, 9."""
    digits = digits_of(value)
    if len(digits) != 11 or not _day(int(digits[4:6]), int(digits[2:4]) % 20):
        return False
    return _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def personnummer(value: str) -> bool:
    """Swedish personnummer or samordningsnummer (day raised by 60): Luhn over the last ten digits."""
    digits = digits_of(value)[-10:]
    if len(digits) != 10 or not luhn(digits):
        return False
    day = int(digits[4:6])
    return _day(day - 60 if day > 60 else day, int(digits[2:4]))


def fodselsnummer(value: str) -> bool:
    """Norwegian number: two check digits modulo 11. Days are raised by 40 in D-numbers, months by 40 or 80 in tests."""
    digits = digits_of(value)
    if len(digits) != 11 or not _day(int(digits[:2]) % 40, int(digits[2:4]) % 40):
        return False
    first = _weighted(digits[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    return first == 0 and _weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def cpr(value: str) -> bool:
    """Danish number: only its date can be checked since 2007 (the day is raised by 60 for replacement numbers)."""
    digits = digits_of(value)
    return len(digits) == 10 and _day(int(digits[:2]) % 60, int(digits[2:4]))


def hetu(value: str) -> bool:
    """Finnish code: a letter or digit chosen by the nine digits modulo 31."""
    code = alnum(value)
    digits = digits_of(value[:-1])
    if len(digits) != 9 or not _day(int(digits[:2]), int(digits[2:4])):
        return False
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == code[-1]


def pps(value: str) -> bool:
    """Irish number: weights 8 to 2, a second letter counts nine times its place; the first letter modulo 23."""
    code = alnum(value)
    if not code[:7].isdigit() or len(code) not in {8, 9}:
        return False
    total = _weighted(code[:7], range(8, 1, -1))
    if len(code) == 9 and code[8] != "W":
        total += 9 * (ord(code[8]) - 64)
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == code[7]


def nif(value: str) -> bool:
    """Portuguese tax number: weights 9 to 2, modulo 11, 10 and 11 become 0."""
    digits = digits_of(value)
    if len(digits) != 9:
        return False
    check = 11 - _weighted(digits[:8], range(9, 1, -1)) % 11
    return int(digits[8]) == (check if check < 10 else 0)


def rijksregister(value: str) -> bool:
    """Belgian number: 97 minus the first nine digits modulo 97, with a 2 in front for births from 2000 on."""
    digits = digits_of(value)
    if len(digits) != 11:
        return False
    return any(97 - int(century + digits[:9]) % 97 == int(digits[9:]) for century in ("", "2"))


def ahv(value: str) -> bool:
    """Swiss number: the check digit of EAN-13."""
    digits = digits_of(value)
    return len(digits) == 13 and _weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def svnr(value: str) -> bool:
    """Austrian insurance number: the fourth digit checks the others modulo 11."""
    digits = digits_of(value)
    if len(digits) != 10:
        return False
    return _weighted(digits[:3] + digits[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11 == int(digits[3])


def kimlik(value: str) -> bool:
    """Turkish number: the tenth digit from odd and even places, the eleventh from the sum of the first ten."""
    digits = [int(char) for char in digits_of(value)]
    if len(digits) != 11:
        return False
    return (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2])) % 10 == digits[9] and sum(digits[:10]) % 10 == digits[10]


def za_id(value: str) -> bool:
    """South African number: a date, and Luhn over all thirteen digits."""
    digits = digits_of(value)
    return len(digits) == 13 and _day(int(digits[4:6]), int(digits[2:4])) and luhn(digits)


def nric(value: str) -> bool:
    """Singapore NRIC and FIN: weights 2, 7, 6, 5, 4, 3, 2; T and G count four more; the letter modulo 11."""
    code = alnum(value)
    if len(code) != 9 or not code[1:8].isdigit():
        return False
    total = _weighted(code[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if code[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if code[0] in "ST" else "XWUTRQPNMLK")[total % 11] == code[8]


def utr(value: str) -> bool:
    """British taxpayer reference: the first digit checks the nine that follow modulo 11."""
    digits = digits_of(value)
    if len(digits) != 10:
        return False
    return "21987654321"[_weighted(digits[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == digits[0]


def inn(value: str) -> bool:
    """Russian taxpayer number: ten digits of a firm, twelve of a person; weights modulo 11, then 10 (Order
    ED-7-14/559)."""
    digits = digits_of(value)
    if len(digits) not in (10, 12):
        return False
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    checked = (9,) if len(digits) == 10 else (10, 11)
    return all(_weighted(digits[:at], weights[11 - at :]) % 11 % 10 == int(digits[at]) for at in checked)


def snils(value: str) -> bool:
    """Russian number of pension insurance: nine digits by their place from the end, modulo 101."""
    digits = digits_of(value)
    return len(digits) == 11 and _weighted(digits[:9], range(9, 0, -1)) % 101 % 100 == int(digits[9:])
