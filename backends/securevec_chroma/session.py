"""The HTTP session to a server: a request ends after a time, whatever the server does with it.

``httpx`` limits each wait, for a connection or for the next bytes: a server that sends a byte now and then, or an
answer without an end, holds its caller for ever. Here each request has a moment at which it is over, and every wait in
it is cut to what is left until then.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx


class Moment(threading.local):
    """When this thread's request is over, on the monotonic clock; ``None`` outside of one."""

    at: float | None = None

    def left(self, wanted: float | None, late: type[httpcore.TimeoutException]) -> float | None:
        """Seconds that one more wait may take. Raises ``late`` when there are none."""
        if self.at is None:
            return wanted
        left = self.at - time.monotonic()
        if left <= 0:
            raise late("the request's time is over")
        return left if wanted is None else min(left, wanted)


class Session(httpx.Client):
    """A client whose requests, with all of their answers, take at most ``timeout_s`` seconds each. ``verify`` is how
    the server has to show who it is; ``None`` for plain HTTP. Proxies that the environment names are not used.

    What is late raises one of ``httpcore``'s ``ConnectTimeout``, ``ReadTimeout`` and ``WriteTimeout``.
    """

    def __init__(
        self, *, timeout_s: float, headers: dict[str, str], limits: httpx.Limits, verify: ssl.SSLContext | None
    ) -> None:
        self._moment, self._timeout_s = Moment(), timeout_s
        super().__init__(
            transport=_Transport(self._moment, limits, verify), timeout=timeout_s, headers=headers, trust_env=False
        )

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """As ``httpx`` does. An answer that is asked for as a stream is read whole all the same: read later, its waits
        would be cut by no moment."""
        self._moment.at = time.monotonic() + self._timeout_s
        try:
            return super().send(request, stream=False, **options)
        finally:
            self._moment.at = None


class _Transport(httpx.BaseTransport):
    """``httpx`` over a pool of connections that look at the moment. ``httpx``'s own makes its pool without asking."""

    def __init__(self, moment: Moment, limits: httpx.Limits, verify: ssl.SSLContext | None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=Network(moment),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions=dict(answer.extensions)
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """What comes after the head of an answer."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class Network(httpcore.NetworkBackend):
    """Connections of the standard kind, each wait cut to what is left of the request."""

    def __init__(self, moment: Moment) -> None:
        self._moment, self._plain = moment, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._moment.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._plain.connect_tcp(host, port, left, local_address, socket_options), self._moment)

    def sleep(self, seconds: float) -> None:
        self._plain.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, moment: Moment) -> None:
        self._stream, self._moment = stream, moment

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._moment.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """By the socket itself: the standard kind waits anew for each part that the other side takes."""
        socket = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        while rest:
            socket.settimeout(self._moment.left(timeout, httpcore.WriteTimeout))
            try:
                rest = rest[socket.send(rest) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._moment.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._moment)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
