"""Random histories of a collection, and a model that knows what must be so after each step. Pure, apart from chance.

The model is written from the promises, not from the library: due rows are shown to nobody and go with the next
retention; held rows stay, whatever happens; a deletion, an erasure or a replacement that a hold forbids does nothing.
Time is in whole days.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.support.history_child import DAYS, ENGINE_METHODS, FENCE_DAYS, METHODS, PEOPLE, RECORDS

WEIGHTS: Final = {
    "ingest": 7,
    "update": 2,
    "delete": 3,
    "hold": 3,
    "release": 2,
    "wait": 4,
    "rule": 1,
    "retain": 3,
    "erase": 2,
    "sweep": 1,
    "hand_out": 1,
    "exchange": 4,
}
EXCHANGES: Final = (
    *("reseal", "reindex", "recloak", "renew_tokens", "renew_surrogates", "roll_keys"),
    *("rotate_tenant_keys", "rotate_root_key", "rotate_signing_key", "purge"),
)
"""What exchanges keys under what is stored, or removes bytes, and changes nothing that anybody reads."""


@dataclass(frozen=True)
class Stored:
    version: int
    about: int
    mentions: frozenset[int]
    day: int
    expires: int


@dataclass(frozen=True)
class Model:
    """What is stored, due or not; which holds stand; until when nothing is written about whom; the rule."""

    day: int = 0
    records: dict[int, Stored] = field(default_factory=dict[int, Stored])
    holds: dict[int, tuple[str, int]] = field(default_factory=dict[int, tuple[str, int]])
    fences: dict[int, int] = field(default_factory=dict[int, int])
    max_age: int | None = None

    # -- what readers must see

    @property
    def visible(self) -> dict[str, str]:
        return {f"T-{n}": f"v{each.version}" for n, each in self.records.items() if each.expires > self.day}

    def mismatch(self, state: dict[str, Any]) -> str:
        """Why an observed state is not this one, or empty."""
        wanted: dict[str, Any] = {
            "count": len(self.visible),
            "search": self.visible,
            "iter": self.visible,
            "get": self.visible,
            "manifest": {f"T-{n}": [f"v{each.version}", len(each.mentions), True] for n, each in self.records.items()},
            "engine": state["chunks"],
            "open": 0,
            "holds": sorted(self.holds),
            "fenced": [person for person in range(PEOPLE) if self._fenced({person})],
            "rules": [] if self.max_age is None else [self.max_age],
            "keyless": [],
        }
        wrong = [f"{name}: {state[name]} for {value}" for name, value in wanted.items() if state[name] != value]
        return "; ".join(wrong)

    # -- what operations must do: the model after, and what they must say

    def after(self, op: dict[str, Any]) -> tuple[Model, Any]:
        answer: tuple[Model, Any] = getattr(self, f"_{op['op']}")(op)
        return answer

    def _held(self, number: int) -> bool:
        each = self.records[number]
        return any(
            kind in ("tenant", "collection")
            or (kind == "record" and named == number)
            or (kind == "subject" and named in {each.about, *each.mentions})
            for kind, named in self.holds.values()
        )

    def _fenced(self, people: set[int]) -> bool:
        return any(self.fences.get(each, 0) > self.day for each in people)

    def _written(self, version: int, about: int, mentions: frozenset[int]) -> Stored:
        kept = DAYS if self.max_age is None else min(DAYS, self.max_age)
        return Stored(version, about, mentions, self.day, self.day + kept)

    def _ingest(self, op: dict[str, Any]) -> tuple[Model, Any]:
        records = dict(self.records)
        new = updated = refused = 0
        for number, version, about, mentions in op["rows"]:
            people = {about, *mentions}
            if (number in self.records and self._held(number)) or self._fenced(people):
                refused += 1
                continue
            new, updated = (new, updated + 1) if number in records else (new + 1, updated)
            records[number] = self._written(version, about, frozenset(mentions) - {about})
        return replace(self, records=records), [new, updated, refused]

    def _update(self, op: dict[str, Any]) -> tuple[Model, Any]:
        before = self.records.get(op["id"])
        if before is None or before.expires <= self.day:
            return self, "RecordNotFound"
        if self._held(op["id"]):
            return self, "LegalHold"
        if self._fenced({before.about, *before.mentions}):
            return self, "SubjectErased"
        written = self._written(op["version"], before.about, before.mentions)
        return replace(self, records=self.records | {op["id"]: written}), True

    def _delete(self, op: dict[str, Any]) -> tuple[Model, Any]:
        there = [number for number in op["ids"] if number in self.records]
        if any(self._held(number) for number in there):
            return self, "LegalHold"
        return self._without(there), len(there)

    def _sweep(self, op: dict[str, Any]) -> tuple[Model, Any]:
        there = [n for n, each in self.records.items() if n % 2 == op["odd"] and each.expires > self.day]
        if any(self._held(number) for number in there):
            return self, "LegalHold"
        return self._without(there), len(there)

    def _hand_out(self, op: dict[str, Any]) -> tuple[Model, Any]:
        shown = [each for each in self.records.values() if each.expires > self.day]
        return self, [len(shown), sum(op["subject"] in {each.about, *each.mentions} for each in shown)]

    def _exchange(self, op: dict[str, Any]) -> tuple[Model, Any]:
        return self, True

    def _hold(self, op: dict[str, Any]) -> tuple[Model, Any]:
        kind, named = op["scope"]
        people = {person for each in self.records.values() for person in (each.about, *each.mentions)}
        if (kind == "record" and named not in self.records) or (kind == "subject" and named not in people):
            return self, "RecordNotFound"
        return replace(self, holds=self.holds | {op["n"]: (kind, named)}), True

    def _release(self, op: dict[str, Any]) -> tuple[Model, Any]:
        if op["n"] not in self.holds:
            return self, "it never stood"
        return replace(self, holds={n: each for n, each in self.holds.items() if n != op["n"]}), True

    def _wait(self, op: dict[str, Any]) -> tuple[Model, Any]:
        return replace(self, day=self.day + op["days"]), True

    def _rule(self, op: dict[str, Any]) -> tuple[Model, Any]:
        return replace(self, max_age=op["days"]), True

    def _retain(self, op: dict[str, Any]) -> tuple[Model, Any]:
        oldest = None if self.max_age is None else self.day - self.max_age
        due = [
            number
            for number, each in self.records.items()
            if each.expires <= self.day or (oldest is not None and each.day <= oldest)
        ]
        # Whether there was anything to do is also a matter of keys; what it says is looked at by the caller.
        return self._without([number for number in due if not self._held(number)]), None

    def _erase(self, op: dict[str, Any]) -> tuple[Model, Any]:
        person = op["subject"]
        about = [number for number, each in self.records.items() if each.about == person]
        naming = [number for number, each in self.records.items() if person in each.mentions]
        if any(self._held(number) for number in (*about, *naming)):
            return self, "LegalHold"
        # What is due is not stored again only to be without a name.
        left = self._without([*about, *(n for n in naming if self.records[n].expires <= self.day)])
        redacted = {
            n: replace(left.records[n], mentions=left.records[n].mentions - {person})
            for n in naming
            if n in left.records
        }
        fences = self.fences | {person: max(self.fences.get(person, 0), self.day + FENCE_DAYS)}
        return replace(left, records=left.records | redacted, fences=fences), "done"

    def _without(self, numbers: list[int]) -> Model:
        return replace(self, records={n: each for n, each in self.records.items() if n not in numbers})


class Teller:
    """Makes up operations, one after another, that fit a model."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._made = 0

    def op(self, model: Model) -> dict[str, Any]:
        kind = self.chance.choices([*WEIGHTS], [*WEIGHTS.values()])[0]
        if kind == "release" and not model.holds:
            kind = "ingest"
        self._made += 1
        made: dict[str, Any] = getattr(self, f"_{kind}")(model)
        return {"op": kind} | made

    def trap(self) -> tuple[str, str, int]:
        """Where the process dies, if it gets there."""
        method = self.chance.choice([*METHODS, *ENGINE_METHODS])
        return method, self.chance.choice(["before", "after"]), self.chance.choice([1, 1, 1, 1, 2, 2, 3, 5])

    def _number(self) -> int:
        return self.chance.randrange(RECORDS)

    def _person(self) -> int:
        return self.chance.randrange(PEOPLE)

    def _ingest(self, model: Model) -> dict[str, Any]:
        numbers = self.chance.sample(range(RECORDS), self.chance.randint(1, 4))
        return {
            "rows": [
                [
                    number,
                    self._made,
                    self._person(),
                    self.chance.sample(range(PEOPLE), self.chance.choice([0, 0, 1, 2])),
                ]
                for number in numbers
            ]
        }

    def _update(self, model: Model) -> dict[str, Any]:
        return {"id": self._number(), "version": self._made}

    def _delete(self, model: Model) -> dict[str, Any]:
        return {"ids": self.chance.sample(range(RECORDS), self.chance.randint(1, 3))}

    def _hold(self, model: Model) -> dict[str, Any]:
        kind = self.chance.choice(["record", "record", "record", "subject", "subject", "collection", "tenant"])
        return {"n": self._made, "scope": [kind, self._person() if kind == "subject" else self._number()]}

    def _release(self, model: Model) -> dict[str, Any]:
        return {"n": self.chance.choice([*model.holds])}

    def _wait(self, model: Model) -> dict[str, Any]:
        return {"days": self.chance.choice([1, 5, 12, 30, 31, 40])}

    def _rule(self, model: Model) -> dict[str, Any]:
        return {"days": self.chance.choice([5, 10, 20, 60])}

    def _retain(self, model: Model) -> dict[str, Any]:
        return {}

    def _erase(self, model: Model) -> dict[str, Any]:
        return {"subject": self._person()}

    def _sweep(self, model: Model) -> dict[str, Any]:
        return {"odd": self.chance.randrange(2)}

    def _hand_out(self, model: Model) -> dict[str, Any]:
        return {"subject": self._person()}

    def _exchange(self, model: Model) -> dict[str, Any]:
        # Surrogates of what is held are not made anew: that job waits, which is not looked at here.
        return {
            "what": self.chance.choice([each for each in EXCHANGES if each != "renew_surrogates" or not model.holds])
        }
