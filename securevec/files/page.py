"""``Page``, the record of one document, and which record classes take documents."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from securevec.schema import Embed, Filter, Key, Record, Schema

_GIVEN: Final = frozenset({"path", "title", "text", "modified"})


class Page(Record):
    """One document. Nothing else of the file is kept: no author, property, comment, script or front matter.

    A class of your own that has a ``path`` as its key and a ``text`` to embed takes documents too, as long as it
    requires nothing beyond these four.
    """

    path: Key[str]
    """Where it lies below its folder, with ``/`` between; sealed, and a keyed hash everywhere else."""
    title: Embed[str | None] = None
    """The first heading, or the title a browser shows; ``None`` for a document without one."""
    text: Embed[str]
    """What a reader of the document sees, without the title."""
    modified: Filter[datetime]
    """When the file was last changed, as the file system says. A change of it alone changes no record."""


def takes_documents(schema: Schema) -> bool:
    """Whether documents can become records of this class."""
    fields = {field.name: field for field in schema.fields}
    path, text = fields.get("path"), fields.get("text")
    if path is None or path.kind != "key" or path.type != "str" or text is None or text.kind != "embed":
        return False
    return all(field.optional or field.name in _GIVEN for field in schema.fields)
