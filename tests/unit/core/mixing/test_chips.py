"""Pools from the catalogue: rates, links and precisions, and what is marked as an estimate."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.training import Precision
from scheduler.core.mixing.chips import (
    SUPPOSED_LINK_BYTES_PER_S,
    FreeChips,
    Stated,
    Unusable,
    bytes_per_s,
    device_link_bytes_per_s,
    pool_of,
    precisions_of,
)
from scheduler.core.model.chip import ChipType

H100 = ChipType("h100-sxm", "NVIDIA", "H100", 81_920, 989.0, 794.5, 3350.0, 900.0, "NVLink4", "cuda", "NCCL")
FREE = FreeChips("mixed/h100-sxm-81920-x8", H100, 4, 8, 81_920)
V100 = replace(H100, name="v100-sxm-32", dense_bf16_tflops=None, measured_tflops=None)


def pool(free: FreeChips = FREE, precision: Precision = Precision.BF16, stated: Stated | None = None) -> ChipPool:
    found = pool_of(free, precision, stated or Stated())
    assert isinstance(found, ChipPool)
    return found


def test_a_measured_rate_goes_before_the_data_sheet() -> None:
    assert pool().flops_per_s == pytest.approx(794.5e12)
    assert not pool().is_estimate
    assert (pool().nodes, pool().chips, pool().memory_bytes) == (4, 32, 80 << 30)


def test_a_data_sheet_rate_is_an_estimate_and_a_stated_one_is_not() -> None:
    unmeasured = replace(FREE, chip=replace(H100, measured_tflops=None))
    assert pool(unmeasured).flops_per_s == pytest.approx(989e12)
    assert pool(unmeasured).is_estimate
    stated = pool(unmeasured, stated=Stated(flops_per_s={"h100-sxm": 500e12}))
    assert stated.flops_per_s == pytest.approx(500e12)
    assert not stated.is_estimate


def test_fp32_is_an_estimate_whatever_was_measured() -> None:
    assert pool(precision=Precision.FP32).is_estimate
    assert pool(precision=Precision.FP32).flops_per_s == pytest.approx(794.5e12 / 8)


def test_a_chip_without_bf16_takes_no_part_in_such_a_training() -> None:
    old = replace(FREE, chip=V100)
    assert pool_of(old, Precision.BF16, Stated()) is Unusable.PRECISION
    assert pool(old, Precision.FP16, Stated(flops_per_s={"v100-sxm-32": 90e12})).flops_per_s == pytest.approx(90e12)
    assert Precision.BF16 not in precisions_of(replace(H100, name="ascend-310p3"))
    assert Precision.BF16 in precisions_of(replace(H100, name="ascend-910b2"))


def test_a_chip_of_which_nobody_knows_a_rate_takes_no_part() -> None:
    assert pool_of(replace(FREE, chip=V100), Precision.FP16, Stated()) is Unusable.RATE


def test_links_are_counted_one_way_and_supposed_where_nobody_says() -> None:
    assert device_link_bytes_per_s(H100) == pytest.approx(150e9)
    assert device_link_bytes_per_s(replace(H100, link_bandwidth_gb_s=None)) == SUPPOSED_LINK_BYTES_PER_S
    assert bytes_per_s(400) == pytest.approx(50e9)


def test_a_network_of_its_own_goes_before_that_of_all() -> None:
    assert pool(stated=Stated(node_link_bytes_per_s=10e9)).node_link_bytes_per_s == pytest.approx(10e9)
    assert pool(replace(FREE, node_link_bytes_per_s=50e9)).node_link_bytes_per_s == pytest.approx(50e9)
