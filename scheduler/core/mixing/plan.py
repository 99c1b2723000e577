"""A training plan: which layers run on which chips, and what is predicted of it."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.model.identifiers import ChipName


class Transport(StrEnum):
    """How what one stage gives reaches the next."""

    VENDOR = "vendor"
    """The library of the vendor that both stages' chips are of."""
    HOST = "host"
    """Copied to the host, sent by it, copied to the device."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes that a stage takes of each of its devices."""

    parameters: int
    gradients: int
    optimiser: int
    activations: int
    """Of all micro-batches in flight."""
    logits: int
    reserved: int
    limit: int
    """What may be planned with: the share of the device's memory that the runtime's terms say."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.parameters + self.gradients + self.optimiser + self.activations + self.logits + self.reserved


@dataclass(frozen=True, slots=True)
class Stage:
    """Consecutive layers on devices of one pool. The first has the embedding as well, the last the head."""

    pool: str
    chip: ChipName
    first_layer: int
    """From 0."""
    layers: int
    tensor_parallel: int
    recomputes: bool
    forward_s: float
    backward_s: float
    gradient_sync_s: float
    update_s: float
    memory: MemoryUse
    is_estimate: bool
    """Nobody measured the rate that its times follow from."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Between a stage and the next."""

    transport: Transport
    transfer_s: float
    """Of one micro-batch, one way."""
    extra_warm_up: int
    """Forwards that the stages before it run ahead beyond plain 1F1B."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a step takes."""

    step_s: float
    """By the simulation of the schedule where it was run, else by the formula."""
    low_s: float
    high_s: float
    is_simulated: bool
    ideal_s: float
    """If all devices that are used computed all the time at the rates their layers have."""
    tokens_per_s: float
    flops_utilisation: float
    """MFU: floating-point operations of the model by those of the devices' peak, 0 to 1."""

    @property
    def ideal_share(self) -> float:
        """Ideal by predicted time, 0 to 1."""
        return self.ideal_s / self.step_s


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages in the order of the pipeline; `data_parallel` replicas of all of it."""

    data_parallel: int
    micro_batch: int
    """Sequences."""
    micro_batches: int
    """Per step and replica."""
    stages: tuple[Stage, ...]
    boundaries: tuple[Boundary, ...]
    """One fewer than stages."""
    prediction: Prediction

    @property
    def devices(self) -> int:
        """All that it takes."""
        return self.data_parallel * sum(stage.tensor_parallel for stage in self.stages)
