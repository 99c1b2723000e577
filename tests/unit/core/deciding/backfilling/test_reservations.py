from dataclasses import replace

from scheduler.core.deciding.backfilling.departures import Departures
from scheduler.core.deciding.backfilling.ends import ExpectedEnd
from scheduler.core.deciding.backfilling.reservations import Reservation, reserve
from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import PutNode, Release
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation, Attempt
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import attempt_id
from scheduler.core.model.job import Job
from scheduler.core.model.node import Cluster, Node, NodeState
from scheduler.core.model.sharing.queue import QueueQuota, Shares
from scheduler.core.model.topology import RACK, Closeness
from scheduler.core.model.waiting.promise import Basis
from tests.builders.core import (
    NOON,
    devices_free,
    make_allocation,
    make_group,
    make_job,
    make_node,
    make_shape,
    seconds_after_noon,
)

Running = tuple[float | None, Allocation]
"""When it ends, in seconds after noon, None for never; and what it holds."""


def running_on(
    *nodes: Node, running: tuple[Running, ...], jobs: tuple[Job, ...], quota: int | None = None
) -> SchedulerState:
    """Return a state in which jobs of one allocation each run and others wait; the first runs as job 100."""
    live = [make_job(100 + number) for number in range(len(running))]
    attempts = [
        Attempt(
            id=attempt_id(group.id, 1),
            group_id=group.id,
            number=1,
            generation=FIRST_GENERATION,
            state=State.RUNNING,
            stop_reason=None,
            allocations=(held,),
            notes=(),
            workers=(),
            placed_at=NOON,
        )
        for group, (_, held) in zip(map(make_group, live), running, strict=True)
    ]
    groups = [replace(make_group(job, State.RUNNING), attempts=1) for job in live]
    return SchedulerState.from_parts(
        clusters=[Cluster("mixed", "local")],
        nodes=nodes,
        shares=Shares(quotas=() if quota is None else (QueueQuota("alpha", "h100", limit=quota),)),
        jobs=[*live, *jobs],
        groups=[*groups, *map(make_group, jobs)],
        attempts=attempts,
    )


class Ends:
    """When what runs ends."""

    def __init__(self, *running: Running) -> None:
        self._at = {make_job(100 + number).id: at for number, (at, _) in enumerate(running)}

    def __call__(self, live: LiveAttempt) -> ExpectedEnd | None:
        at_s = self._at[live.job.id]
        return None if at_s is None else ExpectedEnd(seconds_after_noon(at_s), Basis.LIMIT)


def reserved(
    state: SchedulerState, job: Job, running: tuple[Running, ...], *standing: Reservation, run_s: float | None = None
) -> Reservation | None:
    departures = Departures(state, Ends(*running))
    return reserve(state, make_group(job).id, state.request(job.id), departures, standing=standing, run_s=run_s)


def held(count: int, *, node: str = "mixed/n1", first: int = 0) -> Allocation:
    return make_allocation(tuple(range(first, first + count)), node=node)


def spelt_out(reservation: Reservation | None) -> tuple[float, dict[str, int]] | None:
    """Return when a reservation begins, in seconds after noon, and its devices by node."""
    if reservation is None:
        return None
    devices = {entry.id: sums["h100"] for entry, sums in reservation.needs.items()}
    return (reservation.begins - NOON).total_seconds(), devices


JOB = make_job(1, workers=8)


def test_a_gang_gets_the_earliest_room_that_what_runs_leaves() -> None:
    running = ((60.0, held(4)), (30.0, held(4, first=4)), (20.0, held(8, node="mixed/n2")))
    nodes = (make_node("n1"), make_node("n2", state=NodeState.DRAINED))
    state = running_on(*nodes, running=running, jobs=(JOB,))
    before = state.digest()
    assert spelt_out(reserved(state, JOB, running)) == (60, {"mixed/n1": 8})
    assert state.digest() == before


def test_what_never_ends_is_never_waited_for() -> None:
    running: tuple[Running, ...] = ((None, held(8)),)
    assert reserved(running_on(make_node(), running=running, jobs=(JOB,)), JOB, running) is None


def test_only_what_does_not_come_free_in_time_is_set_aside_now() -> None:
    running = ((60.0, held(5)),)
    state = running_on(make_node(), running=running, jobs=(JOB,))
    reservation = reserved(state, JOB, running)
    assert reservation is not None
    assert set_aside(state, reservation) == 3
    with Trial(state.ledger) as trial:
        trial.apply(Release(next(iter(state.live))))
        assert devices_free(state.ledger) == 8
        assert set_aside(state, reservation) == 8, "what came free is kept as well"


def test_room_that_others_would_not_take_anyway_is_not_kept() -> None:
    job = make_job(1, workers=4)
    running = ((60.0, held(6)),)
    state = running_on(make_node(), running=running, jobs=(job,))
    reservation = reserved(state, job, running)
    assert reservation is not None
    assert set_aside(state, reservation) == 0, "six come free, and four are needed"


def test_one_reservation_takes_nothing_that_another_one_needs() -> None:
    running = ((10.0, held(4)), (60.0, held(4, first=4)))
    second = make_job(2, workers=4)
    state = running_on(make_node(), running=running, jobs=(JOB, second))
    first = reserved(state, JOB, running, run_s=100)
    assert first is not None
    assert spelt_out(first) == (60, {"mixed/n1": 8})
    with Trial(state.ledger) as trial:
        trial.apply(first.set_aside(state.ledger))
        assert spelt_out(reserved(state, second, running, first)) == (160, {"mixed/n1": 4})


def test_the_topology_a_gang_requires_is_looked_for() -> None:
    job = make_job(1, workers=16, closeness=Closeness(required=RACK))
    nodes = tuple(make_node(name, rack=rack) for name, rack in (("a", "r1"), ("b", "r2"), ("c", "r1")))
    running = ((10.0, held(8, node="mixed/a")), (20.0, held(8, node="mixed/b")), (30.0, held(8, node="mixed/c")))
    state = running_on(*nodes, running=running, jobs=(job,))
    assert spelt_out(reserved(state, job, running)) == (30, {"mixed/a": 8, "mixed/c": 8})


def test_its_own_tenants_quota_is_waited_for_as_well() -> None:
    job = make_job(1, workers=4)
    running = ((10.0, held(4)), (60.0, held(1, first=4)))
    state = running_on(make_node(), running=running, jobs=(job,), quota=5)
    assert spelt_out(reserved(state, job, running)) == (10, {"mixed/n1": 4})
    state = running_on(make_node(), running=running, jobs=(job,), quota=4)
    assert spelt_out(reserved(state, job, running)) == (60, {"mixed/n1": 4})


def test_shares_are_kept_room_for_by_whole_devices() -> None:
    job = make_job(1, workers=2, shape=make_shape(share_milli=600))
    running = ((60.0, held(7)),)
    state = running_on(make_node(), running=running, jobs=(job,))
    reservation = reserved(state, job, running)
    assert spelt_out(reservation) == (60, {"mixed/n1": 2})


def test_a_reservation_on_a_node_that_left_or_takes_no_work_does_not_stand() -> None:
    running = ((60.0, held(5)),)
    state = running_on(make_node(), running=running, jobs=(JOB,))
    reservation = reserved(state, JOB, running)
    assert reservation is not None
    assert reservation.stands(state.ledger)
    state.ledger.apply(PutNode(make_node(state=NodeState.DRAINED)))
    assert not reservation.stands(state.ledger)


def set_aside(state: SchedulerState, reservation: Reservation) -> int:
    """Return how many devices a reservation keeps."""
    before = devices_free(state.ledger)
    with Trial(state.ledger) as trial:
        trial.apply(reservation.set_aside(state.ledger))
        return before - devices_free(state.ledger)
