"""The home directory: made once, checked at every open (docs/formats.md section 1).

Rules: the directory belongs to this user and nobody else may read it; ``VERSION`` names this format; the root key lies
elsewhere. Whatever does not hold is refused with the next step, never repaired silently.

Making a home is several files in several rooms, so one process does it at a time (:func:`creating`) and ``VERSION`` is
written last. ``.creating`` stands in a home from its first file to its last but one: a home that has it and no
``VERSION`` was never finished and holds no record, so the next creation clears it and begins again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import time
from collections.abc import Generator, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

from securevec.errors import ControlUnavailable, HomeRefused, UnsupportedPlatform
from securevec.locks import FileLock

VERSION_TEXT: Final = "securevec-home 3\n"
_EARLIER: Final = frozenset({"securevec-home 1\n", "securevec-home 2\n"})
"""1 kept bodies as JSON and the tags with every point."""
_VERSION: Final = "VERSION"
_INSTALLATION: Final = "installation.json"
_CREATING: Final = ".creating"
_RESTORING: Final = ".restoring"
_SETTINGS: Final = "securevec.toml"
_UPGRADING: Final = ".upgrading"
REHEARSAL: Final = ".upgrade-rehearsal"
"""Where an upgrade tries itself on a copy."""
_OF_CREATION: Final = frozenset(
    {".installation.json.new", ".VERSION.new", _INSTALLATION, "keys", "control.db"}
    | {f"control.db{suffix}" for suffix in ("-wal", "-shm", "-journal")}
)
"""What a creation may leave behind."""
_MARKING: Final = f".{_RESTORING}.new"
"""The mark of a restore, half written."""
_OF_RESTORING: Final = _OF_CREATION | {
    *("audit", "engine", "engine.lock", "jobs", "reserve"),
    *(_SETTINGS, _RESTORING, _MARKING),
}
"""What a restore may leave behind."""
_PATIENCE_S: Final = 60.0
"""How long one creation waits for another; one takes about a second."""


UPGRADING: Final[ContextVar[bool]] = ContextVar("securevec_upgrading", default=False)
"""Set where a home is opened by its upgrade, which is not done before that."""
_HALF_RESTORED: Final = "The restore of this home was not finished: deletions since its backup are not repeated yet."


@dataclass(frozen=True, slots=True)
class Installation:
    """What ``installation.json`` says. No secrets."""

    installation_id: str
    backend: str
    created_ms: int
    key_provider: Mapping[str, Any]
    plain_http_hosts: tuple[str, ...] = ()
    """Hosts that the backend may reach without TLS, besides this machine."""
    layout: str | None = None
    """Where a server keeps tenants that were not moved; ``None`` is as its adapter does by itself."""
    next_key_provider: Mapping[str, Any] | None = None
    """The root key of a rotation that is under way. Which of the two is used, the rows of the key store say."""
    previous_key_providers: tuple[Mapping[str, Any], ...] = ()
    """Root keys before this one that are kept for key-store backups, the newest first."""
    retired_roots: tuple[Mapping[str, Any], ...] = ()
    """Root keys that were given up: ``key_id``, ``retired_ms`` and what became of each (``evidence``)."""


def exists(home: Path) -> bool:
    """Whether a finished home is there. A directory with other content is refused by :func:`prepare`.

    Raises :class:`HomeRefused` where nobody can tell: a name that is too long, a directory of somebody else's.
    """
    try:
        return (home / _VERSION).exists()
    except OSError as error:
        raise HomeRefused(
            "The home cannot be looked at.", next_step="Is its path right, and may you enter it?"
        ) from error


def unfinished(home: Path) -> bool:
    """Whether a home is described here that is not finished: making it was interrupted, or it lost a file since."""
    return not exists(home) and (home / _INSTALLATION).exists()


def new_installation_id() -> str:
    return uuid4().hex


@contextlib.contextmanager
def creating(home: Path) -> Generator[bool]:
    """The right to make the home, held by one thread of one process at a time. True when it is still to be made.

    The caller runs :func:`prepare` to :func:`seal_home` inside when it is true; when it is false somebody else finished
    the home while this call waited. The lock is flock(2) on the directory itself, so it leaves nothing behind and ends
    with its process. Raises :class:`HomeRefused` when the directory cannot be made or locked, or stays locked for a
    minute.
    """
    _check_platform()
    try:
        lock = _lock(home)
    except OSError as error:
        raise HomeRefused(
            "The home directory cannot be made.", next_step="Choose a directory you may write."
        ) from error
    try:
        yield not exists(home)
    finally:
        lock.close()


def _lock(home: Path) -> FileLock:
    patience = time.monotonic() + _PATIENCE_S
    while True:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(home)
        try:
            lock.take()
            # Somebody may have removed or renamed the directory in between: a lock on that one keeps nobody out.
            if lock.stands_at(home):
                return lock
        except BlockingIOError:
            pass
        except BaseException:
            lock.close()
            raise
        lock.close()
        if time.monotonic() > patience:
            raise HomeRefused("Another process is making this home.", next_step="Wait for it, then try again.")
        time.sleep(0.02)


def prepare_restore(home: Path) -> None:
    """An empty directory for a home to be restored into, marked so that nobody opens it before :func:`finish_restore`.

    What an interrupted restore left is removed. Call it inside :func:`creating`. Raises :class:`HomeRefused` for a
    directory with anything else in it, and for a home.
    """
    _check_platform()
    try:
        names = {entry.name for entry in home.iterdir()}
        begun = _RESTORING in names or names <= {_MARKING}
        if exists(home) or not begun or not names <= _OF_RESTORING:
            raise HomeRefused(
                "The directory is not empty: a home is never restored over anything.",
                next_step="Name a directory that does not exist.",
            )
        os.chmod(home, 0o700)
        _write(home / _RESTORING, b"")
        for name in names - {_RESTORING, _MARKING}:
            entry = home / name
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    except OSError as error:
        raise HomeRefused(
            "The home directory cannot be made.", next_step="Choose a directory you may write."
        ) from error


def finish_restore(home: Path) -> None:
    """Write ``VERSION``: what was deleted since the backup was deleted again, and the home may be opened."""
    _write(home / _VERSION, VERSION_TEXT.encode())
    with _changing():
        (home / _RESTORING).unlink()
        _sync(home)


def load_restoring(home: Path) -> Installation:
    """:func:`load` for the one process that restores this home. Raises :class:`HomeRefused` for any other."""
    if not (home / _RESTORING).exists() or exists(home):
        raise HomeRefused("This home is not being restored.")
    return _decode(home)


def prepare(home: Path) -> None:
    """Make the directory, private and empty but for a settings file. Raises :class:`HomeRefused`.

    What an interrupted creation left is removed. Call it inside :func:`creating`.
    """
    _check_platform()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (home / _CREATING).exists() and not exists(home):
            _clear(home)
        if (home / _RESTORING).exists():
            raise HomeRefused(_HALF_RESTORED, next_step="Run securevec backup restore into it again.")
        strangers = [entry.name for entry in home.iterdir() if entry.name not in (_CREATING, _SETTINGS)]
    except OSError as error:
        raise HomeRefused(
            "The home directory cannot be made.", next_step="Choose a directory you may write."
        ) from error
    if strangers:
        # Never repaired: a home that lost its VERSION may still hold keys.
        raise HomeRefused(
            "The directory is not empty and not a finished securevec home.",
            next_step="Choose an empty directory, or restore the home from a backup.",
        )
    os.chmod(home, 0o700)
    _write(home / _CREATING, b"")


def _clear(home: Path) -> None:
    """Remove what a creation makes, and nothing else."""
    for entry in home.iterdir():
        if entry.name in _OF_CREATION:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def describe(
    home: Path,
    *,
    installation_id: str,
    backend: str,
    key_provider: Mapping[str, Any],
    plain_http_hosts: Iterable[str] = (),
    layout: str | None = None,
) -> Installation:
    """Write the description. ``VERSION`` comes last (:func:`seal_home`): without it there is no home."""
    installation = Installation(
        installation_id,
        backend,
        time.time_ns() // 1_000_000,
        dict(key_provider),
        tuple(sorted(set(plain_http_hosts))),
        layout,
    )
    _write(home / _INSTALLATION, _encode(installation))
    return installation


def rewrite(home: Path, installation: Installation) -> None:
    """Put another description in the place of the one there is, whole or not at all."""
    _write(home / _INSTALLATION, _encode(installation))


def seal_home(home: Path) -> None:
    """Write ``VERSION``: from here on the home is complete."""
    # First, so that no home that was ever complete can be taken for an unfinished one, whatever it loses later.
    with _changing():
        (home / _CREATING).unlink()
        _sync(home)
    _write(home / _VERSION, VERSION_TEXT.encode())


def load(home: Path) -> Installation:
    """Check the home and read its description. Raises :class:`HomeRefused`."""
    _check_platform()
    try:
        status = home.stat()
        version = _read(home / _VERSION).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        if (home / _RESTORING).exists():
            raise HomeRefused(_HALF_RESTORED, next_step="Run securevec backup restore into it again.") from error
        raise HomeRefused("This is not a securevec home.", next_step="Run: securevec init --home DIR") from error
    if not stat.S_ISDIR(status.st_mode):
        raise HomeRefused("The home is not a directory.")
    if status.st_uid != os.getuid():
        raise HomeRefused("The home belongs to another user.", next_step="Run as its owner.")
    if status.st_mode & 0o077:
        raise HomeRefused("Other users may enter the home.", next_step=f"Run: chmod 700 '{home}'")
    if version != VERSION_TEXT:
        if version in _EARLIER:
            raise HomeRefused(
                "The home is of a format from before the first release, which no release reads.",
                next_step="Make a new home, and ingest again.",
            )
        raise HomeRefused(
            "The home was written by another release, or is not one.",
            next_step="Open it with the release that wrote it, or a newer one.",
        )
    return _decode(home)


def begin_upgrade(home: Path) -> None:
    """From here on only the upgrade opens the home, until :func:`end_upgrade`."""
    _write(home / _UPGRADING, b"")


def upgrade_begun(home: Path) -> bool:
    return (home / _UPGRADING).exists()


def end_upgrade(home: Path) -> None:
    with _changing():
        (home / _UPGRADING).unlink(missing_ok=True)
        _sync(home)


def described(home: Path) -> Installation:
    """What the description in this directory says, which need not be a home. Raises :class:`HomeRefused`."""
    return _decode(home)


def _read(path: Path) -> bytes:
    """A small file of the home. Raises ``OSError``, also for a pipe, which would be waited for without end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a file")
    return path.read_bytes()


def _decode(home: Path) -> Installation:
    try:
        raw: dict[str, Any] = orjson.loads(_read(home / _INSTALLATION))
        if raw["format"] != 1:
            raise HomeRefused(
                "The home's description is of another release.",
                next_step="Open it with the release that wrote it, or a newer one.",
            )
        return Installation(
            installation_id=str(raw["installation_id"]),
            backend=str(raw["backend"]),
            created_ms=int(raw["created_ms"]),
            key_provider=dict(raw["key_provider"]),
            plain_http_hosts=tuple(str(host) for host in raw.get("plain_http_hosts", ())),
            layout=str(raw["layout"]) if "layout" in raw else None,
            next_key_provider=dict(raw["next_key_provider"]) if "next_key_provider" in raw else None,
            previous_key_providers=tuple(dict(each) for each in raw.get("previous_key_providers", ())),
            retired_roots=tuple(dict(each) for each in raw.get("retired_roots", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HomeRefused("The home's description cannot be read.", next_step="Restore installation.json.") from error


def _encode(installation: Installation) -> bytes:
    said = {
        "format": 1,
        "installation_id": installation.installation_id,
        "backend": installation.backend,
        "created_ms": installation.created_ms,
        "key_provider": dict(installation.key_provider),
    }
    further = {
        "plain_http_hosts": list(installation.plain_http_hosts),
        "layout": installation.layout,
        "next_key_provider": dict(installation.next_key_provider or {}),
        "previous_key_providers": [dict(each) for each in installation.previous_key_providers],
        "retired_roots": [dict(each) for each in installation.retired_roots],
    }
    said |= {name: value for name, value in further.items() if value}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def _write(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all: temporary name, fsync, rename, fsync of the directory."""
    temporary = path.with_name(f".{path.name}.new")
    with _changing():
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        _sync(path.parent)


@contextlib.contextmanager
def _changing() -> Generator[None]:
    """Raises :class:`ControlUnavailable`, with what the system says, for a disk that takes nothing."""
    try:
        yield
    except OSError as error:
        raise ControlUnavailable(
            f"A file of the home cannot be written: {os.strerror(error.errno or 0)}.",
            next_step="Make room, or let this user write there, then run the same again.",
        ) from error


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_platform() -> None:
    if sys.platform == "win32":
        raise UnsupportedPlatform("A home needs POSIX file modes and locks.", next_step="Run on Linux or macOS.")
