"""``Passage``, the record of one document of a framework, and which record classes take such documents."""

from __future__ import annotations

from typing import Annotated, Final

from securevec.errors import SchemaError
from securevec.schema import Embed, Key, Record, Schema, describe, marks

TEXT: Final = "text"


class Passage(Record):
    """One document of LangChain, LlamaIndex or Haystack: its id and its text.

    Extend it with the metadata that is to be kept: a metadata key is the name of a field. What a document may lack is
    declared ``| None``::

        class Article(sv.Passage):
            source: sv.Filter[str]
            author: sv.Subject[str | None] = None
            published: sv.Filter[datetime | None] = None

    A class of your own that has a ``str`` key and a ``text`` to embed does as well.
    """

    passage: Key[str]
    """The document's id in the framework."""
    text: Embed[str]
    """What the document says. Anonymized before it is embedded, and given back anonymized."""


class NodePassage(Passage):
    """A node of LlamaIndex: also the document that it is a part of, by which nodes are deleted."""

    ref_doc_id: Annotated[str | None, marks.Filter(mode="token")] = None
    """The id of that document. The store sees a keyed hash of it: it is a path as often as not."""


def require_passages(schema: Schema, needs: type[Passage] = Passage) -> None:
    """Raises :class:`SchemaError` for a record class that cannot hold a framework's documents."""
    known = {(field.name, field.kind, field.type) for field in schema.fields}
    for field in describe(needs).fields:
        if field.kind == "filter" and (field.name, field.kind, field.type) not in known:
            raise SchemaError(
                "The record class lacks a field that this framework needs.",
                next_step=f"Derive it from {needs.__name__}.",
            )
    text = next((field for field in schema.fields if field.name == TEXT), None)
    if schema.key.type != "str" or text is None or text.kind != "embed":
        raise SchemaError(
            "Documents of a framework need a record class with a text key and a `text` to embed.",
            next_step="Derive it from securevec.Passage.",
        )
