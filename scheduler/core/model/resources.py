"""Amounts, all integers: devices in thousandths (1000 is one whole device), milli-cores, MiB."""

from dataclasses import dataclass

WHOLE_DEVICE_MILLI = 1000
MAIN_ROLE = "worker"
"""What the workers of a job are called that names no roles."""
MILLI_CORES_PER_CORE = 1000


@dataclass(frozen=True, slots=True)
class WorkerShape:
    """What one worker holds while its attempt lives: whole devices, a share of one device, or neither."""

    devices: int
    """Whole devices, all of one chip type on one node; 0 with a share, and for a worker that needs no device."""
    cpu_milli: int
    memory_mib: int
    share_milli: int = 0
    """A share of one device's compute, in thousandths: 1 to 999; 0 for none."""
    share_memory_mib: int = 0
    """The share's part of that device's memory."""

    @property
    def devices_milli(self) -> int:
        """The devices in thousandths, the unit of the guarded counters and of quotas."""
        return self.share_milli or self.devices * WHOLE_DEVICE_MILLI


@dataclass(frozen=True, slots=True)
class Elastic:
    """Smaller sizes that a gang may have as well, and may be given while it runs."""

    least: int
    """So few workers are enough."""
    step: int = 1
    """Its sizes are so far apart, from the most that is wanted down."""

    def sizes(self, most: int) -> tuple[int, ...]:
        """Return the sizes, largest first, of a gang that is to have so many workers at most."""
        return tuple(range(most, self.least - 1, -self.step))
