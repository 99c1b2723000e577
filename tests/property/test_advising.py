"""What is advised is true: who does it has a place."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.advising.smallest_changes import changes_to_fit, changes_to_start
from scheduler.core.deciding.backfilling.hopes import RESERVE_AFTER_S
from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.preempting.rules import NO_PREEMPTION
from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.ledger.trial import Trial
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.asking.remedies import with_remedy
from scheduler.core.model.change import ReservationMade
from scheduler.core.model.group import StopReason
from scheduler.core.model.job import AnyOf, Job
from scheduler.core.model.node import Node
from scheduler.core.model.reason import NeverFits, TooFewFree
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import ANYWHERE_CLOSE, RACK, Closeness
from scheduler.core.model.waiting.promise import Promise
from tests.builders import strategies as some
from tests.builders.core import NOON, make_group, make_job, make_node, make_shape, make_state
from tests.builders.preempting import Contended, placed


@st.composite
def crowded(draw: st.DrawFn) -> tuple[Sequence[Node], tuple[QueueQuota, ...], Job]:
    return draw(some.nodes() | some.scarce_nodes()), draw(some.quotas), draw(some.gangs(most=8, parts=1))


@some.fixed(100)
@given(crowded(), st.data())
def test_who_does_what_is_advised_starts_now(
    scene: tuple[Sequence[Node], tuple[QueueQuota, ...], Job], data: st.DataObject
) -> None:
    nodes, quotas, job = scene
    state = make_state(*nodes, quotas=quotas)
    with Trial(state.ledger) as trial:
        for hold in data.draw(some.holds([node for node in nodes if state.ledger.has_node(node.id)])):
            trial.apply(hold)
        before = state.digest()
        for remedy in changes_to_start(state, job, NOON):
            changed = replace(job, spec=with_remedy(job.spec, remedy))
            assert prospect_of(state, changed, NOON).places, remedy
        assert state.digest() == before


def crowded_job(number: int, at: datetime, random: Random) -> Job:
    made = make_job(
        number,
        random.choice((AnyOf(("h100",)), AnyOf(("h100", "a100")), AnyOf(("a100",)))),
        workers=random.randint(1, 6),
        shape=make_shape(random.choice((1, 1, 2, 4))),
        tenant=random.choice(("alpha", "beta")),
        closeness=random.choice((Closeness(RACK), ANYWHERE_CLOSE)),
        submitted_at=at,
    )
    return replace(made, spec=replace(made.spec, time_limit_s=random.choice((None, 600, 900, 1_500)), grace_s=0))


def with_reservations(random: Random) -> Contended:
    """Return a cluster in which jobs run and wait, and room is kept for some of them."""
    racks = {name: random.choice(("x", "y")) for name in "abcd"}
    nodes = [make_node(name, {random.choice(("h100", "h100", "a100")): 4}, rack=rack) for name, rack in racks.items()]
    cluster = Contended(*nodes, rules=NO_PREEMPTION)
    cluster.run(*(crowded_job(number, NOON, random) for number in range(1, random.randint(3, 8))))
    for number in (20, 30):
        cluster.wait(random.choice((10, RESERVE_AFTER_S + 1)))
        cluster.submit(*(crowded_job(number + more, cluster.now, random) for more in range(random.randint(1, 4))))
        cluster.decide()
        cluster.start()
    for promise in cluster.passes.promises.unwritten(cluster.state.promised):
        assert isinstance(promise, Promise)
        cluster.tell(ReservationMade(promise))
    return cluster


@some.fixed(100)
@given(st.integers(0, 2**32))
def test_who_is_submitted_anew_as_is_advised_starts_beside_all_that_is_kept_for_others(seed: int) -> None:
    random = Random(seed)
    cluster = with_reservations(random)
    state, now = cluster.state, cluster.now
    waiting = [(state.jobs[group.job_id], name) for name, group in sorted(state.waiting.items())]
    advised = [
        (job, name, remedy)
        for job, name in waiting
        if all(isinstance(one, TooFewFree | NeverFits) for one in explain(state, name, now).reasons)
        for remedy in changes_to_start(state, job, now)
    ]
    if not advised:
        return
    job, name, remedy = random.choice(advised)
    cluster.move(name, Event.STOP, StopReason.CANCELLED)
    changed = replace(make_job(99, tenant=job.tenant, submitted_at=now), spec=with_remedy(job.spec, remedy))
    cluster.submit(changed)
    assert make_group(changed).id in placed(cluster.decide())


@some.fixed(100)
@given(crowded())
def test_who_does_what_is_advised_is_not_refused(scene: tuple[Sequence[Node], tuple[QueueQuota, ...], Job]) -> None:
    nodes, _, job = scene
    state = make_state(*nodes)
    for remedy in changes_to_fit(state, job):
        assert not prospect_of(state, replace(job, spec=with_remedy(job.spec, remedy)), NOON).is_hopeless, remedy
