import asyncio
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.frame import RequestFrame

SCOPE = {"type": "http", "method": "GET", "path": "/v1/jobs", "headers": []}


class Client:
    """One end of an ASGI connection."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nobody sends anything")

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def answer_of_cancelled(app: ASGIApp, *, messages: int) -> Client:
    """Cancel a request, as an ending server does, once its app has sent so many messages and waits."""

    async def run() -> Client:
        client = Client()
        task = asyncio.create_task(call(RequestFrame(app), client))
        while len(client.sent) < messages:
            await asyncio.to_thread(str)
        await asyncio.to_thread(str)
        task.cancel()
        await task
        return client

    return asyncio.run(run())


async def call(app: ASGIApp, client: Client) -> None:
    await app(dict(SCOPE), client.receive, client.send)


async def waits_for_ever(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def streams_for_ever(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await asyncio.Event().wait()


async def breaks(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("swordfish")


def test_a_request_that_waits_when_the_server_ends_is_told_to_come_back() -> None:
    client = answer_of_cancelled(waits_for_ever, messages=0)
    assert client.status == 503
    assert json.loads(client.body)["code"] == "ending"


def test_a_stream_ends_when_the_server_does() -> None:
    client = answer_of_cancelled(streams_for_ever, messages=2)
    assert client.body == b"first"
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def test_an_unforeseen_error_becomes_a_problem_with_the_requests_id() -> None:
    client = Client()
    asyncio.run(call(RequestFrame(breaks), client))
    problem = json.loads(client.body)
    headers = dict(client.sent[0]["headers"])
    assert (client.status, problem["code"]) == (500, "internal-error")
    assert problem["request_id"].encode() == headers[b"x-request-id"]
    assert "swordfish" not in client.body.decode()
