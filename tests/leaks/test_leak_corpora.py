"""The same release bar on the second corpus, letters in four formats and a register, and on Chroma's files.

Each run here takes a part of its corpus; ``benchmarks/bar_leak_check.py`` takes all of each. The complaints have two
tenants: ``dev``, whose misses the detector's author read, has the bar of the help desk; ``heldout``, whose misses
nobody read, has it for every kind of value that is recognized without words beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.complaints import COMPLAINTS
from tests.support.corpus import Corpus
from tests.support.failing_runs import LIBRARY, Stage, set_up, what_is_said
from tests.support.helpdesk import HELPDESK, all_needles
from tests.support.leaks import MAX_SHARE, MIN_PERSON_F1, Evidence, gather
from tests.support.needles import Needles

pytest.importorskip("lxml", reason="needs securevec[files]", exc_type=ModuleNotFoundError)

RUNS: list[tuple[Corpus, str, int]] = [(COMPLAINTS, "chroma", 90), (COMPLAINTS, "edge", 40), (HELPDESK, "chroma", 100)]
NEEDS = {"chroma": "chromadb", "edge": "qdrant_edge"}
DEV = ("dev/letters", "dev/register.csv")
HELDOUT = ("heldout/letters", "heldout/register.csv")
ALONE = ("EMAIL", "PHONE", "CARD", "IBAN", "IP", "SECRET", "URL_CREDENTIALS", "CRYPTO_WALLET", "NATIONAL_ID")
"""Labels of values that need no word beside them, or whose word belongs to them."""


def named(run: tuple[Corpus, str, int]) -> str:
    return f"{run[0].name}-{run[1]}"


def part(run: tuple[Corpus, str, int]) -> Any:
    """The complaints on Chroma: both what no other leak check reads, in one. The rest is for the soak; the help desk on
    Edge is test_leak_check.py's."""
    return pytest.param(run, id=named(run), marks=[] if run[:2] == (COMPLAINTS, "chroma") else [pytest.mark.soak])


OF_COMPLAINTS = pytest.mark.parametrize(
    "run", [part(each) for each in RUNS if each[0] is COMPLAINTS], indirect=True, scope="module"
)


@pytest.fixture(scope="module", params=[part(each) for each in RUNS])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    corpus, backend, limit = request.param
    pytest.importorskip(NEEDS[backend], reason=f"needs securevec[{backend}]", exc_type=ModuleNotFoundError)
    return gather(tmp_path_factory.mktemp("leaks"), corpus, backend=backend, limit=limit)


def test_every_row_and_document_went_in(run: Evidence) -> None:
    assert set(run.reports) == {source.key for source in run.corpus.sources}
    for key, report in run.reports.items():
        mine = [row for row in run.rows if row.file == key]
        assert report.new + report.updated == sum(not row.malformed for row in mine)
        assert len(report.refused) == sum(row.malformed for row in mine)
    assert set(run.opened) == {(row.file, row.id) for row in run.live}
    assert len(run.payload_shares().planted) == run.corpus.labels


def test_a_structured_values_do_not_reach_the_embedder(run: Evidence) -> None:
    for keys in (DEV, HELDOUT) if run.corpus is COMPLAINTS else (tuple(run.reports),):
        shares = run.part(*keys).embedder_shares()
        print(f"{keys[0]}\n{shares.table()}")
        if keys != HELDOUT:
            assert shares.structured <= MAX_SHARE, shares.table()
            continue
        for label in ALONE:
            # A part of a corpus has few of some: one is allowed.
            assert shares.leaked[label] <= max(1, MAX_SHARE * shares.planted[label]), label


def test_a_nothing_of_a_question_reaches_the_embedder(run: Evidence) -> None:
    shares = run.query_shares()
    assert sum(shares.planted.values()) >= 4
    assert sum(shares.leaked.values()) == 0


def test_a_undeclared_values_and_a_file_s_own_properties_reach_nothing(run: Evidence) -> None:
    """Columns, and of documents: authors, keywords, comments, scripts, what a head or a dictionary says."""
    canaries = Needles(("canary", canary) for row in run.rows for canary in row.canaries)
    assert len(canaries) > 100
    embedded = "\n".join(text for texts in run.embedded.values() for text in texts)
    assert canaries.find(embedded.encode()) == []
    assert canaries.find(b"\n".join(text for record in run.opened.values() for text in record.plaintexts)) == []


def test_b_structured_values_are_in_no_field_that_opens(run: Evidence) -> None:
    part = run.part(*DEV) if run.corpus is COMPLAINTS else run
    assert part.payload_shares().structured <= MAX_SHARE


@OF_COMPLAINTS
def test_names_are_found_above_the_floor_in_either_part(run: Evidence) -> None:
    for keys in (DEV, HELDOUT):
        scores = run.part(*keys).person_f1()
        print(keys[0], scores)
        assert scores["f1"] >= MIN_PERSON_F1


@OF_COMPLAINTS
def test_what_only_looks_like_a_value_mostly_stays(run: Evidence) -> None:
    """Amounts, days, order numbers, UUIDs, digests, versions, shops: text that says nothing cannot be searched."""
    for keys in (DEV, HELDOUT):
        kept, total = run.part(*keys).kept_near()
        assert total > 100
        assert kept >= 0.85 * total, (keys[0], kept, total)


def test_c_nothing_stands_in_any_file_or_payload(run: Evidence) -> None:
    assert run.needles > 2_000
    assert run.bytes_scanned > 1_000_000
    assert run.in_payloads == []
    assert run.in_open_home == []
    assert run.in_closed_home == []


@pytest.fixture(scope="module")
def chroma_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
    stage = set_up(tmp_path_factory.mktemp("failing"), "chroma")
    yield stage
    stage.store.close()


@pytest.mark.parametrize("name", LIBRARY)
def test_d_nothing_is_said_when_the_library_fails_on_chroma(chroma_stage: Stage, name: str) -> None:
    assert all_needles().find(what_is_said(chroma_stage, name).encode()) == []
