"""What Python programs do by habit with things that are open, and with records that are no list: each is an error of
ours that says what to write instead, and no copy of a store or of its answers is made.
"""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import securevec as sv
from securevec.aio import AsyncSecureStore
from securevec.errors import ConfigError, ControlUnavailable, FilterError, SchemaError, UsageError
from securevec.jobs import JobResult
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, World, open_world, ticket


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_no_copy_of_an_open_store_or_of_what_it_answered_is_made(world: World, copied: Callable[[Any], Any]) -> None:
    world.acme.ingest([ticket(1, "The refund never arrived.")])
    found = world.acme.search("refund")
    assert len(found) == 1
    tenant = world.store.tenant("acme", actor=ACME)
    for each in (world.store, tenant, world.acme, found):
        with pytest.raises(UsageError, match="not copied or pickled"):
            copied(each)


def test_no_copy_of_an_asynchronous_store_is_made(tmp_path: Path) -> None:
    async def run() -> None:
        home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
        async with AsyncSecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
            with pytest.raises(UsageError, match="not copied or pickled"):
                pickle.dumps(store)

    asyncio.run(run())


@pytest.mark.parametrize(
    "one",
    [
        Ticket.model_validate(ticket(1, "The refund never arrived.")),
        ticket(1, "The refund never arrived."),
        None,
        7,
        b"id,body",
    ],
    ids=["record", "mapping", "none", "number", "bytes"],
)
def test_one_record_is_not_read_as_a_list_of_its_fields(world: World, one: Any) -> None:
    with pytest.raises(UsageError, match="source"):
        world.acme.ingest(one)
    assert world.acme.count() == 0


@pytest.mark.parametrize("one", ["./letters", Path("letters"), {"letters"}])
def test_one_path_is_not_read_as_a_list_of_its_characters(world: World, one: Any) -> None:
    """The dot among them is the folder the program runs in, the slash the whole machine."""
    for read in (world.acme.ingest_files, world.acme.preview_files):
        with pytest.raises(UsageError, match="in a list"):
            read(one)


def test_a_name_is_not_taken_for_an_actor(world: World) -> None:
    tenant = world.store.tenant("acme", actor=ACME)
    for change in (tenant.grant, tenant.revoke):
        with pytest.raises(ConfigError, match="An actor is made with"):
            change(cast("Any", "svc:other"), "reader")


def test_a_receipt_that_has_no_directory_stays_with_its_job(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be made"):
        JobResult("any", "done", b"receipt").save(tmp_path / "absent" / "receipt.json")


def test_a_span_is_named_by_its_id_and_several_by_a_list(world: World) -> None:
    for ask, given in (
        (world.acme.redact, ["x"]),
        (world.acme.reveal, "x"),
        (world.acme.reveal, 7),
        (world.acme.reveal, [7]),
    ):
        with pytest.raises(UsageError, match="span"):
            cast("Any", ask)(given)


@pytest.mark.parametrize(
    "option",
    [{"jobs": "2"}, {"seconds": "2"}, {"sync": "yes"}, {"prefix": None}, {"source": 7}, {"encoding": ["utf-8"]}],
)
def test_an_option_of_another_type_is_named(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"option {next(iter(option))} "):
        sv.FileOptions(**option)


def test_a_collection_named_where_its_class_belongs_says_how_one_is_opened_by_name(world: World) -> None:
    name: Any = "tickets"
    with pytest.raises(SchemaError, match="existing_collection"):
        world.store.tenant("acme", actor=ACME).collection(name)


def test_a_moment_compared_with_a_text_says_how_one_is_written(world: World) -> None:
    text: Any = "2026-01-31"
    with pytest.raises(FilterError, match=r"datetime\(2026"):
        _ = sv.F("opened") > text
    with pytest.raises(FilterError, match=r"datetime\(2026"):
        world.acme.search("refund", where=sv.F("opened") == text)


def test_a_filter_without_parentheses_says_where_they_belong() -> None:
    field: Any = sv.F("year")
    habits: list[Callable[[], Any]] = [
        lambda: "open" & field == 2020,
        lambda: "open" | field == 2020,
        lambda: 1 & field,
    ]
    for wrong in habits:
        with pytest.raises(FilterError, match="parentheses"):
            wrong()


@pytest.mark.parametrize("wrong", ["minilm", len, object(), 7])
def test_what_is_no_embedder_is_refused_before_there_is_a_home_and_told_how_a_function_becomes_one(
    tmp_path: Path, wrong: Any
) -> None:
    with pytest.raises(ConfigError, match="FunctionEmbedder"):
        sv.SecureStore.open(tmp_path / "home", backend="memory", embedder=wrong, key_file=tmp_path / "root.key")
    assert not (tmp_path / "home").exists()


def test_numbers_of_numpy_are_numbers_in_filters_ids_and_counts(world: World) -> None:
    world.acme.ingest([ticket(number, "The refund never arrived.") for number in (1, 2, 3)])
    any_k: Any = np.int64(2)
    assert len(world.acme.search("refund", k=any_k)) == 2
    assert (sv.F("n") == np.int64(3)).value == 3  # type: ignore[attr-defined]  # what a comparison makes
    with pytest.raises(FilterError, match="order"):
        _ = sv.F("n") < np.bool_(True)
    with pytest.raises(FilterError, match="no time zone"):
        _ = sv.F("opened") < cast("Any", np.datetime64("2026-01-01T00:00:00.000"))


def test_an_answer_that_is_no_text_and_a_class_in_the_place_of_a_name_say_what_belongs_there(world: World) -> None:
    world.acme.ingest([ticket(1, "The refund never arrived.")])
    reply: Any = {"content": "[PERSON_1]"}
    with pytest.raises(UsageError, match="An answer is text"):
        world.acme.search("refund").restore(reply)
    with pytest.raises(UsageError, match=r"collection\(CLASS\)"):
        world.store.tenant("acme", actor=ACME).existing_collection(cast("Any", Ticket))


def test_a_store_that_was_closed_says_so_and_how_it_is_opened_again(tmp_path: Path) -> None:
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", embedder=HashEmbedder(), key_file=tmp_path / "root.key"
    ) as store:
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        assert repr(store) == "SecureStore(<open>)"
    assert repr(store) == "SecureStore(<closed>)"
    for use in (store.tenants, store.__enter__, tickets.count, lambda: tickets.search("refund")):
        with pytest.raises(ControlUnavailable, match=r"closed.*SecureStore\.open\(HOME\)"):
            use()
    store.close()
