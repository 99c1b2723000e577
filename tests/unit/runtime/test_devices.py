import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from medley_runtime.devices import DEVICE_MODULES, Device, open_device
from medley_runtime.endings import TrainingFailed
from medley_runtime.launch import Launch, parse_launch

from tests.builders.runtime import launch_document, with_roles


def real(torch_device: str) -> Launch:
    return parse_launch(launch_document(devices_are_simulated=False, torch_device=torch_device, chip="the-chip"))


@pytest.mark.parametrize("torch_device", ["cuda", "npu", "never-heard-of"])
def test_simulated_devices_are_the_cpu_and_it_is_said(torch_device: str) -> None:
    device = open_device(parse_launch(launch_document(torch_device=torch_device)))

    assert (device.torch_name, device.backend) == ("cpu", "gloo")
    assert device.description == "h100-sxm, simulated on CPU"


def test_a_real_cpu_is_not_called_simulated() -> None:
    assert open_device(real("cpu")) == Device("cpu", "gloo", f"cpu, torch {torch.__version__}", "CPU")


def test_a_worker_without_devices_computes_on_the_cpu_and_simulates_nothing() -> None:
    launch = parse_launch(launch_document(**with_roles(), chip=None, torch_device="cpu", devices=[]))

    assert open_device(launch).description == "CPU"


def test_a_vendors_plugin_brings_its_device_and_its_collectives(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setitem(sys.modules, "torch_npu", ModuleType("torch_npu"))
    module = SimpleNamespace(is_available=lambda: True, set_device=chosen.append)
    monkeypatch.setattr(torch, "npu", module, raising=False)

    device = open_device(real("npu"))

    assert (device.torch_name, device.backend) == ("npu:0", "hccl")
    assert device.family.startswith("npu")
    assert chosen == [0]


def test_a_missing_plugin_is_named() -> None:
    with pytest.raises(TrainingFailed, match="the-chip needs torch_mlu, which cannot be imported"):
        open_device(real("mlu"))


def test_a_device_that_torch_does_not_find_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(TrainingFailed, match=r"the-chip needs torch\.cuda, and this torch build finds no such device"):
        open_device(real("cuda"))


def test_a_device_module_that_nobody_knows_is_named_with_those_that_are() -> None:
    with pytest.raises(TrainingFailed, match=r"'abacus' of chip the-chip is not known here \(cpu, cuda"):
        open_device(real("abacus"))


def test_every_device_module_has_a_collective_library() -> None:
    assert all(module.backend for module in DEVICE_MODULES.values())
