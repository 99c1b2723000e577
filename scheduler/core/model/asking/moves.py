"""Moves of jobs that run, by which one that waits would have room."""

from dataclasses import dataclass

from scheduler.core.model.identifiers import JobId, NodeId, TenantName


@dataclass(frozen=True, slots=True)
class Move:
    """A job that runs goes on elsewhere."""

    job: JobId
    tenant: TenantName
    leaves: tuple[NodeId, ...]
    """The nodes on which it is, in order."""
    goes_to: tuple[NodeId, ...]
    """The nodes on which there is room for it."""
    devices_milli: int
    """Thousandths of devices that it holds."""
    cost_device_s: float
    """What it costs, in device-seconds: the work that it has not saved, and its restart."""
    is_allowed: bool
    """Whether its job says that it may be moved."""
