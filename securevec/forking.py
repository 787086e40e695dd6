"""What open stores do around a fork, asked for once.

``os.register_at_fork`` keeps what it is given for as long as the process runs, and a process may open and close stores
for months. So it is given three functions here, which ask the members that are alive. They lock in the order of
:class:`Rank`, whichever was made first: a thread that writes to the control store may ask for keys, and not otherwise.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from enum import IntEnum
from typing import Final, NamedTuple, Protocol


class Rank(IntEnum):
    """Before a fork the lower is asked first, and after it last."""

    CONTROL = 0
    KEY_FILE = 1
    OPEN_KEYS = 2


class Forked(Protocol):
    """A member. It is kept weakly."""

    def before_fork(self) -> None: ...

    def after_fork(self) -> None:
        """In the parent."""
        ...

    def after_fork_in_child(self) -> None: ...


class _Member(NamedTuple):
    rank: Rank
    reference: weakref.ref[Forked]


_members: Final[dict[int, _Member]] = {}
_asked: Final[dict[int, list[Forked]]] = {}
"""By the thread that forks: whom it asked before. The same are asked after, and none that was made meanwhile."""


def around_forks(member: Forked, rank: Rank) -> None:
    """Ask this object before and after every fork that Python makes, for as long as it lives."""
    number = id(member)

    def gone(_: object) -> None:
        _members.pop(number, None)

    _members[number] = _Member(rank, weakref.ref(member, gone))


def _before() -> None:
    ranked = sorted(_members.values(), key=lambda each: each.rank)
    living = [member for each in ranked if (member := each.reference()) is not None]
    _asked[threading.get_ident()] = living
    for member in living:
        with contextlib.suppress(Exception):  # the others are asked all the same, as os does
            member.before_fork()


def _after() -> None:
    for member in reversed(_asked.pop(threading.get_ident(), [])):
        with contextlib.suppress(Exception):
            member.after_fork()


def _after_in_child() -> None:
    for member in reversed(_asked.pop(threading.get_ident(), [])):
        with contextlib.suppress(Exception):
            member.after_fork_in_child()
    _asked.clear()  # of threads that are not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
