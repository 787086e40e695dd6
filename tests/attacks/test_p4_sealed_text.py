"""P4: a sealed value has one text, and what is not one is refused in the words of every refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.crypto import armour
from securevec.crypto.armour import from_text, to_text
from securevec.crypto.envelope import (
    open_sealed,
    read_key_id,
    seal,
)
from securevec.errors import EnvelopeRejected
from tests.support.sealed import KEY, PLACE, THE_ONE_MESSAGE


# Row 15 and 19.
@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        True,
        3.5,
        b"bytes",
        [],
        {},
        "plaintext where a sealed value belongs",
        '{"v": 1}',
        "",
        "=",
        "====",
        "!" * 3,
        "é" * 80,
        "\ud800",
        "A" * 71,
    ],
    ids=repr,
)
def test_what_is_not_sealed_is_refused(text: object) -> None:
    with pytest.raises(EnvelopeRejected) as caught:
        read_key_id(from_text(text))
    assert str(caught.value) == THE_ONE_MESSAGE
    assert caught.value.__cause__ is None


def respellings(text: str) -> list[str]:
    """Texts that a lenient decoder would read as the same bytes, or nearly."""
    return [
        text + "\n",
        text + "!!",
        text + "é",
        text + "=",
        text + "\0\0",
        " " + text,
        "!!" + text,
        text[:8] + "\n" + text[8:],
        text[:8] + "\n\n" + text[8:],
        text[:-1],
        text[:-2],
        "\ufeff" + text,
        "\u0421" + text[2:],
        "\x80" + text[2:],
        '"\\' + text[2:],
    ]


TAILS = pytest.mark.parametrize(
    "length", [56, 57, 58, 59, 60], ids=lambda length: f"{length % 5 or 5} bytes at the end"
)


@TAILS
def test_one_value_has_one_text(length: int) -> None:
    blob = seal(KEY, bytes(length - 52), PLACE)
    text = to_text(blob)
    assert from_text(text) == blob
    for respelled in respellings(text):
        with pytest.raises(EnvelopeRejected):
            open_sealed(KEY, from_text(respelled), PLACE)


@given(st.text(st.sampled_from([*map(chr, range(0x21, 0x7F)), "\xa0", "é", "\u07ff"]), max_size=40))
def test_whatever_is_read_is_written_as_it_was_read(text: str) -> None:
    try:
        blob = from_text(text)
    except EnvelopeRejected:
        return
    assert to_text(blob) == text


@TAILS
def test_digits_that_say_more_than_their_bytes_are_refused(length: int) -> None:
    pairs = in_pairs(to_text(seal(KEY, bytes(length - 52), PLACE)))
    last = (3, 1, 2, 2, 3)[length % 5]
    forged = [[*pairs[:-last], *digits_of(10_352**last - 1, last)], [*digits_of(2**40, 3), *pairs[3:]]]
    # What is no digit, in each place of a group and in any company.
    forged += [
        [*pairs[:first], *["  "] * (end - first), *pairs[end:]] for first in range(3) for end in range(first + 1, 4)
    ]
    for each in forged:
        with pytest.raises(EnvelopeRejected):
            from_text("".join(each))


def in_pairs(text: str) -> list[str]:
    raw = text.encode()
    return [raw[at : at + 2].decode() for at in range(0, len(raw), 2)]


def digits_of(value: int, count: int) -> list[str]:
    """A number in ``count`` digits, by the page of formats."""
    letters = [chr(number) for number in range(0x21, 0x7F) if chr(number) not in '"\\']
    alphabet = [one + two for one in letters for two in letters] + [chr(number) for number in range(0xA0, 0x800)]
    return [alphabet[value // 10_352**place % 10_352] for place in reversed(range(count))]


@pytest.mark.parametrize("at_once", [1, 200, 1 << 20])
def test_texts_that_are_read_together_are_those_read_alone_however_few_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is none stands among them, so that nothing moves to its neighbour's place."""
    monkeypatch.setattr(armour, "_AT_ONCE", at_once)
    blobs = [bytes(range(size % 251)) * (1 + size // 251) for size in (1, 2, 3, 4, 5, 6, 9, 52, 250, 1, 700)]
    texts = armour.to_texts(blobs)
    assert texts == [to_text(blob) for blob in blobs]
    assert list(map(len, map(str.encode, texts))) == [armour.text_size(len(blob)) for blob in blobs]
    assert armour.from_texts([*texts[:4], "none", None, *texts[4:]]) == [*blobs[:4], None, None, *blobs[4:]]
