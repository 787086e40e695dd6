"""Values that cross rooms: frozen, role-typed, and with a ``repr`` that never shows content.

``AnonymizedText`` is the wall between raw text and the embedder: only :mod:`securevec.anonymize` can make one
(it alone holds the mint), and an embedder accepts nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NewType, NoReturn, SupportsIndex
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from securevec.errors import UsageError


class Uncopied:
    """What holds keys, locks and an open engine, or what came out of one: it is neither copied nor pickled.

    Bytes of a pickle go to caches, queues and other processes, and nobody deletes or seals them there.
    """

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Raises :class:`UsageError`."""
        raise UsageError(
            "What belongs to an open store is not copied or pickled: its keys and locks are this process's.",
            next_step="Open a SecureStore in each process, and pass names and ids between them.",
        )


TenantId = NewType("TenantId", str)
"""Random tenant id, 32 lower-case hex digits. Never the tenant's name."""

CollectionId = NewType("CollectionId", str)
"""Random collection id, 32 lower-case hex digits. Immutable: renaming a collection keeps it."""

RecordRef = NewType("RecordRef", bytes)
"""16 bytes: keyed hash of collection and record id under the tenant's id key."""

Token = NewType("Token", bytes)
"""16 bytes: keyed hash of an entity and its normalized value under the tenant's token key."""

Vector = NDArray[np.float32]
"""One embedding, shape (dimension,), float32."""

Matrix = NDArray[np.float32]
"""Embeddings, shape (n, dimension), float32."""

Scalar = str | int | float | bool
"""What a payload key visible to the store may hold."""

FilterValue = Scalar | list[str] | list[int]
"""The canonical value of a filter field; times are milliseconds, UUIDs text. A list stays in the sealed body."""

Layout = Literal["shared", "collection", "shard"]
"""How a server keeps tenants apart: all in one collection, a collection for each, or a shard of one collection each."""


KeyScope = Literal["bucket", "document"]
"""Whose a collection's keys are: of all records that expire together, or besides those of each record alone."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where one collection of one tenant lives in a backend. Made by :mod:`securevec.state.names` only.

    ``shard`` is an opaque name for layouts that give every collection its own place; ``tenant_tag`` and
    ``collection_tag`` are the scalars stamped on every point and demanded by every filter of shared layouts.
    All three are 32 hex digits of a keyed hash; none is reversible to a name. ``layout`` is where a tenant was moved
    to, for backends that have more than one; ``None`` is where the backend puts tenants by itself.
    """

    shard: str
    tenant_tag: str
    collection_tag: str
    layout: Layout | None = None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Terms:
    """The keyed words of a text: distinct indices in ascending order, shape (n,), uint32; their weights, float32."""

    indices: NDArray[np.uint32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Terms):
            return NotImplemented
        return np.array_equal(self.indices, other.indices) and np.array_equal(self.weights, other.weights)

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __repr__(self) -> str:
        return f"Terms({len(self.indices)})"


NO_TERMS: Final = Terms(np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.float32))
"""A point without any is stored, and given back, as one that has none."""


@dataclass(frozen=True, slots=True, repr=False)
class ProtectedPoint:
    """A point as it goes to the store: opaque id, vector of anonymized text, payload of docs/formats.md.

    ``terms``: in collections made for hybrid search.
    """

    id: UUID
    vector: Vector
    payload: Mapping[str, Scalar]
    terms: Terms | None = None

    def __repr__(self) -> str:
        return f"ProtectedPoint(id={self.id}, payload_keys={len(self.payload)})"


@dataclass(frozen=True, slots=True, repr=False)
class StoredPoint:
    """A point as the store returned it. Nothing in it is trusted until its sealed body opens in its place."""

    id: UUID
    payload: Mapping[str, object]
    score: float = 0.0
    vector: Vector | None = None
    terms: Terms | None = None

    def __repr__(self) -> str:
        return f"StoredPoint(id={self.id}, score={self.score:.4f})"


_MINT: Final = object()


class AnonymizedText:
    """Text from which the detector's findings were replaced. Equality and hash are by value; ``repr`` hides it."""

    __slots__ = ("_text",)

    def __init__(self, text: str, mint: object = None) -> None:
        if mint is not _MINT:
            raise TypeError("AnonymizedText is made by securevec.anonymize only")
        self._text = text

    @property
    def text(self) -> str:
        return self._text

    def slice(self, start: int, end: int) -> AnonymizedText:
        """A part of anonymized text is anonymized text."""
        return AnonymizedText(self._text[start:end], _MINT)

    @staticmethod
    def joined(parts: Sequence[AnonymizedText], separator: str) -> AnonymizedText:
        """Anonymized texts with a separator of white space between them are anonymized text."""
        if separator.strip():
            raise ValueError("only white space joins anonymized text")
        return AnonymizedText(separator.join(part._text for part in parts), _MINT)

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnonymizedText) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"AnonymizedText(<{len(self._text)} characters>)"

    def __reduce__(self) -> str:
        raise TypeError("AnonymizedText is not pickled")


def mint_anonymized(text: str) -> AnonymizedText:
    """For :mod:`securevec.anonymize` only; an import-time test holds that no other room calls it."""
    return AnonymizedText(text, _MINT)


@dataclass(frozen=True, slots=True)
class Span:
    """One entry of a span table, in characters of the anonymized text.

    ``entity`` as in the rule files (EMAIL, PERSON ...); ``token`` links equal values inside one tenant;
    ``operator`` names what replaced the value; ``rule`` is the id of the rule that found it.
    """

    start: int
    end: int
    entity: str
    token: Token
    operator: str
    rule: str

    def shifted(self, by: int) -> Span:
        return Span(self.start + by, self.end + by, self.entity, self.token, self.operator, self.rule)


@dataclass(frozen=True, slots=True, repr=False)
class AnonymizedField:
    """One field after anonymization: text, span table, and the originals for the vault (parallel to ``spans``)."""

    text: AnonymizedText
    spans: tuple[Span, ...]
    originals: tuple[str, ...]

    def __repr__(self) -> str:
        return f"AnonymizedField({len(self.text)} characters, {len(self.spans)} spans)"


Suite = Literal["aes-256-gcm", "aes-256-gcm-committing", "aes-256-gcm-siv", "chacha20-poly1305"]
"""Suites 1 to 4 of the wire format, as a configuration calls them."""
