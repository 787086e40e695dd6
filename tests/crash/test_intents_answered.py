"""No intent in the audit log stays without an answer: not after an operation that ended, and not after one that was
killed, however often the process that should answer is killed as well.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.errors import TenantUnavailable
from tests.support.crash_child import RECORDS, edition, open_collection
from tests.support.crash_home import Home, Nursery, Trap, require_consistent
from tests.support.killing import traps

TENANT = "answering-desk"
TRAPS = traps({"audit": 2, "begin delete": 1, "delete": 1, "fetch": 1, "finish batch": 1})
"""Every step of deleting records: an intent, the manifest, the store, read back, a result, the end of the batch."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home.create(tmp_path_factory.mktemp("intents"))
    with home.open() as store:
        open_collection(store, TENANT, create=True).ingest(edition(0))
    return home


def test_operations_that_end_leave_no_intent_open(home: Home) -> None:
    with home.open() as store:
        collection = open_collection(store, TENANT)
        collection.ingest(edition(0))
        collection.delete("T-0")
        collection.ingest(edition(0))
        for _ in range(2):
            # The second time nothing changes.
            store.suspend_tenant(TENANT)
            with pytest.raises(TenantUnavailable):
                collection.count()
        store.resume_tenant(TENANT)
        open_collection(store, "short-lived", create=True)
        store.delete_tenant("short-lived").raise_if_incomplete()
        home.verify_audit(store)
    assert home.open_intents() == []


def test_a_second_request_to_delete_a_tenant_is_answered_too(home: Home, nursery: Nursery) -> None:
    with home.open() as store:
        open_collection(store, "asked-twice", create=True)
    with home.open() as store:
        store.runtime.backend()
        # Another process asks while this one holds the engine, and asks again before this one went on with it.
        store._caretaker.stop()
        for _ in range(2):
            asked = nursery.run(home, "delete tenant", tenant="asked-twice")
            assert asked.journal == ["begin", "done keys_destroyed"]
        assert home.open_intents() == []
        store.run_jobs()
        home.verify_audit(store)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: "-".join(map(str, trap)))
def test_records_whose_deletion_was_killed_are_all_there_or_all_gone(home: Home, nursery: Nursery, trap: Trap) -> None:
    assert nursery.run(home, "delete records", tenant=TENANT, trap=trap).killed
    intents = home.open_intents()
    with home.open() as store:
        collection = open_collection(store, TENANT)
        left = require_consistent(store, collection)
        assert left in ({}, dict.fromkeys(range(RECORDS), 0))
        home.verify_audit(store)
        said = {each["state"] for intent in intents for each in home.recoveries(intent)}
        assert said <= {"absent" if left else "present"}, "what was deleted is not called undone in the log"
        # What was deleted can be stored again; what was not is unchanged.
        report = collection.ingest(edition(0))
        assert (report.new, report.unchanged) == ((0, RECORDS) if left else (RECORDS, 0))
        assert require_consistent(store, collection) == dict.fromkeys(range(RECORDS), 0)
        home.verify_audit(store)


def test_an_intent_is_answered_though_two_who_should_were_killed_before_and_after_it(
    home: Home, nursery: Nursery
) -> None:
    assert nursery.run(home, "delete records", tenant=TENANT, trap=("audit", "after", 1)).killed
    intent = home.open_intents()
    assert len(intent) == 1
    for trap in (("answer", "before", 1), ("answer", "before", 1)):
        assert nursery.run(home, "delete records", tenant=TENANT, trap=trap, armed="opening").killed
        assert home.open_intents() == intent
    assert nursery.run(home, "search", tenant=TENANT, trap=("answer", "after", 1), armed="opening").killed
    assert home.open_intents() == []
    with home.open() as store:
        assert len(require_consistent(store, open_collection(store, TENANT))) == RECORDS
        home.verify_audit(store)
    assert home.recoveries(intent[0]) == [{"state": "absent"}]


def test_the_intent_of_a_process_that_lives_is_not_answered_by_another(home: Home) -> None:
    with home.open() as store:
        control = store.runtime.control
        seen: list[list[str]] = []
        begin = control.set_tenant_state

        def begin_while_another_opens(*given: Any, **named: Any) -> Any:
            with home.open() as second:
                second.tenants()
                seen.append(home.open_intents())
            return begin(*given, **named)

        control.set_tenant_state = begin_while_another_opens  # type: ignore[method-assign]  # to stand between the two
        store.suspend_tenant(TENANT)
        assert len(seen[0]) == 1
        store.resume_tenant(TENANT)
    assert home.open_intents() == []


def test_a_delete_refused_after_its_intent_is_answered(home: Home) -> None:
    with home.open() as store:
        collection = open_collection(store, TENANT)
        control = store.runtime.control

        def refuse(*_: Any, **__: Any) -> Any:
            raise sv.errors.TenantUnavailable("The tenant's state changed.")

        control.begin_delete = refuse  # type: ignore[method-assign]  # as a suspension between intent and transaction does
        with pytest.raises(TenantUnavailable):
            collection.delete("T-1")
    assert home.open_intents() == []
