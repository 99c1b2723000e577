"""What is rendered, shown to a real API server: it knows every field, and restricted Pod Security takes the pods."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scheduler.adapters.kubernetes.configuration.cluster import TenantRules
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate, Toleration
from scheduler.adapters.kubernetes.configuration.volumes import ClaimVolume, ScratchVolume, VolumeClass
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.rendering import (
    RELEASE_CONTENT_TYPE,
    Blueprint,
    Place,
    owned_objects,
    owner_object,
    pod,
    release_patch,
)
from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.attempt import Allocation
from scheduler.ports.cluster import GangOrder
from tests.builders.blueprints import RESOURCE, SECRET, configuration, with_spec
from tests.builders.cluster import order, with_limits
from tests.kubernetes.testbed.api import Refused, path_of
from tests.kubernetes.testbed.control_plane import ControlPlane

Json = dict[str, Any]
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
LONGEST_NODE = ".".join(["n" * 63] * 4)[:253]
PLAIN = order("wait")
EVERYTHING = with_spec(
    with_limits(order("wait"), time_limit_s=3600, grace_s=0),
    image="registry.example:5000/team/training:2.1",
    shared_memory_mib=512,
    environment=(("TEXT", "$(HOME) $$ größe\n"),),
    volumes=(Volume("datasets", "/data", is_read_only=False), Volume("scratch", "/cache", is_read_only=True)),
    secrets=(SecretVariable("HUB_TOKEN", "hub", "token"),),
    labels=(("team", "../hostile"),),
)
LONGEST = replace(PLAIN, job=replace(PLAIN.job, tenant="t" * 63), attempt="a" * 63)
OPEN_POOL = PoolTemplate(
    chips=("h100-sxm",),
    has_host_network=True,
    capabilities=("IPC_LOCK",),
    resources=(("rdma/hca", 1),),
    shared_memory_mib=1024,
    environment=(("NCCL_IB_HCA", "mlx5"),),
    annotations=(("example.com/network", "fabric"),),
    tolerations=(Toleration("example.com/training", "yes", "NoSchedule"), Toleration("example.com/any")),
)


@pytest.fixture(scope="module")
def restricted(control_plane: ControlPlane) -> Iterator[str]:
    name = control_plane.make_namespace("rendered-pods", RESTRICTED)
    yield name
    control_plane.remove_namespace(name)


def of(given: GangOrder, namespace: str, *, node: str = "n1", **changes: Any) -> Blueprint:
    rules = configuration(
        namespace=namespace,
        images=["registry.example:5000/"],
        tenants={"demo": TenantRules(secrets=("hub",))},
        volume_classes=(
            VolumeClass("datasets", ClaimVolume("datasets"), is_read_only=True),
            VolumeClass("scratch", ScratchVolume(64, is_in_memory=True)),
        ),
        **changes,
    )
    return Blueprint(given, (Place(node, RESOURCE, {}),) * len(given.allocations), rules, Identity(SECRET, "test"))


def dry_run(plane: ControlPlane, path: str, document: Json) -> Json:
    """Let the server do all but keep it; a field that it does not know is a fault."""
    return plane.api.call("POST", path, document, query={"dryRun": "All", "fieldValidation": "Strict"})


@pytest.mark.parametrize("given", [PLAIN, EVERYTHING, LONGEST], ids=["plain", "everything", "longest names"])
def test_restricted_pod_security_takes_every_pod(
    control_plane: ControlPlane, restricted: str, given: GangOrder
) -> None:
    blueprint = of(given, restricted, node=LONGEST_NODE)

    kept = dry_run(control_plane, path_of("pods", namespace=restricted), pod(blueprint, 0, "owner-uid"))

    assert kept["spec"]["schedulingGates"] == [{"name": "medley/gang"}]


@pytest.mark.parametrize("given", [PLAIN, LONGEST], ids=["plain", "longest names"])
def test_the_owner_and_what_it_owns_are_taken(control_plane: ControlPlane, restricted: str, given: GangOrder) -> None:
    blueprint = of(given, restricted)

    dry_run(control_plane, blueprint.configuration.owner.path(restricted), owner_object(blueprint))
    for path, document in owned_objects(blueprint, "owner-uid"):
        dry_run(control_plane, path, document)


def test_the_largest_gang_is_kept(control_plane: ControlPlane, restricted: str) -> None:
    workers = 1024
    allocations = tuple(
        Allocation(rank, f"{'c' * 63}/{LONGEST_NODE}", "h" * 63, tuple(range(900, 964)), 1000, 4096)
        for rank in range(workers)
    )
    given = replace(order("a" * 250_000), allocations=allocations, torch_devices=("cuda",) * workers)
    owners = path_of("configmaps", namespace=restricted)

    kept = control_plane.api.create(owners, owner_object(of(given, restricted)))

    control_plane.api.delete(path_of("configmaps", kept["metadata"]["name"], namespace=restricted))


def test_an_open_pool_is_refused_where_restricted_and_taken_elsewhere(
    control_plane: ControlPlane, restricted: str, namespace: str
) -> None:
    def render(where: str) -> Json:
        return pod(of(PLAIN, where, pools=(OPEN_POOL,)), 0, "owner-uid")

    with pytest.raises(Refused, match="IPC_LOCK"):
        dry_run(control_plane, path_of("pods", namespace=restricted), render(restricted))
    dry_run(control_plane, path_of("pods", namespace=namespace), render(namespace))


def test_a_release_opens_the_gate_of_that_pod_only(control_plane: ControlPlane, restricted: str) -> None:
    api, blueprint = control_plane.api, of(with_spec(PLAIN, environment=(("TEXT", "$(HOME)"),)), restricted)
    owner = api.create(blueprint.configuration.owner.path(restricted), owner_object(blueprint))
    made = api.create(path_of("pods", namespace=restricted), pod(blueprint, 0, owner["metadata"]["uid"]))
    path = path_of("pods", made["metadata"]["name"], namespace=restricted)

    with pytest.raises(Refused) as caught:
        api.patch(path, release_patch("n1", owner["metadata"]["uid"]), kind=RELEASE_CONTENT_TYPE)
    released, again = (
        api.patch(path, release_patch("n1", made["metadata"]["uid"]), kind=RELEASE_CONTENT_TYPE) for _ in range(2)
    )

    assert caught.value.status == 422
    assert "metadata.uid" in str(caught.value)
    assert "schedulingGates" not in released["spec"]
    assert released["spec"]["affinity"] == release_patch("n1", "any")["spec"]["affinity"]
    assert again["spec"] == released["spec"]
    assert {"name": "TEXT", "value": "$$(HOME)"} in released["spec"]["containers"][0]["env"]
    api.delete(path)
    api.delete(f"{blueprint.configuration.owner.path(restricted)}/{owner['metadata']['name']}")
