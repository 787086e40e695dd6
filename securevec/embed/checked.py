"""An embedder that is not believed: what it answers is looked at before anything is stored or asked with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from inspect import getattr_static
from operator import index
from typing import Final, TypeVar

import numpy as np

from securevec.embed.protocol import Embedder, ModelIdentity
from securevec.embed.wrapped import WrappedEmbedder
from securevec.errors import ConfigError, EmbedderError, SecurevecError
from securevec.errors.tree import ENDING
from securevec.types import AnonymizedText, Matrix

T = TypeVar("T")

_PARTS: Final = ("identity", "max_tokens", "embed", "token_offsets")
_DIGEST: Final = re.compile(r"(?:[0-9a-f]{2}){8,64}", re.IGNORECASE)
"""Of SHA-256, or another digest of at least the bytes that a sealed body keeps of it."""


class CheckedEmbedder(WrappedEmbedder):
    """``inner``, whose failures and unusable answers are :class:`EmbedderError`."""

    __slots__ = ("_believed",)

    def __init__(self, inner: Embedder) -> None:
        super().__init__(inner)
        self._believed: ModelIdentity | None = None

    @property
    def identity(self) -> ModelIdentity:
        """As the embedder's own. Raises :class:`EmbedderError` for one that names no model."""
        said: object = _called(lambda: self._inner.identity)
        believed = self._believed
        if believed is None or said is not believed:
            self._believed = believed = _named(said)
        return believed

    @property
    def max_tokens(self) -> int:
        """As the embedder's own. Raises :class:`EmbedderError` for what is no number of tokens."""
        said: object = _called(lambda: self._inner.max_tokens)
        if type(said) is not int or said < 1:
            raise EmbedderError("The embedder does not say how many tokens it reads.")
        return said

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """float32 rows, shape (len(texts), dimension), finite and none of them zero. Raises :class:`EmbedderError`."""
        matrix = _called(lambda: _numbers(self._inner.embed(texts)))
        if matrix.shape != (len(texts), self.identity.dimension):
            raise EmbedderError("The embedder answered with another shape.")
        if not np.isfinite(matrix).all():
            raise EmbedderError("The embedder answered with values that are not finite.")
        if not matrix.any(axis=1).all():
            raise EmbedderError("The embedder answered with a zero vector.")
        return matrix

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        """As the protocol says. Raises :class:`EmbedderError`."""
        return _called(lambda: _in_order(self._inner.token_offsets(text), len(text)))


def require_embedder(given: object) -> None:
    """Raises :class:`ConfigError` for what lacks a part of one. Properties are not asked: one may load a model."""
    for part in _PARTS:
        if getattr_static(given, part, None) is None and (isinstance(given, str) or not hasattr(given, part)):
            raise ConfigError(
                f"An embedder has {', '.join(_PARTS[:-1])} and {_PARTS[-1]}; this one has no {part}.",
                next_step="A function from texts to vectors becomes one: "
                'securevec.FunctionEmbedder(function, name="my-model", dimension=384).',
            )


def named_by(embedder: Embedder) -> ModelIdentity:
    """The model that an embedder says it is. Raises :class:`EmbedderError` for one that names none."""
    return CheckedEmbedder(embedder).identity


def _named(said: object) -> ModelIdentity:
    if isinstance(said, ModelIdentity):
        name, revision, digest, dimension = _read(said)
        words = (name, revision, digest)
        if (
            all(isinstance(word, str) and word.isprintable() for word in words)
            and _DIGEST.fullmatch(said.digest) is not None
            and type(dimension) is int
        ):
            return said
    raise EmbedderError(
        "The embedder does not say which model it is.",
        next_step="Its identity is a ModelIdentity: name, revision, the SHA-256 of the weights in hex, dimension.",
    )


def _read(said: ModelIdentity) -> tuple[object, ...]:
    """What it holds, which need not be of the types that it declares."""
    return said.name, said.revision, said.digest, said.dimension


def _numbers(answer: object) -> Matrix:
    made = np.asarray(answer)
    if made.dtype.kind not in "fiu":
        raise EmbedderError("The embedder answered with something else than real numbers.")
    with np.errstate(over="ignore"):  # what does not fit is not finite, and refused as that
        return made.astype(np.float32, copy=False)


def _in_order(answer: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    found = [(index(start), index(end)) for start, end in answer]
    before = 0
    for start, end in found:
        if not before <= start <= end <= length:
            raise EmbedderError("The embedder answered with tokens that are not in the order of the text.")
        before = start
    return found


def _called(call: Callable[[], T]) -> T:
    try:
        return call()
    except (SecurevecError, *ENDING):
        raise
    except BaseException as error:  # noqa: BLE001  # whatever a model raises, it has failed
        # Raised below, without the cause: a model's message may quote the text.
        failure = EmbedderError(f"The embedder failed with {type(error).__name__}.")
    raise failure
