"""The anonymizer's promises over fields, records and queries."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from securevec.anonymize import (
    Anonymizer,
    DocumentNames,
    OperatorPolicy,
    TenantKeys,
    default_detector,
    normalize,
    subject_token,
)
from securevec.errors import QueryError
from securevec.limits import MAX_QUERY_BYTES
from securevec.types import AnonymizedField, AnonymizedText

KEYS, OTHER = TenantKeys(b"p" * 32, b"t" * 32), TenantKeys(b"q" * 32, b"u" * 32)
TEXT = (
    "Dear team, my name is Maria Lopez, born 3/4/1980. Mail maria.lopez@acme.org or call +44 20 7946 0958.\n"
    "Card 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32, SSN 161-42-3291, from 69.196.0.85.\nThanks,\nLopez"
)


@cache
def anonymizer() -> Anonymizer:
    return Anonymizer()


def restored(field: AnonymizedField) -> str:
    text, position, pieces = field.text.text, 0, list[str]()
    for span, original in zip(field.spans, field.originals, strict=True):
        pieces += (text[position : span.start], original)
        position = span.end
    return "".join([*pieces, text[position:]])


def nothing(tokens: Sequence[bytes]) -> dict[bytes, str]:
    return {}


def test_the_span_table_indexes_the_new_text_and_restores_the_old() -> None:
    field = anonymizer().field(TEXT, keys=KEYS)
    assert {s.entity for s in field.spans} == {"PERSON", "DATE_OF_BIRTH", "EMAIL", "PHONE", "CARD", "IBAN", "SSN", "IP"}
    assert restored(field) == TEXT
    for value in field.originals:
        if len(value) >= 4:
            assert value not in field.text.text


def test_decomposed_and_dressed_up_names_are_replaced_whole() -> None:
    text = "Please ask Jose\u0301 Ferna\u0301ndez or J\u200bane Smith."
    field = anonymizer().field(text, keys=KEYS)
    assert field.originals == ("Jose\u0301 Ferna\u0301ndez", "J\u200bane Smith")
    assert field.spans[1].token == subject_token(KEYS, "PERSON", "jane smith")


def test_two_tenants_share_neither_tokens_nor_surrogates() -> None:
    mine, theirs = anonymizer().field(TEXT, keys=KEYS), anonymizer().field(TEXT, keys=OTHER)
    assert not {s.token for s in mine.spans} & {s.token for s in theirs.spans}
    for one, two in zip(mine.spans, theirs.spans, strict=True):
        if one.entity in {"PERSON", "EMAIL", "IBAN"}:
            assert mine.text.text[one.start : one.end] != theirs.text.text[two.start : two.end]


def test_a_bare_surname_is_the_person_named_elsewhere_in_the_record() -> None:
    fields = {
        "customer": "Ysolde Brackenthorpe",
        "body": "Brackenthorpe is upset. BRACKENTHORPE!",
        "notes": "told Ysolde",
    }
    result = anonymizer().record(fields, keys=KEYS, subjects={"customer"})
    made = result["customer"].text.text
    first, last = made.split()
    assert result["body"].text.text == f"{last} is upset. {last.upper()}!"
    assert result["notes"].text.text == f"told {first}"
    tokens = {span.token for field in result.values() for span in field.spans}
    assert tokens == {subject_token(KEYS, "PERSON", "ysolde brackenthorpe")}
    assert all(restored(result[name]) == text for name, text in fields.items())


def test_a_surname_two_people_share_belongs_to_neither() -> None:
    fields = {"body": "Jane Smith and Peter Smith came. Smith left."}
    spans = anonymizer().record(fields, keys=KEYS, subjects=())["body"].spans
    assert spans[-1].token == subject_token(KEYS, "PERSON", "Smith")


def test_an_address_confirms_the_name_in_it() -> None:
    fields = {"contact": "zorvath.quellmann@acme.org", "body": "Then Zorvath came. Quellmann too."}
    body = anonymizer().record(fields, keys=KEYS, subjects=())["body"]
    assert set(body.originals) == {"Zorvath", "Quellmann"}


def test_a_role_address_names_nobody() -> None:
    fields = {"contact": "patient.support@acme.org", "body": "The Patient Support desk is closed."}
    assert anonymizer().record(fields, keys=KEYS, subjects=())["body"].spans == ()


def test_a_declared_subject_is_replaced_whole_and_wherever_it_stands() -> None:
    fields = {"customer": " C-10293 ", "body": "customer c-10293 wrote; XC-102930 did not"}
    result = anonymizer().record(fields, keys=KEYS, subjects={"customer"})
    assert result["customer"].originals == ("C-10293",)
    assert result["customer"].spans[0].entity == "SUBJECT_ID"
    assert result["body"].originals == ("c-10293",)
    assert result["body"].spans[0].token == result["customer"].spans[0].token


def test_a_number_that_its_words_gave_away_is_found_where_it_stands_alone() -> None:
    fields = {"title": "File note CX-4711-20", "body": "complaint CX-4711-20 | 8829; see cx-4711-20, not XCX-4711-201"}
    result = anonymizer().record(fields, keys=KEYS, subjects=())
    assert result["title"].originals == ("CX-4711-20",)
    assert result["body"].originals == ("CX-4711-20", "cx-4711-20")
    assert len({span.token for field in result.values() for span in field.spans}) == 1


def test_a_subject_called_like_a_common_word_does_not_eat_the_prose() -> None:
    fields = {"customer": "Will", "body": "we will see what Will says"}
    body = anonymizer().record(fields, keys=KEYS, subjects={"customer"})["body"]
    assert body.originals == ("Will",)


@pytest.mark.parametrize(
    ("value", "entity"),
    [
        ("Jane Smith", "PERSON"),
        ("jane smith", "PERSON"),
        ("jane@example.com", "EMAIL"),
        ("+44 20 7946 0958", "PHONE"),
        ("C-10293", "SUBJECT_ID"),
        ("4711", "SUBJECT_ID"),
        ("", "SUBJECT_ID"),
    ],
)
def test_what_a_declared_subject_is_depends_on_the_value_alone(value: str, entity: str) -> None:
    assert anonymizer().subject_entity(value) == entity
    field = anonymizer().field(value, keys=KEYS, whole="PERSON", field_name="mrn")
    assert [span.entity for span in field.spans] == ([entity] if value else [])


def test_a_query_meets_the_surrogate_of_the_stored_name_in_any_casing() -> None:
    stored = anonymizer().field("Zephrine Quorrelby", keys=KEYS, whole="PERSON")
    known = {bytes(span.token): span.entity for span in stored.spans}

    def lookup(tokens: Sequence[bytes]) -> dict[bytes, str]:
        return {token: known[token] for token in tokens if token in known}

    for query in ("refund of zephrine quorrelby?", "Refund of Zephrine  Quorrelby's", "REFUND OF ZEPHRINE QUORRELBY"):
        text, counts = anonymizer().query(query, keys=KEYS, known=lookup)
        assert stored.text.text.casefold() in text.text.casefold()
        assert "quorrelby" not in text.text.casefold()
        assert counts == {"PERSON": 1}


def test_a_query_asks_for_known_tokens_once_and_not_for_common_words() -> None:
    asked: list[Sequence[bytes]] = []

    def lookup(tokens: Sequence[bytes]) -> dict[bytes, str]:
        asked.append(tokens)
        return {}

    text, counts = anonymizer().query("please check the refund", keys=KEYS, known=lookup)
    assert text.text == "please check the refund"
    assert not counts
    assert len(asked) == 1
    assert subject_token(KEYS, "PERSON", "please") not in asked[0]
    assert subject_token(KEYS, "PERSON", "check the refund") in asked[0]


def test_a_known_customer_number_in_a_query_is_replaced() -> None:
    token = subject_token(KEYS, "SUBJECT_ID", "C-10293")
    text, counts = anonymizer().query("orders of (c-10293)", keys=KEYS, known=lambda tokens: {token: "SUBJECT_ID"})
    assert "10293" not in text.text
    assert counts == {"SUBJECT_ID": 1}


def test_a_query_is_anonymized_even_when_nothing_is_known() -> None:
    text, counts = anonymizer().query("mail of jane@example.com", keys=KEYS, known=nothing)
    assert "jane@example.com" not in text.text
    assert counts == {"EMAIL": 1}


def test_a_query_that_is_too_long_is_refused() -> None:
    with pytest.raises(QueryError):
        anonymizer().query("é" * MAX_QUERY_BYTES, keys=KEYS, known=nothing)


def test_findings_show_what_a_clear_filter_would_give_away() -> None:
    assert [f.entity for f in anonymizer().findings("jane@example.com", field_name="status")] == ["EMAIL"]
    assert anonymizer().findings("open", field_name="status") == []


def test_a_field_can_be_judged_with_the_names_of_its_record() -> None:
    field = anonymizer().field("then Smith left", keys=KEYS, document=DocumentNames(["Jane Smith"]))
    assert field.spans[0].token == subject_token(KEYS, "PERSON", "Jane Smith")


def test_normalization_is_that_of_the_formats_page() -> None:
    assert normalize("PERSON", "  JANE\u00a0 Smith ") == "jane smith"
    assert normalize("PERSON", "Stra\u00dfe\u200b") == "strasse"
    assert normalize("CARD", "4111-1111 1111.1111") == "4111111111111111"
    assert normalize("IBAN", "gb82 WEST") == "gb82west"
    assert normalize("EMAIL", "\uff2aane@Example.com") == "jane@example.com"
    assert normalize("CARD", "---") == "---"


def test_anonymized_text_is_made_by_nobody_else() -> None:
    for mint in (None, object(), "mint"):
        with pytest.raises(TypeError):
            AnonymizedText("raw", mint)


def test_keys_show_and_travel_nowhere() -> None:
    assert "ppp" not in repr(KEYS)
    with pytest.raises(TypeError):
        pickle.dumps(KEYS)
    field = anonymizer().field(TEXT, keys=KEYS)
    assert "Lopez" not in repr(field)


def test_threads_get_the_same_answers() -> None:
    expected = anonymizer().field(TEXT, keys=KEYS)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(anonymizer().field, TEXT, keys=KEYS) for _ in range(40)]
        assert all(future.result() == expected for future in futures)


def test_a_long_text_is_anonymized_across_window_borders() -> None:
    filler = "the lift is out of order again and nobody came to look at it. "
    text = "".join(filler * 40 + f"mail user{number}@example.org now. " for number in range(600))
    assert len(text) > 1_400_000
    field = anonymizer().field(text, keys=KEYS)
    assert sum(span.entity == "EMAIL" for span in field.spans) == 600
    assert restored(field) == text


def test_places_and_organizations_are_found_and_kept_unless_the_policy_names_them() -> None:
    text = "Natasha Higuchi from Acme Insurance moved to Rotterdam."
    kinds = {finding.entity for finding in default_detector().detect(text)}
    assert {"PERSON", "ORG", "LOCATION"} <= kinds
    kept = anonymizer().field(text, keys=KEYS)
    assert kept.text.text.endswith(" from Acme Insurance moved to Rotterdam.")
    assert {span.entity for span in kept.spans} == {"PERSON"}
    named = Anonymizer(policy=OperatorPolicy.from_mapping({"LOCATION": "tag", "ORG": "surrogate"}))
    done = named.field(text, keys=KEYS)
    assert "moved to [LOCATION]." in done.text.text
    assert "Acme" not in done.text.text
    default = Anonymizer(policy=OperatorPolicy.from_mapping({"default": "tag"})).field(text, keys=KEYS)
    assert default.text.text == "[PERSON] from Acme Insurance moved to Rotterdam."


def test_a_place_in_a_value_that_is_kept_clear_refuses_nothing() -> None:
    assert anonymizer().findings("Rotterdam", "city") == []


@pytest.mark.parametrize("value", ["Victoria Lake", "Paris Jordan", "Chase Bank", "Rotterdam"])
def test_a_declared_subject_is_a_name_whatever_the_model_makes_of_it(value: str) -> None:
    tagged = Anonymizer(policy=OperatorPolicy.from_mapping({"LOCATION": "tag", "ORG": "tag"}))
    assert tagged.subject_entity(value) == anonymizer().subject_entity(value) == "PERSON"
