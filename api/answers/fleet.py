"""Nodes, pools and chip types as the API shows them."""

from collections import Counter
from collections.abc import Sequence

from api.answers.specs import share_answer
from api.schemas.fleet import (
    ChipAnswer,
    ChipBody,
    ClusterCheckAnswer,
    DevicesAnswer,
    DrainAnswer,
    FindingAnswer,
    ForeignUseAnswer,
    HoldingAnswer,
    NodeAnswer,
    PoolAnswer,
)
from api.schemas.usage.profiles import LayerTimesAnswer, ProfileAnswer
from api.schemas.usage.throughputs import ThroughputAnswer
from api.text.nodes import node_state_text
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ClusterName
from scheduler.core.model.measuring.layers import LayerProfile, Profile
from scheduler.core.model.measuring.throughput import Throughput
from scheduler.core.model.node import Pool
from scheduler.core.model.tenant import Principal
from scheduler.ports.cluster import Finding
from scheduler.ports.views import NodeView


def node_answer(view: NodeView, reader: Principal) -> NodeAnswer:
    """Return a node; the reader sees the job ids of its own tenant only, unless its role is cluster-wide."""
    node = view.node
    held, shared = Counter[str | None](), Counter[str | None]()
    for holding in view.holdings:
        held[holding.chip] += holding.devices
        shared[holding.chip] += holding.share_milli
    return NodeAnswer(
        cluster=node.cluster,
        name=node.name,
        state=node.state,
        text=node_state_text(node.state),
        note=node.note,
        drain=None if (drain := view.drain) is None else DrainAnswer(by=drain.by, at=drain.at, note=drain.note),
        tenant=node.tenant,
        topology=dict(node.topology.domains),
        labels=dict(node.labels),
        devices=tuple(
            DevicesAnswer(
                chip=group.chip,
                count=group.count,
                memory_mib=group.memory_mib,
                held=held[group.chip],
                shared_milli=shared[group.chip],
                foreign=node.foreign.devices_of(group.chip),
            )
            for group in node.devices
        ),
        cpu_milli=node.cpu_milli,
        cpu_milli_held=view.cpu_milli_held,
        memory_mib=node.memory_mib,
        memory_mib_held=view.memory_mib_held,
        pods=node.pods,
        foreign=ForeignUseAnswer(
            cpu_milli=node.foreign.cpu_milli, memory_mib=node.foreign.memory_mib, pods=node.foreign.pods
        ),
        holdings=tuple(
            HoldingAnswer(
                tenant=holding.tenant,
                job=holding.job if reader.may_see(holding.tenant) else None,
                chip=holding.chip,
                devices=holding.devices,
                share=share_answer(holding.share_milli, holding.share_memory_mib),
                slots=holding.slots,
            )
            for holding in view.holdings
        ),
    )


def check_answer(cluster: ClusterName, findings: Sequence[Finding]) -> ClusterCheckAnswer:
    """Return what was found out about a cluster."""
    return ClusterCheckAnswer(
        cluster=cluster,
        is_ok=all(finding.is_ok for finding in findings),
        findings=tuple(
            FindingAnswer(what=finding.what, is_ok=finding.is_ok, detail=finding.detail, next=finding.next_step)
            for finding in findings
        ),
    )


def pool_answer(pool: Pool) -> PoolAnswer:
    """Return a pool."""
    return PoolAnswer(
        name=pool.name,
        cluster=pool.cluster,
        chip=pool.chip,
        device_memory_mib=pool.device_memory_mib,
        devices_per_node=pool.devices_per_node,
        nodes=pool.nodes,
        devices=pool.devices,
        devices_held=pool.devices_held,
        devices_free=pool.devices_free,
        devices_drained=pool.devices_drained,
        devices_foreign=pool.devices_foreign,
    )


def chip_answer(chip: ChipType) -> ChipAnswer:
    """Return one row of the catalogue."""
    return ChipAnswer(
        name=chip.name,
        vendor=chip.vendor,
        model=chip.model,
        memory_mib=chip.memory_mib,
        dense_bf16_tflops=chip.dense_bf16_tflops,
        measured_tflops=chip.measured_tflops,
        memory_bandwidth_gb_s=chip.memory_bandwidth_gb_s,
        link_bandwidth_gb_s=chip.link_bandwidth_gb_s,
        link=chip.link,
        torch_device=chip.torch_device,
        collective_library=chip.collective_library,
        estimated_fields=chip.estimated_fields,
        planning_tflops=chip.planning_tflops,
        rate_is_estimate=chip.rate_is_estimate,
    )


def chip_type(name: str, body: ChipBody) -> ChipType:
    """Return the chip type that an operator describes."""
    return ChipType(name=name, **body.model_dump())


def throughput_answer(one: Throughput) -> ThroughputAnswer:
    """Return how fast a family is on a chip type."""
    return ThroughputAnswer(
        tenant=one.family.tenant,
        family=one.family.name,
        chip=one.chip,
        units_per_s=one.units_per_s or 0.0,
        measured_per_s=one.measured_per_s,
        reports=one.reports,
        set_per_s=one.set_per_s,
        version=one.version,
        at=one.at,
    )


def profile_answer(one: Profile) -> ProfileAnswer:
    """Return how long a layer of a family's model takes on a chip type."""
    return ProfileAnswer(
        tenant=one.family.tenant,
        family=one.family.name,
        chip=one.key.chip,
        tensor_parallel=one.key.tensor_parallel,
        micro_batch=one.key.micro_batch,
        times=_layer_times(one.times),
        measured=None if one.measured is None else _layer_times(one.measured),
        reports=one.reports,
        said=None if one.said is None else _layer_times(one.said),
        version=one.version,
        at=one.at,
    )


def _layer_times(times: LayerProfile) -> LayerTimesAnswer:
    return LayerTimesAnswer(
        layer_forward_s=times.layer_forward_s,
        layer_backward_s=times.layer_backward_s,
        embedding_s=times.embedding_s,
        head_s=times.head_s,
        update_s=times.update_s,
    )
