"""Which Qdrant addresses are acceptable, decided before a connection is made."""

from __future__ import annotations

from collections.abc import Collection

from securevec.errors import ConfigError
from securevec_adapters.address import Address, server_address
from securevec_qdrant.server_client import API_KEY_VARIABLE


def acceptable(location: str, *, api_key: str | None, plain_http_hosts: Collection[str]) -> Address:
    """The server of ``qdrant[s]://`` or ``http[s]://host:port``.

    Raises :class:`ConfigError` for plain HTTP to a machine that is neither this one nor named in ``plain_http_hosts``,
    for anything but a host and a port, and for a server on another machine without an API key.
    """
    address = server_address(location, scheme="qdrant", port=6333, plain_http_hosts=plain_http_hosts)
    if not address.is_local and not api_key:
        raise ConfigError("A vector store on another machine needs an API key.", next_step=f"Set {API_KEY_VARIABLE}.")
    return address
