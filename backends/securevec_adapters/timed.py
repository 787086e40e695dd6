"""HTTP whose requests end after a time, whatever the server and the name service do with them.

``httpx`` limits each wait, for a connection or for the next bytes: a server that sends a byte now and then, or an
answer without an end, holds its caller for ever. And it waits for a name as long as the system's resolver likes. Here
each request has a moment at which it is over, and every wait in it is cut to what is left until then.

It takes an answer of any length too, and unpacks one that is packed: a kilobyte becomes a megabyte. Here answers are
asked for as they are, and end at :data:`LARGEST`. Of an answer's head nothing reaches the vendor's client that tells it
what to do (:data:`_UNHEARD`).
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final

import httpcore
import httpx

from securevec.errors import BackendError

LARGEST: Final = 1 << 30
"""Bytes of one answer. A page of 256 records of four megabytes each is wanted by nobody, and fits."""

_UNHEARD: Final = frozenset({b"content-type", b"location", b"set-cookie"})
"""Where a client is sent on to; what it has to keep and to send from now on, which grows from answer to answer; and how
its text is to be read: all of it is JSON, and Python knows ways (``punycode``) that take hours for a megabyte."""


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

    @contextmanager
    def until(self, at: float) -> Generator[None]:
        """What this thread waits for meanwhile belongs to a request that is over at ``at``."""
        before, self.at = self.at, at
        try:
            yield
        finally:
            self.at = before


class Transport(httpx.BaseTransport):
    """``httpx`` over a pool of connections that look at the moment. Each request, with all of its answer, takes at most
    ``timeout_s`` seconds, whoever reads the answer and when. ``verify`` is how the server has to show who it is;
    ``None`` for plain HTTP.

    What is late raises one of ``httpcore``'s ``ConnectTimeout``, ``ReadTimeout``, ``WriteTimeout``, ``PoolTimeout``;
    an answer that is packed or too long raises :class:`BackendError`.
    """

    def __init__(self, *, timeout_s: float, limits: httpx.Limits, verify: ssl.SSLContext | None) -> None:
        self._moment, self._timeout_s = Moment(), timeout_s
        # httpx's own transport makes its pool without asking.
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=Network(self._moment),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, over = request.url, time.monotonic() + self._timeout_s
        with self._moment.until(over):
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=_plainly(request.headers.raw),
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        if any(name.lower() == b"content-encoding" and value.lower() != b"identity" for name, value in answer.headers):
            answer.close()
            raise BackendError(
                "The server packed its answer, and was asked not to.",
                next_step="Switch compression off in the server, or in the proxy before it.",
            )
        return httpx.Response(
            answer.status,
            headers=[(name, value) for name, value in answer.headers if name.lower() not in _UNHEARD],
            stream=_Body(answer, self._moment, over),
            extensions=dict(answer.extensions),
        )

    def close(self) -> None:
        self._pool.close()


def _plainly(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a request for an answer that is not packed."""
    return [
        *((name, value) for name, value in headers if name.lower() != b"accept-encoding"),
        (b"Accept-Encoding", b"identity"),
    ]


class _Body(httpx.SyncByteStream):
    """What comes after the head of an answer, until its request is over or it is too long."""

    def __init__(self, answer: httpcore.Response, moment: Moment, over: float) -> None:
        self._answer, self._moment, self._over = answer, moment, over

    def __iter__(self) -> Iterator[bytes]:
        parts, left = self._answer.iter_stream(), LARGEST
        while True:
            with self._moment.until(self._over):
                part = next(parts, None)
            if part is None:
                return
            left -= len(part)
            if left < 0:
                raise BackendError("The server's answer is too long.", next_step="Is it the right server?")
            yield part

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
        """To the first address of ``host`` that takes a connection. The standard kind gives each of them all the time
        there is. TLS, if there is any, asks for ``host`` and not for the address."""
        addresses = _LOOKUPS.addresses(host, port, self._moment.left(timeout, httpcore.ConnectTimeout))
        for number, address in enumerate(addresses, 1):
            left = self._moment.left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _Stream(stream, self._moment)
        raise httpcore.ConnectError("the name has no address")


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, moment: Moment) -> None:
        self._stream, self._moment = stream, moment

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._moment.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """By the socket itself: the standard kind waits anew for each part that the other side takes."""
        link = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        while rest:
            link.settimeout(self._moment.left(timeout, httpcore.WriteTimeout))
            try:
                rest = rest[link.send(rest) :]
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


class _Lookup:
    """One question to the system's resolver, asked on a thread of its own: the call takes no limit of time."""

    def __init__(self, host: str, port: int) -> None:
        self._asked = (host, port)
        self._done = threading.Event()
        self._found: list[str] = []
        self._failed: OSError | None = None
        threading.Thread(target=self._ask, daemon=True, name="securevec-resolve").start()

    def _ask(self) -> None:
        try:
            found = socket.getaddrinfo(*self._asked, type=socket.SOCK_STREAM)
            self._found = list(dict.fromkeys(str(each[4][0]) for each in found))
        except OSError as error:
            self._failed = error
        except UnicodeError as error:  # a label that is too long, or none
            self._failed = OSError(str(error))
        finally:
            self._done.set()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float | None) -> list[str]:
        if not self._done.wait(seconds):
            raise httpcore.ConnectTimeout("the name was not looked up in time")
        if self._failed is not None:
            raise httpcore.ConnectError(str(self._failed)) from self._failed
        return self._found


class _Lookups:
    """Questions that are being asked. One for each name at a time: while the resolver hangs, callers wait for the
    question that was asked, and no thread is made for each of them."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._asked: dict[tuple[str, int], _Lookup] = {}
        # A forked child has none of the threads, and would wait for them for ever.
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._mutex, self._asked = threading.Lock(), {}

    def addresses(self, host: str, port: int, seconds: float | None) -> list[str]:
        """The addresses of a name, in the order in which they are to be tried. Nothing is remembered: the next
        connection asks anew. Raises ``ConnectTimeout`` and ``ConnectError``."""
        if _is_address(host):
            return [host]
        with self._mutex:
            asked = self._asked.get((host, port))
            if asked is None or asked.done:
                asked = self._asked[host, port] = _Lookup(host, port)
        return asked.wait(seconds)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


_LOOKUPS: Final = _Lookups()
