"""What a search returns: typed hits, the prompt with placeholders, and the way back to the originals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, overload
from uuid import UUID

from securevec.body import PlacedSpan, RecordId
from securevec.schema import Record

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)

_PLACEHOLDER: Final = re.compile(r"\[([A-Z][A-Z0-9_]*)_([1-9][0-9]*)\]")


@dataclass(frozen=True, slots=True, repr=False)
class Hit(Generic[R_co]):
    """One chunk that answers the query. ``record`` is anonymized as stored; ``score`` is the cosine similarity."""

    id: RecordId
    score: float
    record: R_co
    text: str
    chunk: int
    chunks: int
    point: UUID
    generation: int
    spans: tuple[PlacedSpan, ...]

    def __repr__(self) -> str:
        return f"Hit(score={self.score:.4f}, chunk={self.chunk + 1}/{self.chunks})"


@dataclass(frozen=True, slots=True)
class OriginalAt:
    """Where one original lies: the point, and the field (``None`` for the chunk's own list) and index in its vault."""

    point: UUID
    field: str | None
    index: int


Restorer = Callable[[Sequence[OriginalAt]], Mapping[OriginalAt, str]]


class SearchResult(Sequence[Hit[R]]):
    """Hits, best first.

    ``violations`` counts points the store returned that do not belong here (foreign, altered, resurrected or
    relabelled); they were dropped, audited and made up for. ``complete`` is false when the store ran out before
    ``k`` hits were found.
    """

    def __init__(
        self, hits: Sequence[Hit[R]], *, violations: int, complete: bool, request_id: str, restorer: Restorer
    ) -> None:
        self._hits = tuple(hits)
        self.violations = violations
        self.complete = complete
        self.request_id = request_id
        self._restorer = restorer
        self._names: dict[tuple[str, bytes], str] = {}
        self._places: dict[str, OriginalAt] = {}
        self._number()

    @overload
    def __getitem__(self, index: int) -> Hit[R]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit[R]]: ...
    def __getitem__(self, index: int | slice) -> Hit[R] | Sequence[Hit[R]]:
        return self._hits[index]

    def __len__(self) -> int:
        return len(self._hits)

    def __iter__(self) -> Iterator[Hit[R]]:
        return iter(self._hits)

    def __repr__(self) -> str:
        return f"SearchResult({len(self._hits)} hits, {self.violations} violations)"

    def context(self, *, separator: str = "\n\n---\n\n") -> str:
        """The hits' texts for a prompt: every replaced value is a placeholder such as ``[PERSON_1]``.

        The same person has the same number throughout one result, so a model can tell people apart and cannot tell
        who they are.
        """
        return separator.join(self._with_placeholders(hit) for hit in self._hits)

    def restore(self, answer: str) -> str:
        """``answer`` with the placeholders of :meth:`context` put back to the original values.

        Opens the vault envelopes of the values named in ``answer`` and no others. Placeholders this result never
        issued are left as they are.

        Raises:
            PolicyDenied: the actor has no role with ``reveal`` in the tenant.
            VaultDisabled: the collection keeps no originals.
            RecordNotFound: a record named in the answer was deleted or replaced since the search.
        """
        wanted = {
            match[0]: self._places[match[0]] for match in _PLACEHOLDER.finditer(answer) if match[0] in self._places
        }
        originals = self._restorer(list(dict.fromkeys(wanted.values())))
        return _PLACEHOLDER.sub(lambda match: originals[wanted[match[0]]] if match[0] in wanted else match[0], answer)

    def _number(self) -> None:
        used: dict[str, int] = {}
        for hit in self._hits:
            for placed in hit.spans:
                identity = (placed.span.entity, placed.span.token)
                if identity in self._names:
                    continue
                used[placed.span.entity] = used.get(placed.span.entity, 0) + 1
                name = f"[{placed.span.entity}_{used[placed.span.entity]}]"
                self._names[identity] = name
                # A field's original lies in the vault of chunk 0, which is where such a span was read from.
                self._places[name] = OriginalAt(hit.point, placed.field, placed.index)

    def _with_placeholders(self, hit: Hit[R]) -> str:
        parts: list[str] = []
        position = 0
        for placed in hit.spans:
            parts += [hit.text[position : placed.span.start], self._names[placed.span.entity, placed.span.token]]
            position = placed.span.end
        parts.append(hit.text[position:])
        return "".join(parts)
