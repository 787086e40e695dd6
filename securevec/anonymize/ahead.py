"""Detection of the next batch in processes of its own, while this one writes the last.

Detection is most of what an ingest computes, and Python's lock lets one thread compute at a time. A process of its own
has its own lock. It gets texts and gives findings back; it holds no key, and replaces and decides nothing. Whatever
becomes of it, nothing depends on it: a text whose findings are missing is read by the detector here, as if there were
no such process. So an error in one denies as ever, and a killed one costs time.

Only the built-in detector has such processes, and only ones that say they decide by the same rules and model (digest).
They start once detection has cost so much that the start pays, and end with the last store of this process, or when
nothing was asked of them for some minutes. All stores of a process share them, as they share the detector.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, cast

import orjson

from securevec import limits
from securevec.anonymize.detectors import BuiltinDetector
from securevec.anonymize.findings import Detector, Finding, Names
from securevec.children.process import MEMORY, Child, Died
from securevec.errors import Unavailable

WORTH: Final = 2.0
"""Seconds of detection in this process until the first process is started: starting one takes one or two."""
SECONDS: Final[Mapping[Names, float]] = {"small": 60.0, "contextual": 600.0}
"""For one request, by what reads names."""
_MOST: Final = 3
_MODULE: Final = "securevec.anonymize.detect_worker"
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

_ROW: Final = [int, int, str, float, str, int]
"""Types of what is said of a finding."""

Text = tuple[str, str]
"""Field name (or nothing) and text."""
Found = Mapping[Text, Sequence[Finding]]
"""What was found ahead. A text that is not there was not read, which says nothing about it."""
NOTHING: Final[Found] = {}


class Ahead:
    """Some processes. Each operation takes them for itself with :meth:`lane`, or goes without."""

    def __init__(self, *, jobs: int | None = None, worth: float = WORTH) -> None:
        """``jobs``: processes at most; one less than there are processors unless given, and 0 for none."""
        self._jobs = jobs if jobs is not None else min(_MOST, _processors() - 1)
        self._worth = worth
        self._spent = 0.0
        self._children: list[_Reader] = []
        self._serves = ""
        self._failed = False
        self._taken = threading.Lock()
        self._pid = os.getpid()
        self._users = 1

    def spent(self, seconds: float) -> None:
        """Detection took this long here."""
        self._spent += seconds

    def lane(self, detector: Detector) -> Lane:
        """The right to send texts to the processes, where there are any and nobody else has it."""
        if self._failed or self._jobs < 1 or os.getpid() != self._pid or type(detector) is not BuiltinDetector:
            return Lane(None, detector)
        return Lane(self, detector) if self._taken.acquire(blocking=False) else Lane(None, detector)

    def close(self) -> None:
        """One user less; with the last one the processes end. What is sent afterwards is not read ahead."""
        with _sharing:
            self._users -= 1
            if self._users > 0:
                return
        self._failed = True
        if os.getpid() == self._pid:
            children, self._children = self._children, []
            for reader in children:
                reader.child.end()

    def _release(self) -> None:
        self._taken.release()

    def _readers(self, detector: BuiltinDetector) -> list[_Reader]:
        """The processes that are there and idle; starts them when it is time. All decide as one detector does."""
        if not self._children and self._spent >= self._worth and not self._failed:
            self._serves = detector.digest
            seconds = SECONDS[detector.names]
            arguments = [str(MEMORY), detector.recall, str(seconds), detector.engine, detector.names]
            try:
                for _ in range(self._jobs):
                    self._children.append(_Reader(Child(_MODULE, arguments, environment=_ONE_THREAD), seconds))
            except Unavailable:
                self._give_up()
        there: list[_Reader] = []
        if self._serves != detector.digest:  # that of another store of this process
            return there
        for reader in list(self._children):
            try:
                if reader.is_idle(detector.digest):
                    there.append(reader)
            except Died:
                self._bury(reader)
        return there

    def _bury(self, reader: _Reader) -> None:
        """One that ended on its own for want of work is started again; any other failure ends it all."""
        reader.child.end()
        if reader in self._children:
            self._children.remove(reader)
        if not reader.served:
            self._give_up()

    def _give_up(self) -> None:
        self._failed = True
        for reader in self._children:
            reader.child.end()
        self._children = []


_sharing: Final = threading.Lock()
_shared: list[Ahead] = []


def shared_ahead() -> Ahead:
    """The processes of this process's stores. Each call is one user, who calls :meth:`Ahead.close` once."""
    with _sharing:
        if _shared and _shared[0]._users > 0 and _shared[0]._pid == os.getpid():
            _shared[0]._users += 1
        else:
            _shared[:] = [Ahead()]
        return _shared[0]


class Lane:
    """What one operation sends ahead: one request at a time, and its answer before the next."""

    def __init__(self, ahead: Ahead | None, detector: Detector) -> None:
        self._ahead = ahead
        self._detector = detector
        self._sent: list[tuple[_Reader, list[Text]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead._release()

    @property
    def open(self) -> bool:
        """Whether a process is there to be asked now."""
        ahead = self._ahead
        return (
            ahead is not None and isinstance(self._detector, BuiltinDetector) and bool(ahead._readers(self._detector))
        )

    def send(self, texts: Iterable[Text]) -> None:
        """Hand texts over to be read meanwhile. :meth:`receive` must have taken the last answer."""
        ahead = self._ahead
        if ahead is None or not isinstance(self._detector, BuiltinDetector):
            return
        wanted = list(dict.fromkeys(texts))
        readers = ahead._readers(self._detector) if wanted else []
        for number, reader in enumerate(readers):
            share = wanted[number :: len(readers)]
            try:
                if share and reader.give(share):
                    self._sent.append((reader, share))
            except Died:
                ahead._bury(reader)

    def receive(self) -> Found:
        """What was found in the texts that were sent last."""
        ahead = self._ahead
        sent, self._sent = self._sent, []
        found: dict[Text, Sequence[Finding]] = {}
        for reader, share in sent:
            try:
                found.update(reader.take(share))
            except (Died, ValueError):
                if ahead is not None:
                    ahead._bury(reader)
        return found


class _Reader:
    """One process, and whether it owes an answer."""

    def __init__(self, child: Child, seconds: float) -> None:
        self.child = child
        self._seconds = seconds
        self.served = False
        self._there = False
        self._owes = 0

    def is_idle(self, digest: str) -> bool:
        """Whether it is there and owes nothing. Raises :class:`Died`, also for one that decides by something else."""
        if not self._there:
            greeting = self.child.greeting()
            if greeting is None:
                return False
            if greeting != orjson.dumps({"detector": digest}):
                raise Died(late=False)
            self._there = True
        while self._owes:
            # Left by an operation that ended in an error.
            self._owes -= 1
            self.child.next(seconds=self._seconds)
        return True

    def give(self, texts: Sequence[Text]) -> bool:
        """Raises :class:`Died`. False for texts that cannot be sent."""
        try:
            data = orjson.dumps(texts)
        except TypeError:
            # Not Unicode text; the detector refuses it with the right words.
            return False
        if len(data) > limits.MAX_TEXT_BYTES:
            return False
        self.child.give(orjson.dumps({"size": len(data)}) + b"\n" + data, seconds=self._seconds)
        self._owes += 1
        return True

    def take(self, texts: Sequence[Text]) -> dict[Text, list[Finding]]:
        """Raises :class:`Died`, and :class:`ValueError` for what is no answer to these texts."""
        answer: object = orjson.loads(self.child.next(seconds=self._seconds))
        self._owes -= 1
        if not isinstance(answer, list) or len(answer) != len(texts):
            raise ValueError
        found: dict[Text, list[Finding]] = {}
        for text, rows in zip(texts, answer, strict=True):
            if isinstance(rows, list):
                found[text] = _findings(cast("list[object]", rows), len(text[1]))
            elif rows is not None:
                raise ValueError
        self.served = True
        return found


def _findings(rows: Sequence[object], size: int) -> list[Finding]:
    """Raises :class:`ValueError` for what are no findings in a text of this many characters."""
    found: list[Finding] = []
    for row in rows:
        if type(row) is not list or [type(value) for value in cast("list[object]", row)] != _ROW:
            raise ValueError
        finding = Finding._make(row)
        if not 0 <= finding.start <= finding.end <= size:
            raise ValueError
        found.append(finding)
    return found


def _processors() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
