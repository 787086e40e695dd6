"""What a search returns: typed hits, the prompt with placeholders, and where the originals lie."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, overload
from uuid import UUID

from securevec.errors import UsageError
from securevec.points.body import Body, PlacedSpan, RecordId
from securevec.reading.released import Released, Wish
from securevec.rows.minimize import rebuild
from securevec.schema import Record
from securevec.state.runtime import CollectionScope
from securevec.text import html_table
from securevec.types import Uncopied

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)

_PLACEHOLDER: Final = re.compile(r"\[([A-Z][A-Z0-9_]*)_([1-9][0-9]*)\]")
_SPAN_ID: Final = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})(?:\.([^\W\d]\w{0,127}))?")
SEPARATOR: Final = "\n\n---\n\n"
_COULD_JOIN: Final = re.compile(r"[A-Z0-9_]*|.*[\[\]].*", re.DOTALL)
"""A separator that, with text on either side, could make a placeholder that no text holds alone."""


@dataclass(frozen=True, slots=True)
class OriginalAt:
    """Where one original lies: the point, and the field (``None`` for the chunk's own list) and index in its vault."""

    point: UUID
    field: str | None
    index: int

    @property
    def id(self) -> str:
        """The span's id: says where, never what."""
        return f"{self.point.hex}.{self.index}" + (f".{self.field}" if self.field is not None else "")

    @classmethod
    def of(cls, span_id: str) -> OriginalAt:
        """The place that :attr:`id` names. Raises :class:`UsageError` for what is no span id."""
        match = _SPAN_ID.fullmatch(span_id) if type(span_id) is str else None
        if match is None:
            raise UsageError("This is no span id.", next_step="Take one of hit.span_ids.")
        return cls(UUID(hex=match[1]), match[3], int(match[2]))


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

    @property
    def span_ids(self) -> tuple[str, ...]:
        """An id for each of ``spans``, by which :meth:`Collection.reveal` and :meth:`Collection.redact` take one alone.

        It holds until the record is replaced, and tells nothing to whoever cannot open the collection.
        """
        return tuple(OriginalAt(self.point, placed.field, placed.index).id for placed in self.spans)

    def __repr__(self) -> str:
        return f"Hit(score={self.score:.4f}, chunk={self.chunk + 1}/{self.chunks})"


def _entities(hit: Hit[Any]) -> str:
    found = Counter(placed.span.entity for placed in hit.spans)
    return ", ".join(f"{count} {entity}" for entity, count in sorted(found.items()))


Restorer = Callable[[Sequence[OriginalAt]], Mapping[OriginalAt, str]]
Releaser = Callable[[Wish, Sequence[Hit[Record]], Callable[[], Sequence[str]], str], Released]


@dataclass(frozen=True, slots=True, repr=False)
class _Issued:
    """The placeholders of one result by entity and token, and where the original of each lies."""

    names: Mapping[tuple[str, bytes], str]
    places: dict[str, OriginalAt]


class SearchResult(Uncopied, Sequence[Hit[R]]):
    """Hits, best first.

    ``violations`` counts points the store returned that do not belong here (foreign, altered, resurrected or
    relabelled); they were dropped, audited and made up for. ``complete`` is true when there are ``k`` hits, or fewer
    because the store had no more to offer; false when the search stopped looking further before that, so that more
    hits may exist.
    """

    def __init__(
        self,
        hits: Sequence[Hit[R]],
        *,
        violations: int,
        complete: bool,
        request_id: str,
        restorer: Restorer,
        releaser: Releaser,
    ) -> None:
        self._hits = tuple(hits)
        self.violations = violations
        self.complete = complete
        self.request_id = request_id
        self._restorer = restorer
        self._releaser = releaser

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

    def _repr_html_(self) -> str:
        """For notebooks, which are saved and sent around: how near, and what was replaced, and no text, id or field."""
        rows = [
            (rank, f"{hit.score:.3f}", f"{hit.chunk + 1} of {hit.chunks}", len(hit.text), _entities(hit))
            for rank, hit in enumerate(self._hits, start=1)
        ]
        return html_table(repr(self), ("", "score", "chunk", "characters", "replaced"), rows)

    def context(self, *, separator: str = SEPARATOR) -> str:
        """The hits' texts for a prompt: every replaced value is a placeholder such as ``[PERSON_1]``.

        The same person has the same number throughout one result, so a model can tell people apart and cannot tell
        who they are. Numbers go up by first appearance, leaving out every placeholder that a hit spells out itself: a
        document that says ``[PERSON_1]`` stands for those characters only, and no person of the result is numbered so.

        Raises:
            UsageError: the separator could become part of a placeholder: it holds a square bracket, or nothing but
                capitals, digits and underscores.
        """
        _check_separator(separator)
        return separator.join(self._with_placeholders(hit) for hit in self._hits)

    def for_model(
        self,
        model: str,
        *,
        purpose: str,
        hits: Sequence[Hit[R]] | None = None,
        originals: bool = False,
        provider: str = "",
        region: str = "",
        separator: str = SEPARATOR,
    ) -> Released:
        """The hits' texts for this model, as :meth:`context` words them, if the home's list of models lets it receive
        them; recorded as ``release``: model and purpose as keyed hashes, records, number of characters.

        The points are read again, so that nothing is handed out that was deleted, replaced, erased or has expired since
        the search. Without a list of models no model is refused.

        Args:
            model: as the list names it, letter by letter.
            purpose: why; recorded as a keyed hash in the place of the actor's own.
            hits: some of this result's, in the order they are to be in. Default: all of them.
            originals: put the real values back in place of placeholders. Needs the permission ``reveal``, and a list
                that lets the model receive originals.
            provider, region: where the model runs, for a list that names one.
            separator: as for :meth:`context`.

        Raises:
            ModelNotAllowed: the list does not let this model receive this, or cannot be read.
            PolicyDenied: the actor may not release texts here, or not reveal originals.
            RecordNotFound: a record was deleted, replaced or altered since the search, or a hit is not as it was found.
            UsageError: a hit that is none of this result's, no model, no purpose, or another separator.
            VaultDisabled: ``originals``, and the collection keeps none.
        """
        _check_separator(separator)
        chosen = self._hits if hits is None else tuple(hits)
        own = {id(hit) for hit in self._hits}
        if not all(id(hit) in own for hit in chosen):
            raise UsageError("A hit is none of this result's.", next_step="Release each result's hits by itself.")

        def worded() -> Sequence[str]:
            texts = [self._with_placeholders(hit) for hit in chosen]
            return self._restored(texts) if originals else texts

        wish = Wish(model, purpose, bool(originals), provider, region)
        return self._releaser(wish, chosen, worded, separator)

    def restore(self, answer: str) -> str:
        """``answer`` with the placeholders of :meth:`context` put back to the original values.

        Opens the vault envelopes of the values named in ``answer`` and no others. Placeholders this result never
        issued are left as they are.

        Raises:
            PolicyDenied: the actor has no role with ``reveal`` in the tenant.
            VaultDisabled: the collection keeps no originals.
            RecordNotFound: a record named in the answer was deleted or replaced since the search.
            UsageError: the answer is no text.
        """
        if not isinstance(answer, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise UsageError("An answer is text.", next_step="Give the model's answer itself: restore(reply.content).")
        return self._restored([answer])[0]

    def _restored(self, texts: Sequence[str]) -> list[str]:
        """Texts with their placeholders put back, opened and recorded together."""
        places = self._places
        found = [match[0] for text in texts for match in _PLACEHOLDER.finditer(text)]
        wanted = {name: places[name] for name in found if name in places}
        originals = self._restorer(list(dict.fromkeys(wanted.values())))
        # A value that was dropped is nowhere: its placeholder stays.
        known = {name: originals[place] for name, place in wanted.items() if originals[place]}
        return [_PLACEHOLDER.sub(lambda match: known.get(match[0], match[0]), text) for text in texts]

    @property
    def _places(self) -> dict[str, OriginalAt]:
        return self._numbered.places

    @cached_property
    def _numbered(self) -> _Issued:
        """Placeholders for every replaced value, none of which stands in a hit as ordinary text.

        Otherwise whoever can write a document could write ``[EMAIL_1]`` into it, and an answer that quotes the
        document would be restored to the address of somebody else.
        """
        taken = {match[0] for text in self._texts() for match in _PLACEHOLDER.finditer(text)}
        names: dict[tuple[str, bytes], str] = {}
        places: dict[str, OriginalAt] = {}
        last: dict[str, int] = {}
        for hit in self._hits:
            for placed in hit.spans:
                entity = placed.span.entity
                if (entity, placed.span.token) in names:
                    continue
                number = last.get(entity, 0) + 1
                while f"[{entity}_{number}]" in taken:
                    number += 1
                last[entity] = number
                name = f"[{entity}_{number}]"
                names[entity, placed.span.token] = name
                # A field's original lies in the vault of chunk 0, which is where such a span was read from.
                places[name] = OriginalAt(hit.point, placed.field, placed.index)
        return _Issued(names, places)

    def _texts(self) -> Iterator[str]:
        """Whatever of the hits may reach a model: the chunks, and the texts of each record once."""
        seen: set[tuple[RecordId, int]] = set()
        for hit in self._hits:
            yield hit.text
            if (hit.id, hit.generation) not in seen:
                seen.add((hit.id, hit.generation))
                yield from (value for value in hit.record.__dict__.values() if isinstance(value, str))

    def _with_placeholders(self, hit: Hit[R]) -> str:
        names = self._numbered.names
        parts: list[str] = []
        position = 0
        for placed in hit.spans:
            parts += [hit.text[position : placed.span.start], names[placed.span.entity, placed.span.token]]
            position = placed.span.end
        parts.append(hit.text[position:])
        return "".join(parts)


def _check_separator(separator: str) -> None:
    """Raises :class:`UsageError`."""
    if _COULD_JOIN.fullmatch(separator):
        raise UsageError(
            "A separator holds no square bracket, and more than capitals, digits and underscores.",
            next_step="Use for example a blank line.",
        )


def record_of(collection: CollectionScope, body: Body, record_class: type[R]) -> R:
    """The typed record that chunk 0 carries, anonymized as stored."""
    values = {**(body.fields or {}), **body.filters, collection.schema.key.name: body.record_id}
    return rebuild(record_class, values)
