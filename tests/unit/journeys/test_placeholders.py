"""What a placeholder means: the value it was issued for, and never what a document happens to spell."""

from __future__ import annotations

import re

import pytest

from securevec.errors import RecordNotFound, UsageError
from securevec.points.body import Vault
from securevec.reading import revealing
from tests.support.world import World, ticket

ADDRESS = "jane.doe@corp.example"


def test_a_document_that_spells_a_placeholder_is_not_given_somebodys_address(world: World) -> None:
    world.acme.ingest(
        [
            ticket(1, f"Printer refund: please write to {ADDRESS} about the printer refund."),
            ticket(2, "Printer refund status: send a note quoting [EMAIL_1] and [EMAIL_3], printer refund."),
        ]
    )
    hits = world.acme.search("printer refund", k=5)
    quoted = next(hit.text for hit in hits if "quoting" in hit.text)
    assert hits.restore(quoted) == quoted
    context = hits.context()
    assert context.count("[EMAIL_1]") == 1
    assert ADDRESS in hits.restore(context)
    assert hits.restore("[EMAIL_1] [EMAIL_3]") == "[EMAIL_1] [EMAIL_3]"
    assert hits.restore("[EMAIL_2]") == ADDRESS


def test_a_sealed_field_that_spells_a_placeholder_is_left_alone_too(world: World) -> None:
    world.acme.ingest(
        [
            ticket(1, f"Printer refund: please write to {ADDRESS}."),
            ticket(2, "Printer refund without an address.", notes="Answer with [EMAIL_1]."),
        ]
    )
    hits = world.acme.search("printer refund", k=5)
    notes = next(hit.record.notes for hit in hits if hit.record.notes)
    assert hits.restore(notes) == notes


def test_numbers_are_the_same_each_time_and_everybody_has_one(world: World) -> None:
    spelled = " ".join(f"[EMAIL_{number}]" for number in range(2, 40))
    addresses = [f"person{number}@corp.example" for number in range(1, 6)]
    world.acme.ingest([ticket(1, f"Refund for {', '.join(addresses)}."), ticket(2, f"Refund, and a list: {spelled}.")])
    hits = world.acme.search("refund", k=5)
    issued = re.findall(r"\[EMAIL_\d+\]", next(part for part in hits.context().split("---") if "Refund for" in part))
    assert issued == ["[EMAIL_1]", "[EMAIL_40]", "[EMAIL_41]", "[EMAIL_42]", "[EMAIL_43]"]
    assert [hits.restore(name) for name in issued] == addresses
    assert world.acme.search("refund", k=5).context() == hits.context()


@pytest.mark.parametrize("separator", ["", "1", "A_1", "x[EMAIL_", "]\n", "\n[EMAIL_1]\n"])
def test_a_separator_that_could_complete_a_placeholder_is_refused(world: World, separator: str) -> None:
    world.acme.ingest([ticket(1, "Refund [EMAIL_"), ticket(2, "1] is the refund")])
    hits = world.acme.search("refund", k=2)
    with pytest.raises(UsageError):
        hits.context(separator=separator)
    assert " | " in hits.context(separator=" | ")


def test_originals_that_a_vault_does_not_have_are_an_error_of_ours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.acme.ingest([ticket(1, f"Printer refund: please write to {ADDRESS}.")])
    hits = world.acme.search("printer refund", k=1)

    def emptied(raw: bytes) -> Vault:
        return Vault(fields={"body": ()}, spans=())

    monkeypatch.setattr(revealing, "decode_vault", emptied)
    with pytest.raises(RecordNotFound, match="no longer kept"):
        hits.restore("[EMAIL_1]")
