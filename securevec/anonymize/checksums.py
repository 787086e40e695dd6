"""Small helpers every check digit needs."""

from __future__ import annotations


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
