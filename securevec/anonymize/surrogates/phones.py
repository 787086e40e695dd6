"""Telephone numbers of nobody, in the numbering plan of the number they stand for.

Regulators keep numbers for films and books: 555-0100 to 555-0199 in each area of the North American plan (NANPA), and
those of Ofcom's list, of Bundesnetzagentur's Mitteilung 148/2021, of ARCEP's decision 2018-0881, of ACMA and of PTS.
Where none are kept, the number begins with digits that the country's plan gives to no subscriber (a test asks
phonenumbers); nothing here asks its metadata, which change with its releases, so that a surrogate stays what it is.
A number without a country code is taken for one of the plan that its length and first digits belong to most often.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from securevec.anonymize.rules.checksums import digits_of
from securevec.anonymize.surrogates.stream import Stream, regrouped

KEPT_FOR_FICTION: Final[Mapping[str, tuple[str, ...]]] = {
    "44": ("7700900###", "2079460###", "1632960###", "1134960###", "1614960###", "1214960###", "2920180###",
           "2896496###", "3069990###", "8081570###"),
    "49": ("3023125###", "6990009###", "4066969###", "2214710###", "8999998###", "17139200##", "176040690##"),
    "33": ("19900####", "26191####", "35301####", "46571####", "53649####", "63998####"),
    "61": ("25550####", "27010####", "35550####", "37010####", "75550####", "77010####", "85550####", "87010####"),
    "46": ("3139006##", "4062804##", "8465004##", "9803192##",
           *(f"7017406{tens}#" for tens in range(1, 10))),
}  # fmt: skip
"""Country code, and national numbers without the trunk prefix."""

_UNUSED: Final[Mapping[str, str]] = {
    "1": (
        "7 30 34 40 41 45 47 52 53 56 57 58 63 65 90 92 93 212 216 218 220 221 222 223 224 225 226 227 228 "
        "229 230 231 232 233 234 235 236 237 238 239 240 242 244 245 246 248 250 253 255 256 257 258 260 261 "
        "262 263 264 266 267 268 269 290 297 298 350 351 352 354 355 356 357 359 370 371 372 373 377 378 380 "
        "382 383 387 389 420 421 423 500 501 503 504 505 506 508 509 590 591 592 593 594 595 596 597 599 670 "
        "673 674 676 678 679 680 681 682 683 685 686 687 688 689 690 691 692 852 853 856 870 886 960 962 968 "
        "970 971 974 995 996 998"
    ),
    "10": "43 48 55 62 64 81 91 94 98 299 386 675 677 880",
    "11": "66 86 358",
    "12": "31",
    "13": "374 992",
    "17": "32 977",
    "2": "39 51 60 211 249 251 291 376 672 878 966 973 979",
    "20": "27 855 961",
    "24": "385",
    "3": "95 254 353 598 965 976 994",
    "39": "36",
    "4": "54 84 265 381 881",
    "41": "507",
    "42": "213",
    "5": "375",
    "50": "252",
    "6": "882 883 963 972",
    "7": "20 243",
    "8": "241 964 967 993",
    "9": "82 502 850 975",
}
"""Beginnings of national numbers that nobody has, and the country codes whose plans leave them out."""

UNUSED: Final[Mapping[str, str]] = {code: begins for begins, codes in _UNUSED.items() for code in codes.split()}

_EXTENSION: Final = re.compile(r"\s*(?:x|ext\.?|extension)\s*\d+$", re.IGNORECASE)


def phone(stream: Stream, value: str) -> str:
    """A number like ``value``: its country, its kind where numbers of it are kept, its grouping, an extension."""
    main, extension = value, ""
    if match := _EXTENSION.search(value):
        main, extension = value[: match.start()], stream.shaped_digits(match.group())
    digits = digits_of(main)
    abroad = main.lstrip().startswith("+") or (digits.startswith("00") and len(digits) > 9)
    made = _international(stream, digits, main) if abroad else _national(stream, digits)
    return regrouped(made, main) + extension


def _international(stream: Stream, digits: str, main: str) -> str:
    exit_code = "00" if digits.startswith("00") and not main.lstrip().startswith("+") else ""
    rest = digits.removeprefix(exit_code)
    code = country_code(rest)
    if not code:
        # +999 is assigned to no country.
        return f"{exit_code}999{stream.digits(max(len(rest) - 3, 4))}"
    local = rest.removeprefix(code)
    trunk = "0" if "(0)" in main and local.startswith("0") else ""
    return f"{exit_code}{code}{trunk}{subscriber(stream, code, local.removeprefix(trunk))}"


def _national(stream: Stream, digits: str) -> str:
    size = len(digits)
    if size < 8:
        tail = f"55501{stream.digits(2)}"
        return tail if size == 7 else "55501"[: max(size - 2, 0)] + stream.digits(min(size, 2))
    if size == 11 and digits.startswith("1"):
        return "1" + subscriber(stream, "1", digits[1:])
    if not digits.startswith("0"):
        return subscriber(stream, "1", digits) if size == 10 else UNUSED["34"] + stream.digits(size - 1)
    code = _likely_country(digits)
    return f"0{subscriber(stream, code, digits[1:])}" if code else f"0{stream.digits(size - 8)}55501{stream.digits(2)}"


def _likely_country(digits: str) -> str:
    """The plan of a number with the trunk prefix 0, or nothing. By its digits, so that grouping changes nothing."""
    if len(digits) == 10:
        if digits.startswith(("030", "040", "089")):
            return "49"
        return "61" if digits.startswith("04") else "33"
    if len(digits) == 11:
        british = re.match(r"07|01[1-489]|02[03489]|03[037]0|0345|08[047]", digits)
        return "44" if british else "49"
    return "49" if len(digits) in {12, 13} else ""


def country_code(digits: str) -> str:
    """The country code at the beginning of an international number, or nothing."""
    if digits.startswith("1"):
        return "1"
    return next((digits[:n] for n in (1, 2, 3) if digits[:n] in KEPT_FOR_FICTION or digits[:n] in UNUSED), "")


def subscriber(stream: Stream, code: str, local: str) -> str:
    """A national number without trunk prefix that belongs to nobody. ``local``: the one it stands for."""
    if code == "1":
        # An area code, 555-01 and two digits; shorter or longer than the plan's ten is kept as long as it was.
        area = f"{2 + stream.below(8)}{stream.digits(2)}"
        return (area + f"55501{stream.digits(2)}")[: max(len(local), 3)] + stream.digits(max(len(local) - 10, 0))
    if forms := KEPT_FOR_FICTION.get(code, ()):
        alike = [form for form in forms if local[:1] == form[0]] or forms
        return stream.filled(stream.choice([form for form in alike if len(form) == len(local)] or alike))
    begins = UNUSED[code]
    return begins + stream.digits(max(len(local) - len(begins), 1))
