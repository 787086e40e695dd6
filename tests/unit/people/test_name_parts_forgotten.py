"""Parts of the names of known people live as long as the person is known: found by, and forgotten by an erasure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

import securevec as sv
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, Matrix
from tests.support.attacks import Stage, open_stage
from tests.support.world import Ticket, ticket


class _Heard(HashEmbedder):
    """Remembers what it was given."""

    heard: list[str]

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        self.heard = [text.text for text in texts]
        return super().embed(texts)


HEARD = _Heard()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("parts"), "memory", embedder=HEARD) as made:
        yield made


def rows(stage: Stage, table: str = "name_part") -> int:
    return int(stage.store.runtime.control._db.rows(f"SELECT COUNT(*) FROM {table}")[0][0])


def test_a_surname_finds_its_person_until_the_person_is_erased(stage: Stage) -> None:
    tickets = stage.pair().acme
    tickets.ingest([ticket(1, "Zephrine Quorrelby waits for a refund"), ticket(2, "the weather is fine")])
    assert rows(stage) == 3
    stored = HEARD.heard[0]
    tickets.search("quorrelby", k=1)
    (surname,) = HEARD.heard
    assert surname in stored.casefold()
    assert "quorrelby" not in surname
    kept = stage.store.runtime.control._db.rows("SELECT stand_in FROM name_part")
    assert not [row for row in kept if surname.split()[-1] in str(row[0]).casefold()]  # sealed
    stage.acme.erase_subject("Zephrine Quorrelby", include_name_matches=True).raise_if_incomplete()
    assert rows(stage) == 0


def test_a_deleted_tenant_leaves_no_part_of_a_name(stage: Stage) -> None:
    initech = stage.store.tenant("initech", create=True, actor=sv.Actor("svc:initech", purpose="support"))
    initech.collection(Ticket, name="t").ingest([ticket(1, "Orsolya Vantongeren called")])
    assert rows(stage) == 3
    stage.store.delete_tenant("initech").raise_if_incomplete()
    assert rows(stage) == 0
