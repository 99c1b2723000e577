from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.preempting.moving import MOST_MOVES
from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.decision import Evicted, Resized
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import QueueQuota
from tests.builders import strategies as some
from tests.builders.core import make_job, make_node, make_shape
from tests.builders.preempting import Contended, elastic

MOST_ROUNDS = 60
"""More than the jobs could take if each preempted each that has a lower priority."""
seeds = st.integers(0, 2**32)


def contended(random: Random) -> Contended:
    rules = Rules(random.choice((Scope.TENANT, Scope.EVERYWHERE)), min_run_s=random.choice((0, 60)))
    nodes = [make_node(name, {"h100": 4}, rack=name) for name in ("a", "b", "c")]
    quotas = (QueueQuota("alpha", "h100", limit=random.randint(2, 8)),) if random.random() < 0.5 else ()
    return Contended(*nodes, rules=rules, quotas=quotas)


def some_jobs(random: Random) -> list[Job]:
    return [some_job(number, random) for number in range(1, random.randint(2, 10))]


def some_job(number: int, random: Random) -> Job:
    made = make_job(
        number,
        workers=random.randint(1, 4),
        shape=make_shape(random.choice((1, 2, 4))),
        tenant=random.choice(("alpha", "beta")),
        priority=random.randint(0, 3),
    )
    limit = random.choice((None, 100, 1_000, 100_000))
    stops, moves = random.random() < 0.7, random.random() < 0.3
    found = replace(made, spec=replace(made.spec, time_limit_s=limit, preemptible=stops, movable=moves))
    most = found.spec.workers
    is_elastic = most > 1 and random.random() < 0.5
    return elastic(found, random.randint(1, most - 1), random.randint(1, 2)) if is_elastic else found


@some.fixed(60)
@given(seeds)
def test_preemption_comes_to_an_end_and_whoever_it_was_for_has_a_place(seed: int) -> None:
    random = Random(seed)
    cluster, coming = contended(random), some_jobs(random)
    beneficiaries: set[str] = set()
    quiet = rounds = 0
    while coming or quiet < 3:
        rounds += 1
        assert rounds < MOST_ROUNDS
        come, coming = coming[: (many := random.randint(0, 3))], coming[many:]
        cluster.submit(*come)
        decisions = cluster.decide()
        beneficiaries |= {each.eviction.beneficiary for each in decisions if isinstance(each, Evicted)}
        beneficiaries |= {
            each.given_to.beneficiary for each in decisions if isinstance(each, Resized) and each.given_to
        }
        assert all(len(live.allocations) in live.job.spec.sizes for live in cluster.state.live.values())
        quiet = 0 if decisions or coming or cluster.in_state(State.STOPPING) else quiet + 1
        cluster.start()
        cluster.leave(most=random.randint(0, 3) if coming else None)
        cluster.wait(random.choice((1, 30)) if coming else 4_000)
    for each in beneficiaries.intersection(cluster.state.waiting):
        mine = cluster.state.jobs[cluster.state.groups[each].job_id].spec.priority
        assert any(live.job.spec.priority > mine for live in cluster.state.live.values())


@some.fixed(60)
@given(seeds)
def test_who_is_stopped_has_a_lower_priority_may_be_and_has_run_long_enough(seed: int) -> None:
    random = Random(seed)
    cluster = contended(random)
    rules = cluster.passes.rules
    for job in some_jobs(random):
        cluster.submit(job)
        before = {live.group.id: live for live in cluster.state.live.values()}
        for decision in cluster.decide():
            if isinstance(decision, Resized) and (given_to := decision.given_to) is not None:
                giver = before[decision.group]
                gives = giver.allocations[len(decision.allocations) :]
                assert rules.whole_until(giver) <= cluster.now
                assert sum(held.devices_milli for held in gives) == given_to.devices_milli > 0
                is_lent = all(held.since > 1 for held in gives)
                assert is_lent if given_to.cause is EvictionCause.LOAN else given_to.own_priority < given_to.priority
            if isinstance(decision, Evicted):
                victim, eviction = before[decision.group], decision.eviction
                if eviction.cause is EvictionCause.MOVE:
                    assert victim.job.spec.movable
                    assert rules.settled_until(victim) <= cluster.now
                    continue
                assert victim.job.spec.preemptible
                assert victim.job.spec.priority == eviction.own_priority < eviction.priority
                assert rules.protected_until(victim) <= cluster.now
                assert rules.scope is Scope.EVERYWHERE or victim.job.tenant == eviction.tenant
        cluster.start()
        cluster.wait(45)


@some.fixed(60)
@given(seeds)
def test_whoever_takes_back_its_share_leaves_all_others_theirs_and_it_comes_to_an_end(seed: int) -> None:
    random = Random(seed)
    due = {"alpha": random.randint(0, 6), "beta": random.randint(0, 6)}
    quotas = tuple(QueueQuota(queue, "h100", guaranteed=guaranteed) for queue, guaranteed in due.items())
    rules = Rules(random.choice((Scope.TENANT, Scope.EVERYWHERE)), min_run_s=0)
    cluster = Contended(*(make_node(name, {"h100": 4}) for name in ("a", "b", "c")), rules=rules, quotas=quotas)
    coming = some_jobs(random)
    quiet = rounds = 0
    while coming or quiet < 3:
        rounds += 1
        assert rounds < MOST_ROUNDS
        come, coming = coming[: (many := random.randint(0, 3))], coming[many:]
        cluster.submit(*come)
        before_it = {live.attempt: live.job.tenant for live in cluster.state.live.values()}
        before, decisions = runs_on(cluster), cluster.decide()
        taken: Counter[str] = Counter()
        for decision in decisions:
            if isinstance(decision, Evicted) and decision.eviction.cause is not EvictionCause.MOVE:
                owner = cluster.state.live[decision.attempt].job.tenant
                taken[owner] += decision.eviction.devices_milli // 1_000 * (owner != decision.eviction.tenant)
            if isinstance(decision, Resized) and (given_to := decision.given_to) is not None:
                owner = before_it[decision.attempt]
                taken[owner] += given_to.devices_milli // 1_000 * (owner != given_to.tenant)
        assert all(not taken[owner] or before[owner] - taken[owner] >= due[owner] for owner in due)
        quiet = 0 if decisions or coming or cluster.in_state(State.STOPPING) else quiet + 1
        cluster.start()
        cluster.leave(most=random.randint(0, 3) if coming else None)
        cluster.wait(30 if coming else 4_000)


@some.fixed(60)
@given(seeds)
def test_whoever_is_moved_goes_on_and_so_does_whom_it_is_moved_for(seed: int) -> None:
    random = Random(seed)
    cluster = Contended(*(make_node(name, {"h100": 8}) for name in ("a", "b", "c")), rules=Rules(min_run_s=1))
    small = [make_job(number, shape=make_shape(random.choice((1, 2, 3)))) for number in range(1, 16)]
    cluster.run(*(replace(job, spec=replace(job.spec, movable=random.random() < 0.8)) for job in small))
    for job in random.sample(small, 10):
        if cluster.group(job).state is State.RUNNING:
            cluster.end(job)
        else:
            cluster.move(cluster.group(job).id, Event.STOP, StopReason.CANCELLED)
    cluster.submit(*(make_job(number, shape=make_shape(8)) for number in (20, 21)))
    moved: dict[str, str] = {}
    for _ in range(MOST_ROUNDS):
        cluster.wait(100)
        evictions = [each for each in cluster.decide() if isinstance(each, Evicted)]
        assert all(each.eviction.cause is EvictionCause.MOVE for each in evictions)
        assert len(evictions) <= 2 * MOST_MOVES
        moved |= {each.group: each.eviction.beneficiary for each in evictions}
        cluster.leave()
        cluster.start()
    assert not cluster.in_state(State.STOPPING)
    assert set(cluster.in_state(State.RUNNING)) >= {*moved, *moved.values()}


def runs_on(cluster: Contended) -> Counter[str]:
    """Return the devices of what runs on, by tenant."""
    found: Counter[str] = Counter()
    for live in cluster.state.live.values():
        if live.group.state is not State.STOPPING:
            found[live.job.tenant] += sum(held.devices for held in live.allocations)
    return found
