"""Generated JSON, CSV and HTML with planted values: the same shape after, the values gone, all else as it was."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from html import escape
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.anonymize import Anonymizer, OperatorPolicy, TenantKeys
from securevec.anonymize.stored import originals_in

KEYS = TenantKeys(b"p" * 32, b"t" * 32)
NAMES = ("surrogate", "tag", "mask", "token", "hash", "drop")
PLANTED = (
    "jane.smith@example.com",
    "4111111111111111",
    "GB82WEST12345698765432",
    "161-42-3291",
    "+44 20 7946 0958",
    "00:1a:2b:3c:4d:5e",
)
NUMBERS = (4111111111111111, 5500005555555559)
HARMLESS = (
    "printer",
    "refund pending",
    'it\'s "fine"',
    "a, b; c",
    "100 %",
    "x < y & z",
    "line\nbreak",
    "ok\\",
    "",
    "tab\t",
    "é",
)
KEYS_OF = ("status", "note", "kind", "value", "list", "item")


@cache
def by_operator(name: str) -> Anonymizer:
    """What words the model takes for names and streets is measured elsewhere."""
    return Anonymizer(policy=OperatorPolicy.from_mapping({"default": name, "PERSON": "keep", "ADDRESS": "keep"}))


operators = st.sampled_from(NAMES)
planted = st.sampled_from(PLANTED)
texts = st.one_of(
    st.sampled_from(HARMLESS),
    planted,
    planted.map(lambda value: f"write {value} down"),
    planted.map(lambda value: f"\n{value}\n"),
)
scalars = st.one_of(texts, st.sampled_from(NUMBERS), st.integers(-99, 99), st.booleans(), st.none(), st.just(2.5))
documents = st.dictionaries(
    st.sampled_from(KEYS_OF),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS_OF), inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
)


def replaced(text: str, operator: str) -> str:
    field = by_operator(operator).field(text, keys=KEYS)
    assert originals_in(field) == text
    return field.text.text


def gone(text: str) -> bool:
    return not any(value in text for value in (*PLANTED, *map(str, NUMBERS)))


def same_shape(before: Any, after: Any) -> None:
    """Dictionaries and lists alike; leaves equal where nothing was planted."""
    if isinstance(before, dict):
        assert list(before) == list(after)
        for key, value in before.items():
            same_shape(value, after[key])
    elif isinstance(before, list):
        assert len(before) == len(after)
        for left, right in zip(before, after, strict=True):
            same_shape(left, right)
    elif gone(str(before)):
        assert before == after
    else:
        assert gone(str(after))


@settings(max_examples=40, deadline=None)
@given(documents, operators, st.sampled_from([None, 1]), st.booleans())
def test_json_is_the_same_json_without_the_values(
    document: Any, operator: str, indent: int | None, plain: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=plain)
    if plain:
        # Escapes hide nothing.
        text = text.replace("@", "\\u0040")
    same_shape(document, json.loads(replaced(text, operator)))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(texts, min_size=3, max_size=3), min_size=1, max_size=5),
    operators,
    st.sampled_from(",;\t"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_csv_has_the_same_columns_without_the_values(
    rows: list[list[str]], operator: str, delimiter: str, quoting: Any
) -> None:
    table = [["status", "note", "kind"], *rows]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(table)
    made = list(csv.reader(io.StringIO(replaced(out.getvalue(), operator), newline=""), delimiter=delimiter))
    same_shape(list(csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter)), made)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append({"tag": tag, **dict(attrs)})

    def handle_endtag(self, tag: str) -> None:
        self.seen.append({"end": tag})

    def handle_data(self, data: str) -> None:
        if self.seen and isinstance(self.seen[-1], str):
            self.seen[-1] += data
        else:
            self.seen.append(data)


def _entities(text: str) -> str:
    return "".join(char if char.isalnum() or char.isspace() else f"&#{ord(char)};" for char in text)


def _element(tag: str, title: str, parts: list[str]) -> str:
    return f'<{tag} title="{escape(title)}">{" ".join(parts)}</{tag}>'


pages = st.recursive(
    texts.map(escape) | texts.map(_entities),
    lambda inner: st.builds(
        _element,
        st.sampled_from(["p", "div", "li", "td"]),
        texts,
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
).map(lambda body: f"<div>{body}</div>")


@settings(max_examples=40, deadline=None)
@given(pages, operators)
def test_html_has_the_same_tags_without_the_values(page: str, operator: str) -> None:
    before, after = Page(page).seen, Page(replaced(page, operator)).seen
    # A dropped text leaves nothing between its tags.
    assert [each for each in before if isinstance(each, dict) and "end" in each] == [
        each for each in after if isinstance(each, dict) and "end" in each
    ]
    same_shape([each for each in before if isinstance(each, dict)], [each for each in after if isinstance(each, dict)])
    assert gone("".join(each for each in after if isinstance(each, str)))
    if gone(str(before)):
        assert before == after
