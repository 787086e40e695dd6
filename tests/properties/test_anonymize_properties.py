"""Properties of replacement that hold for every text."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.anonymize import Anonymizer, Finding, OperatorPolicy, TenantKeys, normalize, subject_token
from securevec.anonymize.fold import fold
from securevec.anonymize.resolve import resolve
from securevec.anonymize.surrogates.values import surrogate
from securevec.types import AnonymizedField

KEYS = TenantKeys(b"p" * 32, b"t" * 32)
PIECES = [
    "Dear Maria Lopez,", "my name is Zorvath", "jane@example.com", "4111 1111 1111 1111", "+44 20 7946 0958",
    "SSN 161-42-3291", "GB82 WEST 1234 5698 7654 32", "69.196.0.85", "2001:db8::1", "password=Tr0ub4dor&3",
    "https://x.example/a?b=jane@example.com", "Dr. Smith", "born 3/4/1980", "MRN: 4839201", "\u200b", "\u0301",
    "\uff11", "ﬁ", "İ", "\n", " ", ",", "the lift", "Иван Петров", "Kind regards,\nThandeka", "00:1a:2b:3c:4d:5e",
    "-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQEFAASC",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=12).map(" ".join)
NAMES = st.sampled_from(["Ash Hill", "Jane Smith", "Siobhán Ní Dhomhnaill", "Ng", "Иван", "李", "O'Brien", "Clara"])


@cache
def anonymizer() -> Anonymizer:
    return Anonymizer()


def restored(field: AnonymizedField) -> str:
    text, position, pieces = field.text.text, 0, list[str]()
    for span, original in zip(field.spans, field.originals, strict=True):
        pieces += (text[position : span.start], original)
        position = span.end
    return "".join([*pieces, text[position:]])


def valid(text: str) -> str:
    return text.encode(errors="ignore").decode()


@settings(max_examples=150, deadline=None)
@given(TEXTS.map(valid))
def test_the_vault_gives_back_the_exact_text(text: str) -> None:
    field = anonymizer().field(text, keys=KEYS)
    assert restored(field) == text
    position = 0
    for span in field.spans:
        assert position <= span.start <= span.end <= len(field.text)
        position = span.end


@settings(max_examples=150, deadline=None)
@given(TEXTS.map(valid))
def test_no_value_stays_where_it_was_found(text: str) -> None:
    field = anonymizer().field(text, keys=KEYS)
    for span, original in zip(field.spans, field.originals, strict=True):
        if len(original) >= 4:
            assert original not in field.text.text[span.start : span.end]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["customer", "body", "notes", "subject"]), TEXTS.map(valid), max_size=4))
def test_records_restore_too_whatever_their_fields_share(fields: dict[str, str]) -> None:
    result = anonymizer().record(fields, keys=KEYS, subjects={"customer"})
    assert {name: restored(field) for name, field in result.items()} == fields


@settings(max_examples=60, deadline=None)
@given(TEXTS.map(valid), st.sampled_from(["tag", "mask", "redact", "hash", "surrogate"]))
def test_every_operator_restores(text: str, operator: str) -> None:
    anonymizer = Anonymizer(policy=OperatorPolicy.from_mapping({"default": operator}))
    assert restored(anonymizer.field(text, keys=KEYS)) == text


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        ["PERSON", "EMAIL", "PHONE", "CARD", "IBAN", "SSN", "IP", "MAC", "URL", "DATE_OF_BIRTH", "SUBJECT_ID", "MRN"]
    ),
    st.text(min_size=1, max_size=24).map(valid).filter(lambda text: bool(text.strip())),
    st.binary(min_size=32, max_size=32),
)
def test_a_surrogate_is_stable_and_never_the_value(entity: str, value: str, key: bytes) -> None:
    made = surrogate(key, entity, value)
    assert made == surrogate(key, entity, value)
    assert made != value
    assert normalize(entity, made) != normalize(entity, value)


@settings(max_examples=100, deadline=None)
@given(NAMES)
def test_who_a_person_is_does_not_depend_on_casing_or_spacing(name: str) -> None:
    tokens = {subject_token(KEYS, "PERSON", form) for form in (name, name.upper(), name.lower(), f"  {name}\u00a0")}
    assert len(tokens) == 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40).map(valid), st.booleans())
def test_folded_ranges_lie_in_the_text_in_order(text: str, skeleton: bool) -> None:
    folded = fold(text, skeleton=skeleton)
    last = 0
    for index in range(len(folded.text)):
        start, end = folded.span(index, index + 1)
        assert 0 <= start < end <= len(text)
        assert start >= last or skeleton or start >= 0
        last = start


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 3), st.sampled_from("ABC")), max_size=20)
)
def test_resolving_never_uncovers_a_character(ranges: list[tuple[int, int, int, str]]) -> None:
    text = "x" * 60
    findings = [Finding(min(a, b), max(a, b), entity, 0.9, "r", priority) for a, b, priority, entity in ranges]
    result = resolve(findings, text)
    assert all(one.end <= two.start for one, two in pairwise(result))
    covered = {index for f in result for index in range(f.start, f.end)}
    wanted = {index for f in findings for index in range(f.start, f.end)}
    assert covered <= wanted
    # A cut remainder of a single character may go.
    assert len(wanted - covered) <= len(findings)
