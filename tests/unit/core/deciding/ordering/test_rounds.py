from dataclasses import replace

import pytest

from scheduler.core.deciding.ordering.rounds import Rounds, speeds_on, takes_turns
from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.decision import Evicted
from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf, ExactMix, Job, JobKind
from scheduler.core.model.measuring.throughput import JobFamily, Speed
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import RoundByRound
from scheduler.core.queueing.rounds.allocating import Goal
from tests.builders.core import NOON, make_job, make_node, make_shape, make_state, seconds_after_noon
from tests.builders.database import make_chip
from tests.builders.preempting import Contended, evicted, placed

EITHER = AnyOf(("h100", "t4"))
ROUND_S = 360.0


def cluster(*, devices: int = 1, policy: RoundByRound | None = None, rules: Rules | None = None) -> Contended:
    """Return a cluster with a node of each of two chip types, on which both families are known to be as they are."""
    nodes = (make_node("new", {"h100": devices}), make_node("old", {"t4": devices}))
    contended = Contended(*nodes, ordering=Ordering(policy or RoundByRound()), rules=rules)
    for family, chip, speed in (
        ("keen", "h100", 10.0),
        ("keen", "t4", 1.0),
        ("easy", "h100", 2.0),
        ("easy", "t4", 2.0),
    ):
        contended.state.speeds.follow([Speed(JobFamily("alpha", family), chip, speed)])
    return contended


def of_family(number: int, family: str) -> Job:
    made = make_job(number, EITHER)
    return replace(made, spec=replace(made.spec, family=family))


def chips_of(contended: Contended) -> dict[str, str | None]:
    return {live.job.id: live.allocations[0].chip for live in contended.state.live.values()}


def test_each_goes_where_it_gains_most_though_the_other_came_first() -> None:
    easy, keen = of_family(1, "easy"), of_family(2, "keen")
    contended = cluster()
    contended.submit(easy, keen)
    contended.wait(ROUND_S)
    assert len(contended.decide()) == 2
    assert chips_of(contended) == {easy.id: "t4", keen.id: "h100"}


def test_one_that_gains_little_makes_way_at_the_edge_for_one_that_gains_much() -> None:
    contended = cluster()
    easy, keen = of_family(1, "easy"), of_family(2, "keen")
    contended.run(easy)
    contended.submit(keen)
    contended.decide()
    contended.start()
    assert chips_of(contended) == {easy.id: "h100", keen.id: "t4"}, "in its round nothing moves"
    contended.wait(ROUND_S)
    decisions = contended.decide()
    causes = {one.eviction.cause for one in decisions if isinstance(one, Evicted)}
    assert (len(evicted(decisions)), causes) == (2, {EvictionCause.ROUND})
    contended.leave()
    contended.decide()
    assert chips_of(contended) == {easy.id: "t4", keen.id: "h100"}


def test_who_runs_where_its_turn_is_runs_on() -> None:
    contended = cluster()
    contended.submit(of_family(1, "easy"), of_family(2, "keen"))
    contended.wait(ROUND_S)
    contended.decide()
    contended.start()
    for _ in range(5):
        contended.wait(ROUND_S)
        assert contended.decide() == []


@pytest.mark.parametrize("policy", [RoundByRound(moves_running=False), RoundByRound(least_run_s=10_000)])
def test_nobody_is_moved_who_is_to_be_left_alone(policy: RoundByRound) -> None:
    contended = cluster(policy=policy)
    contended.run(of_family(1, "easy"))
    contended.submit(of_family(2, "keen"))
    contended.decide()
    contended.start()
    contended.wait(ROUND_S)
    assert evicted(contended.decide()) == []


def test_two_take_turns_on_what_only_one_can_have() -> None:
    contended = Contended(make_node("only", {"h100": 1}), ordering=Ordering(RoundByRound()))
    one, other = make_job(1), make_job(2)
    contended.run(one)
    contended.submit(other)
    had = []
    for _ in range(8):
        contended.wait(ROUND_S)
        contended.decide()
        contended.leave()
        contended.decide()
        contended.start()
        had += contended.in_state(State.RUNNING)
    assert set(had) == {contended.group(one).id, contended.group(other).id}


def test_for_the_least_time_the_shortest_goes_first() -> None:
    policy = RoundByRound(goal=Goal.FINISH)
    contended = Contended(make_node("only", {"h100": 1}), ordering=Ordering(policy), rules=Rules(Scope.TENANT))
    long, short = (
        replace(job, spec=replace(job.spec, time_limit_s=limit_s))
        for job, limit_s in ((make_job(1), 9_000), (make_job(2), 700))
    )
    contended.submit(long, short)
    contended.wait(ROUND_S)
    assert placed(contended.decide()) == [contended.group(short).id]


def test_a_turn_that_could_not_be_taken_is_for_any_chip_type_in_the_next_round() -> None:
    contended = Contended(
        make_node("a", {"h100": 1}),
        make_node("b", {"h100": 1}),
        make_node("c", {"t4": 2}),
        ordering=Ordering(RoundByRound()),
    )
    stays = [
        replace(job, spec=replace(job.spec, preemptible=False)) for job in (make_job(1, "t4"), make_job(2, "h100"))
    ]
    contended.run(*stays)
    wide = make_job(3, EITHER, shape=make_shape(1))
    contended.submit(wide)
    contended.wait(ROUND_S)
    rounds = contended.state.order.rounds
    assert rounds is not None
    contended.state.reach(contended.now)
    assert rounds.narrowed.keys() == {wide.id}
    contended.wait(ROUND_S)
    contended.state.reach(contended.now)
    assert (rounds.narrowed, rounds.has_turn(wide)) == ({}, True)


def test_edges_come_while_something_could_come_of_them() -> None:
    contended = cluster()
    rounds = contended.state.order.rounds
    assert rounds is not None
    assert contended.passes.next_due(contended.state, contended.now) is None
    contended.run(of_family(1, "easy"))
    assert rounds.edge == NOON
    assert contended.passes.next_due(contended.state, contended.now) == seconds_after_noon(ROUND_S)


def test_what_asks_for_more_than_one_of_some_chip_types_takes_no_turns() -> None:
    job = make_job(1, EITHER)
    assert takes_turns(job.spec)
    assert not takes_turns(make_job(1, ExactMix((("h100", 1), ("t4", 1)))).spec)
    assert not takes_turns(replace(job.spec, kind=JobKind.INFERENCE))
    assert Rounds(RoundByRound()).has_turn(make_job(1, ExactMix((("h100", 1), ("t4", 1)))))


def test_where_nothing_was_measured_chip_types_are_as_fast_as_their_rates_say() -> None:
    chips = (make_chip("h100", measured_tflops=600.0), make_chip("t4", measured_tflops=60.0))
    job = replace(make_job(1, EITHER), spec=replace(make_job(1, EITHER).spec, family="keen"))
    state = make_state(make_node("new", {"h100": 1, "t4": 1}), chips=chips, jobs=(job,))
    assert speeds_on(state, job, ["h100", "t4"]) == {"h100": 600.0, "t4": 60.0}
    state.speeds.follow([Speed(JobFamily("alpha", "keen"), "t4", 30.0)])
    assert speeds_on(state, job, ["h100", "t4"]) == {"h100": 300.0, "t4": 30.0}
