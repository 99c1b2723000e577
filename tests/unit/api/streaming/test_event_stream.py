from collections.abc import AsyncGenerator

import anyio
import pytest
from starlette.types import Message

from api.streaming import event_stream
from api.streaming.event_stream import EventStream
from api.streaming.streams import Streams


class Client:
    """One end of an ASGI connection."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = anyio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


class Source:
    """Yields numbers for ever and remembers that it was closed."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.yielded = 0
        self.is_closed = False

    async def chunks(self) -> AsyncGenerator[bytes]:
        try:
            while self.yielded < self.most:
                self.yielded += 1
                yield f"data: {self.yielded}\n\n".encode()
                await anyio.lowlevel.checkpoint()
        finally:
            self.is_closed = True


SCOPE = {"type": "http", "state": {"request_id": "a-request"}}


def test_a_stream_sends_all_that_its_source_yields_and_ends_with_it() -> None:
    async def run() -> tuple[Client, Source]:
        client, source = Client(), Source(2)
        await EventStream(source.chunks(), Streams(1, 1), "demo")(SCOPE, client.receive, client.send)
        return client, source

    client, source = anyio.run(run)
    assert client.body == b"retry: 2000\n\ndata: 1\n\ndata: 2\n\n"
    assert client.sent[-1]["more_body"] is False
    assert source.is_closed


def test_a_client_that_goes_frees_its_stream() -> None:
    async def run() -> tuple[Source, bool]:
        client, source, streams = Client(), Source(10**9), Streams(1, 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(EventStream(source.chunks(), streams, "demo"), SCOPE, client.receive, client.send)
            while source.yielded < 3:
                await anyio.lowlevel.checkpoint()
            client.gone.set()
        with streams.enter("demo") as has_room:
            return source, has_room

    source, has_room = anyio.run(run)
    assert source.is_closed
    assert has_room


def test_a_client_that_takes_nothing_is_dropped_and_nothing_is_kept_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_SEND_S", 0.05)

    class Stalled(Client):
        async def send(self, message: Message) -> None:
            if message.get("body", b"").startswith(b"data"):
                await anyio.sleep_forever()
            await super().send(message)

    async def run() -> Source:
        client, source = Stalled(), Source(10**9)
        await EventStream(source.chunks(), Streams(1, 1), "demo")(SCOPE, client.receive, client.send)
        return source

    source = anyio.run(run)
    assert source.yielded == 1
    assert source.is_closed


def test_a_stream_too_many_is_told_to_come_back() -> None:
    async def run() -> tuple[Client, Source]:
        client, source, streams = Client(), Source(1), Streams(1, 1)
        with streams.enter("demo"):
            await EventStream(source.chunks(), streams, "demo")(SCOPE, client.receive, client.send)
        return client, source

    client, source = anyio.run(run)
    assert client.sent[0]["status"] == 503
    assert b"too-many-streams" in client.body
    assert source.yielded == 0
