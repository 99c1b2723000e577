"""Queues: where jobs wait, in a tree that says who shares with whom, and what each queue is due."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.measuring.layers import LayerSpeed
from scheduler.core.model.measuring.throughput import Speed

QueueName = str
"""Unique. A tenant's own queue is named as the tenant."""
MOST_WEIGHT = 1_000
MOST_DEPTH = 8
COMPUTE = "compute"
"""The resource that counts all devices by what they are worth to their job; no chip type and no group is named so."""

ResourceName = str
"""What a quota counts: a chip type, a group of them, or COMPUTE."""


@dataclass(frozen=True, slots=True)
class QueueCaps:
    """How many jobs a queue takes, and how urgent they may be; None: no cap."""

    most_waiting: int | None = None
    most_running: int | None = None
    most_running_per_user: int | None = None
    highest_priority: int | None = None


NO_CAPS = QueueCaps()


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue. Jobs wait in those of tenants; the others hold such queues together."""

    name: QueueName
    parent: QueueName | None = None
    """None: at the top."""
    tenant: TenantName | None = None
    """Whose jobs wait in it; None for one that holds others together."""
    weight: int = 1
    """Against its siblings, 1 to MOST_WEIGHT: twice the weight is due twice the share."""
    caps: QueueCaps = NO_CAPS


class Account(NamedTuple):
    """Whom what is held is counted for."""

    queue: QueueName
    """With all queues that it is in."""
    user: str = ""
    """Who submitted the job."""
    is_part: bool = False
    """Its devices count, but it is not one more that holds something: the rest of its attempt is that."""


@dataclass(frozen=True, slots=True)
class ChipGroup:
    """Chip types that quotas count together."""

    name: str
    chips: tuple[ChipName, ...]


@dataclass(frozen=True, slots=True)
class QueueQuota:
    """What a queue is due and may have of one resource, in whole devices, or of COMPUTE in units of it."""

    queue: QueueName
    resource: ResourceName
    guaranteed: int = 0
    """That it may take back from those who have more than theirs."""
    limit: int | None = None
    """It never holds more; None: no limit."""
    borrowing: int | None = None
    """It holds at most so much more than is guaranteed; None: as much as others leave."""
    lending: int | None = None
    """Others hold at most so much of what is guaranteed and not used; None: all of it."""

    @property
    def most(self) -> int | None:
        """The most it may hold by its limit and by what it may borrow; None: no limit."""
        bounds = [self.limit] if self.limit is not None else []
        if self.borrowing is not None:
            bounds.append(self.guaranteed + self.borrowing)
        return min(bounds, default=None)

    @property
    def kept_back(self) -> int:
        """How much stays free for it even while it does not use it."""
        return 0 if self.lending is None else max(0, self.guaranteed - self.lending)


@dataclass(frozen=True, slots=True)
class Shares:
    """All that is said of who shares what."""

    queues: tuple[Queue, ...] = ()
    quotas: tuple[QueueQuota, ...] = ()
    chip_groups: tuple[ChipGroup, ...] = ()
    speeds: tuple[Speed, ...] = ()
    """How fast families of jobs are, which says what devices are worth to them."""
    layers: tuple[LayerSpeed, ...] = ()
    """How long layers of their models take, which says how they are trained on several chip types."""


NO_SHARES = Shares()


class QuotaCause(StrEnum):
    """Which figure keeps a queue from holding more."""

    LIMIT = "limit"
    BORROWING = "borrowing"
    """Its guaranteed share with what it may borrow."""
    KEPT_BACK = "kept-back"
    """Other queues lend no more of what is guaranteed to them."""


class BadTree(ValueError):
    """Queues do not make a tree; `args[0]` says why, for people."""


class ContradictoryQuota(ValueError):
    """The figures of a quota contradict each other; `args[0]` says which, for people."""


def check_quota(quota: QueueQuota) -> None:
    """Raise ContradictoryQuota where the figures of a quota cannot be meant."""
    figures = {"guaranteed": quota.guaranteed, "limit": quota.limit, "borrowing": quota.borrowing}
    for name, figure in {**figures, "lending": quota.lending}.items():
        if figure is not None and figure < 0:
            raise ContradictoryQuota(f"{name} is {figure}, and must be 0 or more")
    if quota.limit is not None and quota.limit < quota.guaranteed:
        raise ContradictoryQuota(f"limit is {quota.limit}, less than the guaranteed {quota.guaranteed}")
    if quota.lending is not None and quota.lending > quota.guaranteed:
        raise ContradictoryQuota(f"lending is {quota.lending}, more than the guaranteed {quota.guaranteed}")
