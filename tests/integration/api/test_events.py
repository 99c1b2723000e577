"""Server-sent events from a real server: in order, without gaps, resumable, and each reader its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from api.streaming import change_events
from api.streaming.streams import Streams
from scheduler.core.model.tenant import Quota, Role
from tests.builders.api import ApiWorld, EventReader, serve

EVERYTHING = 10_000


@pytest.fixture
def address(world: ApiWorld) -> Iterator[str]:
    with serve(world.app) as served:
        yield served


def test_a_jobs_stream_tells_its_life_and_ends_with_it(world: ApiWorld, address: str) -> None:
    job = world.submit()
    with EventReader(address, f"/v1/jobs/{job}/events", world.token(Role.VIEWER)) as reader:
        assert reader.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert reader.response.headers["Cache-Control"] == "no-store"
        submitted = reader.read(1)[0]
        world.step()
        placed, starting = reader.read(2)
        world.client().post(f"/v1/jobs/{job}/cancel")
        for _ in range(3):
            world.step()
        rest = reader.read(EVERYTHING)
    assert (submitted.kind, submitted.data["state"], submitted.data["job"]) == ("job-submitted", "queued", job)
    assert placed.kind == "group-placed"
    assert [worker["rank"] for worker in placed.data["data"]["workers"]] == [0, 1]
    assert placed.data["data"]["workers"][0]["why"].startswith("tightest fit")
    assert starting.data["state"] in ("starting", "running")
    assert (rest[-1].kind, rest[-1].data) == ("end", {"state": "cancelled"})
    assert rest[-2].data["state"] == "cancelled"
    numbers = [event.number for event in (submitted, placed, starting, *rest[:-1]) if event.number is not None]
    assert numbers == sorted(set(numbers))
    assert all(event.data["number"] == event.number and event.data["text"] for event in (placed, starting, *rest[:-1]))


def test_the_stream_of_a_finished_job_is_its_history(world: ApiWorld, address: str) -> None:
    job = world.submit(workers=1, devices_per_worker=9)
    world.step()
    token = world.token(Role.VIEWER)
    with EventReader(address, f"/v1/jobs/{job}/events", token) as reader:
        events = reader.read(EVERYTHING)
    assert [event.kind for event in events] == ["job-submitted", "group-moved", "end"]
    assert events[1].data["data"]["reasons"][0]["code"] == "never-fits"
    with EventReader(address, f"/v1/jobs/{job}/events", token, {"Last-Event-ID": str(events[0].number)}) as reader:
        assert reader.read(EVERYTHING) == events[1:]
    with EventReader(address, f"/v1/jobs/{job}/events?after={events[1].number}", token) as reader:
        assert reader.read(EVERYTHING) == events[2:]


def test_a_reader_that_comes_back_misses_nothing_and_gets_nothing_twice(world: ApiWorld, address: str) -> None:
    token = world.token(Role.OPERATOR)
    with EventReader(address, "/v1/events?after=0", token) as reader:
        before = reader.read(3)
    world.submit()
    last = str(before[-1].number)
    with EventReader(address, "/v1/events?after=0", token, {"Last-Event-ID": last}) as reader:
        after = reader.read(world.storage.views.last_change() - 3)
    assert [event.number for event in before + after] == list(range(1, world.storage.views.last_change() + 1))


def test_a_new_reader_begins_with_what_happens_next(world: ApiWorld, address: str) -> None:
    world.submit()
    with EventReader(address, "/v1/events", world.token(Role.VIEWER)) as reader:
        assert reader.read_block() == {"retry": "2000"}
        job = world.submit()
        assert reader.read(1)[0].data["job"] == job


def test_a_tenant_sees_its_own_and_what_is_everybodys(world: ApiWorld, address: str) -> None:
    mine, theirs = world.submit("demo"), world.submit("beta")
    world.step()
    world.storage.directory.set_quota(Quota("beta", "mi300x", 8), world.context.clock.now())
    world.storage.directory.set_quota(Quota("demo", "mi300x", 8), world.context.clock.now())
    with EventReader(address, "/v1/events?after=0", world.token(Role.VIEWER)) as reader:
        events = [reader.read(1)[0]]
        while events[-1].kind != "queue-quota-set":
            events += reader.read(1)
    tenants = {event.data["tenant"] for event in events}
    assert tenants == {None, "demo"}
    assert {event.data["job"] for event in events} == {None, mine}
    assert theirs not in str(events)
    assert {"chip-defined", "cluster-seen", "node-seen", "tenant-created", "group-placed"} <= {
        event.kind for event in events
    }


def test_a_silent_stream_has_a_heartbeat(world: ApiWorld, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_events, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(change_events, "POLL_S", 0.05)
    with EventReader(address, "/v1/events", world.token(Role.VIEWER)) as reader:
        blocks = [reader.read_block() for _ in range(4)]
    position = {"id": str(world.storage.views.last_change())}
    assert blocks == [{"retry": "2000"}, position, {"": " heartbeat"}, {"": " heartbeat"}], (
        "a reader that loses the stream before the first event knows where to resume"
    )


def test_streams_end_by_themselves_when_the_server_is_about_to_end(world: ApiWorld, address: str) -> None:
    with EventReader(address, "/v1/events", world.token(Role.VIEWER)) as reader:
        assert reader.read_block()
        world.context.ending.set()
        world.context.wake_up.notify()
        assert reader.response.read().endswith(b"\n\n")


def test_one_stream_too_many_is_told_to_come_back_later(world: ApiWorld, address: str) -> None:
    world.app.state.streams = Streams(10, 1)
    token = world.token(Role.VIEWER)
    with EventReader(address, "/v1/events", token) as first:
        assert first.read_block()
        with EventReader(address, "/v1/events", token) as second:
            assert second.response.status == 503
            assert second.response.headers["Retry-After"]
            assert b"too-many-streams" in second.response.read()
        with EventReader(address, "/v1/events", world.token(Role.VIEWER, "beta")) as of_another_tenant:
            assert of_another_tenant.response.status == 200


@pytest.mark.parametrize("is_busy", [False, True], ids=["silent", "busy"])
def test_a_stream_ends_with_its_token(
    world: ApiWorld,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    is_busy: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    monkeypatch.setattr(change_events, "ADMITTED_AGAIN_S", 0.2)
    monkeypatch.setattr(change_events, "POLL_S", 0.05)
    job = world.submit()
    token = world.token(Role.VIEWER)
    paths = ("/v1/events", f"/v1/jobs/{job}/events")
    with ExitStack() as opened:
        readers = [opened.enter_context(EventReader(address, path, token)) for path in paths]
        assert [reader.read_block() for reader in readers] == [{"retry": "2000"}] * 2
        myself = world.client(Role.VIEWER).get("/v1/whoami").json()
        world.client(Role.OPERATOR).delete(f"/v1/tokens/{myself['token_id']}")
        for _ in range(3 * is_busy):
            world.submit()
        for reader in readers:
            assert all(event.kind != "end" for event in reader.read(EVERYTHING))


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "", "9" * 40])
def test_a_last_event_that_is_no_number_is_refused(world: ApiWorld, last: str) -> None:
    answer = world.client().get("/v1/events", headers={"Last-Event-ID": last})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/header/Last-Event-ID"
