"""Server-sent events over ASGI: bounded in number, in memory and in patience."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.problems import Code, unavailable
from api.streaming.streams import Streams
from scheduler.core.model.identifiers import TenantName

LONGEST_SEND_S = 30.0
"""A client that takes nothing for this long is dropped."""
RETRY_MS = 2000
"""When a client that lost its stream should come back."""


class EventStream(Response):
    """A response that sends what its source yields, each chunk once the one before was taken.

    The source is closed when it ends, when the client goes, or when the client takes nothing for too long: what a slow
    client has not taken stays in the database, not in memory.
    """

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[bytes], streams: Streams, tenant: TenantName | None) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._source = source
        self._streams = streams
        self._tenant = tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the source ends or the client goes; a problem where too many streams are open."""
        async with aclosing(self._source):
            with self._streams.enter(self._tenant) as has_room:
                if not has_room:
                    problem = unavailable(Code.TOO_MANY_STREAMS, "You, or all together, have as many as can be served.")
                    await problem.respond(scope["state"]["request_id"])(scope, receive, send)
                    return
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                    await self._stream(send)
                    tasks.cancel_scope.cancel()

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            await _send_chunk(send, f"retry: {RETRY_MS}\n\n".encode())
            async for chunk in self._source:
                await _send_chunk(send, chunk)
        except TimeoutError:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_chunk(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(LONGEST_SEND_S):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
