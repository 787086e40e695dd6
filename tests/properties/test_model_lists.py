"""Whatever a list says, a model receives only what an entry for exactly it and this tenant, or all of them, allows."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from securevec.policy.models import ModelEntry, ModelList, Use, from_json, may_receive, to_json, with_entry, without

NAMES = st.sampled_from(["gpt-5", "GPT-5", "gpt-5-mini", "hash"])
TENANTS = st.sampled_from(["", "a" * 32, "b" * 32])
LABELS = st.sampled_from(["public", "internal", "restricted"])
PLACES = st.sampled_from(["", "eu", "us"])
KINDS = st.sampled_from(["chat", "embedder"])
ENTRIES = st.builds(
    ModelEntry,
    NAMES,
    KINDS,
    st.lists(LABELS, unique=True).map(tuple),
    tenant=TENANTS,
    originals=st.booleans(),
    provider=PLACES,
    region=PLACES,
)
USES = st.builds(
    Use, NAMES, KINDS, TENANTS.filter(bool), LABELS, originals=st.booleans(), provider=PLACES, region=PLACES
)


def listed(entries: list[ModelEntry]) -> tuple[ModelEntry, ...]:
    made: tuple[ModelEntry, ...] = ()
    for entry in entries:
        made = with_entry(made, entry)
    return made


@given(st.lists(ENTRIES, max_size=8), USES)
def test_what_is_allowed_is_allowed_by_one_entry_that_says_all_of_it(entries: list[ModelEntry], use: Use) -> None:
    made = listed(entries)
    own = [entry for entry in made if (entry.model, entry.tenant) == (use.model, use.tenant)]
    general = [entry for entry in made if (entry.model, entry.tenant) == (use.model, "")]
    says_so = [
        entry
        for entry in own or general
        if entry.kind == use.kind
        and use.classification in entry.allow
        and (entry.originals or not use.originals)
        and (use.kind == "embedder" or (entry.provider in ("", use.provider) and entry.region in ("", use.region)))
    ]
    answer = may_receive(made, use)
    assert answer.allowed == bool(says_so)
    assert (answer.reason == "listed") == answer.allowed


@given(st.lists(ENTRIES, max_size=8), USES)
def test_a_denied_model_receives_nothing_whatever_was_said_before(entries: list[ModelEntry], use: Use) -> None:
    for tenant in ("", use.tenant):
        assert not may_receive(without(listed(entries), use.model, tenant=tenant), use).allowed


@given(st.none() | st.lists(ENTRIES, max_size=8), st.integers(0, 2**40))
def test_a_list_is_read_as_it_was_written(entries: list[ModelEntry] | None, number: int) -> None:
    made = ModelList(None if entries is None else listed(entries), number)
    assert from_json(orjson.loads(orjson.dumps(to_json(made)))) == made
