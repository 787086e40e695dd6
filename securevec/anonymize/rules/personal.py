"""Checks on what a form, a device or a log says about a person; see :mod:`securevec.anonymize.rules.validators`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from securevec.anonymize.lexicon import names
from securevec.anonymize.rules.checksums import alnum, digits_of, luhn

_LETTER: Final = re.compile(r"[^\W\d_]")
ROLES: Final = frozenset(
    ["root", "admin", "administrator", "user", "users", "guest", "test", "postgres", "system", "anonymous", "nobody",
     "input", "from", "null", "none", "name", "account", "session", "string", "svc", "superuser", "staff", "owner",
     "public", "never", "ever", "already", "who", "that", "then", "inactive", "active"]
)  # fmt: skip
"""What stands in the place of a user's name and is nobody."""
_VERSION: Final = re.compile(r"[a-z]{1,3}[\d._]+")


_INVENTED: Final = re.compile(
    r"(?:test|demo|example|sample|dummy|fake|mock|my|some|new|super|other|known|unknown|your|default|regular|normal|db|"
    r"mysql|postgres|pg|mongo|redis|sql|ftp|smtp|mail|api|app|web|git|ssh)[_\-.]?(?:user(?:name)?|client|login|account)[_\-]?\d{0,3}"
)
"""Names of accounts that tests and manuals make up."""


def username(value: str) -> bool:
    """Letters, and a digit, a sign or a capital inside: a word alone may be any word, one in capitals a constant."""
    if value.startswith(("self.", "this.")) or (value.isupper() and not any(map(str.isdigit, value))):
        return False
    if _INVENTED.fullmatch(value.lower()) is not None:
        return False
    return _LETTER.search(value) is not None and any(not char.isalpha() or char.isupper() for char in value[1:])


def username_mixed(value: str) -> bool:
    """Letters beside a digit or an underscore, and no number of a version."""
    mixed = any(char.isdigit() or char == "_" for char in value)
    return (
        mixed
        and _INVENTED.fullmatch(value.lower()) is None
        and (value.islower() or value[-2:].isdigit())
        and not _VERSION.fullmatch(value)
    )


def login_name(value: str) -> bool:
    """No account that every machine has, no word for one, and no UUID."""
    return (
        value.lower() not in ROLES
        and not (len(value) == 36 and value.count("-") == 4)
        and _INVENTED.fullmatch(value.lower()) is None
    )


_NO_AUTHORS: Final = frozenset(
    ["various", "unknown", "several", "many", "others", "author", "authors", "team", "core", "community", "maintainer",
     "contributors", "yourname", "your_name", "undefined", "required", "optional", "individual", "organization"]
)  # fmt: skip
"""What stands behind the word for an author and is nobody."""


def author_login(value: str) -> bool:
    """A name in small letters where a head of a file says who wrote it."""
    return value not in _NO_AUTHORS and value not in names().stops and login_name(value) and home_name(value)


_SHARED_HOMES: Final = ROLES | frozenset(
    ["app", "apps", "bin", "build", "builder", "circleci", "coder", "data", "default", "deploy", "dev", "developer",
     "docker", "ec2-user", "foo", "bar", "git", "gitlab-runner", "gitpod", "home", "html", "jenkins", "media", "news",
     "page", "pages", "project", "projects", "site", "sites", "static", "templates", "upload", "uploads", "jovyan",
     "linuxbrew", "local", "me", "my", "myuser", "node", "public", "python", "runner", "runneradmin", "share",
     "shared", "someone", "somebody", "tmp", "travis", "ubuntu", "user1", "user2", "user_name", "username", "vagrant",
     "vscode", "web", "whoever", "work", "workspace", "www", "you", "your_username", "yourname", "yourusername",
     "all"]
)  # fmt: skip
"""Folders under ``/home`` that machines make and manuals name."""


def home_name(value: str) -> bool:
    """A folder of somebody's own."""
    return value.lower() not in _SHARED_HOMES


_SPOKEN: Final = {
    word: number
    for number, words in enumerate((
        "zero oh null nil cero", "one eins un uno", "two zwei zwo deux dos", "three drei trois tres",
        "four vier quatre cuatro", "five funf cinq cinco", "six sechs seis", "seven sieben sept siete",
        "eight acht huit ocho", "nine neun neuf nueve",
    ))
    for word in words.split()
}  # fmt: skip
_BETWEEN: Final = re.compile(r"[ ,\-]+")


def spoken_digits(value: str) -> bool:
    """Digits said one by one, and nobody counting up or down."""
    digits = [_SPOKEN[word] for word in _BETWEEN.split(value.lower()) if word in _SPOKEN]
    steps = {second - first for first, second in pairwise(digits)}
    return len(digits) > 2 and steps not in ({1}, {-1})


def imei(value: str) -> bool:
    """15 digits with a Luhn digit (3GPP TS 23.003)."""
    found = digits_of(value)
    return len(found) == 15 and luhn(found)


def plate(value: str) -> bool:
    """Five to nine letters and digits, both kinds."""
    found = alnum(value)
    return 4 <= len(found) <= 9 and found.isalnum() and not found.isdigit() and len(digits_of(value)) >= 2


def street_words(value: str) -> bool:
    """No everyday word between the number and the word for street: "5 miles down the road" is none."""
    return not any(word in names().stops for word in value.split()[1:-1])


def no_year(value: str) -> bool:
    """A number in front that is no year of this century or the last: "1994 Winter Springs" is no house."""
    number = value.partition(" ")[0]
    return not (len(number) == 4 and number[:2] in {"19", "20"})
