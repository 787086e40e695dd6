"""The list of models as a value: each word of an entry decides alone, and an entry that says anything else is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from securevec.errors import ConfigError
from securevec.policy.models import MAX_ENTRIES, ModelEntry, Use, check_entry, may_receive, with_entry, without

TENANT, OTHER = "a" * 32, "b" * 32
ENTRY = ModelEntry("m", "chat", ("internal",), provider="p", region="r")
USE = Use("m", "chat", TENANT, "internal", provider="p", region="r")


@pytest.mark.parametrize(
    ("entry", "use", "reason"),
    [
        ({}, {}, "listed"),
        ({}, {"model": "n"}, "unlisted"),
        ({"tenant": OTHER}, {}, "unlisted"),
        ({"allow": ()}, {}, "denied"),
        ({"kind": "embedder"}, {}, "kind"),
        ({}, {"classification": "secret"}, "classification"),
        ({}, {"originals": True}, "originals"),
        ({"originals": True}, {"originals": True}, "listed"),
        ({}, {"provider": ""}, "provider"),
        ({"provider": ""}, {"provider": "q"}, "listed"),
        ({}, {"region": "q"}, "region"),
        ({"region": ""}, {"region": "q"}, "listed"),
        ({"kind": "embedder"}, {"kind": "embedder", "provider": "", "region": ""}, "listed"),
    ],
)
def test_each_word_decides_alone_and_says_so(entry: dict[str, Any], use: dict[str, Any], reason: str) -> None:
    answer = may_receive([replace(ENTRY, **entry)], replace(USE, **use))
    assert (answer.allowed, answer.reason) == (reason == "listed", reason)


@pytest.mark.parametrize("said", ["model", "provider", "region"])
def test_a_text_that_says_that_it_equals_anything_is_on_no_list(said: str) -> None:
    class Anything(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    change: dict[str, Any] = {said: Anything("x")}
    assert not may_receive([ENTRY], replace(USE, **change)).allowed


def test_a_denial_says_what_kind_the_model_was() -> None:
    entries = with_entry([ENTRY], ModelEntry("e", "embedder", ("internal",)))
    assert [each.kind for each in without(entries, "e", tenant="") if each.model == "e"] == ["embedder"]
    assert [each.kind for each in without(None, "e", tenant="")] == ["chat"]


def test_a_denial_to_all_takes_what_tenants_had_and_one_to_a_tenant_takes_its_own_alone() -> None:
    entries = [ENTRY, replace(ENTRY, tenant=TENANT), replace(ENTRY, tenant=OTHER), replace(ENTRY, model="n")]
    to_all = without(entries, "m", tenant="")
    assert {(each.model, each.tenant, each.allow) for each in to_all} == {("m", "", ()), ("n", "", ("internal",))}
    to_one = {(each.model, each.tenant): each.allow for each in without(entries, "m", tenant=TENANT)}
    assert to_one == {
        ("m", ""): ("internal",),
        ("m", TENANT): (),
        ("m", OTHER): ("internal",),
        ("n", ""): ("internal",),
    }


def test_a_list_does_not_grow_without_end() -> None:
    full = [ModelEntry(f"m{number}", "chat", ()) for number in range(MAX_ENTRIES)]
    with pytest.raises(ConfigError, match="at most"):
        with_entry(full, ENTRY)
    assert len(with_entry(full, replace(full[0], allow=("x",)))) == MAX_ENTRIES


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"model": "two words"},
        {"model": 7},
        {"provider": " "},
        {"region": None},
        {"kind": "oracle"},
        {"runs": "everywhere"},
        {"tenant": "acme"},
        {"tenant": None},
        {"originals": 1},
        {"allow": ["internal"]},
        {"allow": (["internal"],)},
        {"allow": ("a", "a")},
        {"allow": ("",)},
        {"allow": (7,)},
        {"allow": tuple(f"l{number}" for number in range(65))},
    ],
)
def test_an_entry_with_one_unusable_word_is_none_and_the_word_is_not_repeated(change: dict[str, Any]) -> None:
    check_entry(ENTRY)
    with pytest.raises(ConfigError) as caught:
        check_entry(replace(ENTRY, **change))
    assert next(iter(change)) in str(caught.value)
