"""A given name alone is found in a sentence of another language, where the model takes it for a word."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.names.foreign import is_foreign


def _people(text: str) -> list[str]:
    return [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "PERSON"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Die Rechnung von Torsten wurde noch nicht bezahlt.", "Torsten"),
        ("Nous remercions Odile pour son aide.", "Odile"),
        ("La factura enviada por Nuria no se ha pagado todavía.", "Nuria"),
        ("La fattura inviata da Donatella non è stata pagata.", "Donatella"),
        ("De factuur voor Sjoerd is nog niet betaald.", "Sjoerd"),
        ("Dokumenty od Grzegorz nie są kompletne.", "Grzegorz"),
        ("Fakturan från Håkan är inte betald.", "Håkan"),
    ],
)
def test_a_given_name_alone_is_replaced_in_other_languages(text: str, name: str) -> None:
    assert _people(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Die Lieferung ist gestern angekommen und wurde im Hof abgestellt.",
        "Le contrat prend fin en été et peut être renouvelé.",
        "El contrato termina en verano y se puede renovar.",
        "Il contratto scade in estate e si può rinnovare.",
        "Het contract loopt in de zomer af en kan worden verlengd.",
    ],
)
def test_a_sentence_without_a_name_stays_without_one(text: str) -> None:
    assert _people(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the invoice of the company is not paid",
        "Avenida de la Paz 12, El Paso",
        "they met in the bar and sang auf dem",
    ],
)
def test_english_addresses_and_nothing_are_not_foreign(text: str) -> None:
    assert not is_foreign(text.lower())
