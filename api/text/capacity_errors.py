"""Where the database's counters and what live attempts hold disagree, in a sentence."""

from typing import assert_never

from scheduler.ports.views import AllocationError, CapacityError, CounterError, QuotaError, SlotError, SlotUse


def capacity_error_text(error: CapacityError) -> str:
    """Return what is counted and what is held."""
    match error:
        case CounterError(node, resource, counted, held):
            return f"node {node}: {counted:,} of {resource} are counted, live attempts hold {held:,}"
        case SlotError(node, slot, counted, held):
            return f"device {slot} of node {node}: {_use(counted)} is counted, live attempts hold {_use(held)}"
        case QuotaError(queue, chip, counted, held):
            return (
                f"quota of queue {queue} for {chip}: {counted:,} thousandths of devices are counted, "
                f"live attempts hold {held:,}"
            )
        case AllocationError(attempt, rank, is_held):
            what = "is over and still holds its place" if is_held else "is live and its place was given back"
            return f"rank {rank} of attempt {attempt} {what}"
    assert_never(error)


def _use(use: SlotUse) -> str:
    if use.holder is not None:
        return f"the whole of it by {use.holder}"
    return f"{use.milli} thousandths with {use.memory_mib:,} MiB" if use.milli or use.memory_mib else "nothing"
