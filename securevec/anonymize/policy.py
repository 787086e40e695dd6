"""Which operator replaces which entity. Data, checked when it is made, with a digest bound into collections."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from securevec.anonymize.generalise import GENERALISED
from securevec.anonymize.operators import NEEDS_VAULT, Operator, operator_named
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.errors import ConfigError

BUILTIN_ENTITIES: Final = frozenset(
    {"PERSON", "SUBJECT_ID", "LOCATION", "ADDRESS", "ORG", "LICENSE_NUMBER", "RECORD_ID"}
)
"""Entities that do not come from rule files."""


KEPT: Final = frozenset({"LOCATION", "ORG", "DATE", "AGE"})
"""Found, shown and counted, but replaced only where the policy names them: a city, a company, a day or an age alone
is nobody."""

OWN_IDS: Final = frozenset(
    {"CUSTOMER_ID", "CASE_NUMBER", "EMPLOYEE_ID", "MEMBER_ID", "RECORD_ID", "DEVICE_ID", "COORDINATES"}
)
"""Numbers that an installation gives out itself, and places: alone they lead nobody to a person but through its own
tables. Where only the name of a field says what they are, they may stand in the clear (docs/adr/0049)."""


class Choice(NamedTuple):
    """An operator's name, its parameters, and the operator itself."""

    name: str
    params: Mapping[str, object]
    operator: Operator


class OperatorPolicy:
    """Frozen after construction. Make one with :meth:`from_mapping`."""

    __slots__ = ("_choices", "_default", "_digest", "_kept", "_secret", "_secrets")

    def __init__(self, default: Choice, choices: Mapping[str, Choice]) -> None:
        self._default = default
        self._secret = Choice("tag", {}, operator_named("tag"))
        self._kept = Choice("keep", {}, operator_named("keep"))
        self._secrets = builtin_rules().secrets
        self._choices = MappingProxyType(dict(choices))
        described: dict[str, Any] = {entity: [c.name, dict(c.params)] for entity, c in self._choices.items()}
        described["default"] = [default.name, dict(default.params)]
        text = json.dumps(
            {"v": 1, "policy": described, "secrets": "tag", "kept": sorted(KEPT)}, sort_keys=True, separators=(",", ":")
        )
        self._digest = hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, object] | None = None, *, entities: Collection[str] = ()
    ) -> OperatorPolicy:
        """``{"default": "surrogate", "CARD": {"operator": "presidio:mask", "params": {...}}, "IP": "hash"}``.

        The default is ``surrogate``. Credentials are tagged; places, organizations, dates and ages are kept, whatever
        the default says, unless named themselves.
        ``entities`` names further entities a custom detector reports. Raises ``ConfigError`` on an unknown entity,
        operator or parameter, and ``MissingExtra`` when presidio-anonymizer is needed and not installed.
        """
        known = builtin_rules().entities | BUILTIN_ENTITIES | set(entities)
        default = _choice("surrogate")
        choices: dict[str, Choice] = {}
        for entity, wanted in operators_of(mapping).items():
            if entity == "default":
                default = _choice(wanted)
            elif entity in known:
                choices[entity] = _choice(wanted)
                if choices[entity].name == "generalise" and entity not in GENERALISED:
                    raise ConfigError(
                        "The operator generalise has nothing general to say of one of these entities.",
                        next_step=f"It takes {', '.join(sorted(GENERALISED))}; use tag or token for others.",
                    )
            else:
                raise ConfigError(
                    "The operator policy names an entity no rule finds.", next_step="Use the names of the rule files."
                )
        return cls(default, choices)

    def choice(self, entity: str) -> Choice:
        if entity in self._choices:
            return self._choices[entity]
        if entity in KEPT:
            return self._kept
        return self._secret if entity in self._secrets else self._default

    def keeps(self, entity: str) -> bool:
        """Whether values of the entity stay as they are."""
        return self.choice(entity).name == "keep"

    @property
    def needs_vault(self) -> bool:
        """Whether an operator promises that originals can be read again."""
        return any(choice.name in NEEDS_VAULT for choice in (self._default, *self._choices.values()))

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the policy."""
        return self._digest


def operators_of(given: object) -> dict[str, object]:
    """What a caller, who may be untyped, gives for an operator policy. Raises ``ConfigError`` for no mapping."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(
            "An operator policy is a mapping of entities to operators.", next_step='For example {"CARD": "mask"}.'
        )
    return dict(cast("Mapping[str, object]", given))


def _choice(wanted: object) -> Choice:
    name: object = wanted
    params: object = {}
    if isinstance(wanted, Mapping):
        described = cast("Mapping[str, object]", wanted)
        if set(described) - {"operator", "params"}:
            raise ConfigError("An operator is given as a name, or as operator and params.")
        name, params = described.get("operator"), described.get("params", {})
    if not isinstance(name, str) or not isinstance(params, Mapping):
        raise ConfigError("An operator is given as a name, or as operator and params.")
    operator = operator_named(name)
    fixed = dict(cast("Mapping[str, object]", params))
    try:
        json.dumps(fixed)
    except (TypeError, ValueError) as error:
        raise ConfigError("Operator parameters are plain values.") from error
    operator.validate(fixed)
    return Choice(name, MappingProxyType(fixed), operator)
