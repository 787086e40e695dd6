"""Every rule finds its examples and leaves its counter-examples alone."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.rules.rulebook import Rule, RuleBook, builtin_rules, load_rules
from securevec.anonymize.rules.scan import PatternScanner
from securevec.errors import ConfigError

RULES = builtin_rules().rules


@pytest.fixture(scope="module")
def scanner() -> PatternScanner:
    return default_detector()._rules._scanner


def _speaks(rule: Rule, text: str, scanner: PatternScanner) -> bool:
    return rule.id in {finding.rule for finding in scanner.scan(text)}


def test_every_rule_finds_its_examples(scanner: PatternScanner) -> None:
    assert not [(rule.id, text) for rule in RULES for text in rule.examples if not _speaks(rule, text, scanner)]


def test_every_rule_leaves_its_counter_examples_alone(scanner: PatternScanner) -> None:
    assert not [(rule.id, text) for rule in RULES for text in rule.counter_examples if _speaks(rule, text, scanner)]


def test_a_number_alone_is_a_record_number_in_a_field_that_says_so_and_nowhere_else(scanner: PatternScanner) -> None:
    """The one rule without examples of its own: it is the name of the field that tells."""
    assert "mrn-field" in {finding.rule for finding in scanner.scan("4839201", field_name="medical_record")}
    assert "mrn-field" not in {finding.rule for finding in scanner.scan("4839201", field_name="order")}


def test_there_are_rules_for_every_kind_of_value() -> None:
    assert len(RULES) >= 120
    wanted = {"EMAIL", "PHONE", "CARD", "IBAN", "SSN", "IP", "MAC", "URL_CREDENTIALS", "URL", "DATE_OF_BIRTH", "NPI"}
    wanted |= {
        "MRN",
        "PASSPORT",
        "DRIVER_LICENSE",
        "NHS",
        "DEA",
        "UK_NINO",
        "CA_SIN",
        "CRYPTO_WALLET",
        "JWT",
        "PRIVATE_KEY",
        *("ADDRESS", "POSTCODE", "SORT_CODE", "BIC", "BANK_ACCOUNT", "CUSTOMER_ID", "CASE_NUMBER", "ROUTING_NUMBER"),
    }
    assert wanted <= builtin_rules().entities
    assert all(rule.examples or rule.id == "mrn-field" for rule in RULES)


_GOOD = '[[rule]]\nid = "a"\nentity = "A"\nregex = "a+"\nexamples = []\ncounter_examples = []\n'


@pytest.mark.parametrize(
    "text",
    [
        "not toml [",
        "",
        _GOOD + _GOOD,
        _GOOD.replace('"a+"', '"(a"'),
        _GOOD.replace('"a+"', '"(?<=a)b"'),
        _GOOD + 'validator = "nobody"\n',
        _GOOD + "surprise = 1\n",
        _GOOD + "group = 3\n",
        _GOOD.replace('entity = "A"', 'entity = "a b"'),
        _GOOD.replace("examples = []\n", "", 1),
        _GOOD.replace('regex = "a+"', 'like = "nobody"'),
        _GOOD + 'like = "a"\n',
    ],
)
def test_a_rule_file_that_cannot_be_honoured_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigError):
        load_rules([("x.toml", text.encode())])


def test_the_digest_changes_with_a_rule() -> None:
    def book(text: str) -> RuleBook:
        return load_rules([("x.toml", text.encode())])

    assert book(_GOOD).digest != book(_GOOD.replace("a+", "a*")).digest


def test_every_rule_is_heard_in_a_text_where_all_rules_speak() -> None:
    """One whose every example is settled for another rule, or only matches alone, is no rule but a line in a file."""
    assert not [rule.id for rule in RULES if rule.examples and not _is_heard(rule)]


def _is_heard(rule: Rule) -> bool:
    texts = [f"It came with the last letter.\n{text}\nThank you for that." for text in rule.examples]
    detector = default_detector()
    return any(rule.id == finding.rule for text in [*rule.examples, *texts] for finding in detector.detect(text))


@pytest.mark.parametrize("text", ["turnover of 4.821.037 this year", "all 12 345 678 rows", "seen 01/08/24 by phone"])
def test_amounts_in_thousands_and_short_dates_are_no_telephone_numbers(text: str) -> None:
    assert not [finding for finding in default_detector().detect(text) if finding.entity == "PHONE"]


def test_a_day_in_words_is_a_day_whatever_the_names_model_makes_of_it() -> None:
    text = "We met on 14 Mar 2024 and again am 3. Mai 2021."
    days = [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "DATE"]
    assert days == ["14 Mar 2024", "3. Mai 2021"]
