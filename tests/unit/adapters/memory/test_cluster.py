"""What the fake cluster offers beside the port: faults to order, and threads."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.memory.cluster import CLAIMS, FakeCluster
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterUnavailable, StartFailed
from tests.builders.cluster import ATTEMPT, START, node, order, scripted, with_shares

KEY = WorkerKey(ATTEMPT, 0)


def cluster() -> FakeCluster:
    return FakeCluster("test", [node()], clock=ManualClock(START), script=scripted)


def test_a_worker_ends_when_it_is_told_to() -> None:
    fake = cluster()
    fake.start(order("wait", workers=2))

    fake.end_worker(KEY, exit_code=9)

    records = [seen.record for seen in fake.observe()]
    assert [(record.phase, record.exit_code) for record in records] == [
        (WorkerPhase.EXITED, 9),
        (WorkerPhase.RUNNING, None),
    ]


def test_a_worker_vanishes_when_it_is_told_to() -> None:
    fake = cluster()
    fake.start(order("wait"))

    fake.lose_worker(KEY)

    record = fake.observe()[0].record
    assert (record.phase, record.end, record.exit_code) == (WorkerPhase.LOST, WorkerEnd.LOST, None)


def test_a_worker_prints_what_it_is_told_to() -> None:
    fake = cluster()
    fake.start(order("wait"))

    fake.print_output(KEY, "hello")

    assert fake.logs(KEY, offset=0, limit=100).text == "hello"


def test_a_cluster_that_is_away_answers_nothing() -> None:
    fake = cluster()
    fake.start(order("wait"))
    fake.is_away = True
    for ask in (fake.observe, fake.inventory, lambda: fake.start(order("wait")), lambda: fake.stop(ATTEMPT, grace_s=0)):
        with pytest.raises(ClusterUnavailable):
            ask()

    fake.is_away = False

    assert fake.observe()[0].record.phase is WorkerPhase.RUNNING


def test_a_refused_gang_does_not_run() -> None:
    fake = cluster()
    fake.refusal = "no such image"

    with pytest.raises(StartFailed, match="no such image"):
        fake.start(order("wait"))

    assert fake.observe() == []
    assert fake.starts == []


def test_every_start_of_a_worker_is_counted() -> None:
    fake = cluster()
    fake.start(order("wait", workers=2))
    fake.start(order("wait", workers=2))

    assert fake.starts == [WorkerKey(ATTEMPT, 0), WorkerKey(ATTEMPT, 1)]


def test_its_nodes_may_be_asked_for_while_gangs_are_started() -> None:
    fake = cluster()
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(lambda: [fake.inventory() for _ in range(300)])
            for number in range(300):
                fake.start(order("wait", attempt=f"a-g0-a{number}"))

            assert asked.result() == [[node()]] * 300
    finally:
        sys.setswitchinterval(interval_s)


def test_it_objects_to_what_the_claims_it_was_made_with_leave_out() -> None:
    claims = replace(CLAIMS, enforces_shares=False)
    counting = FakeCluster("test", [], clock=ManualClock(START), script=scripted, claims=claims)
    job = with_shares(order("wait"), share_milli=500, share_memory_mib=1024).job

    assert counting.claims.enforces_shares is False
    assert "whole devices only" in (counting.objection(job) or "")
