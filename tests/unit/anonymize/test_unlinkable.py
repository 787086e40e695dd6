"""Two tenants' surrogates of one value are equal by chance only: as often as the number of surrogates of a kind lets
expect. The long run takes 100,000 values of each kind, the short one 1,500."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from securevec.anonymize import lexicon
from securevec.anonymize.operators import keyed_token
from securevec.anonymize.surrogates.values import surrogate
from securevec.crypto.kdf import Keyed, hmac256

ONE, OTHER = b"k" * 32, b"o" * 32
GIVEN, STEMS, ENDINGS = map(len, lexicon.surrogate_names())
PEOPLE = GIVEN * STEMS * ENDINGS

VALUES: dict[str, tuple[Callable[[int], str], int]] = {
    "PERSON": (lambda n: f"Anna{_letters(n)} Weber{_letters(n * 7)}", PEOPLE),
    "EMAIL": (lambda n: f"user{n}@acme.org", PEOPLE * 90 * 3),
    # +1, an area code of 8 * 10 * 10, 555-01 and two digits.
    "PHONE": (lambda n: f"+1 415 {200 + n // 10_000} {n % 10_000:04d}", 800 * 100),
    "CARD": (lambda n: f"4111 1111 11{n // 10_000:02d} {n % 10_000:04d}", 9 * 10**14),
    "IBAN": (lambda n: f"DE02 1203 0000 {n:010d}"[:27], 10**14),
    "SSN": (lambda n: f"161-{10 + n // 10_000:02d}-{n % 10_000:04d}", 100 * 5 * 10**4),
    "IP": (lambda n: f"69.{n // 65_536}.{n // 256 % 256}.{n % 256}", 3 * 254),
    "MAC": (lambda n: f"00:1a:2b:{n // 65_536:02x}:{n // 256 % 256:02x}:{n % 256:02x}", 16**10),
    "URL": (lambda n: f"https://acme.org/{n}", STEMS * ENDINGS * 16**8),
    # A month, a day of 1 to 12 and a year of 75.
    "DATE_OF_BIRTH": (lambda n: f"{1 + n % 12:02d}/{1 + n // 12 % 28:02d}/{1900 + n // 336 % 300}", 12 * 12 * 75),
    "MRN": (lambda n: f"HX-{n:06d}", 26**2 * 10**6),
    "CUSTOMER_ID": (lambda n: f"C-{n:08d}", 26 * 10**8),
    "ADDRESS": (lambda n: f"{n} Mill Street", 199 * STEMS * ENDINGS),
    "LOCATION": (lambda n: f"Town{_letters(n)}", STEMS * ENDINGS * 5),
    "ORG": (lambda n: f"Firm{_letters(n)} Ltd", STEMS * ENDINGS * 5),
}


def _letters(number: int) -> str:
    made = ""
    while number:
        number, rest = divmod(number, 20)
        made += "bcdfghjklmnpqrstvwxz"[rest]
    return made


def _most(count: int, space: int) -> int:
    """Equal pairs that chance does not exceed once in a million runs, and to spare: Poisson with ``count / space``."""
    expected = count / space
    return math.ceil(expected + 6 * math.sqrt(expected)) + 2


def _equal(entity: str, count: int) -> int:
    make, _ = VALUES[entity]
    return sum(surrogate(ONE, entity, make(n)) == surrogate(OTHER, entity, make(n)) for n in range(count))


def _check(count: int) -> None:
    over = {
        entity: (equal, _most(count, space))
        for entity, (_, space) in VALUES.items()
        if (equal := _equal(entity, count)) > _most(count, space)
    }
    assert over == {}


def test_two_tenants_surrogates_are_equal_by_chance_only() -> None:
    _check(1_500)


@pytest.mark.soak
def test_two_tenants_surrogates_of_100_000_values_are_equal_by_chance_only() -> None:
    _check(100_000)


def test_the_measure_sees_a_surrogate_that_forgets_the_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(_: Keyed, data: bytes) -> bytes:
        return hmac256(bytes(32), data)

    monkeypatch.setattr(Keyed, "hmac256", forgetful)
    assert all(_equal(entity, 200) > _most(200, space) for entity, (_, space) in VALUES.items())


def test_tokens_of_two_tenants_are_unrelated_and_inside_one_they_differ() -> None:
    mine = [keyed_token(f"C-{n}", "CUSTOMER_ID", ONE) for n in range(20_000)]
    theirs = {keyed_token(f"C-{n}", "CUSTOMER_ID", OTHER) for n in range(20_000)}
    # 20,000 values among 2.56e10 tokens: a hundredth of a pair is expected.
    assert len(set(mine)) >= 20_000 - 2
    assert len(theirs.intersection(mine)) <= 2
