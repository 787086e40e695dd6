"""Layouts of labelled texts other than a text and a list of spans: lists written as a string, one list an annotator,
and a tag for each token. All of them become a text and a list of spans, which are judged as any others.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Final, cast

_LARGEST_STRING: Final = 1024 * 1024
"""Characters of a list written as a string. Python's parser needs about 100 bytes for each."""
_TAGS: Final = ("ner_tags", "tags", "labels", "bio_labels", "ner")
_TOKENS: Final = ("tokens", "words", "tokenised_text", "tokenized_text")


def as_list(value: object) -> list[object] | None:
    """A list of spans as it stands, in a string (JSON or a Python literal), or the one of the first annotator
    (``{"name": {"entity_mentions": [...]}}``). None for anything else."""
    if isinstance(value, str):
        value = _written(value)
    if isinstance(value, Mapping):
        first = next(iter(cast("Mapping[str, object]", value).values()), None)
        value = cast("Mapping[str, object]", first).get("entity_mentions") if isinstance(first, Mapping) else None
    return cast("list[object]", value) if isinstance(value, list) else None


def tagged(value: Mapping[str, object], text: str | None) -> tuple[str, list[object]] | None:
    """Text and spans of ``{"tokens": [...], "ner_tags": ["O", "B-PER", ...]}``, or None where there are no such lists.

    Tokens are looked for in ``text`` in their order; without a text they are joined by single spaces, or by what a list
    ``trailing_whitespace`` says. A tag without ``B-`` or ``I-`` goes on while it stays the same. Tags as numbers, lists
    of different lengths and tokens that are not in the text give None: what they mean cannot be known here.
    """
    tokens = _strings(value, _TOKENS)
    tags = _strings(value, _TAGS)
    if tokens is None or tags is None or len(tokens) != len(tags):
        return None
    text = _joined(tokens, value.get("trailing_whitespace")) if text is None else text
    spans: list[list[object]] = []
    at, before = 0, "O"
    for token, tag in zip(tokens, tags, strict=True):
        start = text.find(token, at)
        if start < 0:
            return None
        at = start + len(token)
        kind = tag[2:] if tag[:2] in ("B-", "I-") else tag
        if tag != "O" and token:
            if spans and before == kind and not tag.startswith("B-"):
                spans[-1][1] = at
            else:
                spans.append([start, at, kind])
        before = "O" if tag == "O" else kind
    return text, cast("list[object]", spans)


def _written(value: str) -> object:
    if len(value) > _LARGEST_STRING or not value.lstrip().startswith(("[", "{")):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _strings(value: Mapping[str, object], names: Sequence[str]) -> list[str] | None:
    for name in names:
        found = value.get(name)
        if isinstance(found, list) and found and all(isinstance(item, str) for item in cast("list[object]", found)):
            return cast("list[str]", found)
    return None


def _joined(tokens: Sequence[str], spaces: object) -> str:
    if isinstance(spaces, list) and len(cast("list[object]", spaces)) == len(tokens):
        behind = [" " if space else "" for space in cast("list[object]", spaces)]
        return "".join(token + space for token, space in zip(tokens, behind, strict=True))
    return " ".join(tokens)
