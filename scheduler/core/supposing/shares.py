"""What queues are due and have on a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import COMPUTE
from scheduler.core.queueing.dues.shares import shares_due
from scheduler.core.queueing.quota import used_milli

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.sharing.queue import QueueName


class QueueHas(NamedTuple):
    """Parts of all there is, 0 to 1."""

    due: float
    held: float
    """Of compute, by the catalogue, on nodes that take work; more than 1 where much is held on nodes that do not."""


def what_queues_have(state: SchedulerState) -> Mapping[QueueName, QueueHas]:
    """Return what each queue is due by weights, and holds with all that is in it."""
    sharing, uses = state.sharing, state.ledger.uses
    rates = sharing.book.worth(COMPUTE)
    capacity = sum(state.tally.usable(chip) * rate for chip, rate in rates.items()) * WHOLE_DEVICE_MILLI
    return {
        name: QueueHas(due, used_milli(uses, name, rates) / capacity if capacity else 0.0)
        for name, due in sorted(shares_due(sharing.tree).items())
    }
