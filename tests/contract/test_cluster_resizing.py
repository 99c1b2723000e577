"""Gangs that get another size: who comes is started beside those who run, and some are ended while others go on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from scheduler.core.model.attempt import WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import GangOrder
from tests.builders.cluster import ATTEMPT, Bench, order
from tests.builders.eventually import eventually
from tests.contract.test_cluster import KINDS

ALIVE = (WorkerPhase.PENDING, WorkerPhase.RUNNING)


@pytest.fixture(params=list(KINDS))
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = KINDS[request.param].build(request)
    yield bench
    bench.clear()


def grown(*steps: str) -> GangOrder:
    """Return the order of a gang's third generation: of two workers one stayed, and two came with other numbers."""
    given = order(*steps, workers=3)
    first, *others = given.allocations
    new = [replace(one, since=3, number=one.rank + 1) for one in others]
    return replace(given, generation=3, allocations=(first, *new))


def living(bench: Bench) -> dict[int, int]:
    """Return the workers that live, by number, each with its generation."""
    return {seen.key.rank: seen.generation for seen in bench.seen() if seen.record.phase in ALIVE}


def test_who_comes_is_started_beside_who_runs(bench: Bench) -> None:
    bench.cluster.start(order("print", "first", "wait", workers=2))
    bench.printed("first", WorkerKey(ATTEMPT, 1))
    bench.cluster.dismiss(ATTEMPT, [1], grace_s=5)
    eventually(lambda: living(bench) == {0: 1}, within_s=30, what="the end of worker 1")

    bench.cluster.start(grown("print", "later", "wait"))

    eventually(lambda: living(bench) == {0: 1, 2: 3, 3: 3}, within_s=30, what="the workers that come")
    assert bench.printed("later", WorkerKey(ATTEMPT, 2)) == "later\n"
    assert bench.printed("first") == "first\n"
    assert bench.printed("first", WorkerKey(ATTEMPT, 1)) == "first\n"
    bench.cluster.start(grown("print", "later", "wait"))
    assert sorted(living(bench)) == [0, 2, 3], "nobody starts twice"


def test_a_stop_ends_the_workers_of_all_generations(bench: Bench) -> None:
    bench.cluster.start(order("wait", workers=1))
    bench.running()
    bench.cluster.start(grown("wait"))
    eventually(lambda: len(living(bench)) == 3, within_s=30, what="the workers that come")

    bench.cluster.stop(ATTEMPT, grace_s=5)

    assert len(bench.ended()) == 3
    bench.cluster.start(grown("wait"))
    assert living(bench) == {}


def test_dismissing_nobody_or_who_has_ended_changes_nothing(bench: Bench) -> None:
    bench.cluster.start(order("wait", workers=2))
    want = bench.running()
    bench.cluster.dismiss(ATTEMPT, [], grace_s=0)
    bench.cluster.dismiss(ATTEMPT, [7], grace_s=0)
    bench.cluster.dismiss("unknown-g0-a1", [0], grace_s=0)
    assert bench.seen() == want
