"""The engine ``contextual``: names by a model that reads whole sentences, beside the one that reads nine words.

Asked for, not the default: it needs the extra ``embed``, whose model it is (all-MiniLM-L6-v2, with what that learned
about names in a file of its own), and more time than embedding takes. Most of a token's score is its, the rest the
small model's, which alone says what is an address: it knows those better. All in whole numbers, so findings are the
same on every machine (docs/adr/0101).

A text is read in windows of pieces that overlap; each token is judged where more stands around it, so no border loses
one. What a window says depends on its tokens alone.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from securevec.anonymize.names.features import canonical
from securevec.anonymize.names.model import NameModel, Tagging, name_model, tokens_of
from securevec.anonymize.names.tongues import NameModels, name_models
from securevec.embed.minilm import PINNED, model_directory, read_tokenizer, require_extra, verified
from securevec.embed.whole import TABLES, WholeForward
from securevec.errors import DetectorError, EmbedderError, MissingExtra, ModelDigestMismatch

WINDOW: Final = 192
"""Pieces of a window; it learned from texts about as long."""
AROUND: Final = 24
"""Tokens on each side of a border that two windows have in common."""
SHARE: Final = 0.875
"""How much of a score is this model's; the rest is the small one's. Chosen on development sets."""
CASINGS: Final = 6

_FILE: Final = "names_contextual.npz"
_MOST_PIECES: Final = 6
"""Of one token: the others are not read."""
_TOGETHER: Final = 512
"""Pieces in one pass."""
_CACHED: Final = 1 << 16
_OPENING: Final = 101
_CLOSING: Final = 102
_UNKNOWN: Final = 100
"""Pieces of the tokenizer, whose digest is pinned."""


def casing(token: str) -> int:
    """Of a word: small, capitalized, capitals, one capital, mixed; 0 for what is no word."""
    if not token[0].isalpha():
        return 0
    if token.islower():
        return 1
    if token.isupper():
        return 3 if len(token) > 1 else 4
    return 2 if token[0].isupper() and token[1:].islower() else 5


class Window(NamedTuple):
    """Where it begins and ends, and the tokens that are judged in it."""

    begin: int
    end: int
    first: int
    last: int


def windows(sizes: Sequence[int]) -> Iterator[Window]:
    """Windows of tokens with so many pieces each. Every token is judged in one of them, in order."""
    begin = first = 0
    while first < len(sizes):
        end, pieces = begin, 0
        while end < len(sizes) and pieces + sizes[end] <= WINDOW:
            pieces += sizes[end]
            end += 1
        if end == len(sizes):
            yield Window(begin, end, first, end)
            return
        # Fewer where words are so long that a window would hardly move on.
        shared = min(2 * AROUND, (end - begin) // 3)
        last = end - shared // 2
        yield Window(begin, end, first, last)
        begin, first = end - shared, last


class ContextualModel:
    """The small model and the one that reads sentences, as one. Thread-safe, linear in the text."""

    def __init__(self, changes: bytes, beside: NameModel, *, directory: Path | None = None) -> None:
        """``changes``: the bytes of the engine's file. ``directory``: of the files of all-MiniLM-L6-v2, by default
        those that are installed; both are read with the first text.

        Raises ``MissingExtra`` without the extra ``embed``.
        """
        self._directory = model_directory() if directory is None else directory
        require_extra()
        self._changes = changes
        self._beside = beside
        own = (hashlib.sha256(changes).hexdigest(), *PINNED.values(), TABLES, WINDOW, AROUND, SHARE, beside.digest)
        self.digest = hashlib.sha256(" ".join(map(str, own)).encode()).hexdigest()
        self._loaded: tuple[Any, WholeForward] | None = None
        self._known: dict[str, list[int]] = {}

    def tag(self, text: str) -> Tagging:
        """Scores of the tokens of ``text`` (the plain folded view). Raises ``DetectorError``."""
        return self.tag_each([text])[0]

    def tag_each(self, texts: Sequence[str]) -> list[Tagging]:
        """:meth:`tag` of each text, windows of one length together."""
        made = self._beside.tag_each(texts)
        try:
            tokenizer, forward = self._load()
            tokens = [[canonical(token) for token in tokens_of(text)[0]] for text in texts]
            known = self._pieces(tokenizer, set(chain.from_iterable(tokens)))
            for pack in _packs(tokens, known):
                given = [_read(tokens[at][window.begin : window.end], known) for at, window in pack]
                answers = forward.scores([(pieces, kinds) for pieces, kinds, _ in given])
                for (at, window), answer, (_, _, firsts) in zip(pack, answers, given, strict=True):
                    judged = firsts[window.first - window.begin : window.last - window.begin]
                    made[at].mix(window.first, answer[judged], SHARE)
        except (EmbedderError, ModelDigestMismatch, MissingExtra) as error:
            raise DetectorError(f"What reads names failed: {error.message}", next_step=error.next_step) from error
        return made

    def _pieces(self, tokenizer: Any, tokens: Set[str]) -> dict[str, list[int]]:
        """Of each of these tokens, and of others that were met before."""
        known = self._known
        if len(known) + len(tokens) > _CACHED:
            known = self._known = {}
        fresh = [token for token in tokens if token not in known]
        plain = [token.strip("\x00\n") or ";" for token in fresh]
        for token, found in zip(fresh, tokenizer.encode_batch(plain, add_special_tokens=False), strict=True):
            known[token] = found.ids[:_MOST_PIECES] or [_UNKNOWN]
        return known

    def _load(self) -> tuple[Any, WholeForward]:
        if self._loaded is None:
            with _LOADING:
                if self._loaded is None:
                    tokenizer = read_tokenizer(self._directory)
                    weights = verified(self._directory, "model.safetensors")
                    self._loaded = tokenizer, WholeForward(weights, _arrays(self._changes))
        return self._loaded


def _packs(tokens: list[list[str]], known: dict[str, list[int]]) -> Iterator[list[tuple[int, Window]]]:
    """Windows of all texts, the longest first, about as many pieces together as a processor is at its best with."""
    sized: list[tuple[int, int, Window]] = []
    for at, own in enumerate(tokens):
        sizes = [len(known[token]) for token in own]
        sized += ((sum(sizes[window.begin : window.end]), at, window) for window in windows(sizes))
    sized.sort(key=itemgetter(0), reverse=True)
    pack: list[tuple[int, Window]] = []
    pieces = 0
    for size, at, window in sized:
        if pack and pieces + size > _TOGETHER:
            yield pack
            pack, pieces = [], 0
        pack.append((at, window))
        pieces += size
    if pack:
        yield pack


def _read(tokens: Sequence[str], known: dict[str, list[int]]) -> tuple[list[int], list[int], list[int]]:
    """The pieces of a window, the casing of each, and the place of each token's first."""
    pieces, kinds, firsts = [_OPENING], [0], list[int]()
    for token in tokens:
        own = known[token]
        firsts.append(len(pieces))
        pieces += own
        kinds += [casing(token)] * len(own)
    return [*pieces, _CLOSING], [*kinds, 0], firsts


_LOADING: Final = threading.Lock()
"""A fork waits for it: a child has none of the threads that may have held it."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOADING.acquire, after_in_parent=_LOADING.release, after_in_child=_LOADING.release)


def _arrays(data: bytes) -> dict[str, Any]:
    try:
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Exception as error:
        raise DetectorError("The names engine's weights cannot be read; reinstall the package.") from error


@lru_cache(maxsize=1)
def contextual_models() -> NameModels:
    """The shipped engine: it reads English, and other languages of Europe are read by the weights made for them.

    Raises ``MissingExtra`` without the extra ``embed``, and ``DetectorError`` when a file is damaged.
    """
    data = files("securevec.anonymize").joinpath("data", _FILE).read_bytes()
    return name_models().with_english(ContextualModel(data, name_model()))
