"""The root key in a file outside the home (docs/formats.md section 1.2).

    securevec-root-key 1
    id <hex16>
    key <base64 of 32 bytes>

Kept apart from what it opens, so that a copy or a backup of the home is worth nothing without it. Therefore a key file
that lies under the home by any name (path, symbolic link, hard link) is refused, and so is one that others may read.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import re
import shlex
import stat
from collections.abc import Generator
from pathlib import Path
from typing import ClassVar, Final

from securevec.crypto.root import root_key_id
from securevec.crypto.secret import Secret
from securevec.errors import HomeRefused, KeyRejected, KeyUnavailable, UsageError
from securevec.keyproviders.provider import REMOVED, Params, require_kind, text_of

_CONTENT: Final = re.compile(r"securevec-root-key 1\nid [0-9a-f]{16}\nkey ([A-Za-z0-9+/]{43}=)\n\Z")
_FOREIGN: Final = re.compile(r"securevec-root-key (?!1\n)")
_MAX_BYTES: Final = 4096


class FileRoot:
    """A root key read from, or written to, a key file."""

    __slots__ = ("_secret", "key_id")

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self.key_id: Final = root_key_id(secret)

    @classmethod
    def create(cls, path: Path, home: Path) -> FileRoot:
        """Write a new key file; it appears whole or not at all, 0600, and an existing file is never overwritten.

        Raises :class:`HomeRefused` for a path under the home or a file that exists, :class:`KeyUnavailable` when it
        cannot be written.
        """
        _refuse_under_home(path, home)
        root = cls(Secret.random())
        _write_new(path, root._content().encode("ascii"))
        return root

    @classmethod
    def load(cls, path: Path, home: Path) -> FileRoot:
        """Read a key file.

        Raises :class:`HomeRefused` when the file is not safe (under the home, readable by others, owned by somebody
        else, not a regular file, of a newer format), :class:`KeyRejected` when its content is not a whole key, and
        :class:`KeyUnavailable` when it is not there or cannot be read.
        """
        content = _read_private(path, home)
        if _FOREIGN.match(content):
            raise HomeRefused("The key file was written by another release.", next_step="Upgrade securevec.")
        match = _CONTENT.match(content)
        if match is None:
            raise _damaged()
        # The pattern lets nothing through but base64 of 32 bytes.
        root = cls(Secret(base64.b64decode(match[1], validate=True)))
        if not hmac.compare_digest(root._content(), content):
            raise _damaged()  # the id is another key's, or the key is spelled in a second way
        return root

    def secret(self) -> Secret:
        return self._secret

    def _content(self) -> str:
        encoded = base64.b64encode(self._secret.bytes()).decode("ascii")
        return f"securevec-root-key 1\nid {self.key_id}\nkey {encoded}\n"

    def __repr__(self) -> str:
        return "FileRoot(<hidden>)"


class FileProvider:
    """Root keys in files: the present one at ``path``, others beside it as ``<name>.<key id>``."""

    kind: ClassVar[str] = "file"
    remote: ClassVar[bool] = False

    def __init__(self, path: Path | None, home: Path) -> None:
        """``path`` defaults to :func:`default_key_path` of the installation."""
        self._path = path
        self._home = home

    def create(self, installation_id: str, *, successor: bool = False) -> tuple[FileRoot, dict[str, object]]:
        path = self._of(installation_id)
        if not successor:
            # A key file that is there is used: it may have been put in place beforehand.
            there = os.path.exists(path)  # of a name that is too long pathlib raises; it is refused where it is made
            root = FileRoot.load(path, self._home) if there else FileRoot.create(path, self._home)
        else:
            root = FileRoot(Secret.random())
            _refuse_under_home(path, self._home)
            _write_new(_beside(path, root.key_id), root._content().encode("ascii"))
        return root, {"kind": "file", "key_id": root.key_id}

    def load(self, params: Params, installation_id: str) -> FileRoot:
        require_kind(params, self.kind)
        path, key_id = self._of(installation_id), text_of(params, "key_id")
        refused: Exception | None = None
        for _ in range(2):  # a rotation in another process may rename between the two looks
            refused = None
            for name in (path, _beside(path, key_id)):
                try:
                    root = FileRoot.load(name, self._home)
                except KeyUnavailable as error:
                    refused = refused or error
                    continue
                if root.key_id == key_id:
                    return root
                refused = KeyRejected(
                    "This key file belongs to another installation.",
                    next_step="Point SECUREVEC_KEY_FILE at the right one.",
                )
        raise refused or _damaged()

    def promote(self, params: Params, installation_id: str) -> None:
        path, key_id = self._of(installation_id), text_of(params, "key_id")
        successor = _beside(path, key_id)
        if not successor.exists():
            return
        with _moving():
            if path.exists():
                os.replace(path, _beside(path, FileRoot.load(path, self._home).key_id))
            os.replace(successor, path)
            _sync_directory(path.parent)

    def retire(self, params: Params, installation_id: str) -> str:
        path = _beside(self._of(installation_id), text_of(params, "key_id"))
        with _moving(), contextlib.suppress(FileNotFoundError):
            path.unlink()
            _sync_directory(path.parent)
        return REMOVED

    def _of(self, installation_id: str) -> Path:
        return self._path or default_key_path(installation_id)

    def __repr__(self) -> str:
        return "FileProvider(<hidden>)"


def _beside(path: Path, key_id: str) -> Path:
    if re.fullmatch("[0-9a-f]{16}", key_id) is None:
        raise HomeRefused("The key provider's parameters are damaged.", next_step="Restore installation.json.")
    return path.parent / f"{path.name}.{key_id}"  # `with_name` raises for ".", which somebody may have typed


def default_key_path(installation_id: str) -> Path:
    """``$XDG_CONFIG_HOME/securevec/keys/<installation id>.key``; a relative XDG_CONFIG_HOME is ignored, as the XDG
    base directory specification demands. Raises :class:`UsageError` for what is not an installation id."""
    if re.fullmatch(r"[0-9a-f]{32}", installation_id) is None:
        raise UsageError("An installation id is 32 lower-case hexadecimal digits.")
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return base / "securevec" / "keys" / f"{installation_id}.key"


def _refuse_under_home(path: Path, home: Path) -> None:
    try:
        inside = path.resolve().is_relative_to(home.resolve())
    except (OSError, RuntimeError) as error:
        raise KeyUnavailable("The key file's path cannot be followed.", next_step="Check its links.") from error
    if inside:
        raise HomeRefused(
            "The key file lies under the home, where every copy of the home would carry it.",
            next_step="Keep it outside, for example under ~/.config/securevec/keys.",
        )


def _write_new(path: Path, content: bytes) -> None:
    folder = path.parent
    draft = folder / f".{path.name}.{os.urandom(8).hex()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(draft, path)  # unlike a rename, this never replaces a key that is there
        finally:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
        _sync_directory(folder)
    except FileExistsError as error:
        raise HomeRefused("There is a key file already.", next_step="Use it, or name another path.") from error
    except OSError as error:
        raise KeyUnavailable("The key file cannot be written.", next_step="Check its directory.") from error


@contextlib.contextmanager
def _moving() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise KeyUnavailable(
            "A key file cannot be moved or removed.", next_step="Check its directory, then run the same again."
        ) from error


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_private(path: Path, home: Path) -> str:
    _refuse_under_home(path, home)
    try:
        # Non-blocking, so that a pipe in its place is refused instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise KeyUnavailable(
            "The key file is not there.",
            next_step=f"Restore {shlex.quote(str(path))}, or name it (--key-file); nothing opens without it.",
        ) from error
    except OSError as error:
        raise KeyUnavailable("The key file cannot be read.", next_step="Check its owner.") from error
    try:
        _refuse_unsafe(os.fstat(descriptor), path)
        _refuse_under_home(path, home)  # again: the link may have been turned while the file was opened
        content = os.read(descriptor, _MAX_BYTES)
    except OSError as error:
        raise KeyUnavailable("The key file cannot be read.", next_step="Check its disk.") from error
    finally:
        os.close(descriptor)
    # Asked first: the codec's error would carry the content, as the cause or as the context.
    if not content.isascii():
        raise _damaged()
    return content.decode("ascii")


def _refuse_unsafe(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise HomeRefused("The key file is not a regular file.")
    if status.st_uid != os.geteuid():
        raise HomeRefused("The key file belongs to another user.", next_step=f"Own it: chown {shlex.quote(str(path))}.")
    if status.st_mode & 0o077:
        raise HomeRefused("The key file can be read by others.", next_step=f"Run: chmod 600 {shlex.quote(str(path))}")
    if status.st_nlink != 1:
        raise HomeRefused(
            "The key file has a second name (a hard link), which may lie under the home.",
            next_step="Remove the other name.",
        )


def _damaged() -> KeyRejected:
    return KeyRejected("The key file is cut or was altered.", next_step="Restore it from a copy.")
