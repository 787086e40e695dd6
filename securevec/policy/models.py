"""Which model may receive what: the entries of a home's list, what is asked of it, and the answer. Pure.

No list: everything is as it was before there were lists. With one: what no entry allows is denied. An entry for the
tenant in hand counts instead of the one for every tenant, whichever allows more; one that allows no classification
denies. Nothing here is matched by a pattern, a prefix or without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from securevec.errors import ConfigError, UnknownFormat

ModelKind = Literal["embedder", "chat"]
Runs = Literal["here", "remote"]
Reason = Literal["no-list", "listed", "unlisted", "denied", "kind", "classification", "originals", "provider", "region"]

VERSION: Final = 2
"""1 had no number and could not say that there is no list (docs/adr/0071)."""
_FIRST: Final = 1
MAX_ENTRIES: Final = 1_000
MAX_LABELS: Final = 64

_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}\Z")
"""What a model, a provider or a region may be called. Printable ASCII without spaces: two names that look the same are
the same."""
_TENANT: Final = re.compile(r"(?:[0-9a-f]{32})?\Z")


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What one model may receive. ``tenant`` is an id, empty for every tenant; ``allow`` are classification labels.

    ``originals``: also text with its originals put back; otherwise anonymized text only. ``provider`` and ``region``,
    where they are given, must be said by whoever releases text. ``runs`` is for the reader: nothing depends on it.
    """

    model: str
    kind: ModelKind
    allow: tuple[str, ...]
    tenant: str = ""
    originals: bool = False
    provider: str = ""
    region: str = ""
    runs: Runs = "remote"


@dataclass(frozen=True, slots=True)
class ModelList:
    """One state of a home's list: ``entries``, ``None`` for a list that was cleared, and its ``number``, which every
    change raises. The first release of the format had none: 0."""

    entries: tuple[ModelEntry, ...] | None
    number: int


@dataclass(frozen=True, slots=True)
class Use:
    """What is about to be handed to a model: of which tenant and classification, and whether originals are in it."""

    model: str
    kind: ModelKind
    tenant: str
    classification: str
    originals: bool = False
    provider: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """Whether the model may receive it, and the one thing that decided."""

    allowed: bool
    reason: Reason


def may_receive(entries: Sequence[ModelEntry] | None, use: Use) -> ModelAnswer:
    """What the list says. ``None`` is a home without one."""
    if entries is None:
        return ModelAnswer(True, "no-list")
    if not all(type(said) is str for said in (use.model, use.provider, use.region)):
        return ModelAnswer(False, "unlisted")  # a text of a class of its own may say that it equals anything
    named = [entry for entry in entries if entry.model == use.model and entry.tenant in ("", use.tenant)]
    if not named:
        return ModelAnswer(False, "unlisted")
    entry = max(named, key=lambda each: each.tenant != "")
    if not entry.allow:
        return ModelAnswer(False, "denied")
    if entry.kind != use.kind:
        return ModelAnswer(False, "kind")
    if use.classification not in entry.allow:
        return ModelAnswer(False, "classification")
    if use.originals and not entry.originals:
        return ModelAnswer(False, "originals")
    if use.kind == "chat" and entry.provider and use.provider != entry.provider:
        return ModelAnswer(False, "provider")
    if use.kind == "chat" and entry.region and use.region != entry.region:
        return ModelAnswer(False, "region")
    return ModelAnswer(True, "listed")


def with_entry(entries: Sequence[ModelEntry] | None, new: ModelEntry) -> tuple[ModelEntry, ...]:
    """The list with ``new`` in the place of the entry for the same model and tenant. Raises :class:`ConfigError`."""
    check_entry(new)
    kept = [each for each in entries or () if (each.model, each.tenant) != (new.model, new.tenant)]
    if len(kept) >= MAX_ENTRIES:
        raise ConfigError(f"A list of models has at most {MAX_ENTRIES} entries.")
    return tuple(sorted([*kept, new], key=lambda each: (each.model, each.tenant)))


def without(entries: Sequence[ModelEntry] | None, model: str, *, tenant: str) -> tuple[ModelEntry, ...]:
    """The list in which ``model`` is denied: to that tenant, or (empty) to all of them, whatever they had."""
    check_word("model", model)
    same = [each for each in entries or () if each.model == model]
    kind = same[0].kind if same else "chat"
    kept = [each for each in entries or () if each.model != model or (tenant and each.tenant != tenant)]
    return with_entry(kept, ModelEntry(model, kind, (), tenant=tenant))


def check_word(field: str, value: object) -> str:
    """A name of a model, provider or region. Raises :class:`ConfigError`, which names the field and not the value."""
    if not isinstance(value, str) or _WORD.match(value) is None:
        raise ConfigError(
            f"The field {field} of a model is 1 to 128 ASCII letters, digits and . _ : / @ + -, no space.",
            next_step="Write the model's name exactly as the code that calls it does.",
        )
    return value


def check_entry(entry: ModelEntry) -> None:
    """Raises :class:`ConfigError` for what is no entry; names the field."""
    check_word("model", entry.model)
    for field in ("provider", "region"):
        if getattr(entry, field) != "":
            check_word(field, getattr(entry, field))
    rules: Mapping[str, bool] = {
        "kind": entry.kind in get_args(ModelKind),
        "runs": entry.runs in get_args(Runs),
        "tenant": type(entry.tenant) is str and _TENANT.match(entry.tenant) is not None,
        "originals": type(entry.originals) is bool,
        "allow": type(entry.allow) is tuple
        and len(entry.allow) <= MAX_LABELS
        and all(type(label) is str and label for label in entry.allow)
        and len(set(entry.allow)) == len(entry.allow),
    }
    for field, holds in rules.items():
        if not holds:
            raise ConfigError(f"The field {field} of an entry in the list of models has an unusable value.")


def to_json(state: ModelList) -> dict[str, Any]:
    """What is sealed."""
    return {
        "v": VERSION,
        "number": state.number,
        "models": None
        if state.entries is None
        else [
            {name: list(value) if isinstance(value := getattr(entry, name), tuple) else value for name in _FIELDS}
            for entry in state.entries
        ],
    }


def from_json(document: object) -> ModelList:
    """The list that was sealed. Raises :class:`UnknownFormat` for a field too few or too many, :class:`ConfigError` for
    one that cannot be used; both name it."""
    whole = _mapping(document)
    numbered = {"number"} if whole.get("v") == VERSION else set[str]()
    if set(whole) != {"v", "models"} | numbered or whole["v"] not in (_FIRST, VERSION):
        raise UnknownFormat("The list of models is of another release.")
    number = whole.get("number", 0)
    if type(number) is not int or number < 0:
        raise UnknownFormat("The field number of the list of models is none.")
    if numbered and whole["models"] is None:
        return ModelList(None, number)
    if not isinstance(whole["models"], list):
        raise UnknownFormat("The field models of the list of models is no list.")
    return ModelList(_entries(cast("list[object]", whole["models"])), number)


def _entries(listed: Sequence[object]) -> tuple[ModelEntry, ...]:
    entries: list[ModelEntry] = []
    for each in listed:
        said = _mapping(each)
        if set(said) != set(_FIELDS):
            field = next(iter(sorted(set(_FIELDS) - set(said))), "that nobody knows")
            raise UnknownFormat(f"An entry in the list of models lacks the field {field}, or has one too many.")
        if isinstance(said["allow"], list):
            said["allow"] = tuple(cast("list[object]", said["allow"]))
        entry = ModelEntry(**said)
        check_entry(entry)
        entries.append(entry)
    if len({(each.model, each.tenant) for each in entries}) != len(entries):
        raise ConfigError("The field model of the list of models names one twice for a tenant.")
    return tuple(entries)


def _mapping(value: object) -> dict[str, Any]:
    """A JSON object; an empty one in the place of anything else."""
    return dict(cast("dict[str, Any]", value)) if isinstance(value, dict) else {}


class KnownModels:
    """The list as it was last opened, with the sealed bytes it was opened from: opening is done once for each change.

    Replaced as a whole, so threads may share it.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: tuple[bytes, ModelList] | None = None

    def get(self, sealed: bytes) -> ModelList | None:
        last = self._last
        return last[1] if last is not None and last[0] == sealed else None

    def keep(self, sealed: bytes, state: ModelList) -> None:
        self._last = (sealed, state)


_FIELDS: Final = tuple(ModelEntry.__dataclass_fields__)
