"""Small questions about text that must not leave the text behind in an exception."""

from __future__ import annotations


def utf8_size(text: str) -> int | None:
    """Bytes of ``text`` in UTF-8, or ``None`` when it has no UTF-8 form (lone surrogates).

    A codec's own error holds the whole text, and an exception raised while it is handled keeps it as its context.
    """
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None
