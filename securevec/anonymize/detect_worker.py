"""The child process that detects: texts come on stdin, findings go out. It holds no key and writes no file.

First:    one frame, ``{"detector": digest}``: it is there, and decides by these rules and this model.
Request:  one line of JSON, ``{"size"}``, then as many bytes: ``[[field name, text], ...]``.
Answer:   one frame, ``[[finding, ...] | null, ...]``, a finding as ``[start, end, entity, score, rule, priority]``.
          Null where detection failed: the parent then asks its own detector, which fails likewise and says why.

It ends when its parent does, and when nothing was asked for some minutes.
"""

from __future__ import annotations

import select
import sys
from typing import Final, cast

import orjson

from securevec.anonymize.detectors import BuiltinDetector, builtin_detector
from securevec.anonymize.findings import Finding, Names, Recall
from securevec.anonymize.rules.second import PatternEngine
from securevec.children.inside import give_up_powers, limit_cpu, private_stdout, send

IDLE_SECONDS: Final = 300.0

Row = list[int | float | str]


def main() -> None:
    """Serve until stdin ends or is silent for too long."""
    source, answers = sys.stdin.buffer, private_stdout()
    give_up_powers(int(sys.argv[1]))
    recall, engine, names = sys.argv[2], sys.argv[4], sys.argv[5]
    detector = builtin_detector(cast("Recall", recall), cast("PatternEngine", engine), cast("Names", names))
    # What is loaded with a first text is loaded before a request's time counts.
    detector.detect("Ready.")
    send(answers, orjson.dumps({"detector": detector.digest}))
    # A request has been read whole before the next one comes, so nothing waits in the buffer unseen by select.
    while select.select([source], [], [], IDLE_SECONDS)[0] and (line := source.readline()):
        size = int(orjson.loads(line)["size"])
        data = source.read(size)
        if len(data) != size:
            return
        limit_cpu(float(sys.argv[3]))
        send(answers, orjson.dumps(_answer(detector, orjson.loads(data))))


def _answer(detector: BuiltinDetector, texts: list[tuple[str, str]]) -> list[list[Row] | None]:
    return [None if found is None else [_row(finding) for finding in found] for found in detector.detect_each(texts)]


def _row(finding: Finding) -> Row:
    return [finding.start, finding.end, finding.entity, finding.score, finding.rule, finding.priority]


if __name__ == "__main__":
    main()
