"""Making a connection to a server, and what its failures mean. No vendor object leaves the package.

Nothing about the connection comes from the environment but the certificates to trust (``SSL_CERT_FILE``): a proxy named
there would be handed every vector and the key.
"""

from __future__ import annotations

import os
import re
import ssl
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from qdrant_client import QdrantClient

from securevec.errors import BackendError, ConfigError, CredentialRejected
from securevec_adapters.address import Address
from securevec_adapters.errors import mapped
from securevec_adapters.timed import LARGEST, Transport

API_KEY_VARIABLE: Final = "SECUREVEC_QDRANT_API_KEY"
_HERE: Final = httpx.Limits(max_keepalive_connections=0)
_ELSEWHERE: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)
"""As the vendor's client has them when it is left to itself."""
_DENIED: Final = frozenset({401, 403, "UNAUTHENTICATED", "PERMISSION_DENIED"})


def connect(address: Address, *, api_key: str | None, grpc_port: int | None, timeout_s: int) -> QdrantClient:
    """A client for the server; nothing is sent yet. With ``grpc_port`` all goes by gRPC to that port of the host,
    under the same TLS and key. Raises :class:`ConfigError` for a key that is no header value or a port that is none."""
    if api_key is not None and not re.fullmatch(r"[!-~]+", api_key):
        raise ConfigError("An API key is printable ASCII without spaces.", next_step=f"Check {API_KEY_VARIABLE}.")
    if grpc_port is not None and not 1 <= grpc_port <= 65535:
        raise ConfigError("A gRPC port is a number from 1 to 65535.", next_step="Qdrant's is 6334.")
    tls = address.scheme == "https"
    trusted = os.environ.get("SSL_CERT_FILE")
    # The vendor's client takes a message of any length.
    options: dict[str, Any] = {"grpc.enable_http_proxy": 0, "grpc.max_receive_message_length": LARGEST}
    with mapped("connecting"), warnings.catch_warnings():
        if tls and trusted:
            options["root_certificates"] = Path(trusted).read_bytes()
        # The address was decided on before: a key over plain HTTP goes only where it was allowed by name.
        warnings.simplefilter("ignore", UserWarning)
        return QdrantClient(
            url=address.url,
            api_key=api_key,
            timeout=timeout_s,
            prefer_grpc=grpc_port is not None,
            grpc_port=grpc_port or 6334,
            grpc_options=options,
            check_compatibility=False,
            trust_env=False,
            transport=Transport(
                timeout_s=timeout_s,
                limits=_HERE if address.is_local else _ELSEWHERE,
                verify=ssl.create_default_context() if tls else None,
            ),
        )


@contextmanager
def calling(doing: str) -> Generator[None]:
    """As :func:`mapped`, and :class:`CredentialRejected` where the server says that the key will not do."""
    try:
        with mapped(doing):
            yield
    except BackendError as error:
        if _code(error.__cause__) in _DENIED:
            raise CredentialRejected(
                "The vector store does not accept the API key, or needs one.",
                next_step=f"Set {API_KEY_VARIABLE} to a key that may read and write the collections.",
            ) from error.__cause__
        raise


def _code(cause: BaseException | None) -> object:
    """The HTTP status or the name of the gRPC code of a vendor's failure."""
    status = getattr(cause, "status_code", None)
    if status is not None:
        return status
    code = getattr(cause, "code", None)
    return getattr(code(), "name", None) if callable(code) else None
