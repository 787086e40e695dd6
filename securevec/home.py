"""The home directory: made once, checked at every open (docs/formats.md section 1).

Rules: the directory belongs to this user and nobody else may read it; ``VERSION`` names this format; the root key lies
elsewhere. Whatever does not hold is refused with the next step, never repaired silently.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

from securevec.errors import HomeRefused, UnsupportedPlatform

VERSION_TEXT: Final = "securevec-home 1\n"
_VERSION: Final = "VERSION"
_INSTALLATION: Final = "installation.json"


@dataclass(frozen=True, slots=True)
class Installation:
    """What ``installation.json`` says. No secrets."""

    installation_id: str
    backend: str
    created_ms: int
    key_provider: Mapping[str, Any]


def exists(home: Path) -> bool:
    """Whether a finished home is there. A directory with other content is refused by :func:`prepare`."""
    return (home / _VERSION).exists()


def new_installation_id() -> str:
    return uuid4().hex


def prepare(home: Path) -> None:
    """Make the directory, private and empty but for a settings file. Raises :class:`HomeRefused`."""
    _check_platform()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        strangers = [entry.name for entry in home.iterdir() if entry.name != "securevec.toml"]
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


def describe(home: Path, *, installation_id: str, backend: str, key_provider: Mapping[str, Any]) -> Installation:
    """Write the description. ``VERSION`` comes last (:func:`seal_home`): without it there is no home."""
    installation = Installation(installation_id, backend, time.time_ns() // 1_000_000, dict(key_provider))
    _write(home / _INSTALLATION, _encode(installation))
    return installation


def seal_home(home: Path) -> None:
    """Write ``VERSION``: from here on the home is complete."""
    _write(home / _VERSION, VERSION_TEXT.encode())


def load(home: Path) -> Installation:
    """Check the home and read its description. Raises :class:`HomeRefused`."""
    _check_platform()
    try:
        status = home.stat()
        version = (home / _VERSION).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise HomeRefused("This is not a securevec home.", next_step="Run: securevec init --home DIR") from error
    if not stat.S_ISDIR(status.st_mode):
        raise HomeRefused("The home is not a directory.")
    if status.st_uid != os.getuid():
        raise HomeRefused("The home belongs to another user.", next_step="Run as its owner.")
    if status.st_mode & 0o077:
        raise HomeRefused("Other users may enter the home.", next_step=f"Run: chmod 700 {_shown(home)}")
    if version != VERSION_TEXT:
        raise HomeRefused(
            "The home was written by another release, or is not one.",
            next_step="Open it with the release that wrote it, or a newer one.",
        )
    return _decode(home)


def _decode(home: Path) -> Installation:
    try:
        raw: dict[str, Any] = orjson.loads((home / _INSTALLATION).read_bytes())
        if raw["format"] != 1:
            raise HomeRefused("The home's description is of another release.")
        return Installation(
            installation_id=str(raw["installation_id"]),
            backend=str(raw["backend"]),
            created_ms=int(raw["created_ms"]),
            key_provider=dict(raw["key_provider"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HomeRefused("The home's description cannot be read.", next_step="Restore installation.json.") from error


def _encode(installation: Installation) -> bytes:
    return orjson.dumps(
        {
            "format": 1,
            "installation_id": installation.installation_id,
            "backend": installation.backend,
            "created_ms": installation.created_ms,
            "key_provider": dict(installation.key_provider),
        },
        option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2,
    )


def _write(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all: temporary name, fsync, rename, fsync of the directory."""
    temporary = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _check_platform() -> None:
    if sys.platform == "win32":
        raise UnsupportedPlatform("A home needs POSIX file modes and locks.", next_step="Run on Linux or macOS.")


def _shown(path: Path) -> str:
    return f"'{path}'"
