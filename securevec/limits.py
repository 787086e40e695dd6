"""Every limit in one place. ``docs/formats.md`` shows the same table; a test compares them.

A larger value raises :class:`securevec.errors.LimitExceeded` (or the typed error of its room) naming the field.
"""

from __future__ import annotations

from typing import Final

MAX_RECORD_BYTES: Final = 16 * 1024 * 1024
"""Canonical JSON of one minimized record, and the largest plaintext one envelope seals."""

MAX_TEXT_BYTES: Final = 10 * 1024 * 1024
"""One text field, UTF-8."""

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""A document to be parsed (text, Markdown, HTML, PDF, DOCX). Files of rows are streamed and have no limit."""

MAX_FILE_DEPTH: Final = 64
"""Folders inside folders below a source."""

MAX_FIELDS: Final = 64
"""Declared fields of a Record."""

MAX_ID_BYTES: Final = 1024
"""A record id, UTF-8."""

MAX_NAME_BYTES: Final = 256
"""A tenant, collection or actor name, UTF-8."""

MAX_QUERY_BYTES: Final = 64 * 1024
"""A query text, UTF-8."""

MAX_ELEMENTS: Final = 64
MAX_ELEMENT_BYTES: Final = 1024
MAX_FILTER_NODES: Final = 256
MAX_FILTER_DEPTH: Final = 16
SPARE_NODES: Final = 16
SPARE_DEPTH: Final = 4
"""What a search itself asks for beside a caller's filter: which records are not due, which cloak a vector is under."""
MAX_FILTER_VALUES: Final = 1000
"""Values of one ``in`` clause."""

MAX_K: Final = 1000
"""Hits of one search."""

MAX_PAGE: Final = 1000
"""Records of one page."""

MAX_QUERIES: Final = 256
"""Queries of one batch search."""

MAX_IDENTIFIERS: Final = 1000
"""Identifiers of people in one call of find, export or erase."""

MAX_BATCH: Final = 256
"""Records written under one intent."""

MAX_CHUNKS: Final = 65_536
"""Chunks of one record."""

MAX_TERMS: Final = 1024
"""Distinct terms of one chunk, and of one hybrid query."""

MAX_DIMENSION: Final = 4096
