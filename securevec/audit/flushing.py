"""A flush that is begun, and waited for when there is nothing else to do: the kernel brings the bytes to disk while
this thread goes on.

``os.fdatasync`` gives the interpreter lock away and keeps the thread. Linux has the same call for the background
(``io_submit`` with ``IOCB_CMD_FDSYNC``, since 4.18): the kernel's own worker makes it, so neither a thread of ours nor
its turns of the interpreter lock are needed. It says what ``fdatasync`` would have said, its errors too. The C library
has no name for these calls, so they are made by number, on the two architectures whose numbers stand here. Anywhere
else, and wherever the kernel refuses them (a sandbox, an old kernel), the flush is waited for first and the work is
done behind it.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import platform
import struct
import sys
from collections.abc import Callable
from typing import Final

Work = Callable[[], object]
"""What is done meanwhile. It raises nothing, and asks for no flush of its own."""

flush: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)
"""macOS has no ``fdatasync``; ``fsync`` does at least as much."""

_NUMBERS: Final = {"x86_64": (206, 208, 209), "aarch64": (0, 4, 2)}
"""By architecture: ``io_setup``, ``io_getevents``, ``io_submit``."""
_FDATASYNC: Final = 3
_IOCB: Final = struct.Struct("<QIiHhIQQqQII")
"""``struct iocb``: data, key, flags, operation, priority, descriptor, buffer, bytes, offset, reserved, flags, event."""
_EVENT: Final = struct.Struct("<QQqq")
"""``struct io_event``: data, request, result, second result."""
_FOR_GOOD: Final = (errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EACCES)
"""What a kernel says that will say the same the next time."""


class _Ring:
    """The kernel's queue for one flush at a time, of this process and none other: a forked child has no such queue."""

    def __init__(self, number: Callable[..., int], submit: int, getevents: int, context: int) -> None:
        self._call, self._submit, self._getevents, self._context = number, submit, getevents, context
        self._iocb = ctypes.create_string_buffer(_IOCB.size)
        self._asked = (ctypes.c_void_p * 1)(ctypes.addressof(self._iocb))
        self._event = ctypes.create_string_buffer(_EVENT.size)
        self._tags = itertools.count(1)
        self._tag = 0

    def begin(self, descriptor: int) -> int:
        """Ask for it. 0, or the error number of a kernel that does not take it."""
        self._tag = next(self._tags)
        _IOCB.pack_into(self._iocb, 0, self._tag, 0, 0, _FDATASYNC, 0, descriptor, 0, 0, 0, 0, 0, 0)
        taken = self._call(self._submit, self._context, 1, ctypes.addressof(self._asked), 0, 0)
        return 0 if taken == 1 else ctypes.get_errno() or errno.EAGAIN

    def wait(self) -> None:
        """Return when it is done. Raises ``OSError``."""
        while True:
            got = self._call(self._getevents, self._context, 1, 1, ctypes.addressof(self._event), 0)
            if got == 1:
                tag, _, result, _ = _EVENT.unpack_from(self._event)
                # A signal may have taken the caller of an earlier one away: what that one came to is not this answer.
                if tag != self._tag:
                    continue
                if result < 0:
                    raise OSError(-result, os.strerror(-result))
                return
            if got < 0 and (number := ctypes.get_errno()) != errno.EINTR:
                raise OSError(number, os.strerror(number))


class Beside:
    """Flushes with work beside them. One object serves all threads of a process."""

    def __init__(self) -> None:
        self._numbers = _NUMBERS.get(platform.machine()) if sys.platform == "linux" else None
        self._free: list[_Ring] = []

    def flush(self, descriptor: int, work: Work) -> None:
        """``fdatasync``, and ``work`` while the disk is waited for, or behind it. Raises ``OSError``."""
        ring = self._take()
        refused = errno.ENOSYS if ring is None else ring.begin(descriptor)
        if ring is None or refused:
            if ring is not None and refused in _FOR_GOOD:
                self._numbers = None
            flush(descriptor)
            work()
            return
        try:
            work()
        finally:
            try:
                ring.wait()
            finally:
                self._free.append(ring)

    def forget(self) -> None:
        """In a forked child: the parent's queues are not there."""
        self._free = []

    def _take(self) -> _Ring | None:
        try:
            return self._free.pop()
        except IndexError:
            pass
        if self._numbers is None:
            return None
        setup, getevents, submit = self._numbers
        call = ctypes.CDLL(None, use_errno=True).syscall
        call.argtypes, call.restype = [ctypes.c_long] * 6, ctypes.c_long
        context = ctypes.c_ulong(0)
        if call(setup, 1, ctypes.addressof(context), 0, 0, 0) != 0:
            self._numbers = None if ctypes.get_errno() in _FOR_GOOD else self._numbers
            return None
        return _Ring(call, submit, getevents, context.value)


beside: Final = Beside()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=beside.forget)
