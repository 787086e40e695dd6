"""What a job is about to delete, looked for before it does and kept with the job: killed between the deletion and the
purge, or right after it, the job still knows what must not be left, and that the probe had found it.

The needles of the byte probe are sealed texts and vectors, so they must not lie in a file of the home themselves: in
the job row they are sealed under the installation's key, until the purge is over.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from securevec.control.rows import JobRow
from securevec.proof.probe import Needles, Standing
from securevec.proof.purging import joined, stands
from securevec.state.runtime import Runtime
from securevec.types import Namespace

PROBED: Final = 128
"""Points of each collection whose sealed texts and vectors are looked for byte by byte; more would prove no more."""

_KIND: Final = "job-needles"
_TEXT: Final = 4096
"""Of a longer sealed text its first and last half of this are looked for."""


@dataclass(frozen=True, slots=True, repr=False)
class Watched:
    """Needles, and the numbers of those that stood in the files before anything was deleted."""

    needles: Needles
    stood: Standing


def watch(runtime: Runtime, job: JobRow, namespace: Namespace, parts: Sequence[Needles]) -> str:
    """Look for the needles of records in the files, and seal what was seen for the job's row. ``parts`` are those of
    one record each, which :func:`recall` may leave out again."""
    parts = [Needles(tuple(_ends(part.texts)), part.vectors, part.terms) for part in parts]
    stood = stands(runtime, namespace, joined(*parts))
    texts, vectors, terms = _Marker(stood.texts), _Marker(stood.vectors), _Marker(stood.terms)
    held = [
        {
            "texts": [texts.mark(text) for text in part.texts],
            "vectors": [vectors.mark(vector.astype("<f4").tobytes()) for vector in part.vectors],
            "terms": [terms.mark(spelled) for spelled in part.terms],
        }
        for part in parts
    ]
    return base64.b64encode(runtime.names.seal(orjson.dumps(held), row=bytes.fromhex(job.job_id), kind=_KIND)).decode()


def recall(runtime: Runtime, job: JobRow, sealed: str, *, gone: Callable[[int], bool] = lambda number: True) -> Watched:
    """What was watched, opened: of the parts with these numbers, which are ``gone`` by now."""
    opened = runtime.names.open(base64.b64decode(sealed), row=bytes.fromhex(job.job_id), kind=_KIND)
    parts: list[dict[str, list[tuple[str, bool]]]] = [
        part for number, part in enumerate(orjson.loads(opened)) if gone(number)
    ]
    texts, vectors, terms = (_unmark(parts, name) for name in ("texts", "vectors", "terms"))
    return Watched(
        Needles(
            texts=tuple(text for text, _ in texts),
            vectors=tuple(np.frombuffer(vector, dtype="<f4") for vector, _ in vectors),
            terms=tuple(spelled for spelled, _ in terms),
        ),
        Standing(_numbers(texts), _numbers(vectors), _numbers(terms)),
    )


class _Marker:
    """Base64 of one thing after another, each with whether its number is among ``stood``."""

    def __init__(self, stood: frozenset[int]) -> None:
        self._stood, self._next = stood, 0

    def mark(self, value: bytes) -> tuple[str, bool]:
        self._next += 1
        return base64.b64encode(value).decode(), self._next - 1 in self._stood


def _unmark(parts: Sequence[dict[str, list[tuple[str, bool]]]], name: str) -> list[tuple[bytes, bool]]:
    return [(base64.b64decode(value), stood) for part in parts for value, stood in part[name]]


def _numbers(marked: Sequence[tuple[bytes, bool]]) -> frozenset[int]:
    return frozenset(number for number, (_, stood) in enumerate(marked) if stood)


def _ends(texts: Sequence[bytes]) -> list[bytes]:
    return [
        end for text in texts for end in ((text,) if len(text) <= _TEXT else (text[: _TEXT // 2], text[-_TEXT // 2 :]))
    ]
