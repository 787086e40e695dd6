"""One foreign collection while its points go by: which fields there are, and what the detector finds in a sample."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from securevec.anonymize import Detector
from securevec.anonymize.policy import KEPT
from securevec.errors import LimitExceeded
from securevec.foreign import ForeignPoint
from securevec.imports.fields import type_of
from securevec.imports.points import columns_of
from securevec.limits import MAX_FIELDS

_FIELDS: Final = 4 * MAX_FIELDS
"""Fields that are told apart. A payload keyed by ids would name any number of them."""
DISTINCT: Final = 10_000
"""Values of a tenant field that are told apart."""
KEPT_POINTS: Final = 512
"""Points of the sample that stay in memory, whatever its size, to measure an import with."""
_DEPTH: Final = 8
_TENANT: Final = (
    r"tenant",
    r"org|organi[sz]ation|workspace|account|company|customer|client|team|project",
    r"group|owner|user|namespace",
)
_TENANT_NAMES: Final = tuple(
    re.compile(rf"(?:^|[._-])(?:{words})(?:[_-]?(?:id|name|key))?$", re.IGNORECASE) for words in _TENANT
)
"""Names of fields that say a tenant, the plainest first."""
_TEXT_NAMES: Final = ("document", "page_content", "text", "content", "body", "chunk", "_node_content.text")
_LONG: Final = 20
"""Characters, on average, from which a field may be what is searched in."""
_UNSCOPED: Final = ("null", "list", "bool", "float", "object")


@dataclass(slots=True)
class Seen:
    """One field. ``distinct`` holds hashes of this process, of fields that may be a tenant's."""

    types: Counter[str] = field(default_factory=Counter[str])
    empty: int = 0
    characters: int = 0
    distinct: set[int] = field(default_factory=set[int])
    sampled: int = 0
    too_large: int = 0
    found: Counter[str] = field(default_factory=Counter[str])

    @property
    def present(self) -> int:
        return self.types.total() - self.types["null"]


@dataclass(slots=True)
class Looking:
    """See the module. ``indexed`` are the fields that the store knows as a tenant's."""

    detector: Detector
    indexed: Collection[str] = ()
    points: int = 0
    bytes: int = 0
    fields: dict[str, Seen] = field(default_factory=dict[str, Seen])
    beyond: int = 0
    sampled: int = 0
    sample: list[Mapping[str, object]] = field(default_factory=list["Mapping[str, object]"])
    _every: int = 1

    def add(self, point: ForeignPoint, *, sampled: bool) -> None:
        """Take in a point; of the sample, the detector looks at every value."""
        columns = columns_of(point)
        self.points += 1
        for name, value in columns.items():
            seen = self.fields.get(name)
            if seen is None:
                if len(self.fields) >= _FIELDS:
                    self.beyond += 1
                    continue
                seen = self.fields[name] = Seen()
            seen.types[type_of(value)] += 1
            seen.empty += value == ""
            for text in _texts(value, 0):
                seen.characters += len(text)
                self.bytes += len(text.encode("utf-8", "replace"))
            if isinstance(value, str | int) and len(seen.distinct) < DISTINCT and self._may_be_tenant(name):
                seen.distinct.add(hash(value))
            if sampled and value is not None:
                self._detect(name, value, seen)
        if sampled:
            self._keep(columns)

    def shown(self, name: str) -> str:
        """The field's name, unless the name itself is something the detector finds."""
        found = sorted({each.entity for each in self.detector.detect(name) if each.entity not in KEPT})
        return f"(withheld: {', '.join(found)})" if found else name

    def count(self, name: str | None, kind: str) -> int:
        """Points that have a value of this type in the field."""
        return self.fields[name].types[kind] if name in self.fields else 0

    def text_field(self) -> str | None:
        """The field that is searched in: by its usual names, else the longest text."""
        for name in _TEXT_NAMES:
            if self.count(name, "text"):
                return name
        texts = {name: seen for name, seen in self.fields.items() if seen.types["text"]}
        longest = max(texts, key=lambda name: texts[name].characters, default=None)
        return longest if longest and texts[longest].characters >= _LONG * texts[longest].types["text"] else None

    def tenant_field(self) -> tuple[str | None, str]:
        """The field that is likeliest to say the tenant, and why."""
        for name in self.indexed:
            if name in self.fields:
                return name, "the store indexes it as a tenant's"
        for pattern in _TENANT_NAMES:
            named = {
                name: seen
                for name, seen in self.fields.items()
                if pattern.search(name) and seen.types["text"] + seen.types["int"] + seen.types["list"]
            }
            if named:
                return max(named, key=lambda name: named[name].present), "by its name"
        return None, "no field is indexed or named as a tenant's"

    def unscoped(self, tenant: str | None) -> dict[str, int]:
        """Points that :func:`securevec.imports.points.tenant_of` would refuse, by what is in the field."""
        seen = self.fields.get(tenant or "")
        if seen is None:
            return {}
        counts = {"missing": self.points - seen.types.total(), "empty": seen.empty}
        counts |= {kind: seen.types[kind] for kind in _UNSCOPED}
        return {kind: number for kind, number in counts.items() if number}

    def _keep(self, columns: Mapping[str, object]) -> None:
        """Keep part of the sample, evenly: once there are too many, every second one goes, and so on from there."""
        if self.sampled % self._every == 0:
            if len(self.sample) == KEPT_POINTS:
                del self.sample[1::2]
                self._every *= 2
            self.sample.append(columns)
        self.sampled += 1

    def _may_be_tenant(self, name: str) -> bool:
        return name in self.indexed or any(pattern.search(name) for pattern in _TENANT_NAMES)

    def _detect(self, name: str, value: object, seen: Seen) -> None:
        seen.sampled += 1
        for text in _texts(value, 0):
            try:
                findings = self.detector.detect(text, field_name=name)
            except LimitExceeded:
                seen.too_large += 1
                continue
            seen.found.update(each.entity for each in findings if each.entity not in KEPT)


def _texts(value: object, depth: int) -> Iterator[str]:
    """Every text and number in a value; a card or a telephone number may be stored as a number."""
    match value:
        case str():
            yield value
        case bool() | None:
            return
        case int() | float():
            yield str(value)
        case list() | dict() if depth < _DEPTH:
            held = cast("list[object] | dict[str, object]", value)
            for each in held.values() if isinstance(held, dict) else held:
                yield from _texts(each, depth + 1)
        case _:
            return
