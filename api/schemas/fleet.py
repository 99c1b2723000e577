"""Clusters, nodes, pools, chip types and who uses them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.spec import ShareAnswer
from api.schemas.text import TORCH_DEVICE_PATTERN, Answer, Body, Moment, Note, PlainText, with_examples
from scheduler.core.model.node import NodeState

CHIP_EXAMPLE: dict[str, Any] = {
    "vendor": "NVIDIA",
    "model": "H100 SXM5 80GB",
    "memory_mib": 81920,
    "dense_bf16_tflops": 989.4,
    "measured_tflops": 720.0,
    "memory_bandwidth_gb_s": 3350.0,
    "link_bandwidth_gb_s": 900.0,
    "link": "NVLink 4",
    "torch_device": "cuda",
    "collective_library": "nccl",
    "estimated_fields": [],
}
KNOWN_CHIP_EXAMPLE: dict[str, Any] = {
    "name": "h100-sxm",
    **CHIP_EXAMPLE,
    "planning_tflops": 720.0,
    "rate_is_estimate": False,
}
NODE_EXAMPLE: dict[str, Any] = {
    "cluster": "mixed",
    "name": "nvidia-1",
    "state": "ready",
    "text": "takes new work",
    "note": "",
    "drain": None,
    "tenant": None,
    "topology": {"rack": "r1"},
    "labels": {"generation": "hopper"},
    "devices": [{"chip": "h100-sxm", "count": 8, "memory_mib": 81920, "held": 2, "shared_milli": 500, "foreign": 1}],
    "cpu_milli": 128000,
    "cpu_milli_held": 1000,
    "memory_mib": 1048576,
    "memory_mib_held": 4096,
    "pods": 110,
    "foreign": {"cpu_milli": 4000, "memory_mib": 16384, "pods": 1},
    "holdings": [
        {
            "tenant": "demo",
            "job": "01jd3v9k2m0a7b4c",
            "chip": "h100-sxm",
            "devices": 2,
            "share": {"milli": 500, "memory_mib": 40960},
            "slots": [0, 1, 2],
        }
    ],
}
POOL_EXAMPLE: dict[str, Any] = {
    "name": "mixed/h100-sxm-80g-x8",
    "cluster": "mixed",
    "chip": "h100-sxm",
    "device_memory_mib": 81920,
    "devices_per_node": 8,
    "nodes": 4,
    "devices": 32,
    "devices_held": 10,
    "devices_free": 14,
    "devices_drained": 8,
    "devices_foreign": 0,
}
USE_EXAMPLE: dict[str, Any] = {"tenant": "demo", "chip": "h100-sxm", "devices_held": 10, "quota": 64}
Figure = Annotated[float, Field(gt=0, le=1e9, strict=True)]
EstimableField = Literal[
    "memory_mib", "dense_bf16_tflops", "measured_tflops", "memory_bandwidth_gb_s", "link_bandwidth_gb_s", "link"
]


class ClusterAnswer(Answer):
    """A set of nodes that one adapter drives."""

    name: str
    kind: str


class ClusterPage(Answer):
    """Clusters by name."""

    model_config = with_examples({"items": [{"name": "mixed", "kind": "local"}], "next": None})

    items: tuple[ClusterAnswer, ...]
    next: str | None


class FindingAnswer(Answer):
    """One thing that was looked at."""

    what: str
    is_ok: bool
    detail: str
    next: str | None
    """What to do about it."""


class ClusterCheckAnswer(Answer):
    """What works on a cluster, and what does not."""

    model_config = with_examples(
        {
            "cluster": "mixed",
            "is_ok": False,
            "findings": [
                {
                    "what": "create pods in medley-jobs",
                    "is_ok": False,
                    "detail": "not allowed",
                    "next": "apply deploy/components/tenant-namespace for medley-jobs",
                }
            ],
        }
    )

    cluster: str
    is_ok: bool
    findings: tuple[FindingAnswer, ...]


class DevicesAnswer(Answer):
    """The devices of one chip type on one node."""

    chip: str
    count: int
    memory_mib: int
    """Of one device."""
    held: int
    """Whole devices, by jobs."""
    shared_milli: int
    """Held by jobs in shares of further devices, in thousandths of one device."""
    foreign: int
    """In use by something that is not Medley's."""


class ForeignUseAnswer(Answer):
    """What something that is not Medley's uses on a node, beside devices."""

    cpu_milli: int
    memory_mib: int
    pods: int


class HoldingAnswer(Answer):
    """Who holds devices of a node."""

    tenant: str
    job: str | None
    """Null for another tenant's job, to whoever belongs to a tenant."""
    chip: str | None
    """Null where only cpu and memory are held."""
    devices: int
    """Whole devices."""
    share: ShareAnswer | None
    """Held in shares of further devices, all of them together."""
    slots: tuple[int, ...]
    """Numbers of these devices on the node, from 0; empty where the cluster picks them."""


class DrainBody(Body):
    """Why a node is to take nothing new."""

    model_config = with_examples({"note": "a fan is to be replaced on Tuesday"})

    note: Note = ""


class DrainAnswer(Answer):
    """That an operator drained a node, by Medley."""

    by: str
    at: Moment
    note: str


class NodeAnswer(Answer):
    """A node, its devices, and who holds what on it."""

    model_config = with_examples(NODE_EXAMPLE)

    cluster: str
    name: str
    state: NodeState
    text: str
    """What the state means for new work."""
    note: str
    """What its cluster says of it: why it is so, or what else an operator should know; mostly empty."""
    drain: DrainAnswer | None
    """Null where nobody drained it by Medley; its cluster may have."""
    tenant: str | None
    """The only tenant whose jobs are placed on it; null for any."""
    topology: dict[str, str]
    """Its domain at each level, from the smallest to the largest; `node` and `cluster` are levels of every node."""
    labels: dict[str, str]
    """What jobs can ask for by `node_labels`."""
    devices: tuple[DevicesAnswer, ...]
    cpu_milli: int
    cpu_milli_held: int
    memory_mib: int
    memory_mib_held: int
    pods: int
    """So many workers may run there at once."""
    foreign: ForeignUseAnswer
    holdings: tuple[HoldingAnswer, ...]


class NodePage(Answer):
    """Nodes by cluster and name."""

    model_config = with_examples({"items": [NODE_EXAMPLE], "next": None})

    items: tuple[NodeAnswer, ...]
    next: str | None


class PoolAnswer(Answer):
    """The nodes of one cluster with the same chip type, device memory and device count."""

    name: str
    cluster: str
    chip: str
    device_memory_mib: int
    devices_per_node: int
    nodes: int
    devices: int
    devices_held: int
    """Of which anything is held: one that is shared counts as a whole one."""
    devices_free: int
    """Whole ones that a job could take."""
    devices_drained: int
    """Not in use, on nodes that take nothing new."""
    devices_foreign: int
    """In use by something that is not Medley's."""


class PoolPage(Answer):
    """Pools by name."""

    model_config = with_examples({"items": [POOL_EXAMPLE], "next": None})

    items: tuple[PoolAnswer, ...]
    next: str | None


class TenantUseAnswer(Answer):
    """What a tenant holds of one chip type, and how much it may."""

    tenant: str
    chip: str
    devices_held: int
    quota: int | None
    """Null: no limit."""


class UtilisationAnswer(Answer):
    """Who uses what now; whoever belongs to a tenant sees only that tenant's rows."""

    model_config = with_examples({"pools": [POOL_EXAMPLE], "tenants": [USE_EXAMPLE]})

    pools: tuple[PoolAnswer, ...]
    tenants: tuple[TenantUseAnswer, ...]


class ChipBody(Body):
    """What an operator knows about a chip type; a figure that nobody found is null."""

    model_config = with_examples(CHIP_EXAMPLE)

    vendor: PlainText
    model: PlainText
    memory_mib: Annotated[int, Field(ge=1, le=16_777_216, strict=True)] | None = None
    dense_bf16_tflops: Figure | None = None
    measured_tflops: Figure | None = None
    memory_bandwidth_gb_s: Figure | None = None
    link_bandwidth_gb_s: Figure | None = None
    link: PlainText | None = None
    torch_device: Annotated[str, Field(pattern=TORCH_DEVICE_PATTERN, max_length=63)]
    collective_library: PlainText
    estimated_fields: Annotated[tuple[EstimableField, ...], Field(max_length=6)] = ()


class ChipAnswer(Answer):
    """One row of the chip catalogue."""

    model_config = with_examples(KNOWN_CHIP_EXAMPLE)

    name: str
    vendor: str
    model: str
    memory_mib: int | None
    dense_bf16_tflops: float | None
    measured_tflops: float | None
    memory_bandwidth_gb_s: float | None
    link_bandwidth_gb_s: float | None
    link: str | None
    torch_device: str
    collective_library: str
    estimated_fields: tuple[str, ...]
    planning_tflops: float | None
    """The rate to plan with: measured where known, else the data sheet's."""
    rate_is_estimate: bool


class ChipPage(Answer):
    """The catalogue by name."""

    model_config = with_examples({"items": [KNOWN_CHIP_EXAMPLE], "next": None})

    items: tuple[ChipAnswer, ...]
    next: str | None
