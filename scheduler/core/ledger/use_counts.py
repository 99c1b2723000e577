"""What is held, counted: by tenant for reasons, and by queue with all that it is in for quotas and shares."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from scheduler.core.ledger.holding import Use
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.reason import Holder
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import COMPUTE, Account, QueueName

Key = TypeVar("Key")
_NOTHING: Mapping[ChipName, int] = MappingProxyType({})


class UseCounts:
    """How many thousandths of devices are held of each chip type, and by how many attempts."""

    __slots__ = ("_by_cluster", "_by_queue", "_holdings", "_of_user", "_paths", "_totals", "version")

    def __init__(self) -> None:
        self._by_cluster: dict[tuple[ClusterName, ChipName], dict[TenantName, int]] = {}
        self._by_queue: dict[QueueName, dict[ChipName, int]] = {}
        """Of queues with all that is in them, as are the attempts."""
        self._holdings: dict[QueueName, int] = {}
        self._of_user: dict[Account, int] = {}
        self._totals: dict[ChipName, int] = {}
        self._paths: Mapping[QueueName, Sequence[QueueName]] = {}
        self.version = 0
        """Grows with every change."""

    def add(self, tenant: TenantName, uses: Iterable[Use], sign: int = 1, account: Account | None = None) -> None:
        """Count that an attempt holds devices, or holds them no longer where `sign` is -1.

        Without an account it is counted for the tenant's own queue. What is for no tenant is counted for nobody.
        """
        self.version += 1
        by_chip: dict[ChipName, int] = {}
        for cluster, chip, devices_milli in uses:
            amount = sign * devices_milli
            by_chip[chip] = by_chip.get(chip, 0) + amount
            if chip == COMPUTE:
                continue  # of no cluster, and no more of what devices there are
            here = self._by_cluster.get((cluster, chip))
            if here is None:
                here = self._by_cluster[cluster, chip] = {}
            _add(here, tenant, amount)
            if tenant:
                _add(self._totals, chip, amount)
        if tenant:
            queue, user = account or (tenant, "")
            for name in self._paths.get(queue) or (queue,):
                self._count(name, by_chip, sign)
                if user:
                    _add(self._of_user, Account(name, user), sign)

    def _count(self, queue: QueueName, by_chip: Mapping[ChipName, int], holdings: int) -> None:
        held = self._by_queue.get(queue)
        if held is None:
            held = self._by_queue[queue] = {}
        for chip, amount in by_chip.items():
            _add(held, chip, amount)
        _add(self._holdings, queue, holdings)

    def regroup(self, paths: Mapping[QueueName, Sequence[QueueName]]) -> None:
        """Count for other queues from now on, what is held already too.

        Each queue is named with all that it is in, itself first; one that is not named is in none.
        """
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
                _add(users, Account(within, user), -number)
        self._by_queue, self._holdings, self._of_user, self._paths = {}, {}, {}, paths
        for queue, (by_chip, holdings) in own.items():
            for name in (paths.get(queue) or (queue,)) if by_chip or holdings else ():
                self._count(name, by_chip, holdings)
        for (queue, user), number in users.items():
            for name in paths.get(queue) or (queue,):
                _add(self._of_user, Account(name, user), number)

    def held_by(self, queue: QueueName) -> Mapping[ChipName, int]:
        """Return what a queue holds with all that is in it, thousandths of devices by chip type; none that is 0.

        Beside chip types, what it is of COMPUTE.
        """
        return self._by_queue.get(queue, _NOTHING)

    def holdings(self, queue: QueueName, user: str | None = None) -> int:
        """Return how many attempts of a queue with all that is in it hold something; of one user, or of all."""
        return self._holdings.get(queue, 0) if user is None else self._of_user.get(Account(queue, user), 0)

    def total_milli(self, chip: ChipName) -> int:
        """Return how many thousandths of devices of a chip type are held."""
        return self._totals.get(chip, 0)

    def all_held(self) -> tuple[tuple[ClusterName, ChipName, TenantName, int], ...]:
        """Return how many thousandths of devices of a chip type a tenant holds in a cluster; none that is 0."""
        return tuple(
            (cluster, chip, tenant, devices_milli)
            for (cluster, chip), held in self._by_cluster.items()
            for tenant, devices_milli in held.items()
        )

    def holders(self, cluster: ClusterName, chip: ChipName) -> tuple[Holder, ...]:
        """Return who holds devices of a chip type in a cluster, shares rounded up: most first, then by tenant."""
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
