"""``await AsyncSecureStore.open(...)`` and ``async with AsyncSecureStore.open(...) as store`` both work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar


class Closes(Protocol):
    async def close(self) -> None: ...


S = TypeVar("S", bound=Closes)


class Opening(Generic[S], Awaitable[S]):
    """A store that is opened when this is awaited or entered, once."""

    def __init__(self, open_store: Callable[[], Awaitable[S]]) -> None:
        self._open = open_store
        self._store: S | None = None

    def __await__(self) -> Generator[Any, None, S]:
        return self._open().__await__()

    async def __aenter__(self) -> S:
        self._store = await self._open()
        return self._store

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is not None:
            await self._store.close()
