"""Parsers in processes of their own, so that a hostile document can hang, crash or exhaust nothing but itself.

Each document has a number of seconds and each process a limit of memory. A process that exceeds either, or dies, is
that document's :class:`ParserFailed`; a new one is started for the next.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import orjson

from securevec import limits
from securevec.children.process import MEMORY, Child, Died
from securevec.errors import (
    FileCorrupt,
    FileLocked,
    LimitExceeded,
    MissingExtra,
    ParserFailed,
    SecurevecError,
)
from securevec.files.kinds import PageKind
from securevec.files.parse import Parsed

SECONDS: Final = 60.0
"""For one document."""
_FAILED: Final = orjson.dumps({"refused": "failed"})

REFUSALS: Final[dict[str, Callable[[], SecurevecError]]] = {
    "damaged": lambda: FileCorrupt("The file is damaged, or not what its name says."),
    "binary": lambda: FileCorrupt("The file is not text, whatever its name says."),
    "encoding": lambda: FileCorrupt(
        "The file's encoding is not known, or it does not keep to it.",
        next_step="Name it with --encoding, or save it as UTF-8.",
    ),
    "mixed": lambda: FileCorrupt(
        "Some lines of the file are UTF-8 and others are not.",
        next_step="Save all of it as UTF-8; --encoding takes it as it is and garbles some.",
    ),
    "password": lambda: FileLocked("The file needs a password.", next_step="Save a copy without one."),
    "empty": lambda: FileCorrupt("The file holds no text.", next_step="Pictures of pages need text recognition first."),
    "nothing": lambda: FileCorrupt("The file holds no text."),
    "too_large": lambda: LimitExceeded(
        f"The file's text is larger than {limits.MAX_TEXT_BYTES >> 20} MiB, or unpacks to too much.",
        next_step="Split it into parts.",
    ),
    "missing": lambda: MissingExtra("The parser for this kind of file", extra="files"),
    "failed": lambda: ParserFailed("The parser failed on this file."),
}


class ParserPool:
    """Up to ``jobs`` processes, started when first needed. :meth:`parse` may be called from as many threads."""

    def __init__(self, jobs: int | None = None, *, seconds: float | None = None, memory: int = MEMORY) -> None:
        self.jobs = jobs if jobs is not None else max(1, min(4, os.cpu_count() or 1))
        self._seconds = SECONDS if seconds is None else seconds
        self._memory = memory
        self._idle: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(self.jobs):
            self._idle.put(None)
        self._alive: set[Child] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process, also those at work."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, set()
        for child in alive:
            child.end()

    def parse(self, kind: PageKind, data: bytes, *, encoding: str | None = None) -> Parsed:
        """Title and text of a document.

        Raises :class:`FileCorrupt`, :class:`FileLocked`, :class:`LimitExceeded`, :class:`MissingExtra` and, when the
        process failed, died or took too long, :class:`ParserFailed`.
        """
        child = self._idle.get()
        try:
            if child is None:
                child = self._start()
            request = {"kind": kind, "size": len(data), "encoding": encoding, "seconds": self._seconds}
            answer = child.ask(orjson.dumps(request) + b"\n" + data, seconds=self._seconds)
        except Died as death:
            self._bury(child)
            child = None
            failure = ParserFailed(
                f"The parser of this file was ended after {self._seconds:g} seconds."
                if death.late
                else "The parser of this file died."
            )
        else:
            if answer == _FAILED:
                # The process has ended itself: nothing in it is sure to be whole.
                self._bury(child)
                child = None
            return _checked(answer)
        finally:
            self._idle.put(child)
        raise failure

    def _start(self) -> Child:
        child = Child("securevec.files.worker", [str(self._memory)])
        with self._lock:
            self._alive.add(child)
            closed = self._closed
        if closed:
            child.end()
        return child

    def _bury(self, child: Child | None) -> None:
        if child is not None:
            child.end()
            with self._lock:
                self._alive.discard(child)


def _checked(answer: bytes) -> Parsed:
    """What a process answered, if it is an answer."""
    try:
        document: object = orjson.loads(answer)
    except orjson.JSONDecodeError:
        document = None
    match document:
        case {"refused": str(code)} if code in REFUSALS:
            raise REFUSALS[code]()
        case {"title": str() | None as title, "text": str(text)} if title or text:
            return Parsed(title, text)
        case _:
            raise ParserFailed("The parser of this file gave no usable answer.")
