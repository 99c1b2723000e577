"""What is held, counted: by tenant for reasons, and by queue with all that it is in for quotas and shares."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from scheduler.core.ledger.holding import Holding, Row, Use
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.reason import Holder
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import COMPUTE, Account, QueueName

Key = TypeVar("Key")
MOST_NOTED = 1_024
"""So many changes at most are not counted yet."""
_NOTHING: Mapping[ChipName, int] = MappingProxyType({})


class UseCounts:
    """How many thousandths of devices are held of each chip type, and by how many attempts."""

    __slots__ = ("_by_cluster", "_by_queue", "_holdings", "_noted", "_of_user", "_paths", "_totals", "version")

    def __init__(self) -> None:
        self._by_cluster: dict[tuple[ClusterName, ChipName], dict[TenantName, int]] = {}
        self._by_queue: dict[QueueName, dict[ChipName, int]] = {}
        """Of queues with all that is in them, as are the attempts."""
        self._holdings: dict[QueueName, int] = {}
        self._of_user: dict[tuple[QueueName, str], int] = {}
        """By queue and user, as in an Account."""
        self._totals: dict[ChipName, int] = {}
        self._paths: Mapping[QueueName, Sequence[QueueName]] = {}
        self._noted: list[tuple[Holding, Sequence[Row], int]] = []
        """What is not counted yet."""
        self.version = 0
        """Grows with every change."""

    def note(self, holding: Holding, rows: Sequence[Row], sign: int = 1) -> None:
        """Count an attempt with its rows when somebody reads; with a `sign` of -1 it holds them no longer.

        What is tried out and taken back before that costs next to nothing.
        """
        self.version += 1
        noted = self._noted
        if noted and noted[-1][0] is holding and noted[-1][2] != sign:
            noted.pop()
        else:
            noted.append((holding, rows, sign))
            if len(noted) > MOST_NOTED:
                self.settle()

    def settle(self) -> None:
        """Count what was noted, before somebody who is in a hurry has to."""
        noted, self._noted = self._noted, []
        for holding, rows, sign in noted:
            self.add(holding.tenant, holding.uses(rows), sign, holding.account)

    def add(self, tenant: TenantName, uses: Iterable[Use], sign: int = 1, account: Account | None = None) -> None:
        """Count that an attempt holds devices, or holds them no longer where `sign` is -1.

        Without an account it is counted for the tenant's own queue. What is for no tenant is counted for nobody.
        """
        self.version += 1
        by_chip: dict[ChipName, int] = {}
        by_cluster = self._by_cluster
        for cluster, chip, devices_milli in uses:
            amount = sign * devices_milli
            by_chip[chip] = by_chip[chip] + amount if chip in by_chip else amount
            if chip == COMPUTE:
                continue  # of no cluster, and no more of what devices there are
            here = by_cluster.get((cluster, chip))
            if here is None:
                here = by_cluster[cluster, chip] = {}
            left = here.get(tenant, 0) + amount  # as _add does: this is asked for with all that is tried out
            if left:
                here[tenant] = left
            else:
                here.pop(tenant, None)
        if not tenant:
            return
        totals = self._totals
        for chip, amount in by_chip.items():
            if chip != COMPUTE:
                totals[chip] = totals.get(chip, 0) + amount
        queue, user, is_part = account or (tenant, "", False)
        for name in self._paths.get(queue) or (queue,):
            self._count(name, by_chip, 0 if is_part else sign)
            if user and not is_part:
                _add(self._of_user, (name, user), sign)

    def _count(self, queue: QueueName, by_chip: Mapping[ChipName, int], holdings: int) -> None:
        held = self._by_queue.get(queue)
        if held is None:
            held = self._by_queue[queue] = {}
        for chip, amount in by_chip.items():
            left = held.get(chip, 0) + amount
            if left:
                held[chip] = left
            else:
                held.pop(chip, None)
        self._holdings[queue] = self._holdings.get(queue, 0) + holdings

    def regroup(self, paths: Mapping[QueueName, Sequence[QueueName]]) -> None:
        """Count for other queues from now on, what is held already too.

        Each queue is named with all that it is in, itself first; one that is not named is in none.
        """
        self.settle()
        self.version += 1
        own = {queue: (dict(held), self._holdings.get(queue, 0)) for queue, held in self._by_queue.items()}
        users = dict(self._of_user)
        for queue, held in self._by_queue.items():
            for within in self._paths.get(queue, ())[1:2]:
                for chip, amount in held.items():
                    _add(own[within][0], chip, -amount)
                own[within] = own[within][0], own[within][1] - self._holdings.get(queue, 0)
        for (queue, user), number in self._of_user.items():
            for within in self._paths.get(queue, ())[1:2]:
                _add(users, (within, user), -number)
        self._by_queue, self._holdings, self._of_user, self._paths = {}, {}, {}, paths
        for queue, (by_chip, holdings) in own.items():
            for name in (paths.get(queue) or (queue,)) if by_chip or holdings else ():
                self._count(name, by_chip, holdings)
        for (queue, user), number in users.items():
            for name in paths.get(queue) or (queue,):
                _add(self._of_user, (name, user), number)

    def held_by(self, queue: QueueName) -> Mapping[ChipName, int]:
        """Return what a queue holds with all that is in it, thousandths of devices by chip type; none that is 0.

        Beside chip types, what it is of COMPUTE.
        """
        if self._noted:
            self.settle()
        return self._by_queue.get(queue, _NOTHING)

    def holdings(self, queue: QueueName, user: str | None = None) -> int:
        """Return how many attempts of a queue with all that is in it hold something; of one user, or of all."""
        if self._noted:
            self.settle()
        return self._holdings.get(queue, 0) if user is None else self._of_user.get((queue, user), 0)

    def total_milli(self, chip: ChipName) -> int:
        """Return how many thousandths of devices of a chip type are held."""
        if self._noted:
            self.settle()
        return self._totals.get(chip, 0)

    def all_held(self) -> tuple[tuple[ClusterName, ChipName, TenantName, int], ...]:
        """Return how many thousandths of devices of a chip type a tenant holds in a cluster; none that is 0."""
        self.settle()
        return tuple(
            (cluster, chip, tenant, devices_milli)
            for (cluster, chip), held in self._by_cluster.items()
            for tenant, devices_milli in held.items()
        )

    def holders(self, cluster: ClusterName, chip: ChipName) -> tuple[Holder, ...]:
        """Return who holds devices of a chip type in a cluster, shares rounded up: most first, then by tenant."""
        self.settle()
        held = self._by_cluster.get((cluster, chip), {})
        ordered = sorted(held.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Holder(tenant, -(-devices_milli // WHOLE_DEVICE_MILLI)) for tenant, devices_milli in ordered)


def _add(counts: dict[Key, int], key: Key, amount: int) -> None:
    """Count something, and keep none that is 0."""
    left = counts.get(key, 0) + amount
    if left:
        counts[key] = left
    else:
        counts.pop(key, None)
