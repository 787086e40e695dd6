"""Files that are handed out: exports, receipts, public keys, reports. Each appears under its name whole or not at all.

One that is cut where the disk was full or the command was ended may pass for the whole: lines of JSON have no end, and
whoever asks for what is stored about them cannot count what is missing.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Generator
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Final

from securevec.errors import UsageError

PRIVATE: Final = 0o600
"""For its owner alone."""
PUBLIC: Final = 0o666
"""For whom the process's umask lets."""
_SHOWN: Final = 40
"""Characters of a file's name in that of its draft, which is not to be too long where the name is not."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})


@contextlib.contextmanager
def new_file(path: Path, *, overwrite: bool, what: str = "export", mode: int = PRIVATE) -> Generator[BinaryIO]:
    """A file of another name beside ``path``, which takes its place, on disk and complete, when the block ends.

    Raises :class:`UsageError`, which calls it the file of ``what``, also where the block finds no room for its bytes.
    """
    draft, descriptor = _draft(path, what, mode)
    try:
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                with _written(what):
                    stream.flush()
                    os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise _cannot_be_written(what, error) from error
        _rename(draft, path, what, overwrite=overwrite)
    finally:
        draft.unlink(missing_ok=True)


def write_file(path: Path, data: bytes, *, what: str, overwrite: bool = False, mode: int = PUBLIC) -> None:
    """A small file. With ``overwrite`` also a device or a pipe takes it, and a link leads to what is written over.

    Raises :class:`UsageError`.
    """
    if overwrite:
        path = Path(os.path.realpath(path))
        # For these a name that is too long is not there; pathlib raises. It is told of below.
        if os.path.exists(path) and not os.path.isfile(path):
            with _written(what):
                path.write_bytes(data)
            return
    with new_file(path, overwrite=overwrite, what=what, mode=mode) as stream:
        stream.write(data)


def require_place(path: Path, *, what: str) -> None:
    """Before work that cannot be undone, and whose outcome goes there: nothing has the name, and a file can be made
    beside it.

    Raises :class:`UsageError`.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:  # too long, below a file, with a NUL
        raise _cannot_be_made(what) from error
    else:
        raise UsageError(f"The {what}'s file exists.", next_step="Name another one.")
    draft, descriptor = _draft(path, what, PRIVATE)
    os.close(descriptor)
    draft.unlink(missing_ok=True)


def _draft(path: Path, what: str, mode: int) -> tuple[Path, int]:
    """A new file beside ``path``, open to be written."""
    if path.name == "-":
        # A file of that name is what nobody wants who types it.
        raise UsageError(f"The {what} goes into a file, whole or not at all, and not to stdout.", next_step="Name one.")
    draft = path.with_name(f".{path.name[:_SHOWN]}.{token_hex(4)}.new")
    try:
        return draft, os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        raise _cannot_be_made(what) from error


def _cannot_be_made(what: str) -> UsageError:
    return UsageError(
        f"The {what}'s file cannot be made.", next_step="Is there such a directory, and may you write there?"
    )


@contextlib.contextmanager
def _written(what: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise _cannot_be_written(what, error) from error


def _cannot_be_written(what: str, error: OSError) -> UsageError:
    said = os.strerror(error.errno or 0)
    return UsageError(
        f"The {what}'s file cannot be written: {said}.", next_step="Make room there, or name another one."
    )


def _rename(draft: Path, path: Path, what: str, *, overwrite: bool) -> None:
    exists = UsageError(f"The {what}'s file exists.", next_step="Name another one, or pass overwrite=True.")
    try:
        if overwrite:
            draft.replace(path)
        else:
            _link(draft, path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except FileExistsError as error:
        raise exists from error
    except OSError as error:
        raise UsageError(f"The {what}'s file cannot be put in its place.") from error


def _link(draft: Path, path: Path) -> None:
    """Unlike a rename, a link takes no name that somebody else took meanwhile."""
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # This file system has no second names: the name is taken first, by an empty file.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE))
        draft.replace(path)
