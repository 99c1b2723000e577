"""The core by itself and the production services: the same decisions, and what jobs come to in virtual time."""

from dataclasses import replace
from random import Random

import pytest

from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.group import State
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.tenant import Quota
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import Fair, PolicyName, RoundByRound, policy_of
from scheduler.simulator.simulation import NodesChange
from scheduler.simulator.stepping import core_engine, service_engine
from scheduler.simulator.workloads.arrival import Life
from tests.builders.simulating import ENGINES, arrival, crowd, make_nodes, make_setting, simulate

OUTAGES = [
    NodesChange(300, (replace(make_nodes()[0], state=NodeState.GONE),)),
    NodesChange(500, (replace(make_nodes()[3], state=NodeState.DRAINED),)),
    NodesChange(900, (make_nodes()[0], make_nodes()[3])),
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("seed", [1, 2])
def test_core_and_services_decide_the_same(seed: int) -> None:
    found = [
        simulate(engine, crowd(seed, 30), seed=seed, node_changes=OUTAGES, setting=make_setting(quotas=quotas()))
        for engine in ENGINES
    ]
    assert found[0].seen == found[1].seen
    assert found[0].digest == found[1].digest
    states = {state for _, _, state in found[0].seen}
    assert {State.SUCCEEDED, State.FAILED, State.STOPPING, State.QUEUED, State.STARTING} <= states


@pytest.mark.parametrize("order", PolicyName)
def test_they_do_by_every_policy_and_with_preemption(order: PolicyName) -> None:
    setting = replace(make_setting(), ordering=Ordering(policy_of(order)), rules=Rules(Scope.EVERYWHERE))
    found = [simulate(engine, crowd(5, 30), setting=setting) for engine in ENGINES]
    assert found[0].seen == found[1].seen
    assert found[0].digest == found[1].digest


def test_by_rounds_jobs_are_done_sooner_than_by_fair_shares_where_chip_types_differ() -> None:
    random, at_s, jobs = Random(1), 0.0, []
    for _ in range(60):
        at_s += random.expovariate(1 / 60)
        speeds = (("slow", random.choice((0.9, 0.2, 0.5))),)
        devices, tenant = random.choice((1, 2, 4)), random.choice(("alpha", "beta"))
        life = Life(random.choice((600, 1_800, 7_200)) * random.uniform(0.5, 2), saved_every_s=60.0, speeds=speeds)
        jobs.append(arrival(at_s, devices=devices, tenant=tenant, life=life))
    done_s = {}
    for policy in (Fair(), RoundByRound()):
        ran = simulate("core", jobs, setting=replace(make_setting(), ordering=Ordering(policy), rules=Rules()))
        done_s[policy.name] = sum(ran.times(State.SUCCEEDED, number)[0] for number in range(1, 61))
    assert done_s[PolicyName.ROUNDS] < 0.95 * done_s[PolicyName.FAIR]


def quotas() -> tuple[Quota, ...]:
    return (Quota("beta", "fast", 8),)


def test_the_same_seed_gives_the_same_digest_and_another_one_another() -> None:
    first, again, other = (simulate("core", crowd(1, 30), seed=seed).digest for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_in_which_order_nodes_are_named_does_not_matter() -> None:
    nodes = list(make_nodes(8))
    expected = simulate("core", crowd(3, 30), setting=make_setting(nodes)).digest
    for seed in range(2):
        Random(seed).shuffle(nodes)
        assert simulate("core", crowd(3, 30), setting=make_setting(nodes)).digest == expected


def test_a_job_starts_up_runs_and_ends(engine: str) -> None:
    ran = simulate(engine, [arrival(5, life=Life(100, start_up_s=20))])
    assert ran.seen == [
        (5, f"{1:016d}", State.PLACED),
        (5, f"{1:016d}", State.STARTING),
        (25, f"{1:016d}", State.RUNNING),
        (125, f"{1:016d}", State.SUCCEEDED),
    ]
    assert ran.progress.now_s == 125


def test_who_finds_no_room_starts_when_somebody_ends(engine: str) -> None:
    ran = simulate(engine, [arrival(0, chips=("fast",)), arrival(1, chips=("fast",)), arrival(2, chips=("fast",))])
    assert ran.times(State.RUNNING, 3) == [100]


def test_an_attempt_that_fails_is_tried_again_as_often_as_its_job_allows(engine: str) -> None:
    ran = simulate(engine, [arrival(retries=1, life=Life(100, failure_chance=1.0))])
    assert len(ran.times(State.PLACED)) == 2
    assert ran.last() is State.FAILED


def test_a_time_limit_ends_a_job(engine: str) -> None:
    ran = simulate(engine, [arrival(limit_s=60, run_s=100, workers=2)])
    assert ran.times(State.FAILED) == [60]


def test_a_node_that_is_lost_takes_its_jobs_with_it_and_they_go_on_elsewhere(engine: str) -> None:
    nodes = make_nodes(2)
    gone = NodesChange(50, (replace(nodes[0], state=NodeState.GONE),))
    ran = simulate(engine, [arrival()], setting=make_setting(nodes), node_changes=[gone])
    assert ran.times(State.STOPPING) == [50]
    assert ran.times(State.PLACED) == [0, 51]
    assert ran.times(State.SUCCEEDED) == [151]


@pytest.mark.parametrize(("saved_every_s", "ends"), [(None, 151), (30.0, 121)])
def test_what_was_saved_is_not_done_again(engine: str, saved_every_s: float | None, ends: int) -> None:
    nodes = make_nodes(2)
    gone = NodesChange(50, (replace(nodes[0], state=NodeState.GONE),))
    job = arrival(life=Life(100, saved_every_s=saved_every_s))
    assert simulate(engine, [job], setting=make_setting(nodes), node_changes=[gone]).times(State.SUCCEEDED) == [ends]


def test_a_node_that_comes_back_takes_work_again(engine: str) -> None:
    nodes = make_nodes(2)
    changes = [NodesChange(0, (away(nodes[0]),)), NodesChange(70, (nodes[0],))]
    ran = simulate(engine, [arrival(10, chips=("fast",))], setting=make_setting(nodes), node_changes=changes)
    assert ran.times(State.RUNNING) == [70]


def away(node: Node) -> Node:
    return replace(node, state=NodeState.DRAINED)


def test_a_slow_chip_takes_longer(engine: str) -> None:
    job = arrival(chips=("slow",), life=Life(100, speeds=(("slow", 0.5),)))
    assert simulate(engine, [job]).times(State.SUCCEEDED) == [200]


def test_a_job_that_can_never_run_is_refused(engine: str) -> None:
    assert simulate(engine, [arrival(devices=64)]).last() is State.FAILED


def test_a_simulation_ends_where_it_is_told_to(engine: str) -> None:
    ran = simulate(engine, [arrival(0), arrival(500)], until_s=50)
    assert (ran.progress.now_s, ran.progress.submitted, ran.last()) == (50, 1, State.RUNNING)


def test_a_tenant_may_have_so_many_jobs_and_no_more(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (core_engine, service_engine):
        monkeypatch.setattr(module, "MOST_LIVE_JOBS", 2)
    ran = simulate(engine, [arrival(0), arrival(0), arrival(0), arrival(200)])
    assert (ran.progress.submitted, ran.progress.turned_away) == (4, 1)
    assert ran.last(4) is State.SUCCEEDED
