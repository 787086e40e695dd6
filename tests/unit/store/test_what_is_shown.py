"""What a prompt, a notebook and a log show of open handles and of answers: counts and reasons, never what is sealed."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

import securevec as sv
import securevec.filters
import securevec.points.chunk
from securevec.testing.embedders import HashEmbedder
from securevec.text import html_table
from tests.support.world import Ticket, World, open_world, ticket

LETTER = "The refund for Jane Roe, jane.roe@example.com, never arrived."


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)


def cells(shown: str) -> list[list[str]]:
    table = ElementTree.fromstring(shown)  # our own text
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_a_result_in_a_notebook_says_how_near_and_what_was_replaced_and_nothing_that_is_stored(world: World) -> None:
    world.acme.ingest([ticket(1, LETTER)])
    found = world.acme.search("refund")
    (hit,) = found
    shown = found._repr_html_()
    rows = cells(shown)
    assert rows[1][1:] == [f"{hit.score:.3f}", "1 of 1", str(len(hit.text)), "1 EMAIL, 1 PERSON"]
    stored = [hit.id, hit.text, *vars(hit.record).values()]
    assert [value for value in stored if str(value) in shown] == []
    assert "jane" not in shown.lower()


def test_a_report_of_many_refused_rows_is_one_line_and_twenty_rows_of_a_table(world: World) -> None:
    report = world.acme.ingest([ticket(1, LETTER), *({"id": f"T-{number}"} for number in range(500))])
    assert repr(report) == f"IngestReport({report})"
    assert len(repr(report)) < 300
    rows = cells(report._repr_html_())
    assert (len(rows), rows[1][0], rows[-1]) == (22, "2", ["…", "", "and 480 more"])
    assert cells(world.acme.ingest([ticket(1, LETTER)])._repr_html_()) == []


def test_what_stands_in_a_table_for_a_notebook_is_no_markup() -> None:
    odd = "<img src=x onerror=alert(1)>&\"'"
    shown = html_table(odd, (odd,), [(odd,)])
    assert "<img" not in shown + html_table(odd, (odd,), [])
    assert cells(shown) == [[odd], [odd]]


def test_a_collection_is_shown_by_its_class_and_a_random_id(world: World) -> None:
    assert repr(world.acme) == f"Collection({Ticket.__name__}, id={world.acme.id})"


def test_the_examples_in_docstrings_are_what_python_answers() -> None:
    for module in (securevec.filters, securevec.points.chunk):
        ran = doctest.testmod(module)
        assert ran.attempted > 0
        assert ran.failed == 0
