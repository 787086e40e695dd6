"""Check rules of national numbers, as published by the authorities that issue them.

Predicates on a candidate's text, as in :mod:`securevec.anonymize.validators`.
"""

from __future__ import annotations

from typing import Final

from securevec.anonymize.checksums import alnum, digits_of, luhn

_D: Final = "0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210"
"""Multiplication table of the dihedral group D5, row by row (Verhoeff's scheme)."""


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


def nhs(value: str) -> bool:
    digits = digits_of(value)
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(char) * (10 - index) for index, char in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10
