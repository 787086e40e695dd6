"""A small convolutional tagger for people, places, organizations and addresses, in whole numbers.

Each token is the sum of a few rows of 64 numbers (its word, if the model knows it, and hashed letters of it); three
layers look at two neighbours on each side and then at one and one more; the last gives a score per tag. All weights are
bytes and all activations whole numbers, so every sum is exact in single precision, whatever order a processor adds in:
the same text gives the same findings on every machine and in every split. docs/names-model.md is the model card.
"""

from __future__ import annotations

import hashlib
import re
import threading
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from itertools import accumulate, chain
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.names.features import ASCII_TOKEN, LONGEST, TOKEN, canonical, hashed_features, is_word
from securevec.anonymize.names.layers import WEIGHT_STEP, Array, Layer, product, spread
from securevec.anonymize.names.switches import settled, table
from securevec.errors import DetectorError

TAGS: Final = ("O", "PERSON", "LOCATION", "ORG", "ADDRESS")
STEP: Final = 32
"""Activations count in parts of ``1 / STEP``."""
UNIT: Final = STEP * WEIGHT_STEP
REACH: Final = 4
"""Tokens on each side that can change a token's tag."""

_STEPS: Final = table(TAGS, UNIT)
_ORGANIZATION: Final = TAGS.index("ORG")
_ADDRESS: Final = TAGS.index("ADDRESS")
_BLOCK: Final = 2048
_TOGETHER: Final = 512
"""Tokens of short texts in one pass: their windows stay in the processor's cache."""
_MANY: Final = 128
"""Tokens from which on it takes less time to find those that are the same than to multiply each."""
_CACHED: Final = 1 << 16
_APART: Final = 2
"""Rows between two texts: as far as the widest layer looks."""
_NO_TOKENS: Final = ["."] * _APART
_FILE: Final = "names.npz"
_AROUND_TOKENS: Final = re.compile(f"({TOKEN.pattern})", TOKEN.flags)
_AROUND_ASCII_TOKENS: Final = re.compile(f"({ASCII_TOKEN.pattern})", ASCII_TOKEN.flags)


class Stretch(NamedTuple):
    """Neighbouring tokens of one tag: their range in the text, and by how much the tag beat all others at its best."""

    start: int
    end: int
    tag: str
    margin: float


class Tagging:
    """Scores of a text's tokens. Not shared between threads.

    ``abroad``: the text is in another language of Europe than English (:mod:`securevec.anonymize.names.tongues`).
    """

    abroad = False

    def __init__(self, text: str, starts: list[int], ends: list[int], scores: Array) -> None:
        self._text = text
        self._starts = starts
        self._ends = ends
        self._scores = scores

    def lift(self, start: int, end: int, tag: str, amount: float) -> None:
        """Evidence from elsewhere that characters ``start`` to ``end`` are a ``tag``: its score grows by ``amount``."""
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        self._scores[first:last, TAGS.index(tag)] += np.float32(round(amount * UNIT))

    def mix(self, first: int, scores: Array, share: float) -> None:
        """Scores of the tokens from ``first`` on become ``share`` of these and the rest of their own, whole again.

        Addresses are none of their business: no token becomes one or ceases to be one by them.
        """
        own = self._scores[first : first + len(scores)]
        mixed = np.rint(own * np.float32(1 - share) + scores * np.float32(share * UNIT))
        np.minimum(mixed[:, _ADDRESS], mixed[:, 0] + own[:, _ADDRESS] - own[:, 0], out=mixed[:, _ADDRESS])
        np.copyto(own, mixed, where=(own.argmax(axis=1) != _ADDRESS)[:, None])

    def stretches(self) -> list[Stretch]:
        """Stretches of every tag but ``O``, in order. They begin and end with a letter or digit; a tab ends one."""
        best = self._scores.argmax(axis=1)
        hits = best.nonzero()[0]
        if not len(hits):
            return []
        tags, rows = best[hits], self._scores[hits]
        if not self.abroad and ((hits[1:] == hits[:-1] + 1) & (tags[1:] != tags[:-1])).any():
            tags = np.array(settled(self._scores, hits.tolist(), tags.tolist(), self._beside, _STEPS, _ORGANIZATION))
            numbers = np.arange(len(hits))
            own = rows[numbers, tags]
            rows[numbers, tags] = -np.inf
            margins = (own - rows.max(axis=1)) / UNIT
        else:
            rows.partition(len(TAGS) - 2, axis=1)
            margins = (rows[:, -1] - rows[:, -2]) / UNIT
        found: list[Stretch] = []
        text, starts, ends = self._text, self._starts, self._ends
        # The stretch that is still growing: its tag (none at first), ends and margin.
        last, previous = 0, -2
        begun = reached = 0
        sure = 0.0
        for place, tag, margin in zip(hits.tolist(), tags.tolist(), margins.tolist(), strict=True):
            if not tag:
                continue
            start = starts[place]
            inside = text[start].isalnum()
            if tag == last and previous == place - 1 and "\t" not in text[ends[previous] : start]:
                if inside:
                    reached = ends[place]
                    if margin > sure:
                        sure = margin
                previous = place
            elif inside:
                if last:
                    found.append(Stretch(begun, reached, TAGS[last], sure))
                last, previous = tag, place
                begun, reached, sure = start, ends[place], margin
        if last:
            found.append(Stretch(begun, reached, TAGS[last], sure))
        return found

    def _beside(self, place: int) -> bool:
        """Whether a token and the next are two words with one space between."""
        end, start = self._ends[place], self._starts[place + 1]
        text = self._text
        return start == end + 1 and text[end] == " " and text[end - 1].isalnum() and text[start].isalnum()


class NameModel:
    """Frozen weights and a cache of token rows. Thread-safe, linear in the text."""

    def __init__(self, data: bytes) -> None:
        try:
            with np.load(BytesIO(data), allow_pickle=False) as arrays:
                loaded: dict[str, Any] = {name: arrays[name] for name in arrays.files}
            words = bytes(loaded["words"]).decode().split("\n")
            self._words = {word: row for row, word in enumerate(words)}
            self._table: npt.NDArray[np.int8] = loaded["table"]
            self._hashed: npt.NDArray[np.int8] = loaded["hashed"]
            self._hidden = (
                Layer(loaded["w1"], loaded["b1"]),
                Layer(loaded["w2"], loaded["b2"], residual=True),
                Layer(loaded["w3"], loaded["b3"], residual=True),
            )
            self._last: Array = loaded["wo"].astype(np.float32)
            self._last_bias: Array = loaded["bo"].astype(np.float32)
        except Exception as error:
            raise DetectorError("The names model's weights cannot be read; reinstall the package.") from error
        self.digest = hashlib.sha256(data).hexdigest()
        self._lock = threading.Lock()
        self._cache = _Cache(self._table.shape[1])

    def tag(self, text: str) -> Tagging:
        """Scores of the tokens of ``text`` (the plain folded view)."""
        tokens, starts, ends = tokens_of(text)
        if len(tokens) <= _BLOCK:
            return Tagging(text, starts, ends, self._scores(tokens))
        scores = np.empty((len(tokens), len(TAGS)), np.float32)
        for begin in range(0, len(tokens), _BLOCK):
            low, high = max(0, begin - REACH), min(len(tokens), begin + _BLOCK + REACH)
            part = self._scores(tokens[low:high])
            scores[begin : begin + _BLOCK] = part[begin - low : begin - low + _BLOCK]
        return Tagging(text, starts, ends, scores)

    def tag_each(self, texts: Sequence[str]) -> list[Tagging]:
        """:meth:`tag` of each text, short ones together: most of what a short text costs is calling the library.

        Texts stand behind each other with ``_APART`` rows of zeros in between, which every layer leaves zero, as the
        edges of a text are.
        """
        made: list[Tagging | None] = [None] * len(texts)
        joined: list[str] = []
        waiting: list[tuple[int, list[int], list[int], int]] = []
        apart: list[int] = []

        def finish() -> None:
            scores = self._scores(joined, apart) if joined else None
            for at, starts, ends, first in waiting:
                part = scores[first : first + len(starts)] if scores is not None else self._scores([])
                made[at] = Tagging(texts[at], starts, ends, part)
            joined.clear()
            waiting.clear()
            apart.clear()

        for at, text in enumerate(texts):
            tokens, starts, ends = tokens_of(text)
            if len(tokens) > _BLOCK:
                made[at] = self.tag(text)
                continue
            if len(joined) + len(tokens) > _TOGETHER:
                finish()
            waiting.append((at, starts, ends, len(joined)))
            joined += tokens
            apart += range(len(joined), len(joined) + _APART)
            joined += _NO_TOKENS
        finish()
        return [each for each in made if each is not None]

    def _scores(self, tokens: list[str], apart: Sequence[int] = ()) -> Array:
        """``(tokens, tags)`` scores. ``apart``: places of rows that belong to no text."""
        count = len(tokens)
        known, places = self._places(tokens)
        zero = np.array(apart, np.intp) if apart else None
        first, *others = self._hidden
        if count < _MANY:
            rows = spread(known, places, count)
            if zero is not None:
                rows[zero] = 0
            hidden = first.apply(rows, count)
        else:
            distinct, at = _numbered(places, len(known))
            if zero is not None:
                at[zero] = len(distinct)
            hidden = first.apply_at(spread(known, distinct, len(distinct) + 1), at, len(distinct))
        for layer in others:
            if zero is not None:
                hidden[zero] = 0
            hidden = layer.apply(hidden, count)
        if zero is not None:
            hidden[zero] = 0
        scores = product(hidden, self._last)[:count]
        scores += self._last_bias
        return scores

    def _places(self, tokens: list[str]) -> tuple[npt.NDArray[np.int8], list[int]]:
        """The rows of all tokens known, and which of them each token has."""
        cache = self._cache
        places: list[Any] = list(map(cache.places.get, tokens))
        if None in places:
            with self._lock:
                if len(self._cache.places) + 2 * len(tokens) > _CACHED:
                    self._cache = _Cache(self._table.shape[1])
                if cache is not self._cache:
                    cache = self._cache
                    places = list(map(cache.places.get, tokens))
                places = self._placed(cache, tokens, places)
        return cache.rows, places

    def _placed(self, cache: _Cache, tokens: list[str], places: list[int | None]) -> list[int]:
        """``places`` with those of the tokens that have none yet; of a long one only its beginning has a place.

        Rows are written before their places are known to other threads.
        """
        known: dict[str, int] = {}
        fresh: dict[str, int] = {}
        for token, place in zip(tokens, places, strict=True):
            if place is None and token not in known:
                form = canonical(token)
                at = cache.places.get(form)
                known[token] = fresh.setdefault(form, cache.used + len(fresh)) if at is None else at
        if fresh:
            cache.rows[cache.used : cache.used + len(fresh)] = self._rows_of([*fresh])
            cache.used += len(fresh)
        cache.places.update(fresh)
        cache.places.update({token: place for token, place in known.items() if len(token) <= LONGEST})
        return [known[token] if place is None else place for token, place in zip(tokens, places, strict=True)]

    def _rows_of(self, forms: list[str]) -> npt.NDArray[np.int32]:
        """A row a form: the sum of its features' rows and of its word's, clipped."""
        words = [self._words.get(lookup_key(form)) if is_word(form) else None for form in forms]
        features = [hashed_features(form, known=word is not None) for form, word in zip(forms, words, strict=True)]
        begins = [0, *accumulate(map(len, features[:-1]))]
        total: npt.NDArray[np.int32] = np.add.reduceat(
            self._hashed[[*chain.from_iterable(features)]], begins, axis=0, dtype=np.int32
        )
        listed = [(place, word) for place, word in enumerate(words) if word is not None]
        total[[place for place, _ in listed]] += self._table[[word for _, word in listed]]
        return total.clip(-127, 127)


def tokens_of(text: str) -> tuple[list[str], list[int], list[int]]:
    """The tokens of a text, and where each begins and ends."""
    # What stands between two tokens, a token, and so on.
    pieces: list[str] = (_AROUND_ASCII_TOKENS if text.isascii() else _AROUND_TOKENS).split(text)
    reached = [*accumulate(map(len, pieces))]
    return pieces[1::2], reached[:-1:2], reached[1::2]


def _numbered(places: list[int], below: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The different ones of these numbers ``below`` a bound, in order, and which of them each is. Nothing is sorted."""
    given = np.array(places, np.intp)
    seen = np.zeros(below, np.bool_)
    seen[given] = True
    distinct = seen.nonzero()[0]
    number = np.empty(below, np.intp)
    number[distinct] = np.arange(len(distinct))
    return distinct, number[given]


class _Cache:
    """Rows of tokens by their letters. Filled, never changed, and dropped as a whole when it is full.

    Bytes, as whole numbers of single precision they would take four lines of the processor's cache each instead of one.
    """

    __slots__ = ("places", "rows", "used")

    def __init__(self, width: int) -> None:
        self.places: dict[str, int] = {}
        self.rows = np.zeros((_CACHED, width), np.int8)
        self.used = 0


@lru_cache(maxsize=1)
def name_model() -> NameModel:
    """The shipped model, read once. Raises ``DetectorError`` when its file is damaged."""
    return NameModel(files("securevec.anonymize").joinpath("data", _FILE).read_bytes())
