"""A sealed body that opened was written by some release: what this one does not know is refused, never passed over."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.errors import UnknownFormat
from securevec.points.body import Body, Vault
from securevec.points.body_format import (
    LATER,
    WORDS,
    decode_bodies,
    decode_body,
    decode_vault,
    draft_body,
    encode_body,
    encode_vault,
)
from securevec.points.septets import all_unpacked, packed
from securevec.types import Span, Token
from tests.vectors import independent

M, D, P = b"M" * 8, b"D" * 8, b"P" * 8
BODY = Body(
    record_id="T-1",
    generation=3,
    chunk=0,
    chunks=1,
    expires_ms=None,
    ingested_ms=1,
    classification="internal",
    filters={"status": "open"},
    about=(Token(b"a" * 16),),
    mentions=(Token(b"m" * 16),),
    model=M,
    detector=D,
    policy=P,
    fields={"body": "text", "note": "hellohellohello!"},
    field_spans={"body": (Span(0, 4, "EMAIL", Token(b"m" * 16), "surrogate", "email"),)},
    cut=(0, 4),
)
VAULT = Vault({"body": ("jane@example.com",)}, ("Jane",))

KNOWN = (
    "dc0012" "03" "a3542d31" "03" "00" "01" "c0" "01" "00" "81a6737461747573a46f70656e"
    "c410" + "61" * 16 + "c410" + "6d" * 16 + "c418" + "4d" * 8 + "44" * 8 + "50" * 8 + "90"
    "82a4626f6479a474657874" "a46e6f7465" "c40e" "e8329bfd4697d9" "ec37bacc66bf43"
    "81a4626f6479" "9196" "00" "04" "09" "01" "01" "1f" "c0" "920004" "c0"
)  # fmt: skip
"""The bytes of BODY, written by hand from docs/formats.md 5.1."""

NO_BODY = [b"", b"[]", b"null", b"{}", b'{"v":1}', ormsgpack.packb([2]), ormsgpack.packb({})]

AT = {
    "version": 0,
    "id": 1,
    "generation": 2,
    "label": 7,
    "filters": 8,
    "about": 9,
    "marks": 11,
    "acl": 12,
    "fields": 13,
    "spans of fields": 14,
    "text": 15,
    "cut": 16,
    "spans": 17,
}


def raw(**changes: Any) -> bytes:
    parts = ormsgpack.unpackb(encode_body(BODY))
    for name, value in changes.items():
        parts[AT[name.replace("_", " ")]] = value
    return ormsgpack.packb(parts, option=ormsgpack.OPT_SORT_KEYS)


def test_the_bytes_are_those_of_the_page_of_formats() -> None:
    assert encode_body(BODY).hex() == KNOWN
    assert decode_body(bytes.fromhex(KNOWN)) == BODY
    assert "T-1" not in repr(BODY)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(0, 2**63 - 1)
sixteen = st.binary(min_size=16, max_size=16)
marks = st.binary(min_size=8, max_size=8)
words = texts | st.sampled_from(WORDS)
tokens = st.lists(sixteen.map(Token), max_size=4).map(tuple)
spans = st.builds(Span, numbers, numbers, words, sixteen.map(Token), words, words)
tables = st.lists(spans, max_size=4).map(tuple)
scalars = texts | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False)
bodies = st.builds(
    Body,
    record_id=texts | st.integers(-(2**63), 2**64 - 1) | st.uuids(),
    generation=numbers,
    chunk=numbers,
    chunks=numbers,
    expires_ms=st.none() | numbers,
    ingested_ms=numbers,
    classification=words,
    filters=st.dictionaries(texts, scalars, max_size=4),
    about=tokens,
    mentions=tokens,
    tokens=st.integers(1, 2**31),
    cloak=st.integers(1, 2**31),
    model=marks,
    detector=marks,
    policy=marks,
    acl=st.lists(texts, max_size=2).map(tuple),
    fields=st.none() | st.dictionaries(texts, scalars | st.none() | st.lists(texts), max_size=4),
    field_spans=st.none() | st.dictionaries(texts, tables, max_size=3),
    text=st.none() | texts,
    cut=st.none() | st.tuples(numbers, numbers),
    spans=st.none() | tables,
)


@given(bodies)
def test_any_body_comes_back_as_it_was(body: Body) -> None:
    assert decode_body(encode_body(body)) == body


def test_a_span_names_its_token_once_and_keeps_one_that_the_record_does_not_list() -> None:
    listed = Span(0, 1, "EMAIL", BODY.about[0], "tag", "r")
    foreign = Span(2, 3, "EMAIL", Token(b"z" * 16), "tag", "r")
    body = BODY._replace(spans=(listed, foreign), text="text")
    data = encode_body(body)
    assert data.count(b"a" * 16) == 1
    assert data.count(b"z" * 16) == 1
    assert decode_body(data).spans == (listed, foreign)


@given(st.builds(Vault, st.dictionaries(texts, st.lists(texts).map(tuple)), st.none() | st.lists(texts).map(tuple)))
def test_any_vault_comes_back_as_it_was(vault: Vault) -> None:
    assert decode_vault(encode_vault(vault)) == vault


def test_every_cut_of_a_body_and_a_vault_is_refused() -> None:
    for data, decode in ((encode_body(BODY), decode_body), (encode_vault(VAULT), decode_vault)):
        for length in range(len(data)):
            with pytest.raises(UnknownFormat):
                decode(data[:length])
        with pytest.raises(UnknownFormat):
            decode(data + b"\0")


@given(st.binary(max_size=64) | st.binary(max_size=24).map(lambda tail: bytes.fromhex(KNOWN)[:40] + tail))
def test_bytes_that_are_no_body_end_in_one_kind_of_error(data: bytes) -> None:
    for decode in (decode_body, decode_vault):
        with pytest.raises(UnknownFormat):
            decode(data)


@given(st.integers(0, len(bytes.fromhex(KNOWN)) - 1), st.integers(1, 255))
def test_a_changed_byte_never_ends_in_another_kind_of_error(at: int, change: int) -> None:
    data = bytearray.fromhex(KNOWN)
    data[at] ^= change
    try:
        made = decode_body(bytes(data))
    except UnknownFormat:
        return
    assert made != BODY


def test_lengths_that_are_not_there_are_refused_without_making_room_for_them() -> None:
    for head in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"):
        with pytest.raises(UnknownFormat):
            decode_body(head)
    with pytest.raises(UnknownFormat):
        decode_body(b"\x91" * 100_000)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": 4},
        {"version": True},
        {"generation": "x"},
        {"generation": True},
        {"generation": 1.0},
        {"id": ["s", "T-1"]},
        {"id": True},
        {"id": 1.5},
        {"id": b"short"},
        {"label": None},
        {"filters": []},
        {"about": "text"},
        {"about": b"a" * 15},
        {"about": [b"a" * 16]},
        {"about": None},
        {"marks": b"M" * 23},
        {"marks": "M" * 24},
        {"marks": ["D"] * 24},
        {"label": len(WORDS)},
        {"label": -1},
        {"label": True},
        {"fields": {"body": b"short"}},
        {"fields": {"body": bytes(14)}},
        {"text": b"a" * 14 + b"\xff"},
        {"text": bytes.fromhex("e8329bfd4697d9ec37")},
        {"acl": "ab"},
        {"fields": [1]},
        {"text": 1},
        {"cut": [1]},
        {"cut": ["0", "4"]},
        {"cut": [0, 4, 5]},
        {"spans": 7},
        {"spans": [[0, 4, "EMAIL", 2, "s", "r"]]},
        {"spans": [[0, 4, "EMAIL", -1, "s", "r"]]},
        {"spans": [[0, 4, "EMAIL", True, "s", "r"]]},
        {"spans": [[0, 4, "EMAIL", b"m", "s", "r"]]},
        {"spans": [["0", 4, "EMAIL", 0, "s", "r"]]},
        {"spans": [[0, 4, "EMAIL", 0, "s"]]},
        {"spans": [[0, 4, 99, 0, "s", "r"]]},
        {"spans": [[0, 4, "EMAIL", 0, None, "r"]]},
        {"spans_of_fields": [["body", []]]},
        {"spans_of_fields": {"body": [[1, 2]]}},
    ],
    ids=str,
)
def test_a_body_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnknownFormat):
        decode_body(raw(**changes))


def test_a_second_spelling_of_a_body_is_refused() -> None:
    known = bytes.fromhex(KNOWN)
    for plain, longer in (
        ("dc0012", "dd00000012"),
        ("a3542d31", "d903542d31"),
        ("82a4626f6479a4", "83a4626f6479a0a4626f6479a4"),
    ):
        respelled = bytes.fromhex(KNOWN.replace(plain, longer, 1))
        assert respelled != known
        assert ormsgpack.unpackb(respelled) == ormsgpack.unpackb(known)
        with pytest.raises(UnknownFormat):
            decode_body(respelled)


@pytest.mark.parametrize("data", NO_BODY)
def test_what_is_no_body_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownFormat):
        decode_body(data)
    with pytest.raises(UnknownFormat):
        decode_vault(data)


@pytest.mark.parametrize(
    "parts", [[1, {}, None], [2, {}], [2, [], None], [2, {"f": "text"}, None], [2, {"f": [1]}, None], [2, {}, "text"]]
)
def test_a_vault_of_another_shape_is_refused(parts: list[Any]) -> None:
    with pytest.raises(UnknownFormat):
        decode_vault(ormsgpack.packb(parts))


def test_a_record_keeps_the_kind_of_its_id() -> None:
    for record_id in ("7", 7, UUID(int=7), -7, 2**64 - 1):
        assert decode_body(encode_body(BODY._replace(record_id=record_id))).record_id == record_id


def test_ascii_takes_seven_bits_a_character_and_everything_else_is_as_it_was() -> None:
    # 3GPP TS 23.038 packs its default alphabet the same way; this is its best-known example.
    assert packed("hellohello") == bytes.fromhex("e8329bfd4697d9ec37")
    for text in ("", "a", "a" * 7, "a" * 8, "a" * 32_767, "b" * 32_769, "\x7f" * 100_000, "\0" * 20 + "x"):
        held = packed(text)
        assert held is not None
        assert (len(held), all_unpacked([held])[0]) == (-(-len(text) * 7 // 8), text)
    assert packed("a" * 20 + "\0") is None
    assert packed("Zoë" * 20) is None
    plain = len(encode_body(BODY._replace(text="z" * 800)))
    assert plain - len(encode_body(BODY._replace(text="z" * 80))) == 720 * 7 // 8 + 1


def test_a_body_drafted_before_its_generation_is_known_is_the_same_body() -> None:
    for record_id in ("7", "x" * 300, 7, -(2**40), UUID(int=7)):
        body = BODY._replace(record_id=record_id)
        draft = draft_body(body)
        for generation in (1, 127, 128, 2**16, 2**32, 2**63 - 1):
            assert draft.of(generation) == encode_body(body._replace(generation=generation))
            assert len(draft.of(generation)) <= draft.largest == len(draft.of(2**63 - 1))
            for cloak in (2, 127, 128, 2**63 - 1):
                for tokens in (1, 3):
                    under = body._replace(generation=generation, tokens=tokens, cloak=cloak)
                    made = draft_body(under).of(generation, cloak)
                    assert made == encode_body(under)
                    assert len(made) <= draft.largest + LATER


def test_versions_of_keys_stand_behind_the_rest_as_the_page_of_formats_says() -> None:
    known = bytes.fromhex(KNOWN)
    for versions, tail in (((2, 1), "02"), ((1, 2), "0102"), ((3, 200), "03cc" + "c8")):
        body = BODY._replace(tokens=versions[0], cloak=versions[1])
        places = 18 + (2 if versions[1] > 1 else 1)
        assert encode_body(body) == b"\xdc" + places.to_bytes(2, "big") + known[3:] + bytes.fromhex(tail)
        assert decode_body(encode_body(body)) == body
    for later in ([1], [0], [2, 1], [1, 1], [0, 2], [1, True], ["2"], [1, 2.0], [1, 2, 3]):
        with pytest.raises(UnknownFormat):
            decode_body(ormsgpack.packb([*ormsgpack.unpackb(known), *later], option=ormsgpack.OPT_SORT_KEYS))


def test_bodies_that_are_read_together_are_what_they_are_alone() -> None:
    several = [
        BODY,
        BODY._replace(text="z" * 800, fields=None, field_spans=None),
        BODY._replace(fields={"a": "Zoë" * 9, "b": "q" * 17, "c": 5, "d": None, "e": "short"}),
    ]
    data = [encode_body(body) for body in several]
    assert decode_bodies(data) == several == [decode_body(each) for each in data]
    with pytest.raises(UnknownFormat):
        decode_bodies([*data, data[0] + b"\0"])


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=127), max_size=40), max_size=6))
def test_texts_that_are_unpacked_together_are_each_its_own(texts: list[str]) -> None:
    held = [packed(text) for text in texts]
    kept = [(text, data) for text, data in zip(texts, held, strict=True) if data is not None]
    assert all_unpacked([data for _, data in kept]) == [text for text, _ in kept]


@given(st.binary(max_size=40))
def test_a_packed_text_has_one_spelling(data: bytes) -> None:
    try:
        (text,) = all_unpacked([data])
    except ValueError:
        return
    assert packed(text) == data
    assert independent.packed_text(data) == text


@pytest.mark.parametrize(
    "changes",
    [
        *({mark: b"short"} for mark in ("model", "detector", "policy")),
        *({name: 1.0} for name in ("generation", "chunk", "chunks", "ingested_ms", "expires_ms")),
        {"spans": (Span(0, 3, cast("str", None), Token(bytes(16)), "tag", "rule"),)},
        {"spans": (Span(0, 3, "PERSON", Token(bytes(16)), "tag", cast("str", None)),)},
    ],
)
def test_what_would_not_be_read_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        encode_body(BODY._replace(**changes))
