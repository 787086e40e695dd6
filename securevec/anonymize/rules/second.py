"""A second engine for which rules occur in a text: Hyperscan, made beside the work and used when it is there.

RE2 builds its automata while it reads, so a text that nobody has read before costs it many times what it costs again.
Hyperscan builds them all beforehand, some seconds of a processor, and reads every text at one speed. So RE2 answers
while a thread compiles, and Hyperscan answers from then on. Both say the same of every text (each pattern is spelled
out in bytes first), and a rule that is tried for nothing finds nothing, so findings do not tell which of them it was.

Nothing compiled is ever stored: automata in a file would be trusted as code is.

It fails closed. What cannot be had is refused where a home is opened; an engine that cannot be made, gives up on a text
or says nothing of the sentinel refuses the text, and RE2 does not quietly take its place.
"""

from __future__ import annotations

import importlib
import os
import threading
from functools import lru_cache
from typing import Any, Final, Literal

from securevec.anonymize.rules.sieve import SENTINEL
from securevec.anonymize.rules.spelled import spelled
from securevec.errors import ConfigError, DetectorError, MissingExtra

PatternEngine = Literal["re2", "hyperscan"]
"""Which engine says what rules occur in a text: ``re2``, or ``hyperscan`` as soon as it is compiled."""
ENGINES: Final[tuple[PatternEngine, ...]] = ("re2", "hyperscan")

WORTH: Final = 1 << 18
"""Characters that a process has read until compiling begins: more than a search ever does."""
_PACKAGE: Final = "hyperscan"
_BACK: Final = (
    "Set detect.engine to re2, or install the extra anew: pip install --force-reinstall 'securevec[hyperscan]'"
)


def require(engine: str) -> None:
    """Raises :class:`MissingExtra` or :class:`ConfigError` for an engine that cannot be had here."""
    if engine not in ENGINES:
        raise ConfigError("There is no such pattern engine.", next_step=f"Use {' or '.join(ENGINES)}.")
    if engine == "hyperscan":
        _tried()


def engine_version() -> str:
    """The versions of Hyperscan and of its package. Raises what :func:`require` does."""
    hyperscan = _tried()
    about = bytes(_compiled(hyperscan, {_SENTINEL_NUMBER: spelled(SENTINEL)}).info()).decode("ascii", "replace")
    number = about.removeprefix("Version: ").partition(" ")[0]
    return f"Hyperscan {number} (package {hyperscan.__version__})"


@lru_cache(maxsize=2)
def shared(patterns: tuple[tuple[int, bytes], ...]) -> Second:
    """The engine of these patterns, one for all detectors of the process. Raises what :class:`Second` does."""
    return Second(patterns)


class Second:
    """Patterns by number. Thread-safe."""

    __slots__ = (
        "_database",
        "_failed",
        "_hyperscan",
        "_local",
        "_patterns",
        "_read",
        "_scratch",
        "_started_in",
        "_starting",
    )

    def __init__(self, patterns: tuple[tuple[int, bytes], ...]) -> None:
        """``patterns``: RE2 syntax over an alphabet. Raises ``ConfigError`` for one that cannot be put to the engine,
        and what :func:`require` does."""
        self._hyperscan = _tried()
        self._patterns = {number: spelled(pattern) for number, pattern in patterns}
        self._read = 0
        self._database: Any = None
        self._scratch: Any = None
        self._failed = False
        self._local = threading.local()
        self._starting = threading.Lock()
        self._started_in = 0

    @property
    def ready(self) -> bool:
        """Whether the engine answers."""
        return self._database is not None

    def numbers(self, data: bytes) -> list[int] | None:
        """Of the patterns that occur, or ``None`` while the engine is not there. Raises ``DetectorError``."""
        if self._database is None:
            self._wait(len(data))
            return None
        found: list[int] = []
        try:
            self._database.scan(
                data + SENTINEL, match_event_handler=_noted, context=found, scratch=self._scratch_of_thread()
            )
            # Taken out: it is no rule's.
            found.remove(_SENTINEL_NUMBER)
        except Exception as error:  # noqa: BLE001 - whatever failed, or a sentinel that was not seen: not "no rule occurs"
            # The cause is named and not chained: its message may quote the text.
            raise DetectorError(
                f"The pattern engine Hyperscan failed ({type(error).__name__}); nothing was scanned.", next_step=_BACK
            ) from None
        return found

    def compile(self) -> None:
        """Make the engine now. What fails is said by :meth:`numbers`, of every text."""
        hyperscan = self._hyperscan
        try:
            made = _compiled(hyperscan, {**self._patterns, _SENTINEL_NUMBER: spelled(SENTINEL)})
            self._scratch = hyperscan.Scratch(made)
            self._database = made
        except Exception:  # noqa: BLE001 - a thread has nobody to tell; whoever asks next is told
            self._failed = True

    def _wait(self, size: int) -> None:
        if self._failed:
            raise DetectorError("The pattern engine Hyperscan could not be made; nothing was scanned.", next_step=_BACK)
        # Two threads may count over each other; it is about when to begin.
        self._read += size
        if self._read < WORTH or self._started_in == os.getpid():
            return
        # Not waited for: a process that was forked meanwhile has no thread that would ever give it back.
        if self._starting.acquire(blocking=False):
            try:
                if self._started_in != os.getpid():
                    self._started_in = os.getpid()
                    threading.Thread(target=self.compile, name="securevec-patterns", daemon=True).start()
            finally:
                self._starting.release()

    def _scratch_of_thread(self) -> Any:
        """The engine's working memory, of which each thread needs its own. That of the engine itself is only copied."""
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = self._scratch.clone()
        return scratch


_SENTINEL_NUMBER: Final = 0x7FFF_FFFF


def _noted(number: int, start: int, end: int, flags: int, found: list[int]) -> None:
    """Called by the engine once for each pattern that occurs."""
    found.append(number)


def _compiled(hyperscan: Any, patterns: dict[int, bytes]) -> Any:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=[*patterns.values()],
        ids=[*patterns],
        elements=len(patterns),
        flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(patterns),
    )
    return made


@lru_cache(maxsize=1)
def _tried() -> Any:
    """Hyperscan's module, after it has found something. Raises ``MissingExtra``, or ``ConfigError`` where it does not
    run."""
    try:
        hyperscan: Any = importlib.import_module(_PACKAGE)
    except ImportError as error:
        raise MissingExtra("hyperscan", extra="hyperscan") from error
    found: list[int] = []
    try:
        made = _compiled(hyperscan, {_SENTINEL_NUMBER: spelled(SENTINEL)})
        made.scan(SENTINEL, match_event_handler=_noted, context=found)
    except Exception as error:
        raise ConfigError("The pattern engine Hyperscan does not run on this machine.", next_step=_BACK) from error
    if found != [_SENTINEL_NUMBER]:
        raise ConfigError("The pattern engine Hyperscan does not find what is there.", next_step=_BACK)
    return hyperscan
