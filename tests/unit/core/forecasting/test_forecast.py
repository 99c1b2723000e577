from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.forecasting.forecast import Forecast
from scheduler.core.forecasting.scene import Waiter, demands_of, line_up, look_for_rooms, take_scene
from scheduler.core.model.change import NodeSeen, QueueQuotaSet, ReservationMade
from scheduler.core.model.group import first_group
from scheduler.core.model.job import ArrayMember, Dependency, Job, JobKind
from scheduler.core.model.node import NodeState
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis, UnknownStart
from scheduler.core.model.waiting.promise import Basis
from scheduler.core.placement.request import request_of
from tests.builders.core import NOON, as_change, make_group, make_job, make_node, make_shape, make_state
from tests.builders.core import seconds_after_noon as at
from tests.unit.core.deciding.backfilling.test_beside import kept
from tests.unit.core.deciding.backfilling.test_promises import GANG, GRACE_S, NODE, busy, limited

LONG_AGO = at(-600)


def waits(number: int, workers: int, limit_s: int | None = 100, **wishes: object) -> Job:
    """Return a job that has waited for long enough to have been looked at."""
    return limited(make_job(number, workers=workers, submitted_at=LONG_AGO, **wishes), limit_s)  # type: ignore[arg-type]


def forecast(state: SchedulerState, now: datetime = NOON, last: Job | None = None) -> Forecast:
    scene = take_scene(state, now)
    line_up(scene, state)
    look_for_rooms(scene, state, demands_of(scene))
    waiter = None if last is None else Waiter(first_group(last.id, 0), last, request_of(last))
    return Forecast(scene, waiter)


def start(state: SchedulerState, job: Job, now: datetime = NOON) -> Estimate | NoEstimate | None:
    return forecast(state, now).of(make_group(job).id, now)


def span(state: SchedulerState, job: Job) -> tuple[float, float, StartBasis]:
    found = start(state, job)
    assert isinstance(found, Estimate)
    return (found.earliest - NOON).total_seconds(), (found.latest - NOON).total_seconds(), found.basis


def test_who_waits_for_what_ends_by_a_limit_starts_by_then_and_at_half_of_it_at_the_earliest() -> None:
    job = waits(1, 8)
    state = busy(NODE, running={"n1": (4, 600)}, jobs=(job,))
    assert span(state, job) == ((600 + GRACE_S) / 2, 600 + GRACE_S, StartBasis.LIMITS)


def test_who_comes_later_starts_when_those_before_it_have_run() -> None:
    jobs = (waits(1, 8), waits(2, 8))
    state = busy(NODE, running={"n1": (8, 600)}, jobs=jobs)
    (first, last, _), (earliest, latest, _) = (span(state, job) for job in jobs)
    assert (earliest - first, latest - last) == ((100 + GRACE_S) / 2, 100 + GRACE_S)


def test_a_small_job_fits_in_while_a_large_one_gathers_what_it_needs() -> None:
    nodes = (make_node("n1"), make_node("n2"))
    large, small = waits(1, 16), waits(2, 2, limit_s=20)
    state = busy(*nodes, running={"n1": (8, 100), "n2": (8, 1_000)}, jobs=(large, small))
    assert span(state, large)[1] == 1_000 + GRACE_S
    assert span(state, small)[1] == 100 + GRACE_S


def test_how_firm_a_start_is_says_the_least_that_it_rests_on() -> None:
    job = waits(1, 8)
    state = busy(NODE, running={"n1": (8, 600)}, jobs=(job,))
    (running,) = (live.job for live in state.live.values())
    for run_s in (50, 60, 70):
        state.run_times.note(running, run_s)
    assert span(state, job) == (60, 70, StartBasis.LEARNT)


def test_who_has_room_kept_starts_when_that_begins_at_the_latest() -> None:
    state = kept()
    assert span(state, GANG) == ((600 + GRACE_S) / 2, 600 + GRACE_S, StartBasis.PROMISED)


def test_what_is_kept_is_not_there_for_those_behind_until_it_has_been_used() -> None:
    small = limited(make_job(2, workers=4), None)
    state = kept(small, state=busy(NODE, running={"n1": (4, 600)}, jobs=(limited(GANG, 1_000), small)))
    assert span(state, small)[1] == 600 + GRACE_S + 1_000 + GRACE_S


def test_nothing_is_said_of_those_who_come_after_others_or_for_whom_nothing_ends() -> None:
    server = replace(waits(1, 8), spec=replace(waits(1, 8).spec, kind=JobKind.INFERENCE))
    behind, follower = waits(2, 2), waits(3, 1, after=(Dependency(server.id),))
    found = forecast(make_state(NODE, jobs=(server, behind, follower)))
    why = [found.of(make_group(job).id, NOON) for job in (behind, follower)]
    assert why == [NoEstimate(UnknownStart.NO_ROOM, NOON), NoEstimate(UnknownStart.AFTER_OTHERS, NOON)]


def test_a_quota_is_waited_for_as_room_is_and_one_that_is_too_small_is_no_end_to_wait_for() -> None:
    job = waits(1, 4)
    state = busy(NODE, make_node("n2"), running={"n1": (4, 600)}, jobs=(job,))
    state.apply(as_change(QueueQuotaSet(QueueQuota("alpha", "h100", limit=7))))
    assert span(state, job)[1] == 600 + GRACE_S
    state.apply(as_change(QueueQuotaSet(QueueQuota("alpha", "h100", limit=3))))
    assert start(state, job) == NoEstimate(UnknownStart.QUOTA, NOON)


def test_of_an_array_with_a_limit_one_starts_as_another_ends() -> None:
    jobs = tuple(waits(number, 1, array=ArrayMember("a1", "sweep", number, 3, 1)) for number in range(3))
    state = make_state(NODE, jobs=jobs)
    latest = [span(state, job)[1] for job in jobs]
    assert [later - sooner for sooner, later in pairwise(latest)] == [100 + GRACE_S] * 2


def test_devices_in_pieces_are_of_no_use_to_workers_that_want_more_of_them_on_one_node() -> None:
    job = waits(1, 1, shape=make_shape(8))
    nodes = (make_node("n1"), make_node("n2"))
    state = busy(*nodes, running={"n1": (4, 300), "n2": (4, 600)}, jobs=(job,))
    assert span(state, job)[1] > 0


def test_what_ends_on_a_drained_node_is_for_nobody() -> None:
    job = waits(1, 8)
    state = busy(NODE, make_node("n2"), running={"n1": (8, 100), "n2": (8, 600)}, jobs=(job,))
    state.apply(as_change(NodeSeen(replace(NODE, state=NodeState.DRAINED))))
    assert span(state, job)[1] == 600 + GRACE_S


def test_who_is_new_and_fits_starts_at_once_and_else_after_all_who_wait() -> None:
    job, new = waits(1, 8), make_job(9, workers=2)
    state = busy(NODE, running={"n1": (4, 600)}, jobs=())
    found = forecast(state, last=new).of(make_group(new).id, NOON)
    assert found == Estimate(NOON, NOON, StartBasis.FREE, NOON)
    crowded = busy(NODE, running={"n1": (8, 600)}, jobs=(job,))
    later = forecast(crowded, last=new).of(make_group(new).id, NOON)
    assert isinstance(later, Estimate)
    assert later.latest == at(600 + 100 + 2 * GRACE_S)


def test_nobody_is_said_to_start_before_now_and_who_came_meanwhile_is_not_known() -> None:
    job = waits(1, 8)
    found = forecast(busy(NODE, running={"n1": (8, 600)}, jobs=(job,)))
    overdue = found.of(make_group(job).id, at(9_000))
    assert overdue == Estimate(at(9_000), at(9_000), StartBasis.LIMITS, NOON)
    assert found.of("nobody-g0", NOON) is None
    assert (len(found), list(found)) == (1, [make_group(job).id])


def test_a_clock_that_jumped_back_and_limits_beyond_all_bounds_do_no_harm() -> None:
    job = waits(1, 8, limit_s=10**12)
    state = busy(NODE, running={"n1": (8, 10**12)}, jobs=(job, waits(2, 8)))
    for now in (NOON, at(-(10**8)), at(10**8)):
        assert isinstance(start(state, waits(2, 8), now), Estimate)


def test_forecasting_leaves_no_trace() -> None:
    state = kept(waits(2, 4))
    before = state.digest()
    forecast(state)
    assert state.digest() == before


def test_nodes_that_are_others_alone_make_nobody_else_room() -> None:
    own = make_node("own", tenant="beta")
    job, theirs = waits(1, 12), waits(2, 12, tenant="beta")
    state = busy(NODE, own, running={"n1": (8, 600)}, jobs=(job, theirs))
    assert start(state, job) == NoEstimate(UnknownStart.NO_ROOM, NOON)
    assert span(state, theirs)[1] == 600 + GRACE_S
    shut = busy(make_node("n1", state=NodeState.DRAINED), own, running={}, jobs=(small := waits(1, 4),))
    assert start(shut, small) == NoEstimate(UnknownStart.NO_ROOM, NOON)


def test_what_is_free_on_nodes_of_others_is_not_counted_while_others_end() -> None:
    half = {"h100": 4}
    nodes = (make_node("n1", half), make_node("n2", half), make_node("own", tenant="beta"))
    state = busy(*nodes, running={"n1": (4, 300), "n2": (4, 600)}, jobs=(job := waits(1, 8),))
    assert span(state, job)[1] == 600 + GRACE_S


def test_room_that_is_kept_on_a_guess_is_told_as_a_guess() -> None:
    state = kept()
    (promise,) = state.promised.values()
    guessed = replace(promise, awaited=tuple(replace(end, basis=Basis.GUESSED) for end in promise.awaited))
    state.apply(as_change(ReservationMade(guessed)))
    assert span(state, GANG)[1:] == (600 + GRACE_S, StartBasis.GUESSED)


def test_who_starts_on_room_that_is_kept_ends_as_others_do_of_whom_nothing_is_known() -> None:
    behind = limited(make_job(2, workers=8), 100)
    begins_s, longest_s = 600 + GRACE_S, 3_600
    assert span(kept(behind), behind) == (begins_s / 2 + 600, begins_s + longest_s, StartBasis.GUESSED)


def test_who_has_room_kept_starts_no_sooner_than_its_quota_allows() -> None:
    state = kept(state=busy(NODE, make_node("n2"), running={"n1": (4, 600), "n2": (8, 6_000)}, jobs=(GANG,)))
    assert span(state, GANG)[1:] == (600 + GRACE_S, StartBasis.PROMISED)
    state.apply(as_change(QueueQuotaSet(QueueQuota("alpha", "h100", limit=12))))
    assert span(state, GANG)[1:] == (6_000 + GRACE_S, StartBasis.LIMITS)
    state.apply(as_change(QueueQuotaSet(QueueQuota("alpha", "h100", limit=7))))
    assert start(state, GANG) == NoEstimate(UnknownStart.QUOTA, NOON)
