"""Room that is made by moves: few jobs that run go elsewhere, so that a gang has a place that fits by counts."""

from dataclasses import replace
from datetime import timedelta

from scheduler.core.deciding.preempting.moving import MOST_MOVES, Moves, cost_device_s, find_moves
from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import StopWished
from scheduler.core.model.decision import Evicted
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.eviction import EvictionCause
from tests.builders.core import make_job, make_node, make_shape
from tests.builders.preempting import Contended, placed

HALF, WHOLE = make_shape(4), make_shape(8)


def scattered(*jobs: Job, nodes: tuple[Node, ...], rules: Rules | None = None) -> Contended:
    """Return a cluster on which each job is on a node of its own, beside one that has ended since."""
    cluster = Contended(*nodes, rules=rules)
    for number, job in enumerate(jobs):
        beside = make_job(90 + number, shape=make_shape(8 - job.spec.shape.devices))
        cluster.run(beside)
        cluster.run(job)
    for number in range(len(jobs)):
        cluster.end(make_job(90 + number))
    cluster.wait(100)
    return cluster


def found(cluster: Contended, job: Job, *, stay: tuple[Job, ...] = ()) -> Moves | None:
    cluster.submit(job)
    before = cluster.state.digest()
    names = {one.id for one in stay}
    moves = find_moves(
        cluster.state,
        cluster.state.request(job.id),
        lambda live: live.job.id not in names,
        now=cluster.now,
        restart_s=60,
    )
    assert cluster.state.digest() == before, "it was tried out, no more"
    return moves


def way(moves: Moves | None) -> list[tuple[str, str, str]]:
    """Return which job goes from where to where."""
    rows = () if moves is None else moves.moved
    return [(row.live.job.id, row.live.allocations[0].node, row.place.allocations[0].node) for row in rows]


def two_halves(*, may_move: bool = False, rules: Rules | None = None) -> tuple[Contended, Job, Job]:
    first, second = (
        replace(job, spec=replace(job.spec, movable=may_move))
        for job in (make_job(1, shape=HALF), make_job(2, shape=HALF))
    )
    return scattered(first, second, nodes=(make_node("n1"), make_node("n2")), rules=rules), first, second


def test_the_one_with_whom_least_is_lost_moves_beside_the_other() -> None:
    cluster, first, second = two_halves()
    here, there = (cluster.state.live[cluster.group(job).latest_attempt].allocations[0].node for job in (first, second))
    assert here != there
    cluster.save(second)
    moves = found(cluster, make_job(3, shape=WHOLE))
    assert way(moves) == [(second.id, there, here)]
    assert moves is not None
    assert [held.node for held in moves.place.allocations] == [there]


def test_who_has_to_stay_stays() -> None:
    cluster, first, second = two_halves()
    cluster.save(second)
    assert [row[0] for row in way(found(cluster, make_job(3, shape=WHOLE), stay=(second,)))] == [first.id]
    cluster, first, second = two_halves()
    assert found(cluster, make_job(3, shape=WHOLE), stay=(first, second)) is None


def test_where_there_is_not_enough_wherever_it_is_nothing_is_looked_for() -> None:
    cluster, _, _ = two_halves()
    assert found(cluster, make_job(3, workers=2, shape=WHOLE)) is None


def test_who_has_no_place_elsewhere_is_not_moved() -> None:
    large, small = make_job(1, shape=make_shape(5)), make_job(2, shape=make_shape(2))
    cluster = scattered(large, small, nodes=(make_node("n1"), make_node("n2")))
    assert [row[0] for row in way(found(cluster, make_job(3, shape=WHOLE)))] == [small.id]
    larges = [make_job(number, shape=make_shape(5)) for number in (1, 2, 3)]
    cluster = scattered(*larges, nodes=tuple(make_node(name) for name in ("n1", "n2", "n3")))
    assert found(cluster, make_job(4, shape=WHOLE)) is None


def test_no_more_than_so_many_are_moved() -> None:
    small, pair = [make_job(number) for number in range(1, MOST_MOVES + 2)], make_job(9, shape=make_shape(2))
    cluster = Contended(make_node("n1"), make_node("n2"))
    cluster.run(make_job(80, shape=WHOLE))
    cluster.run(*small, make_job(81, shape=make_shape(7 - MOST_MOVES)))
    cluster.end(make_job(80))
    cluster.run(pair)
    cluster.end(make_job(81))
    cluster.wait(100)
    assert [row[0] for row in way(found(cluster, make_job(83, shape=WHOLE)))] == [pair.id]


def test_a_move_costs_what_is_not_saved_and_a_restart() -> None:
    cluster, first, _ = two_halves()
    live = cluster.state.live[cluster.group(first).latest_attempt]
    assert cost_device_s(live, live.since + timedelta(seconds=40), 60) == (40 + 60) * 4
    cluster.save(first)
    live = cluster.state.live[cluster.group(first).latest_attempt]
    assert cost_device_s(live, cluster.now, 60) == 60 * 4


def test_a_job_that_says_so_is_moved_once_it_is_settled_and_both_run_then() -> None:
    cluster, stays, goes = two_halves(may_move=True)
    waiting = make_job(3, shape=WHOLE)
    cluster.submit(waiting)
    assert cluster.decide() == [], "it has not been there for long enough"
    cluster.wait(600)
    cluster.save(goes)
    (decision,) = cluster.decide()
    assert isinstance(decision, Evicted)
    assert (decision.group, decision.eviction.cause) == (cluster.group(goes).id, EvictionCause.MOVE)
    assert decision.eviction.beneficiary == cluster.group(waiting).id
    taker = make_job(4, shape=HALF, tenant="beta")
    cluster.submit(taker)
    assert cluster.decide() == [], "where it goes is kept for it, and where it was for who waited"
    cluster.leave()
    assert placed(cluster.decide()) == sorted(cluster.group(job).id for job in (goes, waiting))
    cluster.start()
    here = cluster.state.live[cluster.group(stays).latest_attempt].allocations[0].node
    assert cluster.state.live[cluster.group(goes).latest_attempt].allocations[0].node == here
    assert (cluster.group(goes).failures, cluster.group(taker).state) == (0, State.QUEUED)
    cluster.wait(4_000)
    assert cluster.decide() == [], "nobody is moved to and fro"


def test_who_does_not_say_so_is_not_moved_nor_is_anybody_where_nobody_is_stopped() -> None:
    cluster, _, _ = two_halves()
    cluster.submit(make_job(3, shape=WHOLE))
    cluster.wait(10_000)
    assert cluster.decide() == []
    cluster, _, _ = two_halves(may_move=True, rules=Rules(Scope.OFF))
    cluster.submit(make_job(3, shape=WHOLE))
    cluster.wait(10_000)
    assert cluster.decide() == []


def test_a_move_that_was_refused_keeps_no_room() -> None:
    cluster, _, _ = two_halves(may_move=True)
    cluster.submit(make_job(3, shape=WHOLE))
    cluster.wait(10_000)
    decisions = cluster.passes.decide(cluster.state, cluster.now)
    assert len(list(cluster.passes.promises.claims)) == 2
    cluster.passes.take_back(decisions)
    assert not list(cluster.passes.promises.claims)


def test_room_is_not_kept_for_who_was_moved_and_is_wanted_no_more() -> None:
    cluster, _, goes = two_halves(may_move=True)
    cluster.submit(make_job(3, shape=WHOLE))
    cluster.wait(10_000)
    cluster.save(goes)
    cluster.decide()
    cluster.tell(StopWished(goes.id, "ann"))
    cluster.move(cluster.group(goes).id, Event.GONE, StopReason.CANCELLED)
    cluster.decide()
    assert not cluster.passes.promises.claims.expected()
