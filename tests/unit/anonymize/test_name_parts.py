"""Queries as people type them: a surname, an initial, a slip of the hand meet the surrogate of the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from securevec.anonymize import Anonymizer, OperatorPolicy, TenantKeys

KEYS = TenantKeys(b"p" * 32, b"t" * 32)
ANONYMIZER = Anonymizer()
TEXTS = (
    "Jane Miller called about the refund.",
    "Contact Zephrine Quorrel-Binton please.",
    "Dear Mr. Bill Page, regards, Maria Gonzalez",
)


class Known:
    """What the control store remembers of some texts."""

    def __init__(self, texts: Sequence[str], *, keys: TenantKeys = KEYS, anonymizer: Anonymizer = ANONYMIZER) -> None:
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


KNOWN = Known(TEXTS)
FIRST, LAST = ANONYMIZER.field("Jane Miller", keys=KEYS).text.text.split()


def asked(query: str, known: Known = KNOWN, anonymizer: Anonymizer = ANONYMIZER) -> str:
    return anonymizer.query(query, keys=KEYS, known=known.known, parts=known.parts)[0].text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("refund for jane miller", f"refund for {FIRST} {LAST}"),
        ("refund for miller", f"refund for {LAST}"),
        ("what does Miller's invoice say", f"what does {LAST}'s invoice say"),
        ("J. Miller called", f"{FIRST[0]}. {LAST} called"),
        ("call of j miller", f"call of {FIRST[0]}. {LAST}"),
        ("Miller, Jane", f"{LAST} {FIRST}"),
        ("jane miler refund", f"{FIRST} {LAST} refund"),
        ("Jane Millr refund", f"{FIRST} {LAST} refund"),
        ("jnae miller refund", f"{FIRST} {LAST} refund"),
    ],
)
def test_a_part_of_a_known_name_meets_the_surrogate_of_the_person(query: str, expected: str) -> None:
    assert asked(query).casefold() == expected.casefold()


def test_half_of_a_double_surname_is_enough() -> None:
    whole = ANONYMIZER.field("Zephrine Quorrel-Binton", keys=KEYS).text.text.split()[-1]
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
    peter = ANONYMIZER.field("Peter Miller", keys=KEYS).text.text
    assert asked("peter miler refund", known) == f"{peter.lower()} refund"
    assert asked("miller", known) == asked("miller", known)


def test_parts_of_one_tenant_mean_nothing_to_another() -> None:
    other = Known(TEXTS, keys=TenantKeys(b"q" * 32, b"u" * 32))
    assert not set(other.names) & set(KNOWN.names)
    assert LAST.lower() not in asked("quorrel", other)


def test_at_most_two_look_ups_a_query_however_many_slips() -> None:
    known = Known(TEXTS)
    asked("jane miler jane mller jane millr jane millerr jane milller jane milelr jane mliler jane iller", known)
    assert known.asked <= 2


def test_where_people_are_tagged_a_part_is_tagged_too() -> None:
    tagging = Anonymizer(policy=OperatorPolicy.from_mapping({"PERSON": "tag"}))
    known = Known(TEXTS, anonymizer=tagging)
    assert {stand_in for people in known.names.values() for stand_in in people.values()} == {""}
    assert asked("refund for quorrel", known, tagging) == "refund for [PERSON]"
