from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold
from scheduler.core.model.decision import Placed
from scheduler.core.model.job import Job
from scheduler.core.model.node import TAKES_WORK, Node
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.queueing.quota import used_milli
from tests.builders import strategies as some
from tests.builders.core import NOON, make_group, make_state
from tests.builders.database import make_chip
from tests.oracle.decisions import decide

CHIPS = tuple(make_chip(name, measured_tflops=rate) for name, rate in zip(some.CHIPS, (3.0, 2.0, 1.0), strict=True))


@st.composite
def shared_states(draw: st.DrawFn) -> tuple[SchedulerState, list[Node], list[Job]]:
    """Draw a state in which jobs wait in a tree of queues with quotas."""
    tree = draw(some.trees.filter(bool))
    nodes, drawn = draw(some.nodes()), draw(some.jobs())
    jobs = [replace(job, submitted_by=draw(st.sampled_from(("ada", "bob")))) for job in drawn]
    quotas, group = draw(some.quotas_of(tree)), draw(some.chip_group)
    state = make_state(*nodes, jobs=tuple(jobs), queues=tuple(tree), quotas=quotas, chip_groups=(group,), chips=CHIPS)
    return state, nodes, jobs


def carry_out(state: SchedulerState, jobs: list[Job]) -> list[tuple[Job, Placed]]:
    """Let everybody hold what is decided for them."""
    by_group = {make_group(job).id: job for job in jobs}
    placed = [(by_group[one.group], one) for one in decide(state, NOON) if isinstance(one, Placed)]
    for job, one in placed:
        state.ledger.apply(Hold(one.attempt, job.tenant, one.allocations, job.account))
    return placed


@some.fixed(120)
@given(shared_states())
def test_no_queue_ever_holds_more_than_it_may_nor_runs_more_jobs(
    drawn: tuple[SchedulerState, list[Node], list[Job]],
) -> None:
    state, _, jobs = drawn
    carry_out(state, jobs)
    sharing, uses = state.sharing, state.ledger.uses
    for quota in sharing.quotas.values():
        used = used_milli(uses, quota.queue, sharing.book.weights(quota.resource))
        assert quota.most is None or used <= quota.most * WHOLE_DEVICE_MILLI
    for name, one in sharing.tree.queues.items():
        caps = one.caps
        assert caps.most_running is None or uses.holdings(name) <= caps.most_running
        for user in ("ada", "bob") if caps.most_running_per_user is not None else ():
            assert uses.holdings(name, user) <= (caps.most_running_per_user or 0)


@some.fixed(120)
@given(shared_states())
def test_what_a_queue_does_not_lend_stays_free_beside_those_who_have_more_than_their_own(
    drawn: tuple[SchedulerState, list[Node], list[Job]],
) -> None:
    state, nodes, jobs = drawn
    sharing, uses = state.sharing, state.ledger.uses
    for job, _ in carry_out(state, jobs)[-1:]:  # it saw what all before it had taken
        path = sharing.book.path(job.queue)
        for keeper in sharing.quotas.values():
            weights, worth = sharing.book.weights(keeper.resource), sharing.book.worth(keeper.resource)
            own = [sharing.quotas.get((name, keeper.resource)) for name in path]
            takes = any(job.tenant and worth.get(part.chip or "") for option in job.spec.options() for part in option)
            if keeper.queue in path or not takes or any(_is_within(state, quota) for quota in own if quota is not None):
                continue
            has = sum(
                max(0, group.count - node.foreign.devices_of(group.chip)) * worth.get(group.chip, 0)
                for node in nodes
                if node.state in TAKES_WORK
                for group in node.devices
            )
            held = sum(uses.total_milli(chip) * units for chip, units in worth.items())
            unused = keeper.kept_back * WHOLE_DEVICE_MILLI - used_milli(uses, keeper.queue, weights)
            assert unused <= 0 or has * WHOLE_DEVICE_MILLI - held >= unused or not _took(state, job, worth)


def _is_within(state: SchedulerState, quota: QueueQuota) -> bool:
    """Say whether a queue holds no more than is guaranteed to it."""
    used = used_milli(state.ledger.uses, quota.queue, state.sharing.book.weights(quota.resource))
    return used <= quota.guaranteed * WHOLE_DEVICE_MILLI


def _took(state: SchedulerState, job: Job, worth: Mapping[str, int]) -> bool:
    held = {row[1].chip for row in state.ledger.rows_of(f"{make_group(job).id}-a1")}
    return any(chip in worth for chip in held)


@some.fixed(60)
@given(shared_states())
def test_who_waits_has_a_reason_and_who_is_placed_had_none(
    drawn: tuple[SchedulerState, list[Node], list[Job]],
) -> None:
    state, _, jobs = drawn
    first = next(iter(decide(state, NOON)), None)
    if first is not None:
        assert isinstance(first, Placed) == (explain(state, first.group, NOON).reasons == ())
    assert state.digest() == state.digest()
    assert len(state.waiting) == len(jobs)
