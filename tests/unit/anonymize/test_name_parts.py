"""Queries as people type them: a surname, an initial, a slip of the hand meet the surrogate of the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from securevec.anonymize import Anonymizer, OperatorPolicy, TenantKeys

KEYS = TenantKeys(b"p" * 32, b"t" * 32)
TEXTS = (
    "Jane Miller called about the refund.",
    "Contact Zephrine Quorrel-Binton please.",
    "Dear Mr. Bill Page, regards, Maria Gonzalez",
)


@cache
def plain() -> Anonymizer:
    return Anonymizer()


class Known:
    """What the control store remembers of some texts."""

    def __init__(self, texts: Sequence[str], *, keys: TenantKeys = KEYS, anonymizer: Anonymizer | None = None) -> None:
        anonymizer = anonymizer or plain()
        self.people: dict[bytes, str] = {}
        self.names: dict[bytes, dict[bytes, str]] = {}
        self.asked = 0
        for text in texts:
            field = anonymizer.field(text, keys=keys)
            self.people |= {span.token: span.entity for span in field.spans}
            for part in anonymizer.name_parts([field], keys=keys):
                self.names.setdefault(part.part, {})[part.person] = part.stand_in

    def known(self, tokens: Sequence[bytes]) -> Mapping[bytes, str]:
        return {token: self.people[token] for token in tokens if token in self.people}

    def parts(self, tokens: Sequence[bytes]) -> Mapping[bytes, Mapping[bytes, str]]:
        self.asked += 1
        return {token: self.names[token] for token in tokens if token in self.names}


@cache
def remembered() -> Known:
    return Known(TEXTS)


def asked(query: str, known: Known | None = None, anonymizer: Anonymizer | None = None) -> str:
    known, anonymizer = known or remembered(), anonymizer or plain()
    return anonymizer.query(query, keys=KEYS, known=known.known, parts=known.parts)[0].text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("refund for jane miller", "refund for {first} {last}"),
        ("refund for miller", "refund for {last}"),
        ("what does Miller's invoice say", "what does {last}'s invoice say"),
        ("J. Miller called", "{first[0]}. {last} called"),
        ("call of j miller", "call of {first[0]}. {last}"),
        ("Miller, Jane", "{last} {first}"),
        ("jane miler refund", "{first} {last} refund"),
        ("Jane Millr refund", "{first} {last} refund"),
        ("jnae miller refund", "{first} {last} refund"),
    ],
)
def test_a_part_of_a_known_name_meets_the_surrogate_of_the_person(query: str, expected: str) -> None:
    first, last = plain().field("Jane Miller", keys=KEYS).text.text.split()
    assert asked(query).casefold() == expected.format(first=first, last=last).casefold()


def test_half_of_a_double_surname_is_enough() -> None:
    whole = plain().field("Zephrine Quorrel-Binton", keys=KEYS).text.text.split()[-1]
    for half in ("quorrel", "binton", "quorrel-binton"):
        assert asked(f"parcel of {half}") == f"parcel of {whole.lower()}"


@pytest.mark.parametrize("query", ["bill me per page", "killer feature", "the tiller broke", "may I return it"])
def test_common_words_that_are_also_names_or_near_them_stay_as_they_are(query: str) -> None:
    assert asked(query) == query


def test_a_common_word_behind_a_title_is_the_person() -> None:
    assert "page" not in asked("mr page complained")


def test_a_listed_surname_nobody_knows_does_not_reach_the_embedder() -> None:
    assert "gonzales" not in asked("gonzales invoice", Known(()))


def test_people_of_one_surname_are_told_apart_by_the_rest_of_the_name() -> None:
    known = Known([*TEXTS, "Peter Miller wrote."])
    peter = plain().field("Peter Miller", keys=KEYS).text.text
    assert asked("peter miler refund", known) == f"{peter.lower()} refund"
    assert asked("miller", known) == asked("miller", known)


def test_parts_of_one_tenant_mean_nothing_to_another() -> None:
    other = Known(TEXTS, keys=TenantKeys(b"q" * 32, b"u" * 32))
    assert not set(other.names) & set(remembered().names)
    (stand_in,) = {part.split()[-1] for part in [plain().field("Zephrine Quorrel", keys=KEYS).text.text]}
    assert stand_in.lower() not in asked("quorrel", other)


def test_at_most_two_look_ups_a_query_however_many_slips() -> None:
    known = Known(TEXTS)
    asked("jane miler jane mller jane millr jane millerr jane milller jane milelr jane mliler jane iller", known)
    assert known.asked <= 2


def test_where_people_are_tagged_a_part_is_tagged_too() -> None:
    tagging = Anonymizer(policy=OperatorPolicy.from_mapping({"PERSON": "tag"}))
    known = Known(TEXTS, anonymizer=tagging)
    assert {stand_in for people in known.names.values() for stand_in in people.values()} == {""}
    assert asked("refund for quorrel", known, tagging) == "refund for [PERSON]"
