"""A value hides behind no notation, and a text that had one still has it when its values are replaced."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from securevec.anonymize import Anonymizer, Finding, OperatorPolicy, TenantKeys, default_detector, subject_token
from securevec.anonymize.stored import originals_in
from securevec.anonymize.written import placed, read
from tests.support.growth import require_growth

KEYS = TenantKeys(b"p" * 32, b"t" * 32)
OPERATORS = ["surrogate", "tag", "mask", "token", "hash", "drop"]
EMAIL = "jane.smith@example.com"


def replaced(text: str, operator: str = "surrogate") -> str:
    field = Anonymizer(policy=OperatorPolicy.from_mapping({"default": operator})).field(text, keys=KEYS)
    assert originals_in(field) == text
    return field.text.text


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_bare_number_of_json_leaves_json_whatever_replaces_it(operator: str) -> None:
    text = (
        '{"card": 4111111111111111, "phone": 2025550143, "account number": 12345678, "n": 7, "x": [5500005555555559]}'
    )
    made = json.loads(replaced(text, operator))
    assert list(made) == ["card", "phone", "account number", "n", "x"]
    assert made["n"] == 7
    assert made["card"] != 4111111111111111
    assert made["x"] != [5500005555555559]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    "text",
    [
        'INFO got {"card": 4111111111111111, "ok": true} in 3 ms',
        'a page\n\n```json\n{"card": 4111111111111111}\n```\n\nand more',
        '{"a": 1}\n{"card": 4111111111111111}\n',
        'cut off: {"a": {"card": 4111111111111111, "b": [1, 2',
        '{"inner": "{\\"card\\": 4111111111111111}"}',
    ],
)
def test_json_inside_something_else_stays_json(text: str, operator: str) -> None:
    made = replaced(text, operator)
    assert "4111111111111111" not in made
    begin, end = text.index("4111111111111111"), text[::-1].index("4111111111111111"[::-1])
    middle = made[begin : len(made) - end]
    if '\\"' in text:
        assert isinstance(json.loads(json.loads(made)["inner"])["card"], int | str)
    else:
        assert isinstance(json.loads(middle), int | str)


def test_a_negative_card_number_does_not_leave_its_sign_beside_a_string() -> None:
    assert json.loads(replaced('{"x": -4111111111111111}', "tag")) == {"x": "[CARD]"}


@pytest.mark.parametrize(
    "written",
    [
        "jane.smith&#64;example.com",
        "jane.smith&#x40;example.com",
        "jane.smith&commat;example&period;com",
        "jane.smith&amp;#64;example.com",
        "jane.smith\\u0040example.com",
        "jane.smith\\\\u0040example.com",
        "jane.smith\\x40example.com",
        "jane.smith%40example.com",
        "jane.smith%2540example.com",
        "jane\\.smith@example.com",
        "jane.smith@exam<wbr>ple.com",
        "jane.smith@exam<!-- -->ple.com",
        "jane**.smith@example**.com",
        "jane.smith\x1f@example.com",
    ],
)
def test_an_address_behind_an_escape_is_found_and_is_the_same_persons(written: str) -> None:
    field = Anonymizer().field(f"write to {written} today", keys=KEYS)
    plain = Anonymizer().field(f"write to {EMAIL} today", keys=KEYS)
    assert {span.token for span in field.spans} == {plain.spans[0].token}
    assert originals_in(field) == f"write to {written} today"
    assert "smith" not in field.text.text


def test_a_replacement_is_escaped_as_its_value_was() -> None:
    assert "%5BEMAIL%5D" in replaced("to jane%40example.com today", "tag")
    assert json.loads(replaced('{"m": "jane\\u0040example.com"}', "tag")) == {"m": "[EMAIL]"}


def test_a_line_break_of_json_is_not_the_first_letter_of_a_name() -> None:
    made = replaced('{"note": "Call me.\\nJane Smith\\njane.smith@example.com"}', "tag")
    assert json.loads(made)["note"] == "Call me.\n[PERSON]\n[EMAIL]"


def test_a_path_of_windows_is_also_read_as_it_stands() -> None:
    reading = read("see C:\\new\\report")
    assert reading is not None
    assert not reading.sure


@pytest.mark.parametrize("operator", OPERATORS)
def test_columns_stay_columns(operator: str) -> None:
    rows = [
        ["name", "email", "card"],
        ["Jane Smith", EMAIL, "4111111111111111"],
        ['Bob "B" Miller', "b@example.com", "x"],
    ]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    made = list(csv.reader(io.StringIO(replaced(out.getvalue(), operator))))
    assert [len(row) for row in made] == [3, 3, 3]
    assert made[0] == rows[0]
    assert made[2][2] == "x"
    assert EMAIL not in str(made)
    assert "4111111111111111" not in str(made)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("mail,n\njane@example.com,1\n", 'mail,n\n"a,""b""",1\n'),
        ('mail,n\n"jane@example.com",1\n', 'mail,n\n"a,""b""",1\n'),
        ("mail,n\nto jane@example.com,1\n", "mail,n\nto a  b ,1\n"),
    ],
)
def test_a_replacement_with_a_comma_and_quotes_stays_in_its_field(text: str, whole: str) -> None:
    start = text.index("jane")
    finding = Finding(start, start + len("jane@example.com"), "EMAIL", 1.0, "email")
    (part,) = placed(text, [finding], read(text))
    assert part.encode is not None
    assert text[: part.start] + part.encode('a,"b"') + text[part.end :] == whole


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [name for name, _ in attrs]))
        self.text += " ".join(value or "" for _, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    "text",
    [
        "<p>Dear <b>Jane</b> <i>Smith</i>, a &lt; b &amp; c</p>",
        '<b title="Jane Smith">you</b>: <a href="mailto:jane&#64;example.com">jane&commat;example&period;com</a>',
        "<p>Write to jane@<b>example</b>.com</p>",
        "<a href=mailto:jane@example.com class=x>write</a> <img alt='Jane Smith'>",
        "<div data-user='jane@example.com'>Jane <a href='https://example.com/jane'>Smith</a> called</div>",
    ],
)
def test_tags_stay_tags_and_nobody_is_left_between_them(text: str, operator: str) -> None:
    before, after = Tags(text), Tags(replaced(text, operator))
    assert before.seen == after.seen
    assert not {"Jane", "Smith", "jane@example.com"} & {word.strip(",.:") for word in after.text.split()}
    assert "jane@" not in after.text


@pytest.mark.parametrize(
    "text", ["Dear <b>Jane</b> <i>Miller</i>, hello", "<span>Jane</span><span> Miller</span> called about a span"]
)
def test_a_name_with_tags_inside_is_the_same_persons_and_no_tag_is_a_part_of_it(text: str) -> None:
    field = Anonymizer().record({"body": text}, keys=KEYS, subjects=())["body"]
    assert {span.token for span in field.spans} == {subject_token(KEYS, "PERSON", "Jane Miller")}
    assert re.findall(r"</?\w+>", field.text.text) == re.findall(r"</?\w+>", text)
    assert field.text.text.endswith(text[-6:])


def test_an_element_of_xml_names_what_it_holds() -> None:
    text = "<r><account>12345678</account><n>12345678901</n></r>"
    assert [f.entity for f in default_detector().detect(text)] == ["BANK_ACCOUNT"]


def test_a_link_of_markdown_has_a_target_still() -> None:
    made = replaced("[write](mailto:jane@example.com) now", "token")
    assert made.startswith("[write](mailto:Email%20")
    assert made.endswith(") now")


def test_among_many_values_a_link_and_a_key_are_still_what_they_are() -> None:
    many = " ".join(f"u{number}@example.com" for number in range(30))
    assert "[write](mailto:Email%20" in replaced(f"{many} [write](mailto:jane@example.com) now", "token")
    assert '"card": "[CARD]", "b": [1' in replaced(f'{many} cut off: {{"card": 4111111111111111, "b": [1', "tag")


def test_a_mask_leaves_the_scheme_of_a_url() -> None:
    assert replaced("see https://jane.example.com/u today", "mask").startswith("see https://****.")


def test_a_declared_subject_is_the_value_that_was_declared() -> None:
    fields = Anonymizer().record({"who": "O&#39;Neil", "text": "hello"}, keys=KEYS, subjects={"who"})
    alone = Anonymizer().field("O&#39;Neil", keys=KEYS, whole="O&#39;Neil")
    assert fields["who"].originals == ("O&#39;Neil",)
    assert fields["who"].spans[0].token == alone.spans[0].token


class Shouts:
    """Finds one word, as a detector of somebody else's does."""

    def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
        at = text.find("badge@7")
        return [Finding(at, at + 7, "EMAIL", 1.0, "own")] if at >= 0 else []


def test_other_detectors_read_behind_escapes_too() -> None:
    field = Anonymizer(detector=Shouts()).field("his badge&#64;7 here", keys=KEYS)
    assert field.originals == ("badge&#64;7",)


@pytest.mark.parametrize(
    "text",
    [
        "Tom & Jerry, 100% of x < y > z",
        "Dear Jane,\nthank you, bye",
        "a\\b",
        "see <someone> there",
        "f(a, b)\ng(c, d)",
        "{'a': 1}",
    ],
)
def test_prose_is_read_as_it_stands(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<!--",
        '<a b="',
        "&",
        "&amp;",
        "&#",
        "\\",
        "\\u00",
        "%",
        "%25",
        '{"',
        "{",
        "[",
        '{"a":',
        "```\n{\n",
        '"',
        "a,b\n",
        '"a",',
        "**",
        "a**",
        "](",
        "<a a='b'>",
        "x\\n",
        "[at]",
    ],
)
def test_reading_is_linear_in_hostile_texts(piece: str) -> None:
    def place(size: int) -> None:
        text = (piece * size)[:size]
        placed(text, [Finding(size // 2, size // 2 + 3, "CARD", 1.0, "x")], read(text))

    # Quadratic work is sixteen times as much.
    require_growth(place, 20_000, 80_000, most=10, quiet=0.05)


def test_of_two_addresses_side_by_side_both_are_found() -> None:
    text = "from 00:1a:2b:3c:4d:5e 3c:22:fb:9e:10:a7 on"
    assert [f.entity for f in default_detector().detect(text)] == ["MAC", "MAC"]


def test_entities_do_not_make_columns_that_hide_what_they_spell() -> None:
    spelled = "00&#58;1a&#58;2b&#58;3c&#58;4d&#58;5e"
    for text in (f"<p>{spelled} here\n{spelled}</p>", f"note;mac\na;{spelled}\n"):
        assert "MAC" in {f.entity for f in default_detector().detect(text)}


def test_a_small_number_of_json_is_no_house() -> None:
    assert json.loads(replaced('{"status": ["00:1a:2b:3c:4d:5e", -10, 1]}'))["status"][1:] == [-10, 1]
