"""Amending some fields of a record hides whatever anonymizing the whole record would hide, and loses no original."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.anonymize import Anonymizer, TenantKeys
from securevec.anonymize.amend import amend
from securevec.anonymize.stored import originals_in
from securevec.types import AnonymizedField

KEYS = TenantKeys(pseudonym=b"p" * 32, token=b"t" * 32)
# Few, so that what is new in one field often stands in another.
PIECES = st.sampled_from(
    [
        "Jane Smith",
        "Smith",
        "Wilhelmina Brandt",
        "Ms Brandt",
        "quxorlund",
        "jane.smith@example.com",
        "Mr. Pelm Zorvath",
        "zorvath",
        "020 7946 0123",
        "the refund of",
        "called.",
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=6).map(" ".join)
SUBJECTS = st.sampled_from(["quxorlund", "Wilhelmina Brandt"])
RECORDS = st.fixed_dictionaries({"customer": SUBJECTS, "body": TEXTS, "notes": TEXTS, "more": TEXTS})
OLD = RECORDS.map(lambda record: {**record, "customer": "C-77123"})
FIELDS = st.sets(st.sampled_from(["customer", "body", "notes", "more"]), min_size=1, max_size=2)


def hidden(field: AnonymizedField) -> set[int]:
    """The characters of the original text that were replaced."""
    found: set[int] = set()
    shift = 0
    for span, original in zip(field.spans, field.originals, strict=True):
        start = span.start + shift
        found |= set(range(start, start + len(original)))
        shift += len(original) - (span.end - span.start)
    return found


def whole(anonymizer: Anonymizer, record: Mapping[str, str]) -> dict[str, AnonymizedField]:
    return anonymizer.record(record, keys=KEYS, subjects=["customer"])


@settings(max_examples=150, deadline=None)
@given(old=OLD, new=RECORDS, changed=FIELDS)
def test_an_amended_record_hides_what_a_whole_one_hides(
    old: dict[str, str], new: dict[str, str], changed: set[str]
) -> None:
    anonymizer = Anonymizer()
    stored = whole(anonymizer, old)
    target = {**old, **{name: new[name] for name in changed}}
    kept = {name: field for name, field in stored.items() if name not in changed}
    texts = {name: target[name] for name in changed}
    made = amend(anonymizer, kept, texts, new=texts, keys=KEYS, subjects=["customer"])
    assert {name: originals_in(field) for name, field in made.items()} == target
    for name, field in whole(anonymizer, target).items():
        missed = {at for at in hidden(field) - hidden(made[name]) if target[name][at].isalnum()}
        assert not missed, (name, target[name], made[name].text.text)
        position = 0
        for span in made[name].spans:
            assert position <= span.start <= span.end <= len(made[name].text)
            position = span.end


@settings(max_examples=100, deadline=None)
@given(old=OLD, new=RECORDS, changed=FIELDS)
def test_what_is_kept_keeps_its_surrogates_and_originals(
    old: dict[str, str], new: dict[str, str], changed: set[str]
) -> None:
    anonymizer = Anonymizer()
    stored = whole(anonymizer, old)
    kept = {name: field for name, field in stored.items() if name not in changed}
    made = amend(
        anonymizer,
        kept,
        {name: new[name] for name in changed},
        new=changed,
        keys=KEYS,
        subjects=["customer"],
    )
    for name, field in kept.items():
        shown = [
            (field.text.text[span.start : span.end], span.entity, span.token, original)
            for span, original in zip(field.spans, field.originals, strict=True)
        ]
        now = [
            (made[name].text.text[span.start : span.end], span.entity, span.token, original)
            for span, original in zip(made[name].spans, made[name].originals, strict=True)
        ]
        assert [entry for entry in now if entry in shown] == shown
