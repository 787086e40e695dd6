"""The HTTP session to a server: a request ends after a time, whatever the server does with it."""

from __future__ import annotations

import ssl

import httpx

from securevec_adapters.timed import Transport


class Session(httpx.Client):
    """A client whose requests, with all of their answers, take at most ``timeout_s`` seconds each
    (:class:`securevec_adapters.timed.Transport`). Proxies that the environment names are not used."""

    def __init__(
        self, *, timeout_s: float, headers: dict[str, str], limits: httpx.Limits, verify: ssl.SSLContext | None
    ) -> None:
        transport = Transport(timeout_s=timeout_s, limits=limits, verify=verify)
        super().__init__(transport=transport, timeout=timeout_s, headers=headers, trust_env=False)
