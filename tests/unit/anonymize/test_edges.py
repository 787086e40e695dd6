"""A piece of a drawing, of a table of code points, of a UUID or of a file in base64 is nobody's number and no secret;
the same piece alone is."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.rules.rulebook import load_rules
from securevec.errors import ConfigError

_BASE64 = "h7Qe2Wm9Xs4Rt6Yp1Lk8Jv3Bn5Cz0Df2Gh4Mq6Sw8Ea1"
_NUMBERS = {"PHONE", "CARD", "SSN", "IN_AADHAAR", "MAC", "IP", "BIC", "SECRET", "CASE_NUMBER"}


def _found(text: str) -> list[str]:
    return [text[f.start : f.end] for f in default_detector().structured(text) if f.entity in _NUMBERS]


@pytest.mark.parametrize(
    ("piece", "longer"),
    [
        ("415-555-0161", '<path d="M11.013 1.427a1.75 1.75 0 012.474 0l1.086-126 149.4376,-81.2672"/>'),
        ("415-555-0161", "0.415-555-0161.82"),
        ("415-555-0161", "ab12-415-555-0161-7730"),
        ("015625 144531", "-0.015625 -1.445312 0.355469"),
        ("05 73 04 82 00", "8b 05 73 04 82 00 8c"),
        ("1fe0.1bb0.9c10", "[.1fe0.1bb0.9c10.0002]"),
        ("198.51.100.23", "subclause 7.3.6.1"),
        ("4111-1111-1111-1111", "urn:uuid:48291773-0482-4177-8048-291773048291"),
        ("0171 1234567", "https://git.example.com/node/commit/01711234567"),
        (_BASE64, f"{_BASE64 * 8}"),
        (_BASE64, f"const image = (\n  '{_BASE64}',\n  '{_BASE64}',\n  '{_BASE64}')"),
        ("password = Tr0ub4dor&3", "password = get_Password_from_vault(user)"),
        ("token = Ab3xQ9_placement", "Ab3xQ9_token = Ab3xQ9_token"),
        ("case 4186037", "case 0x3041: break"),
        ("to DEUTDEFF500", "see COPYING3 and SERVER01"),
        ("spoke to Ann about #4498774", "* Fix typo (Closes: #1023284, #1023285)"),
        ("call 1276257", "the call is gone (LP: #1276257)"),
        ("call 2022-4450", "no call (CVE-2022-4450)"),
        ("18 21 26 66 99", "47 99 18 21 26 66 99 12 14"),
        ("call 06 2017", "call at 12:03:06 2017"),
        ("020 7946 0958", ".TH strcmp 3 2023-02-05"),
        ("02 345 67 89", "02 00 00 00 value length"),
        ("token = 'at-Keyword'", "token.type == 'at-Keyword'"),
        ("password is Tr0ub4dor&3", "if token is self.KEYWORD_BI:"),
        ("pw Char8x", "we pass Char8* pointers"),
        ("INC-2005-0758", "Fixes CAN-2005-0758"),
    ],
)
def test_a_piece_of_something_longer_is_nobodys_and_alone_it_is_found(piece: str, longer: str) -> None:
    assert _found(piece) != []
    assert _found(longer) == []


@pytest.mark.parametrize(
    "text",
    [
        "Tel.020 7946 0958",
        "tel-020 7946 0958",
        "call cafe 0207 946 0958.",
        "(415-555-0161), 12",
        "4111 1111 1111 1111-Visa",
    ],
)
def test_a_sign_in_front_of_a_value_or_behind_it_hides_none(text: str) -> None:
    assert len(_found(text)) == 1


def test_edges_that_no_function_knows_stop_the_start() -> None:
    rule = '[[rule]]\nid = "a"\nentity = "A"\nregex = "a+"\nedges = "{}"\nexamples = []\ncounter_examples = []\n'
    assert load_rules([("x.toml", rule.format("number").encode())]).rules[0].edges == "number"
    with pytest.raises(ConfigError, match="edges"):
        load_rules([("x.toml", rule.format("nobody").encode())])
