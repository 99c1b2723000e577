"""Why an attempt was stopped or made smaller for another gang's sake, with the figures that led to it."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.identifiers import GroupId, TenantName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI


class EvictionCause(StrEnum):
    """What entitled a gang to the devices of another one."""

    PRIORITY = "priority"
    """Its job has a higher priority."""
    RECLAIM = "reclaim"
    """It takes back what is guaranteed to its tenant or queue, and was lent to others."""
    LOAN = "loan"
    """It waits, and an elastic job had grown into room that nobody wanted then."""
    MOVE = "move"
    """It fits by counts, and a job that says that it may be moved can go on elsewhere."""
    TIME_UP = "time-up"
    """Room is kept for it, on which the other one was to run until this is needed."""
    ROUND = "round"
    """It is its turn in this round; a gang may have to go to where it is its own turn, too."""


@dataclass(frozen=True, slots=True)
class Eviction:
    """For whom an attempt was stopped, by which right, and what that was reckoned to cost."""

    beneficiary: GroupId
    """The gang that was to have the devices; one that asks for the same may have got them."""
    tenant: TenantName
    """The beneficiary's."""
    cause: EvictionCause
    priority: int
    """The beneficiary's, when it was decided."""
    own_priority: int
    """That of the job that was stopped."""
    devices_milli: int
    """Thousandths of devices that the attempt held."""
    unsaved_s: float
    """For how long it had run since it was placed, or had last saved itself; what it saves in its grace is not lost."""

    @property
    def unsaved_device_s(self) -> float:
        """The work that was not saved, in device-seconds."""
        return self.unsaved_s * self.devices_milli / WHOLE_DEVICE_MILLI


@dataclass(frozen=True, slots=True)
class GivenTo:
    """For whom the gang of an elastic job goes on with fewer workers, and by which right; no work is lost with that."""

    beneficiary: GroupId
    """The gang that was to have the devices; one that asks for the same may have got them."""
    tenant: TenantName
    """The beneficiary's."""
    cause: EvictionCause
    priority: int
    """The beneficiary's, when it was decided."""
    own_priority: int
    """That of the job that gives way."""
    devices_milli: int
    """Thousandths of devices that it gives."""
