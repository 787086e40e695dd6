"""The child process for one Parquet file, which is its stdin: answers with frames of rows.

Frames:  ``{}`` first: it is there; ``{"columns": [name]}`` once; ``{"rows": [row | null]}`` (null: a row beyond the
limit) as often as needed; ``{"end": number of rows}``. Or ``{"refused": code}`` at any time, and nothing after it.
"""

from __future__ import annotations

import json
import sys
from typing import BinaryIO, Final

from securevec import limits
from securevec.children.inside import READY, give_up_powers, limit_cpu, private_stdout, send
from securevec.errors import FileCorrupt, MissingExtra
from securevec.rows.parquet import ParquetRows

_FRAME: Final = 4 * 1024 * 1024
"""Bytes of rows in one frame, but at least one row."""


def main() -> None:
    """Answer with every row of the file, of the columns that are named."""
    source, answers = sys.stdin.buffer, private_stdout()
    memory, seconds, columns = json.loads(sys.argv[1])
    give_up_powers(memory)
    limit_cpu(seconds)
    send(answers, READY)
    try:
        _send_rows(source, answers, frozenset(columns), seconds)
    except FileCorrupt:
        send(answers, b'{"refused":"damaged"}')
    except MissingExtra:
        send(answers, b'{"refused":"missing"}')
    except Exception:  # noqa: BLE001  # a reader may stumble in any way over a hostile file
        send(answers, b'{"refused":"failed"}')


def _send_rows(source: BinaryIO, answers: BinaryIO, columns: frozenset[str], seconds: float) -> None:
    file = ParquetRows(source)
    send(answers, json.dumps({"columns": file.columns}).encode())
    frame = _Frame(answers, seconds)
    try:
        for row in file.rows(columns):
            frame.add(row)
    finally:
        # What was whole before the file broke off is a row like any other.
        frame.send()
    send(answers, json.dumps({"end": frame.number}).encode())


class _Frame:
    """Rows on their way, in frames of bounded size."""

    def __init__(self, answers: BinaryIO, seconds: float) -> None:
        self._answers = answers
        self._seconds = seconds
        self._rows: list[str] = []
        self._size = 0
        self.number = 0

    def add(self, row: dict[str, object]) -> None:
        # Not orjson: it would turn NaN into null, and with it a refused value into an absent one.
        text = json.dumps(row)
        text = text if len(text) <= limits.MAX_RECORD_BYTES else "null"
        if self._size + len(text) > _FRAME:
            self.send()
        self._rows.append(text)
        self._size += len(text)
        self.number += 1

    def send(self) -> None:
        if self._rows:
            send(self._answers, f'{{"rows":[{",".join(self._rows)}]}}'.encode())
            limit_cpu(self._seconds)
        self._rows, self._size = [], 0


if __name__ == "__main__":
    main()
