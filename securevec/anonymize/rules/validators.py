"""Checks on the text of a candidate. Each takes the value and says whether it can be what the rule claims.

These are predicates inside the detector, not security checks: a ``False`` only means "not this entity".

Sources: ISO/IEC 7812-1 annex B (Luhn), ISO 13616 and ISO/IEC 7064 mod 97-10 (IBAN), SSA rules on area, group and
serial numbers, 45 CFR 162.406 (NPI, Luhn with prefix 80840), NHS data dictionary (modulus 11), 21 CFR 1301 (DEA check
digit), BIP 13 and BIP 173 (Bitcoin addresses), the tax authorities' published rules for the national numbers.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from securevec.anonymize.rules import credentials, national, personal, phones
from securevec.anonymize.rules.checksums import alnum, digits_of, luhn

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
_NO_CASE: Final = re.compile(
    r"(?i)(?:cve|can|cwe|capec|ghsa|iso|iec|ieee|rfc|pep|din|en|ansi|astm|eu|ec|inv|invoice|po|ord|order|txn|tx|sku|item"
    r"|pr|bug)(?![a-z])|[0-9a-f]{8}-[0-9a-f]{4}(?![0-9a-z])"
)
"""Before the digits of a standard, a weakness, a payment or a purchase; and how a UUID begins."""
_LETTER: Final = re.compile(r"[^\W\d_]")
_NUMERIC_DATE: Final = re.compile(r"\d+[/.\-]\d+[/.\-]\d+")


_ISSUERS: Final[Mapping[int, tuple[str, ...]]] = {
    12: ("50", "56", "57", "58", "59", "6"),
    13: ("4", "50", "56", "57", "58", "6"),
    14: ("30", "36", "38", "39", "50", "56", "57", "58", "6"),
    15: ("34", "37", "2131", "1800", "50", "56", "57", "58", "6"),
    16: ("22", "23", "24", "25", "26", "27", "3", "4", "5", "6", "81", "82", "9792"),
    17: ("5", "6"),
    18: ("5", "6"),
    19: ("3", "4", "5", "6"),
}
"""How numbers of each length begin (ISO/IEC 7812, the networks' published ranges): times in milliseconds, object
identifiers and fractions pass Luhn one time in ten."""
_FRACTION: Final = re.compile(r"\d{1,6}\.\d{11,}")


def card(value: str) -> bool:
    """12 to 19 digits that an issuer gives out, pass Luhn and are not one digit repeated."""
    return _is_card(digits_of(value))


def _is_card(digits: str) -> bool:
    size = len(digits)
    if not 12 <= size <= 19 or digits.count(digits[0]) == size:
        return False
    return digits.startswith(_ISSUERS[size]) and luhn(digits)


def card_extent(value: str) -> tuple[int, int]:
    """Where in a run of digit groups a card number lies: the longest run of whole groups that is one.

    ``(n, n)`` when none begins with the first group: nothing here, resume at ``n``. Only when one does are later
    starts compared, so that a long list of short numbers costs one pass over each.
    """
    if "." in value and (fraction := _FRACTION.match(value)) is not None:
        return fraction.end(), fraction.end()
    groups = [match.span() for match in _DIGIT_GROUP.finditer(value)]
    digits = "".join([value[start:end] for start, end in groups])
    best = _longest_card(digits, groups, 0, 0)
    if best is None or _fractions(value[slice(*best)]):
        resume = groups[1][0] if len(groups) > 1 else len(value)
        return resume, resume
    passed = 0
    for first in range(1, len(groups)):
        passed += groups[first - 1][1] - groups[first - 1][0]
        other = _longest_card(digits, groups, first, passed)
        if other is not None and other[1] - other[0] > best[1] - best[0] and not _fractions(value[slice(*other)]):
            best = other
    return best


def _fractions(value: str) -> bool:
    """Points and other signs between the same groups: paths of drawings, where cards have one sign."""
    return "." in value and (" " in value or "-" in value)


def _longest_card(digits: str, groups: list[tuple[int, int]], first: int, passed: int) -> tuple[int, int] | None:
    """The longest card number that begins with group ``first``, behind ``passed`` digits, and ends with a group."""
    behind = passed
    best: tuple[int, int] | None = None
    short = False
    if digits.startswith("0", passed):
        return None
    for begin, end in groups[first:]:
        behind += end - begin
        if behind - passed > 19:
            break
        if behind - passed >= 12 and _is_card(digits[passed:behind]):
            best = (groups[first][0], end)
            short = behind - passed == 12
    if short and best is not None and _goes_on(groups, best[1]):
        return None
    return best


def _goes_on(groups: list[tuple[int, int]], end: int) -> bool:
    """Whether four more digits follow a group of four in the same run: half of a longer number is no card."""
    return any(begin == end + 1 and finish - begin == 4 for begin, finish in groups)


def iban_extent(value: str) -> tuple[int, int]:
    """The leading part of ``value`` that has the length of its country and passes the check, or ``(4, 4)``.

    Four characters on is past the country code and check digits of what only looked like an IBAN.
    """
    wanted = _IBAN_LENGTH.get(value[:2].upper(), 0)
    if not wanted:
        return 4, 4
    code = alnum(value)
    if len(code) < wanted or not iban(code[:wanted]):
        return 4, 4
    if len(code) == wanted and value[-1].isalnum():
        return 0, len(value)
    seen = 0
    for index, char in enumerate(value):
        seen += char.isalnum()
        if seen == wanted:
            whole = index + 1 == len(value) or not value[index + 1].isalnum()
            return (0, index + 1) if whole else (4, 4)
    return 4, 4


_AS_NUMBERS: Final = {ord(char): str(number) for number, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}


def iban(value: str) -> bool:
    code = alnum(value)
    if _IBAN_LENGTH.get(code[:2], 0) != len(code) or not code.isascii():
        return False
    return int((code[4:] + code[:4]).translate(_AS_NUMBERS)) % 97 == 1


def iban_shape(value: str) -> bool:
    """Country and length of an IBAN, and mostly digits, whatever its check digits say."""
    code = alnum(value)
    digits = len(digits_of(code[4:]))
    return _IBAN_LENGTH.get(code[:2], 0) == len(code) and code.isascii() and 3 * digits >= 2 * (len(code) - 4)


def coded(value: str) -> bool:
    """An identifier rather than a word or a number of code: at least four letters or digits, two of them digits."""
    return len(alnum(value)) >= 4 and len(digits_of(value)) >= 2 and not value.startswith(("0x", "0X"))


def undated(value: str) -> bool:
    """No day of the calendar: ``2016-05-26``."""
    return not moment(value)


def mixed(value: str) -> bool:
    """Letters and digits."""
    return any(map(str.isalpha, value)) and any(map(str.isdigit, value))


def case_code(value: str) -> bool:
    """A code as offices give to a case."""
    return coded(value) and _NO_CASE.match(value) is None


def ssn(value: str) -> bool:
    digits = digits_of(value)
    if len(digits) != 9 or len(set(digits)) == 1:
        return False
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def npi(value: str) -> bool:
    digits = digits_of(value)
    return len(digits) == 10 and digits[0] in "12" and luhn("80840" + digits)


def dea(value: str) -> bool:
    digits = digits_of(value)[-7:]
    if len(digits) != 7:
        return False
    number = [int(char) for char in digits]
    return (number[0] + number[2] + number[4] + 2 * (number[1] + number[3] + number[5])) % 10 == number[6]


_PRIVATE: Final = ipaddress.ip_network("10.0.0.0/8")
_SLICE: Final = 3
_SMALL: Final = 32
"""Below this all numbers of a paragraph are ("subclause 27.8.3.2"); of random addresses four are once in 4,096."""


def ip(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    if address.is_unspecified or address.is_loopback or value.startswith("0."):
        return False
    if max(address.packed) < _SMALL and len(set(address.packed)) > 1 and address not in _PRIVATE:
        return False
    # `a[2::]` and `x[0::2]` are slices of code.
    return "." in value or len(alnum(value)) > _SLICE


def mac(value: str) -> bool:
    """No broadcast and no blank; in three groups, which columns of code points have too, not digits alone."""
    found = alnum(value)
    return len(set(found)) > 1 and ("." not in value or not found.isdigit())


def email(value: str) -> bool:
    local, _, domain = value.rpartition("@")
    return bool(local) and ".." not in value and not domain.startswith(("-", ".")) and len(value) <= 320


def birth_date(value: str) -> bool:
    """A numeric date has a month and a day in range in some order, and a year that fits."""
    numbers = list(map(int, _DIGIT_GROUP.findall(value)))
    if _LETTER.search(value):
        return any(1 <= number <= 31 for number in numbers)
    if len(numbers) != 3:
        return False
    if numbers[0] > 31:
        return 1850 <= numbers[0] <= 2100 and 1 <= numbers[1] <= 12 and 1 <= numbers[2] <= 31
    first, second, year = numbers
    return min(first, second) in range(1, 13) and max(first, second) <= 31 and (year < 100 or 1850 <= year <= 2100)


def moment(value: str) -> bool:
    """A numeric date, with or without a time of day behind it."""
    found = _NUMERIC_DATE.match(value)
    return found is not None and birth_date(found.group())


def with_day(value: str) -> bool:
    """A day in front of the month."""
    return value[0].isdigit()


_BASE58_VALUES: Final = {
    char: number for number, char in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
}


def base58check(value: str) -> bool:
    number = 0
    for char in value:
        number = number * 58 + _BASE58_VALUES[char]
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


_WITHOUT_BRANCH: Final = 8
_WORD_ENDS: Final = frozenset(["AL", "ER", "ES", "ET", "GE", "IN", "ME", "NE", "RE"])
_COUNTRIES: Final = frozenset(
    re.findall(
        "..",
        "ADAEAGAIALAMAOARATAUAWAZBABBBDBEBFBGBHBIBJBMBNBOBRBSBTBWBYBZCACDCFCGCHCICL"
        "CMCNCOCRCUCVCWCYCZDEDJDKDMDODZECEEEGESETFIFJFOFRGAGBGDGEGGGHGIGLGMGNGQGRGT"
        "GYHKHNHRHTHUIDIEILIMINIQIRISITJEJMJOJPKEKGKHKMKNKRKWKYKZLALBLCLILKLRLSLTLU"
        "LVLYMAMCMDMEMGMKMLMMMNMOMRMTMUMVMWMXMYMZNANENGNINLNONPNZOMPAPEPGPHPKPLPSPT"
        "PYQARORSRURWSASBSCSDSESGSISKSLSMSNSOSRSTSVSYSZTDTGTHTJTLTMTNTOTRTTTWTZUAUG"
        "USUYUZVAVCVEVGVNVUWSXKYEZAZMZW",
    )
)


def bic(value: str) -> bool:
    """ISO 9362: letters five and six are a country."""
    return value[4:6] in _COUNTRIES


def bic_alone(value: str) -> bool:
    """One that no word names: words in capitals with a number behind them (``COPYING3``, ``SERVER01``) have its form,
    their ends being codes of countries."""
    if not bic(value):
        return False
    return len(value) > _WITHOUT_BRANCH or not (
        value[-2].isalpha() or (value[-1].isdigit() and value[4:6] in _WORD_ENDS)
    )


def aba(value: str) -> bool:
    """Routing number of the American Bankers Association: weights 3, 7, 1."""
    digits = digits_of(value)
    return len(digits) == 9 and sum(int(char) * (3, 7, 1)[index % 3] for index, char in enumerate(digits)) % 10 == 0


VALIDATORS: Final[Mapping[str, Callable[[str], bool]]] = {
    "aadhaar": national.aadhaar, "base58check": base58check, "bech32": bech32, "birth_date": birth_date,
    "with_day": with_day,
    "bsn": national.bsn, "card": card, "case_code": case_code, "coded": coded,
    "codice_fiscale": national.codice_fiscale, "cpf": national.cpf, "dea": dea, "dni": national.dni, "email": email,
    "generated_key": credentials.generated_key, "generated_secret": credentials.generated_secret,
    "set_password": credentials.set_password, "setting_key": credentials.setting_key, "iban": iban,
    "iban_shape": iban_shape, "ip": ip, "itin": national.itin, "jwt": credentials.jwt, "nhs": national.nhs,
    "moment": moment, "nino": national.nino, "nir": national.nir, "npi": npi, "phone": phones.plausible,
    "phone_strict": phones.valid, "random_value": credentials.random_value, "prefixed_key": credentials.prefixed_key,
    "secret_value": credentials.secret_value, "sin": national.sin,
    "ssn": ssn, "steuer_id": national.steuer_id, "strong_password": credentials.strong_password, "tfn": national.tfn,
    "aba": aba, "bic": bic, "bic_alone": bic_alone, "mac": mac, "mixed": mixed, "undated": undated,
    "codice_shape": national.codice_shape,
    "ahv": national.ahv, "cpr": national.cpr, "fodselsnummer": national.fodselsnummer,
    "hetu": national.hetu, "kimlik": national.kimlik, "nif": national.nif, "nric": national.nric,
    "personnummer": national.personnummer, "pesel": national.pesel, "pps": national.pps,
    "rijksregister": national.rijksregister, "svnr": national.svnr, "utr": national.utr,
    "username": personal.username, "username_mixed": personal.username_mixed, "imei": personal.imei,
    "basic_pair": credentials.basic_pair, "mixed_key": credentials.mixed_key, "home_name": personal.home_name,
    "unlike_a_sentence": credentials.unlike_a_sentence,
    "bare_secret": credentials.bare_secret, "shared_word": credentials.shared_word,
    "login_name": personal.login_name, "author_login": personal.author_login,
    "spoken_digits": personal.spoken_digits, "plate": personal.plate,
    "street_words": personal.street_words, "no_year": personal.no_year, "za_id": national.za_id,
}  # fmt: skip

EXTENTS: Final[Mapping[str, Callable[[str], tuple[int, int]]]] = {"card": card_extent, "iban": iban_extent}
"""Validators that may accept a part of a greedy match: its range in the match, or an empty range to resume at."""
