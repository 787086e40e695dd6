"""Checks on what may be a credential: what people call a password, what a generator makes, and what only names one.

These are predicates inside the detector, not security checks: a ``False`` only means "not this".
"""

from __future__ import annotations

import math
import re
from base64 import b64decode, urlsafe_b64decode
from functools import lru_cache
from typing import Final

from securevec.anonymize.lexicon import names


def entropy(value: str) -> float:
    """Shannon entropy of the characters, bits per character."""
    size = len(value)
    return -sum([_share(value.count(char), size) for char in dict.fromkeys(value)]) if value else 0.0


@lru_cache(maxsize=4096)
def _share(count: int, size: int) -> float:
    return count / size * math.log2(count / size)


def _kinds(value: str) -> int:
    """How many of small letters, capitals and digits there are."""
    return any(map(str.islower, value)) + any(map(str.isupper, value)) + any(map(str.isdigit, value))


_PLACEHOLDER: Final = re.compile(
    r"(?i)(?:example|change.?me|placeholder|redacted|(?:insert|your|enter|my|some)[_\-.].*|.{0,4}x{4,}.{0,4}|\*+|\.+|none|null|true|false)"
)


def placeholder(value: str) -> bool:
    """What examples and forms show in place of a secret."""
    return _PLACEHOLDER.fullmatch(value) is not None


_HUMPS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SPELLED: Final = re.compile(r"[:@]?[A-Za-z_][A-Za-z_.\-]*+(?:\[-?\d*\][A-Za-z_.\-]*+)*+|[a-z]+_[a-z_]*[a-z]\d")
_SETTINGS: Final = frozenset(
    ["alternative", "annotated", "arg", "args", "arn", "auth", "bool", "bytes", "cache", "callback", "choice",
     "class", "collection", "config", "counter", "credential", "credentials", "default", "dict", "encoding", "env",
     "environment", "field", "file", "handler", "header", "id", "iterator", "key", "keys", "length", "list",
     "loader", "manager", "map", "mapping", "marker", "name", "none", "number", "opt", "option", "optional",
     "options", "param", "params", "pass", "passwd", "password", "path", "provider", "pswd", "pwd", "query", "request",
     "resolver", "response", "rules", "secret", "secrets", "securestring", "self", "sequence", "service", "settings",
     "store", "str", "string", "token", "tokenizer", "tokens", "type", "uri", "url", "username", "value", "values",
     "var", "variable", "whitespace"]
)  # fmt: skip
"""What the names of variables, types and fields end with."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")


_LONG: Final = 32
_MANY: Final = 6
_FOLDED: Final = 3
"""From so many slashes on it is a path."""
_LONG_PIECE: Final = 20


def _names_something(value: str) -> bool:
    """A name out of code, ``NextToken`` or ``api_key_env_var``, and not what the name stands for."""
    if _SPELLED.fullmatch(value) is None:
        return False
    words = _HUMPS.findall(value)
    return bool(words) and words[-1].lower() in _SETTINGS


def _of_all_signs(value: str) -> bool:
    """What a framework makes of letters, digits and signs; it may begin as a variable does."""
    signs = {char for char in value if not char.isalnum()}
    return len(value) >= _LONG and len(signs) >= _MANY and signs.isdisjoint("{}<>") and any(map(str.isdigit, value))


_NOTHING: Final = re.compile(r"\A\w+=(?:None|True|False|null|undefined)\Z|\A[a-z]+(?:\|[a-z]+(?::[a-z\d]+)?)+\Z")
"""An argument that says what is taken where none is given, and the rules that a form checks a field by."""


def secret_value(value: str) -> bool:
    """Not a placeholder, a variable, a time, a name out of code or a plain lower-case word: a password."""
    if len(value) < 6 or placeholder(value) or _names_something(value):
        return False
    if value[0] in "$<{%(=" and not _of_all_signs(value):
        return False
    if value.startswith(("urn:", "http://", "https://")) or _NOTHING.search(value) is not None:
        return False
    if _dated(value):
        return False
    bare = value.strip(".,-_")
    kinds = _kinds(value) + (bool(bare) and not bare.isalnum())
    return kinds >= 2 and entropy(value) >= 2.5


_FOLDERS: Final = ("/home/", "/usr/", "/var/", "/etc/", "/opt/", "/root/", "/run/", "/Users/", "./", "../", "~/")
_GOES_ON: Final = (":", "\\fP", "\\fR")
"""A key of what follows, and a word that a manual sets in another font."""
_DOTTED: Final = re.compile(r"[A-Za-z_]{1,40}(?:\.[A-Za-z_]{2,40})+")


def bare_secret(value: str) -> bool:
    """A secret without quotes, where code writes names and shells folders: ``token = self.next``, ``PWD=/home/x``."""
    return (
        secret_value(value)
        and _DOTTED.fullmatch(value) is None
        and not value.startswith(_FOLDERS)
        and not value.endswith(_GOES_ON)
    )


_TYPED: Final = re.compile(r"[A-Za-z_]\w*(?:[*&]+|=\d*)")
"""A type or a variable out of code: ``Char8*``, ``ABI=64``."""


def shared_word(value: str) -> bool:
    """A secret that people tell each other: letters and digits in one word."""
    return (
        any(map(str.isalpha, value))
        and any(map(str.isdigit, value))
        and secret_value(value)
        and _TYPED.fullmatch(value) is None
    )


def strong_password(value: str) -> bool:
    """What a password rule enforces: three of capital, small letter, digit and special character."""
    kinds = _kinds(value) + (bool(value) and not value.isalnum())
    return kinds >= 3 and value.count("/") < _FOLDED and secret_value(value)


_DIGITS: Final = re.compile(r"\d+")
_CUTS: Final = re.compile(r"[_\-+/]")
_ONE_KIND: Final = re.compile(r"[0-9a-f]+|[A-Z]+|[a-z]+|[0-9]+|[0-9A-F]+")


def generated_key(value: str) -> bool:
    """Long, mixed and evenly spread; hyphenated words, UUIDs and plain hexadecimal digests are not meant."""
    if len(_DIGITS.findall(value)) < 2 or sum(map(str.isdigit, value)) < 3:
        # A name with a date in it: AgentToolset20260401Params.
        return False
    longest = max(_CUTS.split(value), key=len)
    if value.count("/") >= _FOLDED and len(longest) < _LONG_PIECE:
        # The folders of a path; random base64 has a slash every 64 characters.
        return False
    return bool(longest) and _ONE_KIND.fullmatch(longest) is None and entropy(value) >= 3.8


_PIECES: Final = re.compile(r"[_\-.:+/=]")
_SHORT_KEY: Final = 15
_SPELLED_OUT: Final = 3.2
"""Letters of a word in a name out of code, at least."""
_WIDE: Final = 16
_ALL_KINDS: Final = 3
_HEX: Final = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def setting_key(value: str) -> bool:
    """What stands behind a name of a key in a configuration: generated, or a long number in hexadecimal digits."""
    if len(value) < _WIDE or not any(map(str.isdigit, value)) or _names_something(value) or _dated(value):
        return False
    if _HEX.fullmatch(value) is not None:
        return entropy(value) >= 3.0
    longest = max(_CUTS.split(value.rstrip("=")), key=len)
    return len(longest) >= _WIDE and _ONE_KIND.fullmatch(longest) is None and entropy(value) >= 3.3


def mixed_key(value: str) -> bool:
    """The same behind a plain ``key``, which names many things: capitals, small letters and digits in turns."""
    return _kinds(value) == _ALL_KINDS and len(_DIGITS.findall(value)) > 1 and setting_key(value)


def generated_secret(value: str) -> bool:
    """The same, where a sentence speaks of a credential: a UUID may be one as well."""
    return _UUID.fullmatch(value) is not None or setting_key(value)


def prefixed_key(value: str) -> bool:
    """What a service makes behind its prefix: a UUID, or a piece that no name is like."""
    if _UUID.search(value) is not None:
        return True
    longest = max(_PIECES.split(value), key=len)
    runs = len(_DIGITS.findall(longest))
    if len(longest) >= _SHORT_KEY and runs and any(map(str.isalpha, longest)):
        # Capitals in the middle of nearly every word are no words.
        broken = _kinds(longest) == 3 and len(longest) < _SPELLED_OUT * (len(_HUMPS.findall(longest)) + runs)
        return entropy(longest) >= 3.0 and (runs > 1 or broken)
    return _kinds(value) == 3 and len(_DIGITS.findall(value)) > 2 and entropy(value) >= 3.9


def set_password(value: str) -> bool:
    """What was set as a password, a plain word too, but not the word for one or for nothing."""
    return not (
        placeholder(value)
        or value.lower() in _NO_PASSWORD
        or value[0] in "$<{%(=.-/"
        or _names_something(value)
        or _DOTTED.fullmatch(value) is not None
    )


def _dated(value: str) -> bool:
    return value[0] in "12" and _MOMENT.fullmatch(value) is not None


_NO_PASSWORD: Final = frozenset(
    ["false", "true", "required", "optional", "empty", "prompt", "string", "undefined", "hidden", "secret", "passwd",
     "password", "disabled", "enabled", "unset", "blank", "default", "xxxxx", "xxxxxx", "yourpassword", "mypassword"]
)  # fmt: skip


def random_value(value: str) -> bool:
    """Characters spread like those of a generated key."""
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and entropy(value) >= 3.0


_PAIR: Final = re.compile(rb"[\x21-\x39\x3b-\x7e]{1,128}:[\x21-\x7e]{4,256}")


def basic_pair(value: str) -> bool:
    """A name and a password in base64, as clients of HTTP and of registries keep them."""
    try:
        return _PAIR.fullmatch(b64decode(value + "=" * (-len(value) % 4), validate=True)) is not None
    except ValueError:
        return False


_SMALL_WORDS: Final = 2


def unlike_a_sentence(value: str) -> bool:
    """Words that stand for a key: nearly none of them is one that sentences are made with, hardly one comes twice."""
    words = value.lower().split()
    small = sum(word in names().stops for word in words)
    return small <= _SMALL_WORDS and len(words) - len({*words}) < _SMALL_WORDS


def jwt(value: str) -> bool:
    head = value.split(".")[0]
    try:
        decoded = urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except ValueError:
        return False
    return decoded.startswith(b"{") and b'"' in decoded
