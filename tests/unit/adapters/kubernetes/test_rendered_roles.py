"""Pods of ranks that differ: with counted devices, without any, of roles; and what is no business of a cluster."""

from dataclasses import replace
from typing import Any

import pytest

from scheduler.adapters.kubernetes.configuration.cluster import TopologyLevel
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate, Toleration
from scheduler.adapters.kubernetes.rendering import objection, pod
from scheduler.core.model.job import CommandProgram, WorkerRole
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import Apart, Closeness, Spread
from scheduler.ports.cluster import GangOrder, StartFailed, StartRefusal
from tests.builders.blueprints import RESOURCE, blueprint, configuration, with_spec
from tests.builders.cluster import counted, order, with_launcher, with_shares
from tests.builders.pod_security import restricted_violations

GANG = with_launcher(order("wait", workers=2))
LAUNCHER = 2
FOR_DEVICES = Toleration(RESOURCE, effect="NoSchedule")


def rendered(given: GangOrder = GANG, rank: int = LAUNCHER, **changes: Any) -> dict[str, Any]:
    """Return the specification of a rank's pod; its worker's container is under `worker`."""
    spec: dict[str, Any] = pod(blueprint(given, **changes), rank, "owner-uid")["spec"]
    (spec["worker"],) = spec["containers"]
    return spec


def keys_of(tolerations: list[dict[str, Any]]) -> set[str]:
    return {one["key"] for one in tolerations}


def test_counted_devices_are_asked_for_as_those_with_slots() -> None:
    given = counted(replace(order("wait"), allocations=(replace(order("wait").allocations[0], slots=(0, 1, 2)),)))

    assert rendered(given, 0)["worker"]["resources"]["requests"][RESOURCE] == "3"


def test_slots_and_counted_devices_add_up() -> None:
    allocation = replace(order("wait").allocations[0], slots=(0, 1), counted=2)

    spec = rendered(replace(order("wait"), allocations=(allocation,)), 0)

    assert spec["worker"]["resources"]["limits"][RESOURCE] == "4"


def test_a_rank_without_devices_asks_for_cpu_and_memory_only() -> None:
    spec = rendered()

    assert spec["worker"]["resources"]["requests"] == {"cpu": "500m", "memory": "1024Mi"}
    assert spec["worker"]["resources"]["limits"] == spec["worker"]["resources"]["requests"]
    assert restricted_violations(spec) == []
    assert rendered(rank=0)["worker"]["resources"]["requests"][RESOURCE] == "1"


def test_a_rank_without_devices_sees_none_whatever_its_image_says() -> None:
    hidden = {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}

    assert hidden in rendered()["worker"]["env"]
    assert hidden not in rendered(rank=0)["worker"]["env"]


def test_a_rank_without_devices_tolerates_a_taint_for_devices_only_where_its_node_has_one() -> None:
    lost = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}

    assert keys_of(rendered()["tolerations"]) == lost
    assert keys_of(rendered(tolerations=(FOR_DEVICES,))["tolerations"]) == lost | {RESOURCE}
    assert keys_of(rendered(rank=0)["tolerations"]) == lost | {RESOURCE}


def test_a_rank_without_devices_is_shaped_by_pools_of_labels_and_not_by_those_of_chips() -> None:
    of_chips = PoolTemplate("chips", chips=("h100-sxm",), labels=(("fabric", "ib"),), has_host_network=True)
    of_labels = PoolTemplate("labels", labels=(("fabric", "ib"),), tolerations=(Toleration("team"), FOR_DEVICES))

    spec = rendered(labels={"fabric": "ib"}, pools=(of_chips, of_labels), tolerations=(FOR_DEVICES,))

    assert "hostNetwork" not in spec
    assert [one["key"] for one in spec["tolerations"]][2:] == ["team", RESOURCE], "each once"
    assert rendered(rank=0, labels={"fabric": "ib"}, pools=(of_chips, of_labels))["hostNetwork"] is True


def test_a_rank_with_a_share_is_never_rendered() -> None:
    given = with_shares(order("wait"), share_milli=250, share_memory_mib=8192)

    with pytest.raises(StartFailed, match="rank 0 was given a share of a device; ask for whole devices") as refused:
        rendered(given, 0)

    assert refused.value.refusal is StartRefusal.INVALID


def test_the_programs_of_all_roles_count_together() -> None:
    role = WorkerRole("launcher", 1, WorkerShape(0, 500, 1024), (), CommandProgram(("x" * 150_000,)))
    given = with_spec(order("x" * 150_000), roles=(role,))

    assert "bytes with those of its roles" in (objection(given.job, configuration()) or "")
    assert objection(with_spec(order("wait"), roles=(role,)).job, configuration()) is None


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        ({"closeness": Closeness(required="block")}, "no level 'block', only node, rack, zone, cluster"),
        ({"spread": Spread("block", 1)}, "no level 'block'"),
        ({"apart": Apart("block", (("team", "a"),))}, "no level 'block'"),
        ({"node_labels": (("example.com/disk", "nvme"),)}, "the label example.com/disk of nodes is not told"),
    ],
)
def test_what_the_cluster_does_not_tell_of_its_nodes_is_objected_to(asked: dict[str, Any], want: str) -> None:
    given = with_spec(order("wait"), **asked)
    levels = (TopologyLevel("zone", "example.com/zone"), TopologyLevel("rack", "example.com/rack"))

    said = objection(given.job, configuration(topology=levels))

    assert said is not None
    assert want in said
    assert "ask the operator to list the" in said
    assert rendered(given, 0), "what was placed before the file changed runs nevertheless"


@pytest.mark.parametrize(
    "asked",
    [
        {"closeness": Closeness(required="rack", preferred=("no-such-level",))},
        {"closeness": Closeness(required="node")},
        {"spread": Spread("cluster", 4)},
        {"node_labels": (("kubernetes.io/arch", "arm64"), ("example.com/fabric", "infiniband"))},
    ],
)
def test_what_the_cluster_tells_of_its_nodes_can_be_asked_for(asked: dict[str, Any]) -> None:
    job = with_spec(order("wait"), **asked).job

    assert objection(job, configuration(node_labels=("example.com/fabric",))) is None
