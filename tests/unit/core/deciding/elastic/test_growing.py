"""Room for more workers of elastic jobs, once all who wait had their turn."""

from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.core.deciding.elastic.growing import COOL_DOWN_S, MOST_GROWN, Growing
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.decision import Resized
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import attempt_id
from scheduler.core.model.job import Job
from scheduler.core.model.node import Cluster, Node
from scheduler.core.model.resources import Elastic
from tests.builders.core import NOON, make_allocation, make_group, make_job, make_node

LATER = NOON + timedelta(seconds=COOL_DOWN_S)


def elastic(number: int = 1, *, workers: int = 6, least: int = 2, step: int = 2) -> Job:
    job = make_job(number, workers=workers)
    return replace(job, spec=replace(job.spec, elastic=Elastic(least, step)))


def running(*jobs: Job, nodes: tuple[Node, ...] = (make_node("n1"),), waiting: tuple[Job, ...] = ()) -> SchedulerState:
    """Return a state in which jobs run with two workers each, one after the other on the first node."""
    groups = {job.id: make_group(job, State.RUNNING) for job in jobs}
    attempts = []
    for place, job in enumerate(jobs):
        held = tuple(make_allocation((2 * place + rank,), rank=rank) for rank in range(2))
        group = groups[job.id]
        attempts.append(
            Attempt(attempt_id(group.id, 1), group.id, 1, 1, State.RUNNING, None, held, (), (), NOON, started_at=NOON)
        )
    queued = [make_group(job, State.QUEUED) for job in waiting]
    return SchedulerState.from_parts(
        clusters=[Cluster("mixed", "local")],
        nodes=list(nodes),
        jobs=[*jobs, *waiting],
        groups=[*groups.values(), *queued],
        attempts=attempts,
    )


def resized(state: SchedulerState, now: datetime = LATER) -> list[Resized]:
    decisions = Passes().decide(state, now)
    return [decision for decision in decisions if isinstance(decision, Resized)]


def test_a_gang_gets_as_many_more_as_there_is_room_for_in_steps() -> None:
    (more,) = resized(running(elastic(workers=6)))
    assert [one.rank for one in more.allocations] == [0, 1, 2, 3, 4, 5]
    assert [one.worker for one in more.allocations] == [0, 1, 2, 3, 4, 5]
    assert [one.since for one in more.allocations] == [1, 1, 2, 2, 2, 2]
    assert len({slot for one in more.allocations for slot in one.slots}) == 6
    assert [note.rank for note in more.notes] == [2, 3, 4, 5]
    (some,) = resized(running(elastic(workers=10)))
    assert len(some.allocations) == 8


def test_the_ledger_is_as_before() -> None:
    state = running(elastic())
    before = state.digest()
    assert resized(state)
    assert state.digest() == before


def test_nothing_grows_too_soon_and_it_is_known_when_it_may() -> None:
    state, passes = running(elastic()), Passes()
    assert passes.decide(state, NOON) == []
    assert passes.next_due(state, NOON) == LATER


def test_who_waits_comes_first() -> None:
    waiting = make_job(2, workers=6)
    state = running(elastic(), waiting=(waiting,))
    assert resized(state) == []


def test_what_one_gang_gets_the_next_has_not() -> None:
    first, second = resized(running(elastic(1, workers=4), elastic(2, workers=4)))
    assert len({slot for each in (first, second) for one in each.allocations for slot in one.slots}) == 8
    (only,) = resized(running(elastic(1, workers=6), elastic(2, workers=6)))
    assert len(only.allocations) == 6


def test_no_more_than_so_many_grow_in_one_pass() -> None:
    nodes = (make_node("n1", {"h100": 64}), make_node("n2", {"h100": 64}))
    jobs = tuple(elastic(number, workers=4) for number in range(1, MOST_GROWN + 4))
    assert len(resized(running(*jobs, nodes=nodes))) == MOST_GROWN


def test_what_the_database_refused_is_not_decided_again_until_something_became_of_it() -> None:
    state, growing = running(elastic()), Growing()
    passes = Passes(growing=growing)
    passes.take_back(passes.decide(state, LATER))
    assert passes.decide(state, LATER + timedelta(seconds=1)) == []


def test_a_gang_with_more_than_is_wanted_gets_fewer_at_once() -> None:
    (fewer,) = resized(running(elastic(workers=1, least=1, step=1)), NOON)
    assert len(fewer.allocations) == 1
