"""A guaranteed share is had whenever it is wanted, whatever others do."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.backfilling.claims import READY_FOR_S
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.model.group import State
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import Queue, QueueQuota
from tests.builders import strategies as some
from tests.builders.core import make_job, make_node
from tests.builders.preempting import Contended

DEVICES = 12
STEP_S = 11


@some.fixed(40)
@given(st.integers(0, 2**32))
def test_a_tenant_alone_never_has_less_than_its_guaranteed_share_while_it_wants_it(seed: int) -> None:
    random = Random(seed)
    tenants = [f"tenant-{number}" for number in range(random.randint(2, 5))]
    queues, quotas = some_tree(tenants, random)
    nodes = [make_node(f"n{number}", {"h100": 4}) for number in range(DEVICES // 4)]
    contended = Contended(*nodes, rules=Rules(min_run_s=0), quotas=quotas, queues=queues)
    guaranteed = {quota.queue: quota.guaranteed for quota in quotas}
    width = {tenant: random.choice((1, 1, 1, 2, 3, 6)) for tenant in tenants}
    number = 0
    for _ in range(random.randint(2, 6)):
        for tenant in random.sample(tenants, random.randint(1, len(tenants))):
            for _ in range(random.randint(1, DEVICES // width[tenant])):
                number += 1
                job = make_job(number, workers=width[tenant], tenant=tenant, priority=random.randint(-2, 2))
                contended.submit(job)
        settle(contended, random)
        uses, waiting = contended.state.ledger.uses, contended.state.waiting.values()
        for tenant in {contended.state.jobs[group.job_id].tenant for group in waiting}:
            held = uses.held_by(tenant).get("h100", 0) // WHOLE_DEVICE_MILLI
            assert held + width[tenant] > guaranteed[tenant], (tenant, held, width, guaranteed)
        for group in random.sample(running := contended.in_state(State.RUNNING), random.randint(0, len(running) // 2)):
            contended.finish(group)


def some_tree(tenants: list[str], random: Random) -> tuple[tuple[Queue, ...], tuple[QueueQuota, ...]]:
    """Return queues, some of them in departments, which may be limited; all is guaranteed no more than there is."""
    left = DEVICES
    queues = [Queue(name, weight=random.randint(1, 3)) for name in ("east", "west")]
    quotas = []
    within = {"east": 0, "west": 0}
    for tenant in tenants:
        parent = random.choice((None, "east", "west"))
        queues.append(Queue(tenant, parent=parent, tenant=tenant, weight=random.randint(1, 5)))
        share = random.randint(0, left)
        left -= share
        lending = random.choice((None, None, 0, share // 2))
        quotas.append(QueueQuota(tenant, "h100", guaranteed=share, lending=lending))
        if parent is not None:
            within[parent] += share
    for name, share in within.items():
        limit = random.choice((None, share, random.randint(share, DEVICES)))
        if share or limit is not None:
            quotas.append(QueueQuota(name, "h100", guaranteed=share, limit=limit))
    return tuple(queues), tuple(quotas)


def settle(contended: Contended, random: Random) -> None:
    """Let passes decide until nothing moves any more, with workers that go at their own pace.

    What is kept for somebody who may not have it after all is given up after a while.
    """
    quiet = 0
    for _ in range(200):
        contended.wait(STEP_S)
        is_moving = decides(contended) or contended.in_state(State.STOPPING)
        quiet = 0 if is_moving else quiet + 1
        if quiet * STEP_S > READY_FOR_S + STEP_S:
            return
        contended.leave(most=random.choice((None, 1, 3)))
        contended.start()
    raise AssertionError("it never comes to rest")


def decides(contended: Contended) -> bool:
    """Let passes decide as long as one is due at once, as a server does; say whether anything was decided."""
    decided = bool(contended.decide())
    while (due := contended.passes.next_due(contended.state, contended.now)) is not None and due <= contended.now:
        decided = bool(contended.decide()) or decided
    return decided
