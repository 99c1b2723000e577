"""The client of Medley's REST API for asyncio: what `medley.client.Client` has, awaited.

>>> async with AsyncClient("http://127.0.0.1:8080", token) as client:
...     job = await client.submit({"name": "first", "chips": "h100-sxm", "workers": 2})
...     async for event in client.events(job["id"]):
...         print(event.data["text"])
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from medley.answers import Json
from medley.client import Client

if TYPE_CHECKING:
    from medley.transport import ServerEvent

MOST_AT_ONCE = 32
"""So many calls and open streams of one client run at the same time; more wait."""

_T = TypeVar("_T")


class AsyncClient:
    """Speaks to one server as the holder of one token, and never holds up the event loop.

    Each call runs the synchronous client in a thread: it is repeated, and a stream taken up again, by the same rules,
    and raises the same errors. Who is cancelled while it waits leaves the request to end by itself. For one event loop.
    """

    def __init__(self, address: str, token: str | None, *, patience_s: float = 3.0) -> None:
        self._client = Client(address, token, patience_s=patience_s)
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="medley-client")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; what still runs on them fails."""
        self._client.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def call(self, work: Callable[[Client], _T]) -> _T:
        """Return what `work` does with the synchronous client: `await client.call(lambda client: client.pools())`."""
        return await self._run(partial(work, self._client))

    async def submit(self, job: Mapping[str, Any], *, key: str | None = None, wait_placed_s: int = 0) -> Json:
        """Submit a job and return it once it is durable; see `Client.submit`. One key, however often it is repeated."""
        once = key or uuid.uuid4().hex
        return await self.call(lambda client: client.submit(job, key=once, wait_placed_s=wait_placed_s))

    async def dry_run(self, job: Mapping[str, Any]) -> Json:
        """Return what would become of a job if it were submitted now."""
        return await self.call(lambda client: client.dry_run(job))

    async def job(self, job: str) -> Json:
        """Return one job by its id."""
        return await self.call(lambda client: client.job(job))

    async def cancel(self, job: str) -> Json:
        """Ask for a job's end; asking again changes nothing."""
        return await self.call(lambda client: client.cancel(job))

    async def why(self, job: str) -> Json:
        """Return why a job is where it is."""
        return await self.call(lambda client: client.why(job))

    async def logs(self, job: str, **query: Any) -> Json:
        """Return what workers printed; see `Client.logs`."""
        return await self.call(lambda client: client.logs(job, **query))

    def jobs(self, **filters: Any) -> AsyncIterator[Json]:
        """Yield jobs newest first, page by page; see `Client.jobs`."""
        return self.each(lambda client: client.jobs(**filters))

    def events(self, job: str | None = None, *, after: int | None = None) -> "AsyncIterator[ServerEvent]":
        """Yield events after a number as they come; see `Client.events`."""
        return self.each(lambda client: client.events(job, after=after))

    async def each(self, work: Callable[[Client], Iterator[_T]]) -> AsyncIterator[_T]:
        """Yield what `work` yields: `async for node in client.each(lambda client: client.nodes())`."""
        items = work(self._client)
        while page := await self._run(lambda: list(islice(items, 1))):
            yield page[0]

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
