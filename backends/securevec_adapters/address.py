"""Which server addresses are acceptable, decided before a connection is made."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from securevec.errors import ConfigError

ANY_SERVER: Final = "SECUREVEC_BACKEND_API_KEY"
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]{1,253}")


@dataclass(frozen=True, slots=True)
class Address:
    """A server: ``http`` or ``https``, a host without brackets, a port."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{shown}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def server_address(location: str, *, scheme: str, port: int, plain_http_hosts: Collection[str]) -> Address:
    """The server that ``scheme://`` (plain) or ``schemes://`` (TLS), or ``http[s]://``, names; ``port`` is the default.

    Plain HTTP sends every vector and every credential readable: :class:`ConfigError` unless the host is this machine or
    is named in ``plain_http_hosts``. Credentials in an address end up in logs and process lists, so an address holds
    none.
    """
    if isinstance(plain_http_hosts, str) or not all(_HOST.fullmatch(each) for each in plain_http_hosts):
        raise ConfigError(
            "A host allowed without TLS is a name or an address.", next_step='For example plain_http_hosts=["db"].'
        )
    try:
        parts = urlsplit(location)
        host, given = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("The address of the vector store cannot be read.") from error
    protocol = {scheme: "http", f"{scheme}s": "https", "http": "http", "https": "https"}.get(parts.scheme)
    if protocol is None or not host:
        raise ConfigError("The vector store needs an address.", next_step=f"Write {scheme}s://host:{port}.")
    if "@" in parts.netloc or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ConfigError("The address of the vector store is a host and a port, nothing more.")
    address = Address(protocol, host, given or port)
    if protocol == "http" and not address.is_local and host not in {each.lower() for each in plain_http_hosts}:
        raise ConfigError(
            "Plain HTTP to another machine is refused: everything sent would be readable on the way.",
            next_step=f"Use {scheme}s://, or allow the host by its name: plain_http_hosts.",
        )
    return address


def credential(variable: str) -> str | None:
    """The key of a server from the environment: from its own variable, else the one for any server."""
    return os.environ.get(variable) or os.environ.get(ANY_SERVER) or None
