"""The child process: takes documents on stdin, answers on stdout with title and text, or with a word of a closed list.

It is started without the parent's environment and with nothing open but its two pipes, and holds no key. It gives away
what it could do with files and memory before it has seen a document. What it says is JSON and checked by the parent:
whoever takes it over through a hostile document can answer with a wrong text, and with nothing else.

Request:  one line of JSON, ``{"kind", "size", "encoding", "seconds"}``, then ``size`` bytes.
Answer:   4 bytes of length, big-endian, then JSON: ``{"title", "text"}`` or ``{"refused": code}``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import sys
import warnings
from typing import BinaryIO, Final

import orjson

from securevec.files.parse import Unparsable, parse

_FAILED: Final = orjson.dumps({"refused": "failed"})


def main() -> None:
    """Serve until stdin ends."""
    source, answers = sys.stdin.buffer, _private_stdout()
    _give_up_powers(int(sys.argv[1]))
    while line := source.readline():
        request = orjson.loads(line)
        data = source.read(request["size"])
        if len(data) != request["size"]:
            return
        _limit_cpu(request["seconds"])
        answer = _answer(request["kind"], data, request["encoding"])
        answers.write(len(answer).to_bytes(4, "big") + answer)
        answers.flush()
        if answer == _FAILED:
            # After a failure nobody foresaw nothing here is sure to be whole: a new process takes over.
            return


def _answer(kind: str, data: bytes, encoding: str | None) -> bytes:
    try:
        parsed = parse(kind, data, encoding)
    except Unparsable as refusal:
        return orjson.dumps({"refused": refusal.code})
    except Exception:  # noqa: BLE001  # a parser may stumble in any way over a hostile document
        return _FAILED
    return orjson.dumps({"title": parsed.title, "text": parsed.text})


def _private_stdout() -> BinaryIO:
    """The real stdout for answers alone: what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    return answers


def _give_up_powers(memory: int) -> None:
    """No core dumps (they would hold documents), no written files, no more memory than given."""
    for kind, limit in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_AS, memory)):
        # Not every system has every limit; time and the end of the process are the parent's to enforce.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


def _limit_cpu(seconds: float) -> None:
    """So that an orphan whose parent was killed does not compute for ever."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + 2 * seconds) + 2, hard))


if __name__ == "__main__":
    main()
