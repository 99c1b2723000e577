"""What ranks hold, in the units of the guarded counters."""

from collections import Counter
from collections.abc import Iterable

from scheduler.adapters.database.schema.fleet import CPU_MILLI, DEVICES_MILLI, MEMORY_MIB, PODS
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import ChipName, NodeId
from scheduler.core.model.sharing.queue import COMPUTE, QueueName

Resource = tuple[NodeId, str]
Purse = tuple[QueueName, ChipName]


def resources_of(ranks: Iterable[Allocation]) -> Counter[Resource]:
    """Return what ranks hold of each resource of each node."""
    amounts: Counter[Resource] = Counter()
    for rank in ranks:
        amounts[rank.node, CPU_MILLI] += rank.cpu_milli
        amounts[rank.node, MEMORY_MIB] += rank.memory_mib
        amounts[rank.node, PODS] += rank.pods
        if rank.chip is not None:
            amounts[rank.node, DEVICES_MILLI + rank.chip] += rank.devices_milli
    return amounts


def purses_of(queue: QueueName, ranks: Iterable[Allocation]) -> Counter[Purse]:
    """Return what ranks of a queue's job count against its quotas, in thousandths of devices, and of COMPUTE."""
    amounts: Counter[Purse] = Counter()
    for rank in ranks:
        if rank.chip is not None and rank.devices_milli:
            amounts[queue, rank.chip] += rank.devices_milli
        if rank.compute_milli:
            amounts[queue, COMPUTE] += rank.compute_milli
    return amounts
