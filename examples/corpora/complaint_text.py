"""Composes one document of the complaints corpus from its layout and keeps every planted value with its label.

A document is a list of blocks. What a block holds is a :class:`helpdesk_text.Text`, so that its spans are known before
it is written as Markdown, HTML, PDF or DOCX.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Literal

import complaint_values as own
import helpdesk_values as values
from helpdesk_text import Text

Kind = Literal["heading", "paragraph", "quote", "item", "row", "code"]
Make = Callable[[], str]

_SLOT = re.compile(r"\{(\w+)\}")
_DRAW = re.compile(r"(?<![\w}])@(\w+)(?:\*(\d))?")
_PREFIXES: Sequence[tuple[str, Kind]] = (
    ("# ", "heading"), ("> ", "quote"), ("- ", "item"), ("| ", "row"), ("` ", "code"),
)  # fmt: skip


@dataclass(slots=True)
class Block:
    """A heading, paragraph, quoted line (``depth`` 1 or 2), list item, table row (several cells) or log line."""

    kind: Kind
    cells: list[Text]
    depth: int = 0


@dataclass(slots=True)
class Person:
    """An invented person and what belongs to her."""

    given: str
    surname: str
    email: str
    phone: str


@dataclass(slots=True)
class Document:
    """Blocks, and what was written into them on purpose that is not to be replaced."""

    kind: str
    blocks: list[Block] = field(default_factory=list["Block"])
    near: list[str] = field(default_factory=list[str])

    @property
    def planted(self) -> list[tuple[str, str]]:
        """Label and value of everything planted, each once, in the order of the text."""
        spans = (span for block in self.blocks for cell in block.cells for span in cell.spans)
        return list(dict.fromkeys((label, value) for _, _, label, value in spans))


def person(rng: Random, pool: Mapping[str, Any], *, latin: bool) -> Person:
    """Somebody with a name of the pool. ``latin`` keeps to letters that the standard fonts of a PDF have."""

    def pick(names: Sequence[str]) -> str:
        while True:
            name = rng.choice(names)
            if not latin or all(ord(char) < 256 for char in name):
                return name

    # Given names and surnames stand in the same order of languages: near indexes sound like one person.
    given = pick(pool["people"]["given"])
    at = pool["people"]["given"].index(given) + rng.randint(-2, 2)
    surnames = pool["people"]["surname"]
    surname = surnames[max(0, min(at, len(surnames) - 1))] if rng.random() < 0.8 else pick(surnames)
    if latin and any(ord(char) > 255 for char in surname):
        surname = pick(surnames)
    return Person(given, surname, values.email(rng, given, surname), values.phone(rng))


class Case:
    """Everything one complaint speaks of: a slot gives the same value throughout the document."""

    def __init__(self, rng: Random, pool: Mapping[str, Any], split: str, *, latin: bool = False) -> None:
        self.rng, self._pool, self._split = rng, pool, split
        people: dict[str, Person] = {}
        while len(people) < 5:
            one = person(rng, pool, latin=latin)
            people.setdefault(one.given, one)
        me, other, rel, agent, agent2 = people.values()
        if rng.random() < 0.5:
            rel.surname = me.surname
        self._names: dict[str, str] = {}
        for slot, one in (("me", me), ("other", other), ("rel", rel), ("agent", agent), ("agent2", agent2)):
            self._names |= {
                slot: f"{one.given} {one.surname}", f"{slot}_first": one.given, f"{slot}_last": one.surname,
            }  # fmt: skip
        stranger = rng.choice([agent, other])
        self._labelled: dict[str, tuple[str, Make]] = {
            "email": ("EMAIL", lambda: me.email),
            "email2": ("EMAIL", lambda: stranger.email),
            "phone": ("PHONE", lambda: me.phone),
            "phone2": ("PHONE", lambda: stranger.phone),
            "iban": ("IBAN", lambda: values.iban(rng)),
            "iban2": ("IBAN", lambda: values.iban(rng)),
            "card": ("CARD", lambda: values.card(rng)),
            "account": ("BANK_ACCOUNT", lambda: own.account(rng)),
            "sort": ("SORT_CODE", lambda: own.sort_code(rng)),
            "bic": ("BIC", lambda: own.bic(rng)),
            "customer": ("CUSTOMER_ID", lambda: own.customer(rng, split)),
            "complaint": ("COMPLAINT_ID", lambda: own.complaint(rng, split)),
            "dob": ("DATE_OF_BIRTH", lambda: values.birth_date(rng)),
            "address": ("ADDRESS", lambda: own.address(rng, split)),
            "postcode": ("POSTCODE", lambda: own.postcode(rng)),
            "passport": ("PASSPORT", lambda: own.passport(rng)),
            "licence": ("DRIVER_LICENSE", lambda: own.licence(rng)),
            "ip": ("IP", lambda: values.ip(rng)),
            "ip6": ("IP", lambda: values.ip6(rng)),
            "password": ("SECRET", lambda: values.password(rng)),
            "apikey": ("SECRET", lambda: values.api_key(rng).replace("lgh_", "mrb_")),
            "jwt": ("SECRET", lambda: values.jwt(rng)),
            "urlcred": ("URL_CREDENTIALS", lambda: values.url_user(rng, me.given, me.surname)),
            "wallet": ("CRYPTO_WALLET", lambda: own.wallet(rng)),
        }
        national: Mapping[str, Callable[[Random], str]] = {
            "nino": own.nino, "ssn": values.ssn, "steuer": own.steuer, "nir": own.nir, "dni": own.dni,
            "cf": own.codice_fiscale, "bsn": own.bsn, "pesel": own.pesel, "pnr": own.personnummer, "pps": own.pps,
            "nif": own.nif, "ahv": own.ahv, "cpr": own.cpr, "hetu": own.hetu, "fnr": own.fnr, "nn": own.rijksregister,
        }  # fmt: skip
        for slot, make in national.items():
            self._labelled[slot] = ("NATIONAL_ID", partial(make, rng))
        for slot, country in (
            ("strasse", "de"),
            ("rue", "fr"),
            ("calle", "es"),
            ("via", "it"),
            ("straat", "nl"),
            ("gata", "se"),
        ):
            self._labelled[slot] = ("ADDRESS", partial(own.street, rng, split, country))
        for slot in ("plz", "cp", "cpes", "cap"):
            self._labelled[slot] = ("POSTCODE", lambda: f"0{values.digits(rng, 4)}")
        self._labelled["pcnl"] = ("POSTCODE", lambda: f"99{values.digits(rng, 2)} {rng.choice('XZ')}{rng.choice('XZ')}")
        self._labelled["pnse"] = ("POSTCODE", lambda: f"99{values.digits(rng, 1)} {values.digits(rng, 2)}")
        self._near: dict[str, Make] = {
            "tx": lambda: f"TXN{values.digits(rng, 9)}",
            "order": lambda: own.order(rng),
            "uuid": lambda: own.uuid(rng),
            "sha": lambda: f"{rng.getrandbits(160):040x}",
            "version": lambda: f"{rng.randint(2, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}",
            "err": lambda: rng.choice(["E-4031", "ERR_LEDGER_22", "HTTP 503", "code 70-114"]),
            "iso": lambda: own.moment(rng),
            "date": lambda: own.day(rng, split),
            "date2": lambda: own.day(rng, split),
            "amount": lambda: rng.choice(["£{}.{}", "€ {},{}", "{}.{} EUR", "${}.{}"]).format(
                rng.randint(12, 980), values.digits(rng, 2)
            ),
            "amount2": lambda: f"£{rng.randint(1, 9)},{values.digits(rng, 3)}.{values.digits(rng, 2)}",
            "rate": lambda: f"1.{values.digits(rng, 4)}",
            "merchant": lambda: rng.choice(pool["neutral"]["merchant"]),
            "product": lambda: rng.choice(pool["neutral"]["product"]),
        }
        self._plain: dict[str, Make] = {
            "city": lambda: rng.choice(pool["neutral"]["city"]),
            "n": lambda: str(rng.randint(3, 9)),
            "n0": lambda: str(rng.choice([20, 30, 40, 50, 60])),
        }
        self._once: dict[str, str] = {}
        self._drawn: set[str] = set()

    def document(self, layout: Mapping[str, Any]) -> Document:
        """One document of a layout."""
        done = Document(layout["kind"])
        for line in layout["lines"]:
            done.blocks.append(self._block(line, done))
        return done

    def text(self, line: str, done: Document) -> Text:
        """One line of a layout, its sentences drawn and its slots filled."""
        text = Text()
        self._write(text, _DRAW.sub(self._sentences, line), done)
        return text

    def _block(self, line: str, done: Document) -> Block:
        kind: Kind = "paragraph"
        depth = 0
        for prefix, found in _PREFIXES:
            if line.startswith(prefix):
                kind = found
                while line.startswith(prefix):
                    line, depth = line[len(prefix) :], depth + 1
                    if found != "quote":
                        break
        parts = line.split(" | ") if kind == "row" else [line]
        return Block(kind, [self.text(part, done) for part in parts], depth)

    def _sentences(self, match: re.Match[str]) -> str:
        name, count = match.group(1), int(match.group(2) or 1)
        drawn: list[str] = []
        while len(drawn) < count:
            pool = (
                self._pool["pii"][self.rng.choice(sorted(self._pool["pii"]))]
                if name == "pii"
                else self._pool["pools"][name]
            )
            sentence = self.rng.choice(pool)
            # A document does not say the same thing twice, unless its pool has run dry.
            if sentence not in self._drawn or self.rng.random() < 0.05:
                self._drawn.add(sentence)
                drawn.append(sentence)
        return " ".join(drawn)

    def _write(self, text: Text, sentence: str, done: Document) -> None:
        position = 0
        sentence = sentence.replace("{{", "\x01").replace("}}", "\x02")
        for match in _SLOT.finditer(sentence):
            text.add(_braces(sentence[position : match.start()]))
            position, slot = match.end(), match.group(1)
            if slot in self._names:
                text.add(self._names[slot], "PERSON")
            elif slot in self._labelled:
                label, make = self._labelled[slot]
                if slot not in self._once:
                    self._once[slot] = make()
                text.add(self._once[slot], label)
            else:
                near = slot in self._near
                if slot not in self._once:
                    self._once[slot] = (self._near if near else self._plain)[slot]()
                text.add(self._once[slot])
                if near and self._once[slot] not in done.near:
                    done.near.append(self._once[slot])
        text.add(_braces(sentence[position:]))


def _braces(text: str) -> str:
    return text.replace("\x01", "{").replace("\x02", "}")
