"""A sealed body that opened was written by some release: what this one does not know is refused, never passed over."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from securevec.body import Body, decode_body, encode_body
from securevec.errors import UnknownFormat
from securevec.types import Span, Token

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
    model="m",
    detector="d",
    policy="p",
    fields={"body": "text"},
    field_spans={"body": (Span(0, 4, "EMAIL", Token(b"m" * 16), "surrogate", "email"),)},
    cut=(0, 4),
)


def raw(**changes: Any) -> bytes:
    return orjson.dumps({**orjson.loads(encode_body(BODY)), **changes}, option=orjson.OPT_SORT_KEYS)


def test_what_was_encoded_is_decoded() -> None:
    assert decode_body(encode_body(BODY)) == BODY
    assert "T-1" not in repr(BODY)


@pytest.mark.parametrize("key", sorted(orjson.loads(encode_body(BODY))))
def test_a_body_that_lacks_a_key_it_always_has_is_refused(key: str) -> None:
    shown: dict[str, Any] = orjson.loads(encode_body(BODY))
    del shown[key]
    if key in ("f", "fs", "tc"):
        assert decode_body(orjson.dumps(shown)).generation == 3
    else:
        with pytest.raises(UnknownFormat):
            decode_body(orjson.dumps(shown))


@pytest.mark.parametrize(
    "changes",
    [{"zz": 1}, {"v": 2}, {"g": "x"}, {"r": ["x", 1]}, {"ab": ["no hex"]}, {"tc": [1]}, {"fs": {"body": [[1, 2]]}}],
)
def test_a_body_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnknownFormat):
        decode_body(raw(**changes))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"{", b'"text"'])
def test_what_is_no_body_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownFormat):
        decode_body(data)
