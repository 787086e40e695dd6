"""What fills a slot: a person, a firm, an address, a date, drawn from the ``random.Random`` that is handed in."""

from __future__ import annotations

import random

import vocabulary
from word_lists import (
    ACRONYM,
    BOXES,
    MONTHS,
    ORG_ENDS,
    ORG_WORDS,
    PLACE_ENDS,
    PLACE_HEADS,
    STREET_ENDS,
    STREET_FORMS,
    UNITS,
)


class Values:
    """Draws single values. Common names come more often, rare ones often enough."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        given, surnames = vocabulary.faker_names()
        self.given = [name for name, _ in sorted(given.items(), key=lambda i: (-i[1], i[0]))]
        self.surnames = [name for name, _ in sorted(surnames.items(), key=lambda i: (-i[1], i[0]))]
        self.cities, self.countries = vocabulary.places()

    def skewed(self, items: list[str]) -> str:
        """Earlier items more often: a third of the draws from the first tenth."""
        size = len(items) if self.rng.random() < 0.66 else max(1, len(items) // 10)
        return items[self.rng.randrange(size)]

    def first(self) -> str:
        if self.rng.random() < 0.04:
            return self.invented()
        return self.skewed(self.given)

    def last(self) -> str:
        if self.rng.random() < 0.1:
            return self.invented()
        name = self.skewed(self.surnames)
        if self.rng.random() < 0.04:
            name = f"{self.rng.choice(['van', 'von', 'de', 'van der', 'de la', 'Mc', 'Al-', 'O’'])} {name}".replace(
                "Mc ", "Mc"
            )
            name = name.replace("Al- ", "Al-").replace("O’ ", "O'")
        elif self.rng.random() < 0.03:
            name = f"{name}-{self.skewed(self.surnames)}"
        return name

    def invented(self) -> str:
        """A word no list holds, so that the model reads context and endings."""
        heads, tails = self.skewed(self.surnames), self.skewed(self.surnames)
        made = (heads[: self.rng.randint(2, 4)] + tails[-self.rng.randint(2, 4) :]).lower()
        return "".join(char for char in made if char.isalpha()).capitalize() or heads

    def person(self) -> str:
        first, last, roll = self.first(), self.last(), self.rng.random()
        if roll < 0.08:
            return f"{first[0]}. {last}"
        if roll < 0.14:
            return f"{first} {self.first()[0]}. {last}"
        if roll < 0.18:
            return f"{first} {self.first()} {last}"
        if roll < 0.2:
            return f"{first} {last} {self.rng.choice(['Jr.', 'III', 'Sr.'])}"
        return f"{first} {last}"

    def city(self) -> str:
        return self.skewed(self.cities)

    def place(self) -> str:
        roll = self.rng.random()
        if roll < 0.3:
            return f"{self.rng.choice(PLACE_HEADS)} {self._word(self.surnames)}"
        if roll < 0.6:
            return f"{self._word(self.surnames)} {self.rng.choice(PLACE_ENDS)}"
        return self.city()

    def org(self) -> str:
        rng, roll = self.rng, self.rng.random()
        if roll < 0.15:
            return "".join(rng.choice(ACRONYM) for _ in range(rng.randint(2, 5)))
        if roll < 0.3:
            return f"{self.last()} {rng.choice(ORG_ENDS)}"
        if roll < 0.4:
            return f"{self.last()} & {self.last()}"
        if roll < 0.5:
            return f"{self.city()} {rng.choice(ORG_ENDS)}"
        if roll < 0.58:
            return f"University of {self.city()}"
        if roll < 0.66:
            return f"{self.last()}, {self.last()} and {self.last()}"
        if roll < 0.76:
            return rng.choice(ORG_WORDS) + rng.choice(["soft", "tech", "net", "ly", "ware", "corp", "base", "lab"])
        if roll < 0.85:
            return (
                f"Bank of {self.city()}"
                if rng.random() < 0.4
                else f"The {rng.choice(ORG_WORDS)} {rng.choice(ORG_ENDS)}"
            )
        return f"{rng.choice(ORG_WORDS)} {rng.choice(ORG_WORDS)} {rng.choice(ORG_ENDS)}"

    def _word(self, items: list[str]) -> str:
        return self.skewed(items).split()[-1]

    def street(self) -> str:
        rng = self.rng
        form = rng.choice(STREET_FORMS)
        made = ""
        rest = form
        while rest:
            head, brace, tail = rest.partition("{")
            made += head
            if not brace:
                break
            slot, _, rest = tail.partition("}")
            made += {
                "n": lambda: str(rng.randint(1, 10 ** rng.choice([1, 2, 2, 3, 3, 4, 5]))), "l": lambda: rng.choice("abc"),
                "L": lambda: rng.choice("ABCDE"), "e": lambda: rng.choice(STREET_ENDS), "d": lambda: rng.choice("NSEW"),
                "o": lambda: rng.choice(["1st", "2nd", "3rd", "5th", "42nd", "19th"]),
                "w": lambda: self._word(rng.choice([self.surnames, self.given, self.cities])),
            }[slot]()  # fmt: skip
        if rng.random() < 0.08:
            made = f"{rng.randint(0, 99):02d} {made}"
        return made

    def road(self) -> str:
        """A street without a number."""
        return f"{self._word(self.rng.choice([self.surnames, self.cities]))} {self.rng.choice(STREET_ENDS)}"

    def unit(self) -> str:
        return self.rng.choice(UNITS).format(n=self.rng.randint(1, 999), L=self.rng.choice("ABCDE"))

    def box(self) -> str:
        return self.rng.choice(BOXES).format(
            n=self.rng.randint(1, 9999), m=self.rng.randint(1, 99), z=self.rng.randint(10000, 99999), w=self.last()
        )

    def zip(self) -> str:
        rng, roll = self.rng, self.rng.random()
        letters = "ABCDEGHJKLMNPRSTW"
        if roll < 0.5:
            return f"{rng.randint(1000, 99999):05d}"
        if roll < 0.6:
            return str(rng.randint(1000, 9999))
        if roll < 0.65:
            return f"{rng.randint(10000, 99999)}-{rng.randint(1000, 9999)}"
        if roll < 0.8:
            return f"{rng.choice(letters)}{rng.choice(letters)}{rng.randint(1, 29)} {rng.randint(1, 9)}{rng.choice(letters)}{rng.choice(letters)}"
        if roll < 0.86:
            return f"{rng.choice(letters)}{rng.randint(1, 9)}{rng.choice(letters)} {rng.randint(1, 9)}{rng.choice(letters)}{rng.randint(1, 9)}"
        if roll < 0.93:
            return f"{rng.randint(100, 999)} {rng.randint(10, 99)}"
        return f"{rng.randint(1000, 9999)} {rng.choice(letters)}{rng.choice(letters)}"

    def date(self) -> str:
        rng = self.rng
        day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1950, 2026)
        return rng.choice([f"{day} {month} {year}", f"{month} {day}", f"{year}-{rng.randint(1, 12):02d}-{day:02d}", f"{month} {year}",
                           str(year), "Monday", "Friday", f"{day}/{rng.randint(1, 12)}/{year}"])  # fmt: skip

    def phone(self) -> str:
        rng = self.rng
        return rng.choice([f"+{rng.randint(1, 99)} {rng.randint(100, 999)} {rng.randint(1000, 99999)}",
                           f"({rng.randint(200, 999)}) {rng.randint(200, 999)}-{rng.randint(1000, 9999)}"])  # fmt: skip

    def code(self) -> str:
        """An order number, a key, a licence: letters and digits."""
        rng = self.rng
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ" if rng.random() < 0.7 else "abcdefghijkmnopqrstuvwxyz"
        size = rng.choice([4, 6, 8, 8, 10, 16, 24])
        made = "".join(rng.choice(letters + "0123456789") for _ in range(size))
        return rng.choice(letters) + rng.choice(letters) + made if rng.random() < 0.7 else f"{made[:4]}-{made[4:]}"
