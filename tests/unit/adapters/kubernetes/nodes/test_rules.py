from dataclasses import replace

import pytest

from scheduler.adapters.kubernetes.configuration.rules import ChipRule
from scheduler.adapters.kubernetes.nodes.rules import Found, recognise
from scheduler.adapters.kubernetes.nodes.vendors import may_be_accelerator
from tests.unit.adapters.kubernetes.nodes.views import CATALOGUE, node_view

H100 = {
    "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
    "nvidia.com/gpu.memory": "81559",
    "nvidia.com/gpu.count": "8",
}


def found(devices: dict[str, int], labels: dict[str, str], *rules: ChipRule) -> list[tuple[str, str, int]]:
    answer = recognise(node_view(devices=devices, labels=labels), rules, CATALOGUE)
    return [(one.chip, one.resource, one.memory_mib) for one in answer.found]


def notes(devices: dict[str, int], labels: dict[str, str], **more: dict[str, str]) -> str:
    answer = recognise(node_view(devices=devices, labels=labels, **more), (), CATALOGUE)  # type: ignore[arg-type]
    assert answer.found == ()
    return "; ".join(answer.notes)


@pytest.mark.parametrize(
    ("resource", "label", "value", "want_chip"),
    [
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3", "h100-sxm"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-A100-SXM4-80GB", "a100-sxm-80"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-A800-SXM4-80GB", "a800-sxm-80"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H20", "h20"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H200", "h200-sxm"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-GH200-480GB", "gh200-96"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-L40S", "l40s"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-GeForce-RTX-4090", "rtx-4090"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "Tesla-V100-SXM2-32GB", "v100-sxm-32"),
        ("nvidia.com/gpu", "nvidia.com/gpu.product", "Tesla-T4", "t4"),
        ("amd.com/gpu", "amd.com/gpu.product-name", "AMD_Instinct_MI300X_OAM", "mi300x"),
        ("amd.com/gpu", "beta.amd.com/gpu.device-id", "74a1", "mi300x"),
        ("huawei.com/Ascend910", "node.kubernetes.io/npu.chip.name", "910B3", "ascend-910b3"),
        ("huawei.com/ascend-1980", "node.kubernetes.io/npu.chip.name", "910B4", "ascend-910b4"),
        ("huawei.com/Ascend310P", "node.kubernetes.io/npu.chip.name", "310P3", "ascend-310p3"),
        ("cambricon.com/mlu", "Model", "MLU370-X8", "mlu370-x8"),
        ("metax-tech.com/gpu", "metax-tech.com/gpu.product", "MXC500", "metax-c500"),
        ("metax-tech.com/gpu", "metax-tech.com/gpu.product", "MXC550-PL", "metax-c550"),
    ],
)
def test_chips_are_known_by_their_vendors_labels(resource: str, label: str, value: str, want_chip: str) -> None:
    memory_mib = CATALOGUE[want_chip].memory_mib

    assert found({resource: 8}, {label: value}) == [(want_chip, resource, memory_mib)]


@pytest.mark.parametrize(
    "product",
    ["NVIDIA-H100-PCIe", "NVIDIA-H100-NVL", "NVIDIA-A100-PCIE-40GB", "NVIDIA-H20-3e", "NVIDIA-L4", "GRID-A100D-80C"],
)
def test_products_that_only_resemble_a_known_chip_are_not_taken_for_it(product: str) -> None:
    note = notes({"nvidia.com/gpu": 8}, {"nvidia.com/gpu.product": product})

    assert product in note
    assert "medley/chip=NAME" in note


def test_a_chip_with_another_memory_than_the_catalogues_is_not_taken_for_it() -> None:
    labels = {"amd.com/gpu.product-name": "AMD_Instinct_MI250X", "amd.com/gpu.vram": "64G"}

    assert "mi250x has 131072 MiB, a label says 65536" in notes({"amd.com/gpu": 16}, labels)


def test_usable_memory_may_be_a_little_less_than_the_data_sheets() -> None:
    assert found({"nvidia.com/gpu": 8}, H100) == [("h100-sxm", "nvidia.com/gpu", 81_920)]


@pytest.mark.parametrize(
    ("labels", "count", "want"),
    [
        (H100 | {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED"}, 8, "shared"),
        (H100 | {"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.sharing-strategy": "mps"}, 32, "shared (mps)"),
        (H100, 32, "shared (time-slicing)"),
        (H100 | {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"}, 56, "MIG"),
    ],
)
def test_shared_and_partitioned_cards_are_no_whole_devices(labels: dict[str, str], count: int, want: str) -> None:
    assert want in notes({"nvidia.com/gpu": count}, labels)


def test_whole_cards_beside_mig_partitions_are_offered() -> None:
    devices = {"nvidia.com/gpu": 6, "nvidia.com/mig-1g.10gb": 14}

    answer = recognise(node_view(devices=devices, labels=H100), (), CATALOGUE)

    assert answer.found == (Found("h100-sxm", "nvidia.com/gpu", 81_920),)
    assert answer.notes == (
        "nvidia.com/mig-1g.10gb not offered: it counts parts of devices, and only whole devices are scheduled",
    )


def test_cards_that_hami_shares_are_no_whole_devices() -> None:
    note = notes({"nvidia.com/gpu": 8}, H100, annotations={"hami.io/node-nvidia-register": "GPU-1,10,..."})

    assert "HAMi" in note


def test_partitioned_amd_devices_are_no_whole_devices() -> None:
    labels = {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/compute-memory-partition": "cpx_nps4"}

    assert "partitioned (cpx_nps4)" in notes({"amd.com/gpu": 64}, labels)


def test_a_resource_alone_does_not_tell_the_chip_and_the_note_says_what_to_do() -> None:
    note = notes({"cambricon.com/mlu": 8}, {})

    assert note.startswith("cambricon.com/mlu not offered: nothing says which chip it is")
    assert "label the node medley/chip=NAME, or add a chip rule" in note


def test_our_label_names_the_chip_of_the_vendors_resource() -> None:
    assert found({"cambricon.com/mlu": 8}, {"medley/chip": "mlu590"}) == [("mlu590", "cambricon.com/mlu", 81_920)]


def test_our_label_wins_over_a_vendors() -> None:
    assert found({"nvidia.com/gpu": 8}, H100 | {"medley/chip": "h800-sxm"})[0][0] == "h800-sxm"


def test_our_label_can_name_several_chips_of_one_node() -> None:
    devices = {"nvidia.com/gpu": 2, "cambricon.com/mlu": 4}

    assert found(devices, {"medley/chip": "t4.mlu370-x8"}) == [
        ("mlu370-x8", "cambricon.com/mlu", 49_152),
        ("t4", "nvidia.com/gpu", 16_384),
    ]


def test_our_label_finds_the_resource_by_the_operators_rule() -> None:
    rule = ChipRule("gaudi2", "example.com/card")

    assert found({"example.com/card": 8}, {"medley/chip": "gaudi2"}, rule) == [("gaudi2", "example.com/card", 98_304)]


def test_an_unknown_name_in_our_label_is_told() -> None:
    note = notes({"cambricon.com/mlu": 8}, {"medley/chip": "warp-drive"})

    assert "medley/chip names the unknown chip 'warp-drive'" in note


def test_our_label_without_such_devices_is_told() -> None:
    assert "is their device plugin running" in notes({}, {"medley/chip": "t4"})


def test_the_operators_rule_wins_over_the_built_in_ones() -> None:
    rule = ChipRule("h800-sxm", "nvidia.com/gpu", labels=(("team", "b*"),), memory_mib=80_000)

    assert found({"nvidia.com/gpu": 8}, H100 | {"team": "blue"}, rule) == [("h800-sxm", "nvidia.com/gpu", 80_000)]
    assert found({"nvidia.com/gpu": 8}, H100 | {"team": "red"}, rule)[0][0] == "h100-sxm"


def test_an_operators_rule_for_an_unknown_chip_costs_only_those_devices() -> None:
    answer = recognise(
        node_view(devices={"example.com/card": 1, "nvidia.com/gpu": 8}, labels=H100),
        (ChipRule("warp-drive", "example.com/card"),),
        CATALOGUE,
    )

    assert [one.chip for one in answer.found] == ["h100-sxm"]
    assert "the chip catalogue has no 'warp-drive'" in answer.notes[0]


def test_memory_that_nobody_knows_keeps_devices_out() -> None:
    catalogue = CATALOGUE | {"t4": replace(CATALOGUE["t4"], memory_mib=None)}
    labels = {"nvidia.com/gpu.product": "Tesla-T4"}

    without = recognise(node_view(devices={"nvidia.com/gpu": 1}, labels=labels), (), catalogue)
    said = recognise(
        node_view(devices={"nvidia.com/gpu": 1}, labels=labels | {"nvidia.com/gpu.memory": "15360"}), (), catalogue
    )

    assert "how much memory" in without.notes[0]
    assert said.found[0].memory_mib == 15_360


def test_absurd_counts_are_not_believed() -> None:
    assert "1,000,000 on one node cannot be" in notes(
        {"huawei.com/Ascend910": 1_000_000}, {"medley/chip": "ascend-910b2"}
    )


def test_one_chip_under_two_resources_is_offered_once() -> None:
    devices = {"huawei.com/Ascend910": 8, "huawei.com/ascend-1980": 8}

    answer = recognise(node_view(devices=devices, labels={"node.kubernetes.io/npu.chip.name": "910B3"}), (), CATALOGUE)

    assert [one.resource for one in answer.found] == ["huawei.com/Ascend910"]
    assert "counted as huawei.com/Ascend910 too" in answer.notes[0]


def test_resources_that_are_no_accelerators_are_passed_over() -> None:
    devices = {"rdma/hca_shared": 64, "vpc.amazonaws.com/efa": 4, "devices.kubevirt.io/kvm": 1000, "hugepages-2Mi": 9}

    assert notes(devices, {}) == ""


@pytest.mark.parametrize(
    "resource", ["unicorn.com/npu", "processor.example/gpu", "defaults.com/xpu", "example.com/gnice"]
)
def test_a_name_that_only_contains_the_letters_of_another_thing_may_be_an_accelerator(resource: str) -> None:
    assert may_be_accelerator(resource)


@pytest.mark.parametrize(
    "resource",
    [
        "rdma/hca",
        "rdma/hca_shared_devices_a",
        "aliyun/erdma",
        "intel.com/sriov_netdevice",
        "github.com/fuse",
        "nvidia.com/mlnxnics",
        "example.com/nic-100g",
        "example.com/roce",
    ],
)
def test_network_devices_and_the_like_are_no_accelerators(resource: str) -> None:
    assert not may_be_accelerator(resource)


def test_devices_are_known_while_their_plugin_restarts() -> None:
    node = node_view(devices={"nvidia.com/gpu": 8}, labels=H100, allocatable={"nvidia.com/gpu": 0})

    assert [one.chip for one in recognise(node, (), CATALOGUE).found] == ["h100-sxm"]
