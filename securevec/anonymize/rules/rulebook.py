"""Detection rules as data: ``rules/*.toml``, read once, checked strictly, compiled with RE2.

A rule that cannot be honoured (unknown key, unknown validator, a pattern RE2 refuses) stops the start; a rule that is
silently left out would be a leak. A broken bar in an example is removed before use: it keeps made-up keys in the files
from looking like real ones to secret scanners.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import re2

from securevec.anonymize.rules.edges import EDGES
from securevec.anonymize.rules.validators import VALIDATORS
from securevec.errors import ConfigError

_KEYS: Final = frozenset(
    [
        "id",
        "entity",
        "like",
        "regex",
        "group",
        "around",
        "sign",
        "keywords",
        "validator",
        "edges",
        "context",
        "veto",
        "priority",
        "score",
        "countries",
        "secret",
        "examples",
        "counter_examples",
    ]
)
_SHARED: Final = frozenset(["regex", "group", "around", "sign", "keywords"])
"""What says where a rule's values are."""
_MARK: Final = "\u00a6"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    ``regex`` is RE2 syntax over the folded text; ``group`` the capture that is the value (0: all of it). ``around``
    is one sign that every match holds once, behind at most ``AROUND_BYTES`` of it, and never with white space: only
    its neighbourhood is searched. ``sign``: a short pattern that occurs in every match; all of the rule is tried where
    it occurs. What a rule looks for is one of many in a set, whose automaton grows with all that may follow a common
    word. ``like``: another rule, which has the same pattern and speaks for both in the set; what is found is judged by
    each, as a day is a birthday where a word says so. ``keywords``: one of them must occur in the text, or the rule is
    not tried. ``edges``: what must not stand beside a value (:mod:`securevec.anonymize.rules.edges`).
    ``context`` words near the value add ``CONTEXT_BONUS`` to ``score``, ``veto`` words take the same away; a finding
    needs ``ACCEPT``. ``secret`` marks credentials, which are tagged instead of given a surrogate.
    """

    id: str
    entity: str
    like: str
    regex: str
    group: int
    around: str
    sign: str
    keywords: tuple[str, ...]
    validator: str
    edges: str
    context: tuple[str, ...]
    veto: tuple[str, ...]
    priority: int
    score: float
    countries: tuple[str, ...]
    secret: bool
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]


ACCEPT: Final = 0.5
AROUND_BYTES: Final = 256
CONTEXT_BONUS: Final = 0.35


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, the digest of the files they came from, and the entities that are credentials."""

    rules: tuple[Rule, ...]
    digest: str
    entities: frozenset[str]
    secrets: frozenset[str]


@lru_cache(maxsize=1)
def builtin_rules() -> RuleBook:
    """The rules shipped with the package. Raises ``ConfigError`` when a file is damaged."""
    folder = files("securevec.anonymize").joinpath("rules")
    sources = sorted(
        ((item.name, item.read_bytes()) for item in folder.iterdir() if item.name.endswith(".toml")),
        key=lambda pair: pair[0],
    )
    return load_rules(sources)


def load_rules(sources: Iterable[tuple[str, bytes]]) -> RuleBook:
    """Rules from ``(file name, bytes)`` pairs. Raises ``ConfigError`` naming the file and the rule."""
    tables: list[tuple[str, dict[str, Any]]] = []
    digest = hashlib.sha256()
    for name, data in sources:
        digest.update(hashlib.sha256(data).digest())
        try:
            document = tomllib.loads(data.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"Rule file {name} cannot be read.") from error
        tables += [(name, table) for table in document.get("rule", [])]
    by_id = {table.get("id"): table for _, table in tables}
    rules = [_rule(name, _alike(name, table, by_id)) for name, table in tables]
    ids = [rule.id for rule in rules]
    if not rules or len(set(ids)) != len(ids):
        raise ConfigError("Rule files are empty, or two rules share an id.")
    return RuleBook(
        tuple(rules),
        digest.hexdigest(),
        frozenset(rule.entity for rule in rules),
        frozenset(rule.entity for rule in rules if rule.secret),
    )


def _alike(name: str, table: dict[str, Any], by_id: Mapping[Any, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A rule that is like another one with the pattern of that."""
    if "like" not in table:
        return table
    other = by_id.get(table["like"])
    if other is None or "like" in other or not _SHARED.isdisjoint(table):
        raise ConfigError(f"Rule {table.get('id', '?')} in {name} is like no rule with a pattern, or has its own.")
    return {**table, **{key: other[key] for key in _SHARED if key in other}}


def _rule(name: str, table: Mapping[str, Any]) -> Rule:
    where = f"Rule {table.get('id', '?')} in {name}"
    if unknown := set(table) - _KEYS:
        raise ConfigError(f"{where} has unknown keys: {', '.join(sorted(unknown))}.")
    try:
        rule = Rule(
            id=str(table["id"]),
            entity=str(table["entity"]),
            like=str(table.get("like", "")),
            regex=str(table["regex"]).strip(),
            group=int(table.get("group", 0)),
            around=str(table.get("around", "")),
            sign=str(table.get("sign", "")).strip(),
            keywords=tuple(str(word).lower() for word in table.get("keywords", ())),
            validator=str(table.get("validator", "")),
            edges=str(table.get("edges", "")),
            context=tuple(str(word).lower() for word in table.get("context", ())),
            veto=tuple(str(word).lower() for word in table.get("veto", ())),
            priority=int(table.get("priority", 50)),
            score=float(table.get("score", 0.8)),
            countries=tuple(map(str, table.get("countries", ()))),
            secret=bool(table.get("secret", False)),
            examples=tuple(str(text).replace(_MARK, "") for text in table["examples"]),
            counter_examples=tuple(str(text).replace(_MARK, "") for text in table["counter_examples"]),
        )
        compiled = re2.compile(rule.regex, engine_options())
        re2.compile(rule.sign, engine_options())
    except (KeyError, TypeError, ValueError, re2.error) as error:
        raise ConfigError(f"{where} is incomplete or its pattern is not RE2 syntax.") from error
    if rule.validator and rule.validator not in VALIDATORS:
        raise ConfigError(f"{where} names an unknown validator.")
    if rule.edges and rule.edges not in EDGES:
        raise ConfigError(f"{where} names unknown edges.")
    if rule.around and rule.sign:
        raise ConfigError(f"{where} may name a sign or around, not both.")
    if rule.around and (len(rule.around) != 1 or not rule.around.isascii() or rule.around.isspace()):
        raise ConfigError(f"{where} may name one ASCII sign as around.")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", rule.entity) or compiled.groups < rule.group:
        raise ConfigError(f"{where} has a bad entity name or group number.")
    return rule


def engine_options() -> Any:
    """RE2 options of every pattern: a roomy automaton cache, and errors raised instead of printed."""
    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    return options
