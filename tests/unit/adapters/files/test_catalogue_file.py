from pathlib import Path

import pytest

from scheduler.adapters.files.catalogue_file import read_catalogue, shipped_catalogue
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.core.model.chip import ChipType

CHIP = """\
chips:
  x-1:
    vendor: X
    model: One
    memory_mib: 1024
    torch_device: cuda
    collective_library: NCCL
"""


def read(tmp_path: Path, content: str) -> list[ChipType]:
    path = tmp_path / "chips.yaml"
    path.write_text(content)
    return read_catalogue(path)


def test_the_shipped_catalogue_has_many_chips_of_many_vendors() -> None:
    chips = shipped_catalogue()

    assert len(chips) >= 20
    assert len({chip.vendor for chip in chips}) >= 10
    assert [chip.name for chip in chips] == sorted(chip.name for chip in chips)
    assert all(chip.memory_mib for chip in chips)


def test_a_shipped_chip_carries_its_facts() -> None:
    h100 = {chip.name: chip for chip in shipped_catalogue()}["h100-sxm"]

    assert h100 == ChipType(
        name="h100-sxm",
        vendor="NVIDIA",
        model="H100-SXM",
        memory_mib=81920,
        dense_bf16_tflops=989.0,
        measured_tflops=794.5,
        memory_bandwidth_gb_s=3350.0,
        link_bandwidth_gb_s=900.0,
        link="NVLink4",
        torch_device="cuda",
        collective_library="NCCL",
    )


def test_estimates_are_marked() -> None:
    chips = {chip.name: chip for chip in shipped_catalogue()}

    assert "dense_bf16_tflops" in chips["mlu590"].estimated_fields
    assert "memory_mib" in chips["hygon-k100-ai"].estimated_fields
    for chip in chips.values():
        assert all(getattr(chip, field) is not None for field in chip.estimated_fields)


def test_figures_nobody_knows_may_be_left_out(tmp_path: Path) -> None:
    chip = read(tmp_path, CHIP)[0]

    assert (chip.name, chip.dense_bf16_tflops, chip.link, chip.estimated_fields) == ("x-1", None, None, ())


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        ("x-1", "X_1", ":2: 'X_1' cannot name a chip; use lower-case letters, digits and dashes"),
        ("vendor", "vendr", ":3: unknown key 'vendr'; did you mean 'vendor'?"),
        ("memory_mib: 1024", "memory_mib: 0", ":5: 0 is out of range; write a number from 1 to 16,777,216"),
        ("memory_mib: 1024", "memory_mib: 10e9", ":5: here stands"),
        ("    model: One\n", "", ":2: 'model' is missing; add it"),
        ("model: One", "model: " + "x" * 101, ":4: 101 characters are too many; keep it to 100"),
        ("NCCL\n", "NCCL\n    estimated_fields: [link]\n", ":8: 'link' is not a field of this chip"),
        ("NCCL\n", "NCCL\n    measured_tflops: -1\n", ":8: -1 is out of range"),
        ("chips:", "chip:", ":1: unknown key 'chip'; did you mean 'chips'?"),
    ],
)
def test_a_faulty_catalogue_is_refused_with_its_line(tmp_path: Path, before: str, after: str, want: str) -> None:
    with pytest.raises(FileError) as error:
        read(tmp_path, CHIP.replace(before, after))
    assert str(error.value).startswith(f"{tmp_path / 'chips.yaml'}{want}")
