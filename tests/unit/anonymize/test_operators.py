"""Operators and policies: ours, every one of presidio-anonymizer, and what a policy may not say."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from typing import Any

import pytest

from securevec.anonymize import Anonymizer, OperatorPolicy, TenantKeys
from securevec.anonymize import operators as operators_module
from securevec.anonymize.operators import operator_named
from securevec.errors import ConfigError, DetectorError, MissingExtra

KEYS, OTHER = TenantKeys(b"p" * 32, b"t" * 32), TenantKeys(b"q" * 32, b"u" * 32)
PARAMS: Mapping[str, object] = {"entity": "EMAIL", "key": b"p" * 32}
MASK = {"operator": "presidio:mask", "params": {"masking_char": "*", "chars_to_mask": 12, "from_end": False}}


def _apply(policy: Mapping[str, object], text: str, keys: TenantKeys = KEYS) -> str:
    return Anonymizer(policy=OperatorPolicy.from_mapping(policy)).field(text, keys=keys).text.text


def test_presidio_mask_runs_span_by_span() -> None:
    assert _apply({"CARD": MASK}, "card 4111111111111111 exp") == "card ************1111 exp"


def test_presidio_hash_links_inside_a_tenant_and_nowhere_else() -> None:
    policy = {"IP": {"operator": "presidio:hash", "params": {"hash_type": "sha256"}}}
    one, two = _apply(policy, "from 69.196.0.85"), _apply(policy, "from 69.196.0.85")
    assert one == two
    assert len(one) == len("from ") + 64
    assert one != _apply(policy, "from 69.196.0.85", OTHER)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("replace", {"new_value": "<GONE>"}),
        ("redact", {}),
        ("hash", {"hash_type": "sha512"}),
        ("mask", {"masking_char": "#", "chars_to_mask": 50, "from_end": True}),
        ("encrypt", {}),
    ],
)
def test_every_presidio_operator_can_be_named(name: str, params: Mapping[str, object]) -> None:
    made = _apply({"EMAIL": {"operator": f"presidio:{name}", "params": params}}, "to jane@example.com now")
    assert "jane@example.com" not in made
    assert made.startswith("to ")
    assert made.endswith(" now")


def test_presidio_keep_is_an_explicit_choice() -> None:
    assert _apply({"EMAIL": "presidio:keep"}, "to jane@example.com") == "to jane@example.com"


@pytest.mark.parametrize(
    "mapping",
    [
        {"EMAIL": "shred"},
        {"EMIAL": "tag"},
        {"email": "tag"},
        {"EMAIL": 7},
        {"EMAIL": {"operator": "tag", "parameters": {}}},
        {"EMAIL": {"params": {}}},
        {"EMAIL": {"operator": "tag", "params": {"x": 1}}},
        {"EMAIL": {"operator": "mask", "params": {"char": "ab"}}},
        {"EMAIL": {"operator": "mask", "params": {"keep_last": 9}}},
        {"EMAIL": {"operator": "mask", "params": {"keep_last": True}}},
        {"EMAIL": {"operator": "mask", "params": {"char": b"*"}}},
        {"EMAIL": "presidio:custom"},
        {"EMAIL": "presidio:surrogate_ahds"},
        {"EMAIL": "presidio:nothing"},
        {"EMAIL": "presidio:mask"},
        {"EMAIL": {"operator": "presidio:hash", "params": {"hash_type": "md5"}}},
        {"EMAIL": {"operator": "presidio:hash", "params": {"salt": "0123456789abcdef"}}},
        {"EMAIL": {"operator": "presidio:encrypt", "params": {"key": "0123456789abcdef"}}},
        {"default": "nobody"},
    ],
)
def test_a_policy_that_cannot_be_honoured_is_refused_at_once(mapping: Mapping[str, object]) -> None:
    with pytest.raises(ConfigError):
        OperatorPolicy.from_mapping(mapping)


def test_a_policy_never_carries_code_and_never_calls_a_cloud_service() -> None:
    with pytest.raises(ConfigError, match="a policy is data"):
        OperatorPolicy.from_mapping({"EMAIL": "presidio:custom"})
    with pytest.raises(ConfigError, match="cloud service"):
        OperatorPolicy.from_mapping({"EMAIL": "presidio:surrogate_ahds"})


def test_a_missing_presidio_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("presidio_anonymizer"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    operators_module._presidio_operator.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"securevec\[presidio\]"):
        OperatorPolicy.from_mapping({"CARD": "presidio:redact"})


def test_credentials_are_tagged_whatever_the_default_says() -> None:
    text = "password=Tr0ub4dor&3 for jane@example.com"
    assert _apply({"default": "mask"}, text).startswith("password=[SECRET] for ****@*******.***")
    assert _apply({"SECRET": "redact"}, text).startswith("password= for ")


def test_our_own_operators() -> None:
    assert operator_named("tag").operate("x@y.zz", PARAMS) == "[EMAIL]"
    assert operator_named("redact").operate("x@y.zz", PARAMS) == ""
    assert operator_named("mask").operate("4111-1111", {**PARAMS, "keep_last": 2}) == "****-**11"
    assert operator_named("mask").operate("4111", {**PARAMS, "keep_last": 2}) == "****"
    hashed = operator_named("hash").operate("Jane@Example.com", PARAMS)
    assert hashed == operator_named("hash").operate("jane@example.com", PARAMS)
    assert hashed != operator_named("hash").operate("jane@example.com", {**PARAMS, "key": b"q" * 32})
    assert len(hashed) == 32


@pytest.mark.parametrize("key", [None, b"", b"short", "p" * 32])
def test_an_operator_without_the_tenants_key_fails(key: object) -> None:
    with pytest.raises(DetectorError):
        operator_named("surrogate").operate("x@y.zz", {"entity": "EMAIL", "key": key})


def test_the_digest_follows_the_policy() -> None:
    digests = {
        OperatorPolicy.from_mapping(mapping).digest
        for mapping in ({}, {"CARD": MASK}, {"default": "tag"}, {"CARD": "mask"}, {"IP": "mask"})
    }
    assert len(digests) == 5
    assert OperatorPolicy.from_mapping({}).digest == OperatorPolicy.from_mapping({"default": "surrogate"}).digest


def test_a_custom_entity_is_allowed_when_it_is_announced() -> None:
    assert OperatorPolicy.from_mapping({"BADGE": "tag"}, entities=["BADGE"]).choice("BADGE").name == "tag"


@pytest.mark.parametrize(
    ("entity", "value", "params", "said"),
    [
        ("DATE", "03/14/1975", {}, "1975"),
        ("DATE_OF_BIRTH", "14. Mai 1961", {"dates": "decade"}, "1960s"),
        ("DATE", "2024-03-14T10:15:00Z", {}, "2024"),
        ("DATE", "14.3.75", {}, "[DATE]"),
        ("DATE", "from 1999 to 2004", {}, "[DATE]"),
        ("AGE", "34", {}, "30-39"),
        ("AGE", "34 years old", {"ages": 5}, "30-34"),
        ("AGE", "87", {"ages": 20}, "80-89"),
        ("AGE", "94", {}, "90+"),
        ("AGE", "\uff13\uff14", {}, "30-39"),
        ("AGE", "elderly", {}, "[AGE]"),
        ("POSTCODE", "90210", {}, "902**"),
        ("POSTCODE", "03601-1234", {}, "000**"),
        ("POSTCODE", "QX12 3AB", {}, "QX12"),
        ("POSTCODE", "K1A 0B1", {}, "K1A"),
        ("POSTCODE", "1012 AB", {}, "10** **"),
        ("IP", "69.196.0.85", {}, "69.196.0.0/24"),
        ("IP", "2001:4860:4860::8888", {}, "2001:4860:4860::/48"),
        ("IP", "69.196.0.85:443", {}, "[IP]"),
        ("PERSON", "Jane Smith", {}, "[PERSON]"),
    ],
)
def test_a_generalised_value_says_less_and_one_that_cannot_be_read_says_nothing(
    entity: str, value: str, params: Mapping[str, object], said: str
) -> None:
    made = operator_named("generalise").operate(value, {**params, "entity": entity, "key": b"p" * 32})
    assert made == said


@pytest.mark.parametrize(
    "mapping",
    [
        {"PERSON": "generalise"},
        {"DATE": {"operator": "generalise", "params": {"dates": "century"}}},
        {"AGE": {"operator": "generalise", "params": {"ages": 1}}},
        {"AGE": {"operator": "generalise", "params": {"ages": True}}},
        {"AGE": {"operator": "generalise", "params": {"width": 10}}},
        {"EMAIL": {"operator": "token", "params": {"letters": 4}}},
        {"EMAIL": {"operator": "token", "params": {"size": 8}}},
        {"EMAIL": {"operator": "vault", "params": {"x": 1}}},
    ],
)
def test_generalise_token_and_vault_take_what_they_can_honour(mapping: Mapping[str, object]) -> None:
    with pytest.raises(ConfigError):
        OperatorPolicy.from_mapping(mapping)


def test_dates_and_ages_are_replaced_where_the_policy_names_them_and_nowhere_else() -> None:
    text = "Admitted 03/14/2024 at age 34, seen again on April 2, 2024."
    assert _apply({}, text) == text
    assert _apply({"default": "tag"}, text) == text
    named = {"DATE": "generalise", "AGE": "generalise"}
    assert _apply(named, text) == "Admitted 2024 at age 30-39, seen again on 2024."
    assert _apply({"DATE": "surrogate"}, "on 03/14/2024") != "on 03/14/2024"


def test_a_token_links_a_value_inside_a_tenant_and_nowhere_else() -> None:
    policy = {"EMAIL": "token", "CUSTOMER_ID": {"operator": "token", "params": {"letters": 12}}}
    one = _apply(policy, "to jane@acme.org and Jane@Acme.org")
    first, second = one.removeprefix("to ").split(" and ")
    assert first == second
    assert re.fullmatch(r"Email [B-DF-HJ-NP-TV-XZ]{8}", first)
    assert one != _apply(policy, "to jane@acme.org and Jane@Acme.org", OTHER)


def test_only_the_vault_operator_insists_on_a_way_back() -> None:
    assert OperatorPolicy.from_mapping({"EMAIL": "vault"}).needs_vault
    assert OperatorPolicy.from_mapping({"default": "vault"}).needs_vault
    assert not OperatorPolicy.from_mapping({"EMAIL": "tag", "CARD": "drop"}).needs_vault
    assert _apply({"EMAIL": "vault", "IP": "drop"}, "jane@acme.org from 69.196.0.85.") == "[EMAIL] from ."
