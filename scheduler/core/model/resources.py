"""Amounts, all integers: devices in thousandths (1000 is one whole device), milli-cores, MiB."""

from dataclasses import dataclass

WHOLE_DEVICE_MILLI = 1000
MILLI_CORES_PER_CORE = 1000


@dataclass(frozen=True, slots=True)
class WorkerShape:
    """What one worker holds while its attempt lives."""

    devices: int
    """Whole devices, all of one chip type on one node; at least 1."""
    cpu_milli: int
    memory_mib: int

    @property
    def devices_milli(self) -> int:
        """The devices in thousandths, the unit of the guarded counters."""
        return self.devices * WHOLE_DEVICE_MILLI
