"""What a folder holds. No symbolic link is followed and nothing is opened but folders, each through its parent.

Names that begin with a dot are passed over, as are suffixes that are not read and homes of securevec (whose audit log
is JSON lines); all are counted. A link, a device, a pipe or a socket under a suffix that is read is refused by name. A
folder that cannot be listed makes the listing incomplete, and nobody may conclude from an incomplete listing that
something is gone.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from securevec import limits
from securevec.errors import FileUnreadable, FileUnsafe, LimitExceeded, SourceError, UnsupportedPlatform
from securevec.files.kinds import SUFFIXES, Kind, kind_of, suffix_of
from securevec.files.system import attempt

Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True, repr=False)
class Root:
    """A folder that is a source. ``descriptor`` is open on it, so that everything below is reached through it."""

    path: Path
    descriptor: int
    single: str = ""
    """The one file meant, when a file was named and not a folder."""

    def close(self) -> None:
        os.close(self.descriptor)

    def __repr__(self) -> str:
        return "Root(…)"


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """A file to be read: its place below the root with ``/`` between."""

    root: Root
    relative: str
    kind: Kind
    size: int

    def __repr__(self) -> str:
        return f"Found({self.kind}, {self.size} bytes)"


@dataclass(frozen=True, slots=True, repr=False)
class Passed:
    """A file or folder that was not opened, and why."""

    relative: str
    error: SourceError | LimitExceeded

    def __repr__(self) -> str:
        return f"Passed({type(self.error).__name__})"


@dataclass(slots=True, repr=False)
class Listing:
    """Files in the order of their names; what was refused; how many were passed over, by suffix."""

    root: Root
    files: list[Found] = field(default_factory=list["Found"])
    refused: list[Passed] = field(default_factory=list["Passed"])
    skipped: Counter[str] = field(default_factory=Counter[str])
    complete: bool = True


_HOME: Final = frozenset({"VERSION", "installation.json", "control.db"})
"""What lies in every home of securevec."""


def open_root(path: Path) -> Root:
    """The folder that is named, or the one that holds the file that is named. A link that is named is followed.

    Raises :class:`SourceError` when nothing is there, :class:`FileUnreadable` when it may not be read, and
    :class:`FileUnsafe` for a device or a pipe.
    """
    if os.open not in os.supports_dir_fd:
        raise UnsupportedPlatform("Folders are read on Linux and macOS only.")
    real = attempt(lambda: _resolved(path))
    status = attempt(real.stat) if isinstance(real, Path) else real
    if isinstance(real, OSError) or isinstance(status, OSError):
        cause = real if isinstance(real, OSError) else status
        if isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.ELOOP):
            raise FileUnreadable("The source cannot be read.", next_step="Check its permissions.") from cause
        raise SourceError(
            "The source is not a file or folder that exists.", next_step="Is the path right, seen from this directory?"
        )
    is_folder = stat.S_ISDIR(status.st_mode)
    if not is_folder and not stat.S_ISREG(status.st_mode):
        raise FileUnsafe("The source is a device, a pipe or a socket.", next_step="Name a file or a folder.")
    folder = real if is_folder else real.parent
    descriptor = attempt(lambda: os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    if isinstance(descriptor, OSError):
        raise FileUnreadable("The source cannot be read.", next_step="Check its permissions.") from descriptor
    return Root(folder, descriptor, "" if is_folder else real.name)


def _resolved(path: Path) -> Path:
    path.stat()  # asked first: of links in a circle resolve() tells with an error that is no OSError
    return path.resolve(strict=True)


def walk(root: Root, *, leave_out: Collection[Identity] = ()) -> Listing:
    """List a root. ``leave_out`` are folders not to enter: the home itself may lie inside what is ingested.

    A single file of a suffix that is not read raises :class:`SourceError`.
    """
    listing = Listing(root)
    if root.single:
        _single(listing)
    else:
        _folder(listing, root.descriptor, "", 0, frozenset(leave_out))
    return listing


def identity(path: Path) -> Identity:
    """What ``leave_out`` takes. Raises :class:`OSError`."""
    status = path.stat()
    return (status.st_dev, status.st_ino)


def _single(listing: Listing) -> None:
    root = listing.root
    kind = kind_of(root.single)
    if kind is None:
        hint = "Write one object per line and name the file .jsonl." if suffix_of(root.single) == ".json" else ""
        raise SourceError(
            "The source file has a suffix that is not read.", next_step=hint or f"Files that are read: {SUFFIXES}."
        )
    status = attempt(lambda: os.stat(root.single, dir_fd=root.descriptor, follow_symlinks=False))
    if isinstance(status, OSError):
        raise FileUnreadable("The source file cannot be read.") from status
    listing.files.append(Found(root, root.single, kind, status.st_size))


def _folder(listing: Listing, descriptor: int, prefix: str, depth: int, leave_out: frozenset[Identity]) -> None:
    found = attempt(lambda: _entries(descriptor))
    if isinstance(found, OSError):
        _refuse(listing, prefix or ".", FileUnreadable("The folder cannot be listed."), found)
        return
    if {entry.name for entry in found} >= _HOME:
        listing.skipped["securevec home"] += 1
        return
    for entry in found:
        relative = f"{prefix}{entry.name}"
        if entry.name.startswith("."):
            listing.skipped["hidden"] += 1
            continue
        status = attempt(partial(entry.stat, follow_symlinks=False))
        if isinstance(status, OSError):
            _refuse(listing, relative, FileUnreadable("The file cannot be looked at."), status)
            continue
        if stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) not in leave_out:
                _enter(listing, descriptor, entry.name, relative, depth + 1, leave_out)
            continue
        _file(listing, entry, relative, status)


def _file(listing: Listing, entry: os.DirEntry[str], relative: str, status: os.stat_result) -> None:
    kind = kind_of(entry.name)
    if stat.S_ISLNK(status.st_mode) and (kind is not None or entry.is_dir()):
        refusal = FileUnsafe("A symbolic link is not followed.", next_step="Name its target as a source of its own.")
        listing.refused.append(Passed(relative, refusal))
    elif kind is None:
        listing.skipped[suffix_of(entry.name) or "no suffix"] += 1
    elif not stat.S_ISREG(status.st_mode):
        refusal = FileUnsafe("A device, a pipe or a socket is not a file to read.")
        listing.refused.append(Passed(relative, refusal))
    else:
        listing.files.append(Found(listing.root, relative, kind, status.st_size))


def _enter(listing: Listing, parent: int, name: str, relative: str, depth: int, leave_out: frozenset[Identity]) -> None:
    if depth > limits.MAX_FILE_DEPTH:
        refusal = LimitExceeded(f"Folders are nested deeper than {limits.MAX_FILE_DEPTH}.")
        listing.refused.append(Passed(relative, refusal))
        listing.complete = False
        return
    # Between the listing and now the folder may have become a link: it is opened as a folder or not at all.
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = attempt(lambda: os.open(name, flags, dir_fd=parent))
    if isinstance(descriptor, OSError):
        _refuse(listing, relative, FileUnreadable("The folder cannot be opened."), descriptor)
        return
    try:
        _folder(listing, descriptor, f"{relative}/", depth, leave_out)
    finally:
        os.close(descriptor)


def _entries(descriptor: int) -> list[os.DirEntry[str]]:
    with os.scandir(descriptor) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _refuse(listing: Listing, relative: str, refusal: FileUnreadable, cause: OSError) -> None:
    """Something could not be looked at, so what lies there is not known to be gone."""
    refusal.__cause__ = cause
    listing.refused.append(Passed(relative, refusal))
    listing.complete = False
