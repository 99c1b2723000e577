"""What an operator chose about the order of the queue."""

from __future__ import annotations

from dataclasses import dataclass, field

from scheduler.core.queueing.order import DEFAULT_AGEING_S
from scheduler.core.queueing.policies.policy import Fair, OrderPolicy


@dataclass(frozen=True, slots=True)
class Ordering:
    """A policy, and what a point of priority is worth."""

    policy: OrderPolicy = field(default_factory=Fair)
    ageing_s: float = DEFAULT_AGEING_S
    """Each point counts as though the job had been submitted so much earlier; 0: higher priority before all else."""

    stops_overtakers: bool = True
    """Whether who may be preempted overtakes by what is learnt of it as well, and is stopped before anybody waits."""

    @property
    def learns(self) -> bool:
        """Whether those who wait may change places as time passes, without anything having happened to them."""
        return not self.has_shares and self.policy.name != "fifo"

    @property
    def has_shares(self) -> bool:
        """Whether queues come before gangs."""
        return isinstance(self.policy, Fair)


DEFAULT_ORDERING = Ordering()
