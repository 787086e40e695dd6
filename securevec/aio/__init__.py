"""The library for coroutines: each call of :mod:`securevec`, awaited.

    from securevec.aio import AsyncSecureStore

    async with AsyncSecureStore.open("./helpdesk") as store:
        acme = await store.tenant("acme", create=True, actor=Actor("svc:helpdesk", purpose="support"))
        tickets = await acme.collection(Ticket, retention="180d")
        await tickets.ingest(rows())  # a file, an iterable, or an asynchronous one
        hits = await tickets.search("refund never arrived", k=5)
        async for ticket in tickets.iter():
            ...

``collection.py``, ``tenant.py`` and ``store.py`` are written by ``tools/generate_async.py`` from the synchronous
classes; a test holds them equal. ``bridge.py`` says how a call runs and what its cancellation does.
"""

from securevec.aio.collection import AsyncCollection
from securevec.aio.result import AsyncSearchResult
from securevec.aio.store import AsyncSecureStore
from securevec.aio.tenant import AsyncTenant

__all__ = ["AsyncCollection", "AsyncSearchResult", "AsyncSecureStore", "AsyncTenant"]
