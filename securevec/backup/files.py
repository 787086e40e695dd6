"""Files of a backup: listed, hashed, copied with their holes, put on disk.

A backup's directory is made whole or not at all: ``.unfinished`` stands in it from its first file to its last, and a
directory that has it is cleared and begun again, unless a living process keeps the file locked: then that one is at it.
Whatever else lies there is never touched.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Final

from securevec.backup.manifest import NAME, PARTS, FileEntry
from securevec.errors import BackupRejected, HomeRefused
from securevec.locks import FileLock

UNFINISHED: Final = ".unfinished"
_CHUNK: Final = 1024 * 1024
_ZEROS: Final = bytes(_CHUNK)
_IRREGULAR: Final = "Something in the backup is not a regular file."


@contextlib.contextmanager
def begun(directory: Path) -> Generator[None]:
    """An empty private directory for a backup, which nobody else makes one in meanwhile; what an interrupted one left
    is removed. Raises :class:`HomeRefused`."""
    with contextlib.ExitStack() as held:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            names = {entry.name for entry in directory.iterdir()}
            if names and (UNFINISHED not in names or not names <= {UNFINISHED, *PARTS}):
                raise HomeRefused("The directory for the backup is not empty.", next_step="Choose an empty directory.")
            os.chmod(directory, 0o700)
            held.callback(_locked(directory / UNFINISHED, make=not names).close)
            for name in names - {UNFINISHED}:
                shutil.rmtree(directory / name)
        except OSError as error:
            raise HomeRefused("The directory for the backup cannot be written.") from error
        yield


def _locked(path: Path, *, make: bool) -> FileLock:
    """The lock of the mark of an unfinished backup. Raises :class:`HomeRefused` where another process holds
    it, or has made it or taken it away since the directory was looked at."""
    refused = HomeRefused("Another process makes a backup in this directory.", next_step="Choose an empty directory.")
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | (os.O_CREAT | os.O_EXCL if make else 0)
    try:
        lock = FileLock(path, flags)
    except (FileExistsError, FileNotFoundError) as error:
        raise refused from error
    try:
        lock.take()
        if not lock.stands_at(path):
            raise refused
        lock.sync()
        _sync(path.parent)
    except BlockingIOError as error:
        lock.close()
        raise refused from error
    except BaseException:
        lock.close()
        raise
    return lock


def finish(directory: Path, note: bytes) -> None:
    """Put everything on disk, then the manifest into each part, then the mark away."""
    sync_tree(directory)
    for part in PARTS:
        write(directory / part / NAME, note)
        _sync(directory / part)
    (directory / UNFINISHED).unlink()
    _sync(directory)


def require_finished(directory: Path) -> None:
    """Raises :class:`BackupRejected` for one that was interrupted."""
    if (directory / UNFINISHED).exists():
        raise BackupRejected("The backup was not finished.", next_step="Run securevec backup create again.")


def inventory(directory: Path) -> tuple[FileEntry, ...]:
    """Every regular file below a part, sorted by path, the manifest left out. Raises :class:`BackupRejected` for a
    link or a device among them."""
    entries: list[FileEntry] = []
    for path in _files(directory):
        size, digest = _read(path)
        entries.append(FileEntry(path.relative_to(directory).as_posix(), size, digest))
    return tuple(sorted(entries, key=lambda entry: entry.path))


def require_same(directory: Path, entries: Iterable[FileEntry]) -> None:
    """Raises :class:`BackupRejected` unless exactly these files are there, byte for byte."""
    wanted = {entry.path: entry for entry in entries}
    found = {path.relative_to(directory).as_posix(): path for path in _files(directory)}
    if wanted.keys() != found.keys():
        raise BackupRejected("Files of the backup are missing, or there are more than it was made with.")
    for name, entry in wanted.items():
        try:
            read = _read(found[name])
        except OSError as error:
            raise BackupRejected(
                "A file of the backup cannot be read.", next_step="Read the backup as the user who made it."
            ) from error
        if read != (entry.size, entry.sha256):
            raise BackupRejected("A file of the backup is not as it was when the backup was made.")


def copy(source: Path, target: Path, entries: Iterable[FileEntry]) -> int:
    """Copy these files below ``source`` to ``target``, each compared on the way. Returns their bytes.

    Raises :class:`BackupRejected` for one that is missing, differs or is no regular file, and ``OSError``.
    """
    total = 0
    for entry in entries:
        place = target / entry.path
        make_private(place.parent, below=target)
        try:
            size, digest = _read(source / entry.path, into=place)
        except FileNotFoundError as error:
            raise BackupRejected("A file of the backup is missing.") from error
        if (size, digest) != (entry.size, entry.sha256):
            raise BackupRejected("A file of the backup is not as it was when the backup was made.")
        total += size
    return total


def make_private(directory: Path, *, below: Path) -> None:
    if directory == below or directory.is_dir():
        return
    make_private(directory.parent, below=below)
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)


def write(path: Path, data: bytes) -> None:
    """A small private file, on disk when it returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def replace(path: Path, data: bytes) -> None:
    """A small private file in the place of another: whole, the old one or the new one, on disk when it returns."""
    fresh = path.with_name(f".{path.name}.new")
    write(fresh, data)
    fresh.replace(path)
    _sync(path.parent)


def sync_tree(directory: Path) -> None:
    for folder, _, names in os.walk(directory):
        for name in names:
            _sync(Path(folder, name))
        _sync(Path(folder))


def _files(directory: Path) -> list[Path]:
    found: list[Path] = []
    try:
        for folder, _, names in os.walk(directory, onerror=_raise):
            for name in names:
                path = Path(folder, name)
                if not stat.S_ISREG(path.lstat().st_mode):
                    raise BackupRejected(_IRREGULAR)
                if path != directory / NAME:
                    found.append(path)
    except OSError as error:
        raise BackupRejected("A part of the backup cannot be read.") from error
    return found


def _read(path: Path, *, into: Path | None = None) -> tuple[int, str]:
    """Size and SHA-256 of a file, copied on the way; runs of zeros become holes."""
    digest, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as opened:
        source = opened.enter_context(os.fdopen(_open(path), "rb", buffering=0))
        target = None
        if into is not None:
            made = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            target = opened.enter_context(os.fdopen(made, "wb", buffering=0))
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            if target is not None and chunk != _ZEROS[: len(chunk)]:
                target.seek(size)
                view = memoryview(chunk)
                while view:
                    view = view[target.write(view) :]
            size += len(chunk)
        if target is not None:
            target.truncate(size)
    return size, digest.hexdigest()


def _open(path: Path) -> int:
    """A descriptor to read a regular file, and nothing that somebody put in its place: a link leads elsewhere, a pipe
    would be waited for. Raises :class:`BackupRejected` for either."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a socket
            raise BackupRejected(_IRREGULAR) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BackupRejected(_IRREGULAR)
    return descriptor


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _raise(error: OSError) -> None:
    raise error
