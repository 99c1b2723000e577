"""A chip type: what an operator knows about one accelerator model."""

from dataclasses import dataclass

from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True)
class ChipType:
    """One row of the chip catalogue. A figure nobody found is None; a figure nobody measured is an estimate."""

    name: ChipName
    """Lower-case letters, digits and dashes: what job files say."""
    vendor: str
    model: str
    memory_mib: int | None
    dense_bf16_tflops: float | None
    """Dense BF16 peak of the data sheet, TFLOP/s; None where the vendor names none or the chip has no BF16."""
    measured_tflops: float | None
    """Measured matrix-multiplication rate, TFLOP/s."""
    memory_bandwidth_gb_s: float | None
    link_bandwidth_gb_s: float | None
    """Between devices of one node, both directions together, GB/s."""
    link: str | None
    torch_device: str
    """The device module of torch: cuda, npu, mlu, musa ..."""
    collective_library: str
    estimated_fields: tuple[str, ...] = ()
    """Fields above whose figure is an estimate (no vendor or measured source)."""

    @property
    def planning_tflops(self) -> float | None:
        """The rate to plan with: measured where known, else the data sheet's, TFLOP/s."""
        return self.measured_tflops if self.measured_tflops is not None else self.dense_bf16_tflops

    @property
    def rate_is_estimate(self) -> bool:
        """True unless the rate to plan with was measured."""
        return self.measured_tflops is None
