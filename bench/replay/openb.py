"""Files of the openb format (cluster-trace-gpu-v2023): nodes and pods, as the core's nodes and jobs of one worker."""

import csv
import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scheduler.core.model.job import AnyOf, Choice, CommandProgram, Job, JobKind, JobSpec
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI, WorkerShape

CLUSTER = "openb"
TENANT = "openb"
PODS_PER_NODE = 100_000
"""The trace knows no limit."""
NEVER = datetime(2023, 1, 1, tzinfo=UTC)
"""When a job was submitted does not matter to where it goes."""
POD_LIST = "openb_pod_list_"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a pod wants."""

    shape: WorkerShape
    chips: tuple[str, ...]
    """Acceptable types, by name; none: it needs no devices."""

    def job(self) -> Job:
        """Return the job of one worker that asks for this."""
        spec = JobSpec(
            name="pod",
            kind=JobKind.TRAINING,
            workers=1,
            shape=self.shape,
            chips=AnyOf(self.chips),
            program=CommandProgram(("true",)),
            choice=Choice.BEST,
        )
        return Job("pod", TENANT, spec, "replay", NEVER)


@dataclass(frozen=True, slots=True)
class Pod:
    """One line of a pod list."""

    name: str
    ask: Ask
    device_milli: int
    """Thousandths of each of its devices; 0 without devices."""
    devices_milli: int
    """Thousandths of devices in all."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A cluster and what arrives at it."""

    nodes: tuple[Node, ...]
    """Those with devices, by name."""
    pods: tuple[Pod, ...]
    """By name."""
    chips: tuple[str, ...]
    """The types there are, by name."""
    capacity_milli: int
    """Thousandths of all devices."""


def variant_of(pods: Path) -> str:
    """Return what the pods of a file are called: `default` for `openb_pod_list_default.csv.gz`."""
    return pods.name.removesuffix(".gz").removesuffix(".csv").removeprefix(POD_LIST)


def read_trace(nodes: Path, pods: Path) -> Trace:
    """Return what two files hold. Raises ValueError where no node has devices, or no pod wants one."""
    rows = [row for row in _rows(nodes) if int(row["gpu"])]
    chips = tuple(sorted({row["model"] for row in rows}))
    read = tuple(sorted((_pod(row, chips) for row in _rows(pods)), key=_by_name))
    if not rows or not any(pod.devices_milli for pod in read):
        raise ValueError(f"no node of {nodes} has devices, or no pod of {pods} wants one")
    return Trace(
        nodes=tuple(sorted((_node(row) for row in rows), key=_by_name)),
        pods=read,
        chips=chips,
        capacity_milli=sum(int(row["gpu"]) for row in rows) * WHOLE_DEVICE_MILLI,
    )


def _by_name(one: Node | Pod) -> str:
    return one.name


def _rows(path: Path) -> list[dict[str, str]]:
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    return list(csv.DictReader(text.splitlines()))


def _node(row: dict[str, str]) -> Node:
    return Node(
        cluster=CLUSTER,
        name=row["sn"],
        devices=(DeviceGroup(row["model"], int(row["gpu"]), memory_mib=0),),
        cpu_milli=int(row["cpu_milli"]),
        memory_mib=int(row["memory_mib"]),
        pods=PODS_PER_NODE,
    )


def _pod(row: dict[str, str], chips: Iterable[str]) -> Pod:
    """Return a pod; one that names no types accepts all there are, and lists without memory ask for none."""
    devices = int(row["num_gpu"])
    device_milli = int(row["gpu_milli"]) if devices else 0
    named = {chip for chip in (row.get("gpu_spec") or "").split("|") if chip}
    is_whole = device_milli in {0, WHOLE_DEVICE_MILLI}
    shape = WorkerShape(
        devices=devices if is_whole else 0,
        cpu_milli=int(row["cpu_milli"]),
        memory_mib=int(float(row.get("memory_mib") or 0)),
        share_milli=0 if is_whole else device_milli,
    )
    ask = Ask(shape, tuple(sorted(named or chips)) if devices else ())
    return Pod(row["name"], ask, device_milli, device_milli * devices)
