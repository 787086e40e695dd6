"""A stream of text in any encoding as a stream of UTF-8, in bounded memory.

Bytes that are wrong in the named encoding become a byte that is wrong in UTF-8, so that a reader refuses the row they
stand in, and that row only.
"""

from __future__ import annotations

import codecs
import io
from typing import Final

from securevec.errors import SourceError

_STEP: Final = 64 * 1024
_BAD: Final = "\udcff"
"""Becomes the byte FF on the way out, which UTF-8 never has."""
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The longer first: UTF-32 begins as UTF-16 does."""


def as_utf8(stream: io.BufferedReader, encoding: str | None = None) -> io.BufferedReader:
    """The stream itself when it may be UTF-8, else its text in UTF-8: by ``encoding``, or by a byte order mark.

    Raises :class:`SourceError` for an encoding that is not known.
    """
    if encoding is None:
        start = stream.peek(4)[:4]
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    if encoding is None:
        return stream
    return io.BufferedReader(_Recoded(stream, encoding), _STEP)


def require_encoding(name: str) -> None:
    """Raises :class:`SourceError` for a name that is no encoding of text."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        pass
    else:
        return
    raise SourceError("There is no encoding of this name.", next_step="For example utf-8, cp1252, iso8859-2, utf-16.")


class _Recoded(io.RawIOBase):
    def __init__(self, stream: io.BufferedReader, encoding: str) -> None:
        require_encoding(encoding)
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the buffer a BufferedReader hands in
        while not self._ready and not self._ended:
            part = self._stream.read1(_STEP)
            self._ended = not part
            self._ready = self._decoder.decode(part, final=self._ended).encode("utf-8", "surrogateescape")
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return _BAD, error.end
    raise error


_ERRORS: Final = "securevec.mark"
codecs.register_error(_ERRORS, _mark)
