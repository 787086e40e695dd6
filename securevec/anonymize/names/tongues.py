"""Two sets of weights: English, and the other languages of Europe. Which one reads a text its small words say.

One set for all was tried: what it gains abroad it loses in English tweets (ADR 0059). The second is read from its file
when the first text needs it. Its hash is part of the digest from the beginning.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final, Protocol

from securevec.anonymize.names.foreign import is_foreign
from securevec.anonymize.names.model import NameModel, Tagging, name_model

_FILE: Final = "names_abroad.npz"


class Tagger(Protocol):
    """What finds names in plain texts: one set of weights, or several."""

    digest: str

    def tag(self, text: str) -> Tagging: ...

    def tag_each(self, texts: Sequence[str]) -> list[Tagging]: ...


class NameModels:
    """Weights by language. Thread-safe, linear in the text. ``abroad``: bytes of the second file."""

    def __init__(self, english: Tagger, abroad: bytes) -> None:
        self._english = english
        self._bytes = abroad
        self._abroad: NameModel | None = None
        self._lock = threading.Lock()
        both = english.digest + hashlib.sha256(abroad).hexdigest()
        self.digest = hashlib.sha256(both.encode()).hexdigest()

    def with_english(self, english: Tagger) -> NameModels:
        """The same with something else that reads English."""
        return NameModels(english, self._bytes)

    def tag(self, text: str) -> Tagging:
        """Scores of the tokens of ``text``. Raises ``DetectorError`` when the second file is damaged."""
        if not is_foreign(text):
            return self._english.tag(text)
        tagging = self._of_abroad().tag(text)
        tagging.abroad = True
        return tagging

    def tag_each(self, texts: Sequence[str]) -> list[Tagging]:
        """:meth:`tag` of each text, those of one set of weights together."""
        abroad = [at for at, text in enumerate(texts) if is_foreign(text)]
        if not abroad:
            return self._english.tag_each(texts)
        away = frozenset(abroad)
        home = [at for at in range(len(texts)) if at not in away]
        made = dict(zip(abroad, self._of_abroad().tag_each([texts[at] for at in abroad]), strict=True))
        for tagging in made.values():
            tagging.abroad = True
        made |= zip(home, self._english.tag_each([texts[at] for at in home]), strict=True)
        return [made[at] for at in range(len(texts))]

    def _of_abroad(self) -> NameModel:
        if self._abroad is None:
            with self._lock:
                if self._abroad is None:
                    self._abroad = NameModel(self._bytes)
        return self._abroad


@lru_cache(maxsize=1)
def name_models() -> NameModels:
    """The shipped weights. Raises ``DetectorError`` when the English ones are damaged."""
    return NameModels(name_model(), files("securevec.anonymize").joinpath("data", _FILE).read_bytes())
