"""All that could be left behind by somebody who tries something on a state."""

from collections.abc import Sequence
from datetime import datetime

from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.asking.consequences import Consequences
from scheduler.core.model.asking.suppositions import Supposition
from scheduler.core.supposing.comparing import consequences_of
from scheduler.core.supposing.rehearsing import rehearse
from tests.builders.core import NOON


def traces(state: SchedulerState) -> tuple[object, ...]:
    """Return the digest of a state, and all that is counted beside what it covers."""
    classes = state.waiters.classes.all.values()
    tally, uses = state.tally, state.ledger.uses
    return (
        state.digest(),
        sorted((id(each), tuple(each.members)) for each in classes),
        {name: (tuple(queue.places), queue.devices_milli) for name, queue in state.waiters.queued.queues.items()},
        sorted(state.waiting),
        sorted((count.cluster, count.chip, count.usable, count.unusable, count.foreign) for count in tally.capacity()),
        sorted((count.tenant, str(count.chip), count.gangs, count.devices_milli) for count in tally.queues()),
        sorted(state.ledger.all_held()),
        {name: (dict(uses.held_by(name)), uses.holdings(name)) for name in state.sharing.tree.queues},
        state.members_holding.counts(),
        sorted(state.losses.stopping),
        {name: sorted(state.losses.on_node(name)) for name in state.ledger.inventory.entries},
        {pool: sorted(state.occupants.of(pool)) for pool in {(cluster, None) for cluster in state.ledger.clusters()}},
        _sizes(state),
        (state.news.upheaval, state.news.now, sorted(map(str, state.news.pools.since(-1)))),
    )


def _sizes(state: SchedulerState) -> list[list[str]]:
    sizes = state.sizes
    those = (sizes.unsized, sizes.generous, sizes.lending, sizes.leaving, sizes.movable)
    return [sorted(each) for each in those]


def what_if(
    state: SchedulerState, *suppositions: Supposition, rules: Rules | None = None, now: datetime = NOON
) -> Consequences:
    """Return what would follow, and see to it that nothing is left of having asked."""
    before = traces(state)
    rehearsed = rehearse(state, suppositions, now, rules=rules or Rules())
    assert traces(state) == before
    found = consequences_of(rehearsed)
    assert found is not None
    return found


def names(found: Sequence[object]) -> list[str]:
    """Return of whom something is told, in order."""
    return [each.job.id for each in found]  # type: ignore[attr-defined]
