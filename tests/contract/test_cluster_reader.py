"""What whoever drives nothing sees of a cluster: the same beside it as through the scheduler of another process."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI

from api.app import create_scheduler_app
from scheduler.adapters.memory.cluster import FakeCluster
from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.adapters.relay.cluster import RelayedCluster, SchedulerAddress
from scheduler.adapters.system.clock import SystemClock
from scheduler.core.model.identifiers import WorkerKey
from scheduler.core.model.job import Job
from scheduler.ports.cluster import ClusterReader, ClusterUnavailable, LogChunk
from tests.builders.api import ApiWorld, open_world, serve
from tests.builders.cluster import ATTEMPT, order

OUTPUT = "über alles\nand a second line\n" * 5000
TOKEN = "mdp_of-this-test"
WORKER = WorkerKey(ATTEMPT, 0)


@pytest.fixture(scope="module")
def cluster() -> FakeCluster:
    """A cluster with one worker, which has printed."""
    made = FakeCluster("mixed", (), clock=SystemClock(), script=lambda *_: Behaviour(output=OUTPUT))
    made.start(order())
    return made


@pytest.fixture(scope="module")
def address(cluster: FakeCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the scheduler that drives it answers other processes."""
    with open_world(tmp_path_factory.mktemp("scheduler")) as world, serve(scheduler_app(world, cluster)) as address:
        yield address


def scheduler_app(world: ApiWorld, cluster: FakeCluster) -> FastAPI:
    return create_scheduler_app(replace(world.context, clusters=(cluster,)), TOKEN)


@pytest.fixture(params=["beside it", "relayed"])
def reader(request: pytest.FixtureRequest, cluster: FakeCluster, address: str) -> ClusterReader:
    if request.param == "beside it":
        return cluster
    return RelayedCluster("mixed", SchedulerAddress(address, TOKEN), cluster.objection)


def test_output_is_read_by_offset_and_whole(reader: ClusterReader) -> None:
    first = reader.logs(WORKER, offset=0, limit=1000)
    assert OUTPUT.startswith(first.text)
    assert (first.start, first.is_complete, first.is_behind) == (0, False, False)
    rest = reader.logs(WORKER, offset=first.end, limit=1_000_000)
    assert first.text + rest.text == OUTPUT
    assert rest.end == len(OUTPUT.encode())


def test_an_unknown_worker_has_printed_nothing(reader: ClusterReader) -> None:
    unknown = reader.logs(WorkerKey("0a1b2c3d4e5f6g7h-g0-a9", 3), offset=7, limit=10, within_s=0)
    assert (unknown.text, unknown.is_complete) == ("", False)
    assert isinstance(unknown, LogChunk)


def test_it_has_a_name_objects_and_is_checked(reader: ClusterReader, cluster: FakeCluster) -> None:
    assert reader.name == "mixed"
    assert reader.check() == cluster.check()
    assert reader.objection(a_job(image="busybox")) == cluster.objection(a_job(image="busybox"))
    assert reader.objection(a_job(image=None)) is None


def test_a_scheduler_that_does_not_know_who_asks_or_is_not_there_is_a_cluster_that_does_not_answer(
    address: str,
) -> None:
    for scheduler in (SchedulerAddress(address, "mdp_wrong"), SchedulerAddress("http://127.0.0.1:1", TOKEN)):
        reader = RelayedCluster("mixed", scheduler, lambda _: None)
        with pytest.raises(ClusterUnavailable):
            reader.logs(WORKER, offset=0, limit=10)
        (finding,) = reader.check()
        assert not finding.is_ok
        assert finding.next_step is not None
    stranger = RelayedCluster("elsewhere", SchedulerAddress(address, TOKEN), lambda _: None)
    with pytest.raises(ClusterUnavailable, match="404"):
        stranger.logs(WORKER, offset=0, limit=10)


def a_job(*, image: str | None) -> Job:
    given = order().job
    return replace(given, spec=replace(given.spec, image=image))
