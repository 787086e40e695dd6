"""The directory of an embedded engine: who may open it, which generation of a shard is current, and how one replaces
another. A shard is the files of one namespace.

    root/VERSION                 the format, for example "securevec-edge 1\\n"
    root/LOCK                    flock(2), held while a backend is open; so is one on the directory itself
    root/<shard>/CURRENT         "gen-<N>\\n"
    root/<shard>/gen-<N>/        what one engine keeps, plus shard.json; others than CURRENT's are removed at open
    root/.new-*, root/.trash-*   a shard on its way in or out; removed at open

Qdrant Edge opens segments before it takes its own lock, and a second opener breaks every later flush of the first;
Chroma has no lock, and a second opener loses index entries for good. So the root is locked here before any shard is
touched. ``flock`` is per open file description: it keeps out a second backend of the same process as well as another
process, whatever path it came by. Directory renames are not atomic in pairs; one pointer file, replaced by rename, is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from securevec.errors import BackendError, EngineLocked, HomeRefused, UnsupportedPlatform
from securevec.locks import FileLock
from securevec_adapters.standing import Standing, moved

_SHARD = re.compile(r"[0-9a-f]{32}\Z")
_GENERATION = re.compile(r"gen-(0|[1-9][0-9]{0,8})\Z")
_NEW: Final = ".new-"
_TRASH: Final = ".trash-"
_SYNCS: Final = 8
_LOOK: Final = "Check the owner and the disk of the home's directory `engine`: securevec doctor."
_LONGEST: Final = 64
"""Bytes of a file that says a version or a generation, at most."""
_COPIED_AT_ONCE: Final = 1024 * 1024


class EngineRoot:
    """An open, locked root of the format ``version``; one of a ``former`` format becomes one of this. Raises
    :class:`HomeRefused` for a foreign, newer or readable-by-others directory, :class:`EngineLocked` when somebody holds
    it."""

    def __init__(self, path: Path, version: str, *, former: Collection[str] = ()) -> None:
        if os.name != "posix":
            raise UnsupportedPlatform(
                "An embedded engine needs POSIX file locks.", next_step="Use a server: qdrants://host:6333."
            )
        self.path = Path(os.path.realpath(path))
        self._version = version
        _check_owner(self.path)
        self._locks: list[FileLock] = []
        try:
            # The directory too: whoever takes the file for a stale one removes it, and a new one is nobody's.
            self._locks.append(_lock(self.path, os.O_RDONLY | os.O_DIRECTORY))
            self._locks.append(_lock(self.path / "LOCK", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW))
            _check_version(self.path, version, former)
            for entry in self.path.iterdir():
                if entry.name.startswith((_NEW, _TRASH)):
                    remove_tree(entry)
            for shard in self.shards():
                # What a purge cut short left is removed now and not when somebody asks for the shard: it is what was
                # to be purged. A damaged shard is left to who asks.
                with contextlib.suppress(BackendError, OSError):
                    self.current(shard)
        except OSError as error:
            self.release()
            raise HomeRefused("The engine's directory cannot be put in order.", next_step=_LOOK) from error
        except BaseException:
            self.release()
            raise

    def require_there(self) -> None:
        """Raises :class:`BackendError` when the directory was moved or replaced since. What is open is in the old one,
        and what is done by a path would be done to another store."""
        if self._locks and self._locks[0].stands_at(self.path):
            return
        raise BackendError(
            "The engine's directory was moved or replaced while it was open.",
            next_step="Close every store on it, see which one is right, and open that.",
        )

    def shards(self) -> Iterator[str]:
        """Names of the shards that exist."""
        for entry in sorted(self.path.iterdir()):
            if _SHARD.match(entry.name):
                yield entry.name

    def current(self, shard: str) -> Path | None:
        """The directory of the shard's current generation; ``None`` when there is no such shard.

        Generations that ``CURRENT`` does not name are left over from an interrupted purge and are removed. A shard
        without a sound ``CURRENT`` is damaged (creation renames it into place whole): :class:`BackendError`, and
        nothing is removed.
        """
        self.require_there()
        place = self.path / shard
        if place.is_symlink():
            raise BackendError("In a shard's place stands a link.")
        if not place.exists():
            return None
        try:
            named = _read(place / "CURRENT").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BackendError("A shard's pointer file cannot be read.", next_step=_LOOK) from error
        if not _GENERATION.match(named) or not (place / named).is_dir() or (place / named).is_symlink():
            raise BackendError("A shard's pointer file names no generation.")
        for entry in place.iterdir():
            if entry.name.startswith("gen-") and entry.name != named:
                remove_tree(entry)
        return place / named

    def require_current(self, shard: str, generation: Standing) -> None:
        """Raises :class:`BackendError` unless this open generation is what the shard's next opening would open."""
        self.require_there()
        generation.require_there()
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if _read(self.path / shard / "CURRENT") == f"{generation.path.name}\n":
                return
        raise moved()

    def create(self, shard: str, build: Callable[[Path], None]) -> None:
        """Let ``build`` fill the first generation of a shard that does not exist, and rename the whole into place."""
        place = self.workplace(shard)
        try:
            _fill(place / "gen-0", build)
            (place / "CURRENT").write_bytes(b"gen-0\n")
            (place / "CURRENT").chmod(0o600)
            sync_tree(place)
            place.rename(self.path / shard)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        sync_path(self.path)

    def prepare(self, shard: str, build: Callable[[Path], None]) -> tuple[Path, Path]:
        """Let ``build`` fill the next generation of a shard and put it on disk. Returns the current one and the next.

        Nobody may call :meth:`current` for the shard until :meth:`point`: it would remove the new one.
        """
        before = self.current(shard)
        if before is None:
            raise BackendError("There is no such shard to replace.")
        number = int(before.name.removeprefix("gen-")) + 1
        fresh = before.parent / f"gen-{number}"
        try:
            _generation(before.parent, number, build)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        return before, fresh

    def point(self, generation: Path) -> None:
        """Make a prepared generation the current one; the old one stays.

        After a crash at any point ``CURRENT`` names a whole generation: the old one or the new one.
        """
        replace_file(generation.parent / "CURRENT", f"{generation.name}\n")

    def workplace(self, name: str) -> Path:
        """A new directory for what may become a generation. Opening removes what a crash leaves of it."""
        place = self.path / f"{_NEW}{name}-{secrets.token_hex(4)}"
        place.mkdir(mode=0o700)
        return place

    def copy(self, shard: str, target: Path) -> None:
        """Copy the current generation of a shard, which is closed, into another root of the same format."""
        current = self.current(shard)
        if current is None:
            raise BackendError("There is no such shard to copy.")
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (target / "VERSION").exists():
            replace_file(target / "VERSION", self._version)
        place = target / shard
        place.mkdir(mode=0o700)
        (place / current.name).mkdir(mode=0o700)
        copy_tree(current, place / current.name)
        (place / "CURRENT").write_bytes(f"{current.name}\n".encode())
        tighten(place)
        sync_tree(place)

    def discard(self, shard: str) -> bool:
        """Remove a shard's files. One rename takes it out of use; a crash later leaves trash that opening removes."""
        self.require_there()
        place = self.path / shard
        trash = self.path / f"{_TRASH}{shard}-{secrets.token_hex(4)}"
        try:
            place.rename(trash)
        except FileNotFoundError:
            return False
        sync_path(self.path)
        remove_tree(trash)
        sync_path(self.path)
        return True

    def release(self) -> None:
        """Give the locks back. Idempotent. A forked child holds none; the parent keeps them."""
        while self._locks:
            self._locks.pop().close()


def require_plain(directory: Path) -> None:
    """Raises :class:`BackendError` where anything below ``directory`` is neither a file nor a directory.

    An engine follows a link out of the home, and so do a purge's modes and a probe; a pipe it waits for without end.
    """
    todo: list[str | Path] = [directory]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    raise BackendError(
                        "Among a shard's files stands something that is not a file.",
                        next_step="Move the link or pipe away, and restore the file from a backup.",
                    )


def remove_tree(entry: Path) -> None:
    """Remove a directory and what is below it, or a link in its place, which is not followed."""
    if entry.is_symlink() or not entry.is_dir():
        entry.unlink()
    else:
        shutil.rmtree(entry)


def remove_generation(directory: Path) -> None:
    """Remove a generation that ``CURRENT`` no longer names, and put the removal on disk."""
    shutil.rmtree(directory)
    sync_path(directory.parent)


def tighten(directory: Path) -> None:
    """0700 and 0600 below ``directory``. The umask is the process's, so it is not ours to change."""
    for folder, _, files in os.walk(directory):
        os.chmod(folder, 0o700)
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):  # what it leads to is not the engine's
                os.chmod(path, 0o600)


def _generation(place: Path, number: int, build: Callable[[Path], None]) -> None:
    _fill(place / f"gen-{number}", build)
    sync_tree(place / f"gen-{number}")
    sync_path(place)


def _fill(fresh: Path, build: Callable[[Path], None]) -> None:
    fresh.mkdir(mode=0o700)
    build(fresh)
    tighten(fresh)


def _check_owner(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # the mode is the last one's, not its parents'
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.stat()
        foreign = any(path.iterdir()) and not (path / "VERSION").exists() and not (path / "LOCK").exists()
    except OSError as error:
        raise HomeRefused("The engine's directory cannot be made or read.", next_step=_LOOK) from error
    if status.st_uid != os.geteuid():
        raise HomeRefused("The engine's directory belongs to another user.")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise HomeRefused("Others can reach the engine's directory.", next_step="Run: chmod 700 on it.")
    if foreign:
        raise HomeRefused(
            "The engine's directory holds something else.",
            next_step="Move away what another program put there; restore what is yours. Nothing was changed.",
        )


def _check_version(path: Path, wanted: str, former: Collection[str]) -> None:
    version = path / "VERSION"
    try:
        found = _read(version)
    except FileNotFoundError:
        if any(_SHARD.match(entry.name) for entry in path.iterdir()):
            raise HomeRefused("The engine's directory has lost its VERSION file.") from None
        replace_file(version, wanted)
        return
    except (OSError, UnicodeDecodeError) as error:
        raise HomeRefused("The engine's VERSION file cannot be read.") from error
    if found in former:
        replace_file(version, wanted)  # from now on an older release refuses it
    elif found != wanted:
        raise HomeRefused(
            "The engine's directory has a format this release does not read.",
            next_step="Use the release that wrote it, or a newer one.",
        )


def _read(path: Path) -> str:
    """What a small file says. A link is not followed, and a pipe not waited for: both raise :class:`OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        return os.read(descriptor, _LONGEST).decode("ascii")
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str, *, synced: bool = True) -> None:
    """Replace a small file by rename; ``synced``: file and directory are on disk when it returns."""
    fresh = path.with_name(path.name + ".new")
    # What stands there is removed and not written to: a link would lead out of the root, a pipe would be waited for.
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text.encode())
        if synced:
            file.flush()
            os.fsync(file.fileno())
    fresh.rename(path)
    if synced:
        sync_path(path.parent)


def _lock(path: Path, flags: int) -> FileLock:
    try:
        lock = FileLock(path, flags)
    except OSError as error:
        raise HomeRefused("The lock of the engine's directory cannot be opened.", next_step=_LOOK) from error
    try:
        lock.take()
    except OSError as error:
        lock.close()
        if not isinstance(error, BlockingIOError):
            step = "Put the home on a disk of this machine."
            raise HomeRefused("The file system of the engine keeps no locks.", next_step=step) from error
        step = "Close the store that holds it, or use a server."
        raise EngineLocked("The embedded engine is already open.", next_step=step) from error
    return lock


def sync_tree(directory: Path) -> None:
    """Put everything below ``directory``, and itself, on disk. A file that goes away meanwhile needs no putting.

    Several at a time: they wait for the same commit of the file system, one after the other for one each (an engine's
    21 files: 7 ms instead of 66 on a busy disk).
    """
    paths = [Path(folder, name) for folder, _, files in os.walk(directory) for name in (*files, "")]
    with ThreadPoolExecutor(_SYNCS) as pool:
        for waiting in [pool.submit(sync_path, path) for path in paths]:
            with contextlib.suppress(FileNotFoundError):
                waiting.result()


def copy_tree(source: Path, target: Path) -> None:
    """Copy what is in a directory into another. An engine's few kilobytes are files of 70 MB, mostly holes: they stay
    holes. Raises as :func:`require_plain` does: a link would bring a foreign file into the copy."""
    require_plain(source)
    shutil.copytree(source, target, copy_function=_copy_sparse, dirs_exist_ok=True)


def _copy_sparse(source: str, target: str) -> None:
    """Raises :class:`BackendError` for a file that was cut meanwhile."""
    # Without a buffer: it would go by a position of its own, which looking for data moves (wrong bytes, where a buffer
    # is larger than a hole: it is what the file system names, 4 KiB or a MiB).
    with (
        open(source, "rb", buffering=0) as old,
        open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new,
    ):
        size = os.fstat(old.fileno()).st_size
        new.truncate(size)
        start = 0
        while start < size:
            try:
                start = os.lseek(old.fileno(), start, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                break  # nothing but a hole from here on
            end = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            old.seek(start)
            new.seek(start)
            while start < end and (data := old.read(min(end - start, _COPIED_AT_ONCE))):
                new.write(data)
                start += len(data)
            if start < end:
                break
        if os.fstat(old.fileno()).st_size != size:
            raise BackendError("A file changed while it was copied.", next_step="Does another program use it?")


def sync_path(path: Path) -> None:
    """Put a file or a directory on disk. A pipe in its place is not waited for: it raises :class:`OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
