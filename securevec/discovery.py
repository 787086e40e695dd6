"""Finding a vector store by name: ``edge``, ``memory``, ``qdrants://host:6333``, or what another distribution
registers.

Adapters register a class in the entry point group ``securevec.backends``. The name is the scheme of the address; a
trailing ``s`` asks for TLS and belongs to the same adapter. The class is called as ``from_location(location,
root=..., plain_http_hosts=...)`` with the whole address (empty for a plain name), a directory under the home that is
its own, and the hosts that may be reached without TLS besides this machine. A class that takes more says so: its
``OPTIONS`` names which of ``layout``, ``grpc_port``, ``open_shards`` and ``server_timeout`` it also takes.

Readers of stores that are not ours register in ``securevec.sources``, under the schemes they read:
``chroma:DIRECTORY``, ``qdrants://host:6333``, ``https://host:6333``.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final, Protocol, cast

from securevec.backend import VectorBackend
from securevec.errors import ConfigError, MissingExtra
from securevec.foreign import ForeignClass, ForeignStore

GROUP: Final = "securevec.backends"
SOURCES: Final = "securevec.sources"
_MEANT_FOR: Final = {
    "layout": "qdrant:// and qdrants://",
    "grpc_port": "qdrant:// and qdrants://",
    "server_timeout": "chroma:// and qdrant://, the stores on a server",
    "open_shards": "edge, and chroma without a server",
}
_EXTRAS: Final = {"qdrant_edge": "edge", "qdrant_client": "qdrant", "chromadb": "chroma"}


@dataclass(frozen=True, slots=True)
class Choices:
    """What some kinds of store leave to the caller; ``None`` takes the kind's own default."""

    layout: str | None = None
    grpc_port: int | None = None
    open_shards: int | None = None
    server_timeout: int | None = None


NO_CHOICES: Final = Choices()


class BackendClass(Protocol):
    """What an entry point names."""

    def from_location(
        self, location: str, *, root: Path, plain_http_hosts: Collection[str] = (), **options: Any
    ) -> VectorBackend: ...


def known_backends(found: Iterable[EntryPoint] | None = None) -> list[str]:
    """Names that are registered here, sorted. Nothing is imported."""
    return sorted({entry.name for entry in _entries(found)})


def open_backend(
    location: str,
    *,
    home: Path,
    plain_http_hosts: Collection[str] = (),
    choices: Choices = NO_CHOICES,
    found: Iterable[EntryPoint] | None = None,
) -> VectorBackend:
    """The store that ``location`` names, its files (if any) under ``home/engine/<name>``.

    ``found`` replaces the installed entry points, for tests. Raises :class:`ConfigError` for an unknown name, for one
    that two distributions claim (which of them runs would be an accident of installation order) and for one that is
    not a backend; :class:`MissingExtra` when the vendor's package is absent; and what the adapter raises when it
    opens.
    """
    entry = _entry(location, found)
    kind = cast("BackendClass", _load(entry, "from_location"))
    return kind.from_location(
        location if "://" in location else "",
        root=home / "engine" / entry.name,
        plain_http_hosts=plain_http_hosts,
        **_options(kind, choices),
    )


def check_backend(
    location: str,
    *,
    home: Path,
    plain_http_hosts: Collection[str] = (),
    choices: Choices = NO_CHOICES,
) -> None:
    """Raise what :func:`open_backend` would, without touching files or sending anything: before a home is made for it.

    Adapters of servers connect at the first call, so making one is no more than reading its address.
    """
    if "://" in location:
        open_backend(location, home=home, plain_http_hosts=plain_http_hosts, choices=choices).close()
    else:
        kind = cast("BackendClass", _load(_entry(location, None), "from_location"))
        _options(kind, choices)


def _options(kind: BackendClass, choices: Choices) -> dict[str, Any]:
    """What was chosen, if this kind of store leaves the choice. Raises :class:`ConfigError`."""
    chosen = {name: value for name, value in asdict(choices).items() if value is not None}
    for name in chosen.keys() - getattr(kind, "OPTIONS", frozenset()):
        raise ConfigError(f"This vector store does not take {name}.", next_step=f"It is for {_MEANT_FOR[name]}.")
    return chosen


def open_source(location: str, *, plain_http_hosts: Collection[str] = ()) -> ForeignStore:
    """The store of another program that ``location`` names, to be read.

    Raises :class:`ConfigError` for an unknown scheme and a refused address, :class:`MissingExtra`, and what the reader
    raises when it opens.
    """
    scheme, separator, rest = location.partition(":")
    if not separator or not rest:
        known = ", ".join(sorted({entry.name for entry in _installed(SOURCES)}))
        raise ConfigError(
            "A store to read is written scheme:DIRECTORY or scheme://host:port.", next_step=f"Known here: {known}."
        )
    entry = _entry(f"{scheme}://", _installed(SOURCES))
    loaded = _load(entry, "open")
    return cast("ForeignClass", loaded).open(location, plain_http_hosts=plain_http_hosts)


def _entry(location: str, found: Iterable[EntryPoint] | None) -> EntryPoint:
    scheme, separator, _ = location.partition("://")
    entries = _entries(found)
    claims = [entry for entry in entries if entry.name == scheme]
    if not claims and separator and scheme.endswith("s"):
        claims = [entry for entry in entries if entry.name == scheme.removesuffix("s")]
    if not claims:
        names = ", ".join(known_backends(entries)) or "none"
        raise ConfigError("There is no vector store of this name.", next_step=f"Known here: {names}.")
    if len(claims) > 1:
        raise ConfigError(
            "Two installed packages claim the same vector store name.", next_step="Uninstall one of them."
        )
    return claims[0]


def _entries(found: Iterable[EntryPoint] | None) -> list[EntryPoint]:
    return list(_installed(GROUP)) if found is None else _distinct(found)


def _installed(group: str) -> tuple[EntryPoint, ...]:
    return _installed_on((*sys.path,), group)


@lru_cache(maxsize=8)
def _installed_on(_path: tuple[str, ...], group: str) -> tuple[EntryPoint, ...]:
    """Once for a path: each opening of a home would read what all installed distributions register, twice.

    A package installed while the process runs is seen by the next process.
    """
    return tuple(_distinct(entry_points(group=group)))


def _distinct(listed: Iterable[EntryPoint]) -> list[EntryPoint]:
    # One distribution met twice on the path (an editable install) registers the same object twice: that is one claim.
    return list({(entry.name, entry.value, _distribution(entry)): entry for entry in listed}.values())


def _distribution(entry: EntryPoint) -> str:
    return "" if entry.dist is None else entry.dist.name


def _load(entry: EntryPoint, maker: str) -> object:
    """What an entry point names, when it has the method that opens a store."""
    try:
        loaded: object = entry.load()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = _EXTRAS.get(package)
        if extra is None:
            raise ConfigError("A registered vector store cannot be imported.") from error
        raise MissingExtra(f"The package {package}", extra=extra) from error
    except (ImportError, AttributeError) as error:
        raise ConfigError("A registered vector store cannot be imported.") from error
    if not callable(getattr(loaded, maker, None)):
        raise ConfigError("What is registered under this name is not a vector store.")
    return loaded
