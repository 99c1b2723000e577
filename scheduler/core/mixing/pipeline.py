"""A pipeline in numbers: what the formula of a step's time and the simulation of its schedule both start from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PipelineTimes:
    """One replica of a pipeline of p stages that runs m micro-batches a step by 1F1B."""

    micro_batches: int
    forward_s: tuple[float, ...]
    """Per stage, of one micro-batch; embedding, head and tensor-parallel communication included."""
    backward_s: tuple[float, ...]
    """Per stage, of one micro-batch; recomputation included."""
    transfer_s: tuple[float, ...]
    """Per boundary (p - 1 of them), of one micro-batch, one way."""
    extra_warm_up: tuple[int, ...]
    """Per boundary: forwards that the stages before it run ahead beyond plain 1F1B."""
    gradient_sync_s: tuple[float, ...]
    """Per stage, of the data-parallel all-reduce."""
    update_s: tuple[float, ...]
    """Per stage, of the optimiser's step."""
    blocking_share: float = 0.0
    """Beta, see `Runtime`."""

    @property
    def stages(self) -> int:
        """How many there are."""
        return len(self.forward_s)

    @property
    def busy_s(self) -> tuple[float, ...]:
        """Per stage: forward and backward of one micro-batch."""
        return tuple(forward + backward for forward, backward in zip(self.forward_s, self.backward_s, strict=True))
