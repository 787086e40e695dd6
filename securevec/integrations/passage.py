"""``Passage``, the record of one document of a framework, and which record classes take such documents."""

from __future__ import annotations

from typing import Final

from securevec.errors import SchemaError
from securevec.schema import Embed, Key, Record, Schema

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


def require_passages(schema: Schema) -> None:
    """Raises :class:`SchemaError` for a record class that cannot hold a framework's documents."""
    text = next((field for field in schema.fields if field.name == TEXT), None)
    if schema.key.type != "str" or text is None or text.kind != "embed":
        raise SchemaError(
            "Documents of a framework need a record class with a text key and a `text` to embed.",
            next_step="Derive it from securevec.Passage.",
        )
