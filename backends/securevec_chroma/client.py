"""Making and ending the vendor's engine, and what a collection of ours looks like. No vendor object leaves the package.

The engine is used below ``chromadb.Client``, at its ``ServerAPI``, because the client above it

* keeps every persistent engine in a cache of the whole process, by path, and closes it when the last client does: here
  an engine ends when its owner ends it, whatever else the process does with Chroma;
* makes an embedding function where none was asked for (a write without vectors tries to download a model), and builds
  one from a stored collection's configuration, which has been a way to run code. At this level there is none.

Settings are those given here: neither the environment nor an ``.env`` file is asked.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from chromadb.api import ServerAPI
from chromadb.api.fastapi import FastAPI
from chromadb.config import Settings, System
from chromadb.errors import NotFoundError

from securevec.errors import BackendError
from securevec.types import Namespace
from securevec_adapters.address import Address
from securevec_chroma.functions import function_names
from securevec_chroma.session import Session

MARK: Final = "securevec"
_FORMAT: Final = 1
_SEALED_FORMAT: Final = 2
"""Of a collection whose sealed values lie in a file beside it (``sealed``), which it names."""
_RELEASE_S: Final = 10.0
MOST_LISTED: Final = 100_000
"""Collections that one listing may name."""
_CLIENT: Final[dict[str, Any]] = {
    "_env_file": None,  # not even opened
    "environment": "",
    "allow_reset": False,
    "anonymized_telemetry": False,
    "chroma_product_telemetry_impl": "chromadb.telemetry.product.posthog.Posthog",
    "chroma_otel_collection_endpoint": "",
    "chroma_otel_granularity": None,
    "chroma_otel_collection_headers": {},
    "chroma_client_auth_provider": None,
    "chroma_client_auth_credentials": None,
    "chroma_server_headers": None,
    "chroma_server_ssl_verify": None,
    "chroma_server_nofile": None,
}


class _Given(Settings):
    """The vendor's settings from nothing but what is passed: what the environment says is not even looked at."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: Any, init_settings: Any, *_elsewhere: Any, **_named: Any
    ) -> tuple[Any, ...]:
        return (init_settings,)


_API: Final[Any] = ServerAPI  # the vendor asks for the abstract class and gives the concrete one


class Client:
    """One running engine or connection. ``api`` is the vendor's; :meth:`close` ends it for good."""

    def __init__(
        self, system: System, api: ServerAPI, *, session: Session | None = None, files: Path | None = None
    ) -> None:
        self._system = system
        self._session = session
        self._files = files
        self.api = api
        self._open = True

    def close(self) -> None:
        """Stop the engine and wait until it has given its files back, or close the connection. Idempotent."""
        if self._open:
            self._open = False
            self._system.stop()
            if self._session is not None:  # the vendor leaves it open
                self._session.close()
            if self._files is not None:
                _wait_for_release(self._files)


@dataclass(frozen=True, slots=True)
class Found:
    """A collection of ours: its id in the engine and its vectors' dimension."""

    id: UUID
    dimension: int


def open_files(directory: Path) -> Client:
    """An engine of its own on the Chroma files in ``directory``, made if absent."""
    settings = _Given(
        **_CLIENT,
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
        is_persistent=True,
        persist_directory=str(directory),
        migrations="apply",
        migrations_hash_algorithm="md5",
    )
    system = System(settings)
    api: ServerAPI = system.instance(_API)
    system.start()
    return Client(system, api, files=directory)


def connect(address: Address, *, token: str | None, timeout_s: float) -> Client:
    """A connection to a server; each request on it takes at most ``timeout_s`` seconds. Nothing is sent yet."""
    tls = address.scheme == "https"
    settings = _Given(
        **_CLIENT,
        chroma_api_impl="chromadb.api.fastapi.FastAPI",
        chroma_server_host=address.host,
        chroma_server_http_port=address.port,
        chroma_server_ssl_enabled=tls,
    )
    system = System(settings)
    api: FastAPI = system.instance(_API)
    # The vendor takes a host whose name begins with "http" for a whole address and forgets the port, so that the token
    # would go to another service; and it forgets the brackets of an IPv6 address.
    api._api_url = f"{address.url}/api/v2"
    # The vendor's own session waits for ever and goes through whatever proxy the environment names.
    vendor = api._session
    headers = {**vendor.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
    verify = ssl.create_default_context() if tls else None
    session = Session(timeout_s=timeout_s, headers=headers, limits=api.http_limits, verify=verify)
    api._session = session
    vendor.close()
    system.start()
    return Client(system, api, session=session)


def create(api: ServerAPI, namespace: Namespace, dimension: int, *, sealed: str | None = None) -> None:
    """Make the namespace's collection, named by its shard, without an embedding function. ``sealed``: the name of the
    file that keeps its sealed values, where they are not kept in its metadata."""
    api.create_collection(
        namespace.shard,
        configuration={"hnsw": {"space": "cosine"}},
        metadata={
            **({MARK: _FORMAT} if sealed is None else {MARK: _SEALED_FORMAT, "sealed": sealed}),
            "dimension": dimension,
            "tenant": namespace.tenant_tag,
            "collection": namespace.collection_tag,
        },
    )


def find(api: ServerAPI, namespace: Namespace, *, sealed: str | None = None) -> Found | None:
    """The namespace's collection, if there is one. ``sealed``: the name of the file of sealed values that lies beside
    it, where one does.

    Raises :class:`BackendError` for one that another program made, that belongs to another place, that keeps its sealed
    values in another file or in none, that does not compare by cosine, or whose stored configuration names an embedding
    function.
    """
    try:
        held = api.get_collection(namespace.shard)
    except NotFoundError:
        return None
    marks = held.metadata or {}
    dimension = marks.get("dimension")
    if marks.get(MARK) not in (_FORMAT, _SEALED_FORMAT) or type(dimension) is not int or dimension < 1:
        raise BackendError("A collection of this name was made by another program, or by another release.")
    if (marks.get("tenant"), marks.get("collection")) != (namespace.tenant_tag, namespace.collection_tag):
        raise BackendError("A collection of this name belongs to another place.")
    if held.dimension not in (None, dimension):
        raise BackendError("A collection holds vectors of another dimension than it was made for.")
    if function_names(held.configuration_json, held.serialized_schema):
        raise BackendError("A stored collection names an embedding function, which could run code. It is not used.")
    if not isinstance(hnsw := held.configuration_json.get("hnsw"), dict) or hnsw.get("space") != "cosine":
        raise BackendError("A stored collection does not compare by cosine.")
    # Without its file a collection would pass for one of the first format, or beside another's for one without bodies.
    if (marks[MARK], marks.get("sealed")) != ((_FORMAT, None) if sealed is None else (_SEALED_FORMAT, sealed)):
        raise BackendError(
            "The file of a collection's sealed values is missing, or is not the one it was made with.",
            next_step="Put the engine's files back together from one backup: the two files of a shard belong together.",
        )
    return Found(held.id, dimension)


def ours(api: ServerAPI) -> Iterator[str]:
    """Names of the collections that carry our mark, sorted by the engine or not. Raises :class:`BackendError` for a
    list that does not end."""
    seen, page = 0, 500
    while True:
        held = api.list_collections(limit=page, offset=seen)
        if seen > MOST_LISTED:
            raise BackendError("The store holds more collections than can be listed.")
        yield from (each.name for each in held if (each.metadata or {}).get(MARK) == _FORMAT)
        seen += len(held)
        if len(held) < page:
            return


def _wait_for_release(directory: Path) -> None:
    """The engine's database threads close their files some milliseconds after it was stopped (measured in one close of
    four). Until then removing a file does not free its bytes, and giving the lock back would be early."""
    deadline = time.monotonic() + _RELEASE_S
    while _open_here(directory):
        if time.monotonic() > deadline:
            raise BackendError("The engine did not give its files back.")
        time.sleep(0.001)


def _open_here(directory: Path) -> bool:
    """Whether this process has a file below ``directory`` open."""
    below: set[tuple[int, int]] = set()
    for path in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # SQLite's journals go while their file is closed
            held = path.stat()
            below |= {(held.st_dev, held.st_ino)} if stat.S_ISREG(held.st_mode) else set()
    for descriptor in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile
            held = os.fstat(int(descriptor))
            if (held.st_dev, held.st_ino) in below:
                return True
    return False
