"""Person names: each kind of evidence, and what must not be taken for a name."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.names.context import find_names, looks_like_name, names_a_person
from securevec.anonymize.names.cues import Before
from securevec.anonymize.resolve import resolve


def people(text: str, field_name: str = "") -> list[str]:
    return [text[f.start : f.end] for f in resolve(find_names(text, field_name=field_name), text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Brackenthorpe will call you.", ["Brackenthorpe"]),
        ("Nurse Okonjo signed the form.", ["Okonjo"]),
        ("Please ask Mr van der Linden about it.", ["van der Linden"]),
        ("Prof. Ülkü Özdamar agreed.", ["Ülkü Özdamar"]),
        ("Dear Zephrine,\nthe lift is broken.", ["Zephrine"]),
        ("Hi Odalys! The invoice is wrong.", ["Odalys"]),
        ("It still hurts.\nKind regards,\nThandeka Gebremariam", ["Thandeka Gebremariam"]),
        ("Please call back.\n- Ysolde", ["Ysolde"]),
        ("Thanks,\nMoana Fonoti\n+1 212 555 0162", ["Moana Fonoti"]),
        ("my name is Maria Lopez and I am waiting", ["Maria Lopez"]),
        ("This is Kwabena calling about a bill.", ["Kwabena"]),
        ("We spoke with Tuiasosopo yesterday.", ["Tuiasosopo"]),
        ("The patient Benhaddou left at noon.", ["Benhaddou"]),
        ("My flatmate Ermanno Albuquerque may collect it.", ["Ermanno Albuquerque"]),
        ("Name: Leavasa Fonoti\nRoom: 4", ["Leavasa Fonoti"]),
        ("Released by Akindele at noon.", ["Akindele"]),
        ("I met O'Brien and Anne-Marie Smith-Jones.", ["O'Brien", "Anne-Marie Smith-Jones"]),
        ("J. Kowalczyk signed it.", ["J. Kowalczyk"]),
        ("We saw Maria de la Cruz there.", ["Maria de la Cruz"]),
        ("Jane Smith's results are late.", ["Jane Smith"]),
        ("Kovalev, Lee and Phillips came.", ["Kovalev", "Lee", "Phillips"]),
        ("PLEASE CALL JANE SMITH TODAY", ["JANE SMITH"]),
        ("i am waiting. my name is natasha higuchi.", ["natasha higuchi"]),
        ("please tell jane smith that it hurts", ["jane smith"]),
        ("Vinka shouted at the door.", ["Vinka"]),
        ("Will Smith and Grace Hopper were there in May.", ["Will Smith", "Grace Hopper"]),
        ("He asked for Siobhán Ní Dhomhnaill.", ["Siobhán Ní Dhomhnaill"]),
        ("Mein Name ist Ozrick Tolliveaux und ich warte.", ["Ozrick Tolliveaux"]),
        ("je m'appelle Ozrick Tolliveaux, de Lyon", ["Ozrick Tolliveaux"]),
        ("Me llamo Ozrick Tolliveaux y espero.", ["Ozrick Tolliveaux"]),
        ("mijn naam is Ozrick Tolliveaux en ik wacht", ["Ozrick Tolliveaux"]),
        ("nazywam się Ozrick Tolliveaux i czekam", ["Ozrick Tolliveaux"]),
        ("o meu nome é Ozrick Tolliveaux e espero", ["Ozrick Tolliveaux"]),
        ("jag heter Ozrick Tolliveaux och väntar", ["Ozrick Tolliveaux"]),
        ("Met vriendelijke groet,\nOzrick Tolliveaux", ["Ozrick Tolliveaux"]),
        ("Mit freundlichen Grüßen\nOzrick Tolliveaux", ["Ozrick Tolliveaux"]),
        ("On Monday Ozrick Tolliveaux <o.t@example.com> wrote:", ["Ozrick Tolliveaux"]),
        ("Ozrick Tolliveaux [mailto:o.t@example.com]", ["Ozrick Tolliveaux"]),
        ('{"name": "Ozrick Tolliveaux", "plan": "Flex"}', ["Ozrick Tolliveaux"]),
        ("| Full name | Ozrick Tolliveaux |", ["Ozrick Tolliveaux"]),
    ],
)
def test_a_name_is_found_whole(text: str, expected: list[str]) -> None:
    assert people(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The refund has not arrived since Monday.",
        "In May the clinic was closed; in June it opened.",
        "Paris, London and New York are far away.",
        "Please reset my password. Thank you very much.",
        "Dear team, the portal is down.",
        "Hello,\nBluefern Health wants a letter.",
        "Privacy is very important to us.",
        "Identity confirmed. Authorisation sent.",
        "My iPhone and the Windows laptop lost the WiFi.",
        "Dental insurance with Harbor Mutual covers it.",
        "will you mark the file and may i go",
        "ArgumentParser and JSON-Schema are classes.",
        "St Vincent Street and Via Santa Teresa are closed.",
        "Ward 7, Building B, Main Road 12",
        "URGENT: PLEASE REPLY ASAP",
        "What's new? It's fine. That's all. Here's hoping.",
        "",
        "   \n ",
    ],
)
def test_what_is_no_name_is_left_alone(text: str) -> None:
    assert people(text) == []


@pytest.mark.parametrize("field", ["name", "customer", "patient_name", "fullName", "contact", "assigned_agent", "From"])
def test_a_field_that_holds_a_name_is_one_span(field: str) -> None:
    assert people("Aroha Tuimavave", field) == ["Aroha Tuimavave"]


@pytest.mark.parametrize("field", ["product_name", "customer_id", "file_name", "agent_email", "body", "enamel"])
def test_a_field_that_holds_something_else_is_not(field: str) -> None:
    assert not names_a_person(field)


def test_a_name_field_with_a_placeholder_stays() -> None:
    assert people("Unknown Patient", "patient") in ([], ["Unknown Patient"])
    assert people("none", "name") == []


@pytest.mark.parametrize(
    "value", ["Jane Smith", "jane smith", "JANE SMITH", "Ng", "O'Brien", "Anne-Marie", "Smith, Jane"]
)
def test_a_declared_value_looks_like_a_name_in_any_casing(value: str) -> None:
    assert looks_like_name(value)


@pytest.mark.parametrize("value", ["C-10293", "jane@example.com", "4711", "a b c d e f g", "", "x", "Room 4"])
def test_a_declared_value_that_is_a_code_does_not(value: str) -> None:
    assert not looks_like_name(value)


@pytest.mark.parametrize(
    "phrase",
    [
        "my name is ", "and the name's ", "people called ", "everyone calls me ", "this is ", "i am ", "i'm ",
        "spoke with ", "i spoke to ", "ask for ", "asked for ", "on behalf of ", "my wife ", "my carer, ",
        "her son's name is ", "name: ", "contact: ", "cc: ", "a man named ", "i introduce ", "appointment with ",
        "registered as ", "known as ", "forwarded to ", "referral from ", "assigned to ", "booked with ", "signed ",
        "c/o ", "released by ", "written by ", "tell ", "i told ", "thank ", "emailed ", "dear ", "hi ",
        "hello there ", "good morning ", "kind regards,\n", "many thanks,\n", "thanks in advance,\n",
        "sincerely,\n\n", "next of kin: ", "it hurts,\" said ",
    ],
)  # fmt: skip
def test_every_introduction_works(phrase: str) -> None:
    assert Before(phrase, len(phrase)).introduces(), phrase


@pytest.mark.parametrize("phrase", ["the ", "we went to ", "room ", "because ", "at the desk ", "4711 "])
def test_other_words_introduce_nobody(phrase: str) -> None:
    assert not Before(phrase, len(phrase)).introduces()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The bank of Carmen Beaumont rejected the debit.", "Carmen Beaumont"),
        ("The bank of Kwame Siddiqui rejected the debit.", "Kwame Siddiqui"),
        ("The University of Maria Ortega answered.", "Maria Ortega"),
    ],
)
def test_somebody_whose_bank_or_university_it_is_is_a_person(text: str, name: str) -> None:
    assert name in {text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "PERSON"}


@pytest.mark.parametrize("text", ["The Bank of Scotland", "the bank of America", "the bank of New Zealand said"])
def test_banks_of_countries_are_no_people(text: str) -> None:
    assert not [f for f in default_detector().detect(text) if f.entity == "PERSON"]
