"""Structured values where logs, tables of HTML and commands write them, and numbers that only look like one."""

from __future__ import annotations

import pytest
import re2

from securevec.anonymize import default_detector
from securevec.anonymize.rules.checksums import luhn
from securevec.anonymize.rules.credentials import secret_value
from securevec.anonymize.rules.rulebook import builtin_rules, load_rules
from securevec.anonymize.rules.structured import Structured
from securevec.anonymize.rules.validators import VALIDATORS
from securevec.errors import ConfigError

_LINE = "xsBNBF0x8fq2BCADKx9mPq2vL77aQw7xxyyzz9f8Zq1LmX0aQw7xxyyzz9f8Zq1L"
_SECRET = "h7Qe2Wm9Xs4Rt6Yp1Lk8Jv3Bn5Cz0Df2Gh4Mq6Sw8Ea1"


def found(text: str) -> dict[str, str]:
    return {text[f.start : f.end]: f.entity for f in default_detector().detect(text)}


@pytest.mark.parametrize(
    ("text", "value", "entity"),
    [
        ("<table><tr><th>Passport number</th><th>State</th></tr><tr><td>C01X00T47</td><td>x</td></tr></table>",
         "C01X00T47", "PASSPORT"),
        ("<table>\n<tr>\n<th>MRN</th>\n<th>Ward</th>\n</tr>\n<tr>\n<td>7734921</td>\n<td>B</td>\n</tr>\n</table>",
         "7734921", "MRN"),
        ("2024-05-01T12:00:00Z INFO [req 7f] passport_number=C01X00T47 status=ok", "C01X00T47", "PASSPORT"),
        ('GET /x?driver_license="D4482137" HTTP/1.1', "D4482137", "DRIVER_LICENSE"),
        ("INFO email=jane.doe@example.com ok", "jane.doe@example.com", "EMAIL"),
        ("mitt OIB je 33392005961.", "33392005961", "NATIONAL_ID"),
        ("VAT number: GB999999973", "GB999999973", "VAT_ID"),
        ("Credit card number: 6763-1234-5678-9012", "6763-1234-5678-9012", "CARD"),
        ("ABA Routing #: 048291773\n", "048291773", "ROUTING_NUMBER"),
        ("State bar number: 482917\n", "482917", "LICENSE_NUMBER"),
        ('{"device_identifier": "DEV-4829177", "x": 1}', "DEV-4829177", "DEVICE_ID"),
        ("subject_id,age\nS-48291,44\nS-48292,43\n", "S-48291", "RECORD_ID"),
        ("- Social: 9017482265\n", "9017482265", "SSN"),
        ("call +28 337-368 8147 for it", "+28 337-368 8147", "PHONE"),
    ],
)  # fmt: skip
def test_a_value_is_found_whole_under_the_name_that_a_notation_gives_it(text: str, value: str, entity: str) -> None:
    assert found(text).get(value) == entity


@pytest.mark.parametrize(
    "text",
    [
        '"ratio": 0.8292110300938161,',
        "id: to-describe-an-instance-1472712645423",
        '"input_token": "NextToken", "output_token": "nextPageToken"',
        "self.api_key = api_key_env_var",
        "143 188 143 DarkSeaGreen",
        "pieces = parts[0::2]",
        "Requires-Dist: deprecated>=1.2.9.3",
        "/usr/share/alsa/ucm2/Qualcomm/sdm845/HDMI/of/the/card.conf",
    ],
)
def test_code_paths_and_measurements_hold_nothing_of_anybody(text: str) -> None:
    assert not found(text)


def test_a_public_key_is_no_secret_and_hides_none() -> None:
    rules = Structured(builtin_rules())

    def entropy(text: str) -> list[str]:
        return [text[f.start : f.end] for f in rules.find(text, "") if f.rule == "high-entropy"]

    block = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{_LINE}\n{_LINE}\n"
    assert entropy(f"{block}-----END PGP PUBLIC KEY BLOCK-----\n") == []
    assert entropy(f"-----BEGIN PGP MESSAGE-----\n\n{_LINE}\n") != []
    # Without an end the block goes no further than its lines do.
    assert entropy(f"{block}and so our value is {_SECRET}.\n") == [_SECRET]
    signed = block.replace("BLOCK-----\n", "BLOCK-----\nComment: jane.doe@example.com\n")
    assert "EMAIL" in {f.entity for f in rules.find(signed, "")}
    assert rules.find_each([("", f"{block}see {_SECRET}.")])[0]


def test_every_sign_occurs_in_what_its_rule_finds() -> None:
    """A set of rules looks for the sign only: one that a match lacks would silence its rule."""
    signed = [rule for rule in builtin_rules().rules if rule.sign]
    assert len(signed) > 100
    for rule in signed:
        for text in rule.examples:
            match = re2.search(rule.regex, text)
            assert match is None or re2.search(rule.sign, text[match.start() : match.end()]), rule.id


def test_a_rule_may_have_one_way_to_be_looked_for() -> None:
    rule = '[[rule]]\nid = "a"\nentity = "A"\nregex = "a@"\nsign = "a"\naround = "@"\n'
    rule += "examples = []\ncounter_examples = []\n"
    with pytest.raises(ConfigError):
        load_rules([("x.toml", rule.encode())])
    with pytest.raises(ConfigError):
        load_rules([("x.toml", rule.replace('around = "@"\n', "").replace('sign = "a"', 'sign = "("').encode())])


def test_cards_begin_as_their_issuers_say() -> None:
    card = VALIDATORS["card"]
    assert card("4111111111111111")
    assert card("378282246310005")
    assert card("6304000000000000")
    for other in ("1494432574147", "169894499180373"):
        assert luhn(other)
        assert not card(other)


@pytest.mark.parametrize(
    "value", ["NextToken", "api_key_env_var", "2016-09-08T21:47:36Z", "List.NextMarker", "=1.2.3x"]
)
def test_what_names_a_secret_is_none(value: str) -> None:
    assert not secret_value(value)


@pytest.mark.parametrize("value", ["BlueFalcon", "Tr0ub4dor&3", "NextT0ken", "correct-horse"])
def test_what_may_be_a_password_stays_one(value: str) -> None:
    assert secret_value(value)


def test_credentials_have_a_set_of_their_own_that_says_the_same() -> None:
    scanner = default_detector()._rules._scanner
    text = "DB_PASS=qwertz-8812x and card 4111 1111 1111 1111"
    assert {finding.entity for finding in scanner.scan(text)} >= {"SECRET", "CARD"}
