"""PDF: the text of its pages, by pypdf. Properties, annotations, attachments and pictures are not looked at.

A document that is encrypted but opens without a password is read; one that needs a password is refused.
"""

from __future__ import annotations

import io

from securevec import limits
from securevec.files.parse import Parsed, Unparsable


def parse(data: bytes, encoding: str | None) -> Parsed:  # a PDF says itself how it is encoded
    try:
        from pypdf import PasswordType, PdfReader
        from pypdf.errors import PyPdfError
    except ModuleNotFoundError:
        raise Unparsable("missing") from None
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise Unparsable("password")
        pages: list[str] = []
        size = 0
        for page in reader.pages:
            text = page.extract_text()
            size += len(text)
            if size > limits.MAX_TEXT_BYTES:
                raise Unparsable("too_large")
            pages.append(text.strip())
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        # What is not a sound PDF shows itself in whatever a reader stumbles over first.
        raise Unparsable("damaged") from error
    return Parsed(None, "\n\n".join(page for page in pages if page))
