"""Composes one ticket's text from the sentence pools and keeps the place and label of every planted value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import helpdesk_values as values

Span = tuple[int, int, str, str]
_SLOT = re.compile(r"\{(\w+)\}")

NEUTRAL: dict[str, Sequence[str]] = {
    "clinic": ("cardiology", "orthopaedics", "dermatology", "neurology", "eye", "diabetes", "pain", "urology"),
    "test": ("MRI", "colonoscopy", "echocardiogram", "bone density scan", "sleep study", "stress test"),
    "med": ("metoprolol", "levothyroxine", "ramipril", "amoxicillin", "metformin", "sertraline", "apixaban"),
    "dose": ("5 milligrams", "25 milligrams", "half a tablet", "one tablet", "two puffs"),
    "lab": ("cholesterol", "thyroid", "potassium", "haemoglobin", "liver", "kidney"),
    "insurer": ("Bluefern Health", "Harbor Mutual", "Pinegate Cover", "Sundial Plans", "Old Quay Insurance"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "time": ("8:15", "9:40", "10:30", "11:05", "1:45 pm", "2:20 pm", "3:10 pm", "4:50 pm"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person, with what belongs to her."""

    given: str
    surname: str
    email: str
    phone: str
    dob: str
    mrn: str
    ssn: str

    @property
    def full(self) -> str:
        return f"{self.given} {self.surname}"


class People:
    """Draws people from the name pool; a person is not drawn twice."""

    def __init__(self, groups: Sequence[Mapping[str, Sequence[str]]]) -> None:
        self._groups = groups
        self._seen: set[tuple[str, str]] = set()

    def name(self, rng: Random) -> tuple[str, str]:
        group = rng.choice(self._groups)
        other = rng.choice(self._groups) if rng.random() < 0.125 else group
        return rng.choice(group["given"]), rng.choice(other["surname"])

    def person(self, rng: Random) -> Person:
        given, surname = self.name(rng)
        while (given, surname) in self._seen:
            given, surname = self.name(rng)
        self._seen.add((given, surname))
        return Person(
            given=given,
            surname=surname,
            email=values.email(rng, given, surname),
            phone=values.phone(rng),
            dob=values.birth_date(rng),
            mrn=values.mrn(rng),
            ssn=values.ssn(rng),
        )


@dataclass(slots=True)
class Text:
    """A text under construction and the spans of what was planted in it."""

    parts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    length: int = 0

    def add(self, piece: str, label: str = "") -> None:
        if label:
            self.spans.append((self.length, self.length + len(piece), label, piece))
        self.parts.append(piece)
        self.length += len(piece)

    @property
    def value(self) -> str:
        return "".join(self.parts)


class Scene:
    """Everything one ticket speaks of. The same slot gives the same person throughout the ticket."""

    def __init__(self, rng: Random, people: People, me: Person, agents: Sequence[str], opened: datetime) -> None:
        self._rng = rng
        rel_given, rel_surname = people.name(rng)
        rel_surname = me.surname if rng.random() < 0.5 else rel_surname
        rel2_given = people.name(rng)[0]
        doc_given, doc_surname = people.name(rng)
        agent, agent2 = rng.sample(list(agents), 2)
        other = people.name(rng)
        self.names = {
            "me": me.full,
            "me_first": me.given,
            "me_last": me.surname,
            "rel": f"{rel_given} {rel_surname}",
            "rel_first": rel_given,
            "rel_last": rel_surname,
            "rel2_first": rel2_given,
            "doc": f"{doc_given} {doc_surname}",
            "doc_last": doc_surname,
            "agent": agent,
            "agent_first": agent.split()[0],
            "agent2": agent2,
            "agent2_first": agent2.split()[0],
        }
        self._labelled: dict[str, tuple[str, Callable[[], str]]] = {
            "phone": ("PHONE", lambda: me.phone),
            "phone2": ("PHONE", lambda: values.phone(rng)),
            "email": ("EMAIL", lambda: me.email),
            "email2": ("EMAIL", lambda: values.email(rng, *other)),
            "dob": ("DATE_OF_BIRTH", lambda: me.dob),
            "mrn": ("MRN", lambda: me.mrn),
            "ssn": ("SSN", lambda: me.ssn),
            "card": ("CARD", lambda: values.card(rng)),
            "iban": ("IBAN", lambda: values.iban(rng)),
            "ip": ("IP", lambda: values.ip(rng)),
            "ip6": ("IP", lambda: values.ip6(rng)),
            "mac": ("MAC", lambda: values.mac(rng)),
            "npi": ("NPI", lambda: values.npi(rng)),
            "urlcred": ("URL_CREDENTIALS", lambda: values.url_user(rng, me.given, me.surname)),
            "password": ("SECRET", lambda: values.password(rng)),
            "apikey": ("SECRET", lambda: values.api_key(rng)),
            "jwt": ("SECRET", lambda: values.jwt(rng)),
        }
        self._opened = opened
        self._once: dict[str, str] = {}

    def _plain(self, slot: str) -> str:
        rng = self._rng
        if slot in ("date", "month"):
            day = self._opened + timedelta(days=rng.randint(-40, 40))
            return values.MONTHS[day.month - 1] if slot == "month" else f"{day.day} {values.MONTHS[day.month - 1]}"
        if slot == "amount":
            return f"${rng.randint(18, 940)}.{rng.choice(['00', '50', '20', '75'])}"
        if slot == "ref":
            return f"INV-{values.digits(rng, 5)}"
        if slot in ("n", "n0"):
            return str(rng.randint(3, 9)) if slot == "n" else str(rng.choice([20, 30, 40, 50, 60, 70]))
        return rng.choice(NEUTRAL[slot])

    def write(self, text: Text, sentence: str, *, lower: bool = False) -> None:
        """Append ``sentence``, its slots filled and labelled. ``lower`` writes everything in small letters."""
        done = 0
        for match in _SLOT.finditer(sentence):
            before = sentence[done : match.start()]
            text.add(before.lower() if lower else before)
            done = match.end()
            slot = match.group(1)
            if slot == "mrn_ctx":
                text.add("MRN ")
                slot = "mrn"
            if slot in self.names:
                piece, label = self.names[slot], "PERSON"
            elif slot in self._labelled:
                label, make = self._labelled[slot]
                piece = self._once.setdefault(slot, make())
            else:
                piece, label = self._once.setdefault(slot, self._plain(slot)), ""
            small = lower and label in ("", "PERSON")
            text.add(piece.lower() if small else piece, label)
        text.add(sentence[done:].lower() if lower else sentence[done:])


def sentences(rng: Random, kind: Mapping[str, Any], shared: Mapping[str, Any]) -> list[str]:
    """The sentences of one ticket in the order a person would write them."""
    picked = [rng.choice(kind["start"]), *rng.sample(kind["detail"], rng.choice([2, 2, 3]))]
    picked += rng.sample(kind["effect"], rng.choice([1, 1, 2])) if len(kind["effect"]) > 1 else kind["effect"]
    picked += rng.sample(shared["person"], rng.choice([0, 1, 1, 2]))
    if rng.random() < 0.6:
        picked.append(rng.choice(shared["filler"]))
    head, body = picked[0], picked[1:]
    if rng.random() < 0.35:
        rng.shuffle(body)
    labels = list(dict.fromkeys(rng.sample(kind["pii"], rng.choice([1, 2, 2, 3]))))
    asks = rng.sample(kind["ask"], rng.choice([1, 1, 2]))
    tail = [rng.choice(shared["pii"][label]) for label in labels] + asks
    if rng.random() < 0.4:
        rng.shuffle(tail)
    return [head, *body, *tail]


def compose(rng: Random, scene: Scene, lines: Sequence[str], shared: Mapping[str, Any]) -> Text:
    """Greeting, paragraphs, closing and signature."""
    lower = rng.random() < 0.1
    text = Text()
    roll = rng.random()
    if roll < 0.85:
        scene.write(text, rng.choice(shared["greeting"]), lower=lower)
        text.add("\n" if roll < 0.5 else " ")
    break_at = rng.randint(3, 5) if rng.random() < 0.5 else 0
    for index, line in enumerate(lines):
        if index:
            text.add("\n" if index == break_at else " ")
        scene.write(text, line, lower=lower)
    if rng.random() < 0.8:
        text.add("\n")
        scene.write(text, rng.choice(shared["closing"]), lower=lower)
        text.add("\n")
        scene.write(text, rng.choice(shared["signature"]), lower=lower)
    return text


def note(rng: Random, scene: Scene, pools: Sequence[str], shared: Mapping[str, Any]) -> Text | None:
    """What the agent noted, or nothing."""
    if rng.random() < 0.22:
        return None
    text = Text()
    for index, pool in enumerate(rng.sample(list(pools), min(len(pools), rng.choice([1, 2, 2])))):
        text.add(" " if index else "")
        scene.write(text, rng.choice(shared["notes"][pool]))
    return text
