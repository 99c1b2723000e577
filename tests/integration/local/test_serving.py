"""Servers on the local cluster: real processes that listen, and are asked whether they are ready."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.attempt import WorkerPhase
from tests.builders.cluster import ATTEMPT, Bench, local_bench, order, serving

OTHER = "0a1b2c3d4e5f6g7h-g1-a1"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


def test_replicas_on_one_machine_each_have_a_port_of_their_own(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "ready"
    mark.touch()
    for attempt in (ATTEMPT, OTHER):
        bench.cluster.start(serving(order("serve", str(mark), attempt=attempt)))
    addresses = {bench.first(WorkerPhase.RUNNING, attempt).record.address for attempt in (ATTEMPT, OTHER)}
    assert len(addresses) == 2
    for address in addresses:
        assert address is not None
        host, _, port = address.partition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    bench.cluster.stop(OTHER, grace_s=5)
    bench.ended(OTHER)


def test_only_rank_0_is_told_to_listen(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(serving(order("wait", workers=2), readiness_path=None))
    bench.running()
    documents = [
        json.loads((tmp_path / "workers" / ATTEMPT / str(rank) / "launch.json").read_text()) for rank in (0, 1)
    ]
    assert documents[0]["version"] == documents[1]["version"] == 4
    assert "serving" in documents[0]
    assert "serving" not in documents[1]


def test_a_server_that_was_ready_is_so_at_once_for_the_next_medley(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "ready"
    mark.touch()
    bench.cluster.start(serving(order("serve", str(mark))))
    bench.first(WorkerPhase.RUNNING)
    again = local_bench(tmp_path)
    (seen,) = again.cluster.observe()
    assert seen.record.phase is WorkerPhase.RUNNING
    again.cluster.close()
