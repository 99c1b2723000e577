"""What every cluster promises that probes servers: ready by what they answer, with an address that answers."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.attempt import WorkerPhase
from tests.builders.cluster import ATTEMPT, Bench, order, serving
from tests.contract.test_cluster import KINDS


@pytest.fixture(params=[name for name, kind in KINDS.items() if kind.claims.probes_readiness])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = KINDS[request.param].build(request)
    yield bench
    bench.clear()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_is_unready_until_it_answers_and_again_when_it_stops_to(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "ready"
    port = free_port()
    bench.cluster.start(serving(order("serve", str(mark)), port=port))
    waiting = bench.first(WorkerPhase.UNREADY)
    mark.touch()
    ready = bench.first(WorkerPhase.RUNNING)
    assert ready.record.address == waiting.record.address == f"127.0.0.1:{port}"
    assert ready.record.started_at == waiting.record.started_at
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    mark.unlink()
    bench.first(WorkerPhase.UNREADY)
    bench.cluster.stop(ATTEMPT, grace_s=5)
    (ended,) = bench.ended()
    assert ended.record.address is None


def test_only_rank_0_listens_and_without_a_path_who_runs_is_ready(bench: Bench) -> None:
    bench.cluster.start(serving(order("wait", workers=2), port=free_port(), readiness_path=None))
    seen = {worker.key.rank: worker.record for worker in bench.running()}
    assert (seen[0].address is None, seen[1].address) == (False, None)
    bench.cluster.stop(ATTEMPT, grace_s=5)
    bench.ended()
