"""A stream of text in any encoding as a stream of UTF-8, in bounded memory.

Bytes that are wrong in the named encoding become bytes that are wrong in UTF-8, so that a reader refuses the row they
stand in, and that row only.
"""

from __future__ import annotations

import codecs
import io
from typing import Final

from securevec.errors import SourceError

_STEP: Final = 64 * 1024
_BAD: Final = "\udcff"
"""A surrogate, as a few encodings can write themselves (UTF-7): on the way out bytes that UTF-8 never has."""
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
        # Those that know no error handler but their own (idna, punycode) are encodings of names and not of files.
        b"\xff".decode(name, _ERRORS)
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
            self._ready = self._decoded(part).encode("utf-8", "surrogatepass")
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _decoded(self, part: bytes) -> str:
        """Raises :class:`SourceError` for what no handler of errors is asked about."""
        try:
            return self._decoder.decode(part, final=self._ended)
        except UnicodeError:
            pass  # answered outside the handler: it may carry what it could not decode
        raise SourceError(
            "The file does not begin with the mark that its encoding needs.",
            next_step="Name the order of its bytes as well: --encoding utf-16-le or utf-16-be (utf-32-le, utf-32-be).",
        )


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return _BAD, error.end
    raise error


_ERRORS: Final = "securevec.mark"
codecs.register_error(_ERRORS, _mark)
