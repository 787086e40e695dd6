"""The child process for documents: takes them on stdin, answers with title and text, or with a word of a closed list.

It holds no key, and gives away what it could do with files and memory before it has seen a document. What it says is
checked by the parent: whoever takes it over through a hostile document can answer with a wrong text, and with nothing
else.

Request:  one line of JSON, ``{"kind", "size", "encoding", "seconds"}``, then ``size`` bytes.
First:    one frame, ``{}``: it is there.
Answer:   one frame, ``{"title", "text"}`` or ``{"refused": code}``.
"""

from __future__ import annotations

import sys
from typing import Final

import orjson

from securevec.children.inside import READY, give_up_powers, limit_cpu, private_stdout, send
from securevec.files.parse import Unparsable, parse

_FAILED: Final = orjson.dumps({"refused": "failed"})


def main() -> None:
    """Serve until stdin ends."""
    source, answers = sys.stdin.buffer, private_stdout()
    give_up_powers(int(sys.argv[1]))
    send(answers, READY)
    while line := source.readline():
        request = orjson.loads(line)
        data = source.read(request["size"])
        if len(data) != request["size"]:
            return
        limit_cpu(request["seconds"])
        answer = _answer(request["kind"], data, request["encoding"])
        send(answers, answer)
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


if __name__ == "__main__":
    main()
