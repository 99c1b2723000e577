"""What workers take of one node, as one interned value."""

from dataclasses import dataclass
from functools import lru_cache

from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """So much of one node. There is one object for equal amounts, made by `amounts_of`."""

    chip: ChipName | None
    devices: int
    """Whole devices."""
    cpu_milli: int
    memory_mib: int
    pods: int
    share_milli: int = 0
    """Of one device that is shared."""
    share_memory_mib: int = 0

    @property
    def devices_milli(self) -> int:
        """The devices in thousandths."""
        return self.share_milli or self.devices * 1000


@lru_cache(maxsize=65_536)
def amounts_of(chip: ChipName | None, devices: int, cpu_milli: int, memory_mib: int, pods: int, *share: int) -> Amounts:
    """Return the one object for these amounts; `share` is nothing, or its thousandths and its memory in MiB."""
    return Amounts(chip, devices, cpu_milli, memory_mib, pods, *share)
