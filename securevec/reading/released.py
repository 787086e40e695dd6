"""Texts that left for a model: what was asked for, and what was handed out."""

from __future__ import annotations

from dataclasses import dataclass

from securevec.points.body import RecordId


@dataclass(frozen=True, slots=True)
class Wish:
    """Which model is to receive texts, what for, and whether their originals are put back. ``provider`` and ``region``
    are what the caller says of where it runs."""

    model: str
    purpose: str
    originals: bool
    provider: str
    region: str


@dataclass(frozen=True, slots=True, repr=False)
class ReleasedText:
    """One text for a prompt, and the id of its record."""

    id: RecordId
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Released:
    """What :meth:`SearchResult.for_model` handed out, in the order of the hits.

    ``prompt`` is the texts joined. ``originals`` says whether personal data was put back into them. ``request_id`` is
    that of the audit record.
    """

    model: str
    texts: tuple[ReleasedText, ...]
    prompt: str
    originals: bool
    request_id: str

    def __repr__(self) -> str:
        return f"Released({len(self.texts)} texts)"
