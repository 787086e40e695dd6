"""A value leads to the tokens that records carry, however it is written, and a name is never taken for a person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import securevec as sv
from securevec.errors import LimitExceeded, UsageError
from securevec.limits import MAX_IDENTIFIERS
from securevec.people.identify import identify, subject_tokens
from securevec.testing.embedders import HashEmbedder
from tests.support.world import World, open_world, ticket


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("identify")
    home, key_file = root / "home", root / "keys" / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        made = open_world(store, home, key_file)
        made.acme.ingest(
            [
                ticket(1, "about a refund", customer="jane@example.com"),
                ticket(2, "Please call back Jane Smith, jane@example.com or +44 20 7946 0958.", customer="C-2042"),
                ticket(3, "patient, MRN: 8675309, was moved", customer="Jane Smith"),
            ]
        )
        yield made


def _records(world: World, *values: str, shared: bool = False) -> int:
    tenant = world.acme._scope.tenant
    found = identify(world.store.runtime, tenant, values)
    tokens = [token for each in found for token in (*each.sure, *(each.shared if shared else ()))]
    return len(world.store.runtime.control.subject_records(tenant, tokens))


@pytest.mark.parametrize(
    ("written", "records"),
    [
        ("jane@example.com", 2),
        ("  JANE@Example.com ", 2),
        ("ja\u200bne@example.com", 2),
        ("+44 (20) 7946-0958", 1),
        ("c-2042", 1),
        ("8675309", 1),
        ("john@example.com", 0),
    ],
)
def test_a_value_is_found_however_it_is_written(world: World, written: str, records: int) -> None:
    assert _records(world, written) == records


def test_a_name_is_listed_apart(world: World) -> None:
    (found,) = identify(world.store.runtime, world.acme._scope.tenant, ["Jane Smith"])
    assert found.entity == "PERSON"
    assert not found.sure
    assert set(found.shared.values()) == {"PERSON"}
    assert _records(world, "Jane Smith") == 0
    assert _records(world, "Jane Smith", shared=True) == 2


def test_a_kind_that_only_the_text_tells_is_looked_up_too(world: World) -> None:
    (found,) = identify(world.store.runtime, world.acme._scope.tenant, ["8675309"])
    assert "MRN" in found.sure.values()
    assert "MRN" not in {found.entity}


def test_an_unknown_value_still_has_the_token_that_later_writes_would_carry(world: World) -> None:
    (found,) = identify(world.store.runtime, world.acme._scope.tenant, ["nobody@example.com"])
    assert list(found.sure.values()) == ["EMAIL"]


def test_the_tokens_of_one_tenant_say_nothing_in_another(world: World) -> None:
    runtime = world.store.runtime
    ours = subject_tokens(runtime, world.acme._scope.tenant, ["jane@example.com"])
    theirs = subject_tokens(runtime, world.globex._scope.tenant, ["jane@example.com"])
    assert not set(ours) & set(theirs)


@pytest.mark.parametrize("values", [[], "jane@example.com", [""], [" \t"], ["\ud800"], [17]])
def test_what_names_nobody_is_refused(world: World, values: list[str]) -> None:
    with pytest.raises(UsageError):
        identify(world.store.runtime, world.acme._scope.tenant, values)


def test_more_than_the_limits_is_refused(world: World) -> None:
    for values in (["x@example.com"] * (MAX_IDENTIFIERS + 1), ["x" * 1025]):
        with pytest.raises(LimitExceeded):
            identify(world.store.runtime, world.acme._scope.tenant, values)


def test_an_identifier_shows_nothing_of_the_person(world: World) -> None:
    (found,) = identify(world.store.runtime, world.acme._scope.tenant, ["jane@example.com"])
    assert "jane" not in repr(found)
    assert not any(token.hex() in repr(found) for token in found.sure)
