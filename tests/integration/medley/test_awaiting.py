"""The client for event loops, against a server that speaks the wire contract."""

import asyncio
from collections.abc import Iterator

import pytest

from medley.awaiting.client import AsyncClient
from medley.client import Client
from medley.errors import ApiProblem, Unreachable
from tests.builders.command import (
    END_EVENT,
    JOB_ID,
    TOKEN,
    Reply,
    ScriptedServer,
    a_job,
    a_problem,
    a_scripted_server,
    an_event,
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as scripted:
        yield scripted


def test_a_submission_that_is_repeated_keeps_its_key(server: ScriptedServer) -> None:
    server.on("POST /v1/jobs", Reply(is_dropped=True), Reply(503, a_problem(503, "busy")), Reply(201, a_job()))

    async def submit() -> str:
        async with AsyncClient(server.address, TOKEN, patience_s=10) as client:
            return str((await client.submit({"name": "first"}))["id"])

    assert asyncio.run(submit()) == JOB_ID
    assert len(server.asked("POST /v1/jobs")) == 3
    assert len({request.headers["Idempotency-Key"] for request in server.asked("POST /v1/jobs")}) == 1


def test_pages_and_streams_are_iterated(server: ScriptedServer) -> None:
    pages = ({"items": [a_job(), a_job()], "next": "c"}, {"items": [a_job()], "next": None})
    server.on("GET /v1/jobs", *(Reply(body=page) for page in pages))
    server.on(
        f"GET /v1/jobs/{JOB_ID}/events",
        Reply(stream=(an_event(1, "job-submitted", "queued"), an_event(2, "group-placed", "placed"), END_EVENT)),
    )
    server.on("GET /v1/nodes", Reply(body={"items": [{"name": "n1"}], "next": None}))

    async def read() -> tuple[int, list[str], list[str]]:
        async with AsyncClient(server.address, TOKEN) as client:
            jobs = [job async for job in client.jobs(state=["running"])]
            events = [event.kind async for event in client.events(JOB_ID)]
            return len(jobs), events, [node["name"] async for node in client.each(lambda client: client.nodes())]

    assert asyncio.run(read()) == (3, ["job-submitted", "group-placed"], ["n1"])


def test_many_calls_run_at_once_and_the_loop_goes_on(server: ScriptedServer) -> None:
    server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job()))

    async def ask() -> int:
        async with AsyncClient(server.address, TOKEN) as client:
            return len(await asyncio.gather(*(client.job(JOB_ID) for _ in range(50))))

    assert asyncio.run(ask()) == 50


def test_errors_are_those_of_the_synchronous_client(server: ScriptedServer) -> None:
    server.on("GET /v1/whoami", Reply(401, a_problem(401, "not-authenticated")))

    async def ask() -> None:
        async with AsyncClient(server.address, TOKEN) as client:
            with pytest.raises(ApiProblem, match="the detail of not-authenticated"):
                await client.call(Client.whoami)
        async with AsyncClient("http://127.0.0.1:1", TOKEN, patience_s=0) as client:
            with pytest.raises(Unreachable):
                await client.why(JOB_ID)

    asyncio.run(ask())
