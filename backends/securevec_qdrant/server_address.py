"""Which server addresses are acceptable, decided before a connection is made."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from securevec.errors import ConfigError

_PORT: Final = 6333
_SCHEMES: Final = {"qdrant": "http", "qdrants": "https", "http": "http", "https": "https"}


def server_url(location: str, *, api_key: str | None, plain_http_hosts: Collection[str]) -> str:
    """``http(s)://host:port`` for ``qdrant[s]://`` or ``http[s]://``.

    Plain HTTP sends every vector and the API key readable: :class:`ConfigError` unless the host is this machine or is
    named in ``plain_http_hosts``. A server that is not on this machine needs an API key. Credentials in an address
    end up in logs and process lists, so an address holds none.
    """
    try:
        parts = urlsplit(location)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("The address of the vector store cannot be read.") from error
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not host:
        raise ConfigError("The vector store needs an address.", next_step="Write qdrants://host:6333.")
    if "@" in parts.netloc or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ConfigError("The address of the vector store is a host and a port, nothing more.")
    if not _loopback(host):
        if scheme == "http" and host not in plain_http_hosts:
            raise ConfigError("Plain HTTP to another machine is refused.", next_step="Use qdrants://.")
        if not api_key:
            raise ConfigError("A vector store on another machine needs an API key.")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port or _PORT}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
