"""How a command fails: one line on stderr with the next step, the exit code of the error, and no traceback.

An error's message carries no content, so it may be shown. An exception nobody foresaw may carry anything in its text,
so only its class is named; its traceback is shown on request, with a warning.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from types import FrameType
from typing import Final

from securevec.cli.streams import aside
from securevec.errors import CollectionNotFound, RecordNotFound, SecurevecError, TenantNotFound, UsageError

DEBUG: Final = "SECUREVEC_DEBUG"
UNEXPECTED: Final = 4
"""Exit code of an exception nobody foresaw: something needed did not work."""
INTERRUPTED: Final = 130
TERMINATED: Final = 143
"""What a shell calls a process that ended by SIGTERM, so that a supervisor reads the one as the other."""
HUNG_UP: Final = 129
"""Likewise of SIGHUP: the terminal or the connection that the command was begun on is gone."""
_GO_ON: Final = "What was done before stays. Run the command again to go on."


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM: the command ends as it does by Ctrl-C, everything closed."""


class HungUp(KeyboardInterrupt):
    """The process was asked to end by SIGHUP, likewise."""


_ENDINGS: Final[dict[int, type[KeyboardInterrupt]]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
    signal.SIGHUP: HungUp,
}
_ENDED: Final[dict[type[KeyboardInterrupt], tuple[str, str, int]]] = {
    KeyboardInterrupt: ("Interrupted", "Interrupted.", INTERRUPTED),
    Terminated: ("Terminated", "Asked to end.", TERMINATED),
    HungUp: ("HungUp", "The terminal is gone.", HUNG_UP),
}


_NEXT: Final[dict[type[SecurevecError], str]] = {
    TenantNotFound: "See: securevec tenant list. Create one: securevec tenant create NAME. Let somebody in: "
    "securevec tenant grant TENANT ACTOR ROLE",
    CollectionNotFound: "See: securevec tenant show TENANT. An ingest makes one.",
    RecordNotFound: "Those there are: securevec export TENANT/COLLECTION --out FILE",
}
"""The library's advice is a line of Python; at a command line it is a command."""

_AS_OPTION: Final = {
    "Ask an owner of the tenant for a role: tenant.grant(actor, role).": "An owner or the local administrator grants "
    "roles: securevec tenant grant TENANT ACTOR ROLE",
    "who is meant where no actor is named": "who is meant without --as and SECUREVEC_AS",
    "Pass accept_new_detector=True, and": "Run: securevec accept-detector TENANT/COLLECTION, and",
    "accept_new_detector=True": "--accept-new-detector to ingest",
    "hybrid=True": "ingest --hybrid",
    "overwrite=True": "--overwrite",
    'For example Actor("svc:helpdesk")': "For example svc:helpdesk",
    "max_age=180d": "--max-age 180d",
    "Use datetime(..., tzinfo=UTC)": "For example 2026-01-31T00:00:00Z",
    "is a datetime with its zone: datetime(2026, 1, 31, tzinfo=UTC)": "is written with its zone: 2026-01-31T00:00:00Z",
    "Compare it with datetime(2026, 1, 31, tzinfo=UTC)": "For example 2026-01-31T00:00:00Z",
    'when a collection is made: cloak="rotate"': "when a collection is made: ingest --cloak rotate",
    "Leave key_scope out": "Leave --key-scope out",
    "Leave retention out": "Leave --retention out",
    "Leave cloak out": "Leave --cloak out",
    "Leave classification out": "Leave --classification out",
    "by its name: plain_http_hosts": "by its name: SECUREVEC_PLAIN_HTTP_HOSTS",
    "are in reserve for what deletes (use_reserve=True)": "are in reserve for tenant delete, subject erase, retention "
    "apply, delete and jobs run",
    "Stop it, or use a Qdrant": "Wait for it with --wait SECONDS, stop it, or use a Qdrant",
}


_PASSING: Final = frozenset({"__enter__", "__exit__", "enter_context", "close"})
"""Where something is taken or given back. What was taken and not noted is never given back: a lock would be waited for
while the command closes what it has open."""
_PATIENCE_S: Final = 3.0
_AGAIN_S: Final = 0.01


class Said(int):
    """An exit code of which was said what it means."""


class _Asked:
    """Whether and since when this process was asked to end: by which signal, and at what time."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._number = 0

    @property
    def error(self) -> KeyboardInterrupt:
        """What the signal that came last is."""
        return _ENDINGS.get(self._number, KeyboardInterrupt)()

    def by(self, number: int, frame: FrameType | None) -> None:
        """A signal's handler. Raises in the main thread, at once or when it has passed where it must not be broken off;
        what takes longer than some seconds there is broken off as well."""
        now = time.monotonic()
        if number != signal.SIGALRM:
            self._number = number
            self._since = now if self._since is None else self._since
        if self._since is None:
            return
        if _is_passing(frame) and now < self._since + _PATIENCE_S:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
            return
        self._since = None
        raise self.error


ASKED: Final = _Asked()


def _is_passing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _PASSING:
            return True
        frame = frame.f_back
    return False


def end_when_asked() -> None:
    """From here on SIGTERM is :class:`Terminated`, SIGHUP :class:`HungUp` and SIGINT ``KeyboardInterrupt``, raised in
    the main thread where nothing is taken or given back. A process that ignores one of them (``nohup``) goes on to."""
    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, ASKED.by)
    signal.signal(signal.SIGALRM, ASKED.by)


def end_at_once() -> None:
    """From here on each of the signals ends this process without a word: everything is closed, and what is left is to
    say so. A traceback would be the interpreter's."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def report(error: BaseException, *, as_json: bool, command: str = "") -> Said:
    """Say on stderr what went wrong in ``command``, and return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        ended, said, code = _ENDED.get(type(error), _ENDED[KeyboardInterrupt])
        return _say(ended, said, _GO_ON, code, as_json=as_json)
    if isinstance(error, SecurevecError):
        return _say(type(error).__name__, error.message, _advice(error, command), error.exit_code, as_json=as_json)
    name = type(error).__name__
    if os.environ.get(DEBUG) == "1":
        print("securevec: the traceback below may contain content; do not pass it on unread.", file=sys.stderr)
        traceback.print_exception(error)
        advice = ""
    else:
        advice = f"Run again with {DEBUG}=1 to see where; that traceback may contain content."
    # What the system calls its error is the system's words; the exception's own text may name somebody's file.
    said = f", {os.strerror(error.errno)}" if isinstance(error, OSError) and error.errno else ""
    return _say(name, f"An internal error: {name}{said}.", advice, UNEXPECTED, as_json=as_json)


def usage(message: str, *, as_json: bool, advice: str) -> int:
    """A command line that could not be read."""
    return _say("UsageError", message, advice, 2, as_json=as_json)


def _advice(error: SecurevecError, command: str) -> str:
    advice = next((step for kind, step in _NEXT.items() if type(error) is kind), error.next_step)
    for argument, option in _AS_OPTION.items():
        advice = advice.replace(argument, option)
    if not advice and command and isinstance(error, UsageError):
        return f"See: {command} --help"
    return advice


def _say(name: str, message: str, advice: str, code: int, *, as_json: bool) -> Said:
    if as_json:
        document = {"error": name, "message": message, "next_step": advice, "exit_code": code}
        aside(json.dumps(document))
    else:
        # One line whatever a file's or option's name holds.
        aside(" ".join(f"securevec: {message} {advice}".split()))
    return Said(code)
