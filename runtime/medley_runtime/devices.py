"""Which device of torch a worker computes on, and which collective backend belongs to it.

Tried for real so far: CPU with gloo. The other rows follow the vendors' documentation.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

from medley_runtime.endings import TrainingFailed
from medley_runtime.launch import Launch


@dataclass(frozen=True)
class DeviceModule:
    """How a device module of torch is brought in."""

    plugins: tuple[str, ...]
    """Packages of the vendor that add the module to torch when imported."""
    backend: str
    """The vendor's collective library, as torch.distributed names it."""


DEVICE_MODULES: Mapping[str, DeviceModule] = {
    "cpu": DeviceModule((), "gloo"),
    "cuda": DeviceModule((), "nccl"),  # AMD, MetaX, Hygon and Iluvatar ship torch builds that answer to these names
    "npu": DeviceModule(("torch_npu",), "hccl"),
    "mlu": DeviceModule(("torch_mlu",), "cncl"),
    "musa": DeviceModule(("torch_musa",), "mccl"),
    "gcu": DeviceModule(("torch_gcu",), "eccl"),
    "supa": DeviceModule(("torch_br",), "sccl"),
    "xpu": DeviceModule((), "xccl"),
    "hpu": DeviceModule(("habana_frameworks.torch.core", "habana_frameworks.torch.distributed.hccl"), "hccl"),
}


@dataclass(frozen=True)
class Device:
    """What a worker computes on."""

    torch_name: str
    """For torch.device."""
    backend: str
    """Good for a gang whose workers all have the same `family`."""
    family: str
    """The device module and the torch build: workers of the same family can use the vendor's collectives together."""
    description: str
    """For people."""


def open_device(launch: Launch) -> Device:
    """Return the worker's device, which is usable now. Raises TrainingFailed."""
    build = importlib.import_module("torch").__version__
    name = launch.torch_device
    if launch.devices_are_simulated or name == "cpu":
        what = f"{launch.chip}, simulated on CPU" if launch.devices_are_simulated and launch.chip else "CPU"
        return Device("cpu", DEVICE_MODULES["cpu"].backend, f"cpu, torch {build}", what)
    if name not in DEVICE_MODULES:
        known = ", ".join(sorted(DEVICE_MODULES))
        raise TrainingFailed(f"torch device {name!r} of chip {launch.chip} is not known here ({known}); use a command")
    module = DEVICE_MODULES[name]
    _import_plugins(module, launch)
    _require_available(name, launch)
    # A worker sees its own devices only, so its first one is number 0 whatever its slot on the node.
    return Device(f"{name}:0", module.backend, f"{name}, torch {build}", f"{launch.chip}, torch device {name}")


def _import_plugins(module: DeviceModule, launch: Launch) -> None:
    for plugin in module.plugins:
        try:
            importlib.import_module(plugin)
        except ImportError as error:  # noqa: PERF203 - two rounds at most
            reason = f"chip {launch.chip} needs {plugin}, which cannot be imported ({error})"
            raise TrainingFailed(f"{reason}; use the vendor's image or install the package") from error


def _require_available(name: str, launch: Launch) -> None:
    module = getattr(importlib.import_module("torch"), name, None)
    if module is None or not module.is_available():
        reason = f"chip {launch.chip} needs torch.{name}, and this torch build finds no such device"
        raise TrainingFailed(f"{reason}; check the node's driver and that the image has the vendor's build of torch")
    module.set_device(0)
