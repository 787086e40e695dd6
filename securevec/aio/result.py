"""What an asynchronous search returns: the hits of the synchronous one, and a way back that does not block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

from securevec.aio.bridge import Bridge
from securevec.reading.hits import SEPARATOR, Hit, SearchResult
from securevec.reading.released import Released
from securevec.schema import Record

R = TypeVar("R", bound=Record)


class AsyncSearchResult(Sequence[Hit[R]], Generic[R]):
    """As :class:`securevec.SearchResult`; :meth:`restore` and :meth:`for_model`, which ask the store, are awaited."""

    def __init__(self, bridge: Bridge, sync: SearchResult[R]) -> None:
        self._bridge = bridge
        self._sync = sync

    @overload
    def __getitem__(self, index: int) -> Hit[R]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit[R]]: ...
    def __getitem__(self, index: int | slice) -> Hit[R] | Sequence[Hit[R]]:
        return self._sync[index]

    def __len__(self) -> int:
        return len(self._sync)

    def __iter__(self) -> Iterator[Hit[R]]:
        return iter(self._sync)

    def __repr__(self) -> str:
        return repr(self._sync)

    @property
    def violations(self) -> int:
        return self._sync.violations

    @property
    def complete(self) -> bool:
        return self._sync.complete

    @property
    def request_id(self) -> str:
        return self._sync.request_id

    def context(self, *, separator: str = SEPARATOR) -> str:
        """The hits' texts for a prompt, as :meth:`securevec.SearchResult.context`."""
        return self._sync.context(separator=separator)

    async def for_model(
        self,
        model: str,
        *,
        purpose: str,
        hits: Sequence[Hit[R]] | None = None,
        originals: bool = False,
        provider: str = "",
        region: str = "",
        separator: str = SEPARATOR,
    ) -> Released:
        """The hits' texts for this model, as :meth:`securevec.SearchResult.for_model`."""
        return await self._bridge.run(
            self._sync.for_model,
            model,
            purpose=purpose,
            hits=hits,
            originals=originals,
            provider=provider,
            region=region,
            separator=separator,
        )

    async def restore(self, answer: str) -> str:
        """``answer`` with its placeholders put back, as :meth:`securevec.SearchResult.restore`."""
        return await self._bridge.run(self._sync.restore, answer)
