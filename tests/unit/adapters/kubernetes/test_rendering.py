import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.schemas import program
from scheduler.adapters.kubernetes.configuration.cluster import OwnerKind, TenantRules
from scheduler.adapters.kubernetes.configuration.images import ImageRule
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate, Toleration
from scheduler.adapters.kubernetes.configuration.volumes import ClaimVolume, NfsVolume, ScratchVolume, VolumeClass
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.rendering import (
    Place,
    checks,
    objection,
    owned_objects,
    owner_object,
    pod,
    release_patch,
)
from scheduler.adapters.kubernetes.rendering.pods import SAFE_TO_EVICT
from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.job import ArrayMember
from scheduler.ports.cluster import GangOrder, StartFailed, StartRefusal
from tests.builders.blueprints import SECRET, blueprint, configuration, with_spec
from tests.builders.cluster import ATTEMPT, order, with_limits
from tests.builders.pod_security import restricted_violations

Json = dict[str, Any]
HUGE = "x" * 300_000
DATASETS = VolumeClass("datasets", ClaimVolume("datasets"), is_read_only=True, tenants=("demo",))
VOLUMES = (DATASETS, VolumeClass("scratch", ScratchVolume(1024, is_in_memory=True)))
INFINIBAND = PoolTemplate(
    name="infiniband",
    labels=(("fabric", "ib"),),
    has_host_network=True,
    capabilities=("IPC_LOCK",),
    resources=(("rdma/hca", 1),),
    shared_memory_mib=2048,
    run_as_user=1000,
    run_as_group=1001,
    fs_group=1002,
    is_root_filesystem_read_only=False,
    environment=(("NCCL_IB_HCA", "mlx5"), ("SHARED", "of the pool")),
    annotations=(("example.com/network", "fabric"), (SAFE_TO_EVICT, "true")),
    tolerations=(Toleration("example.com/training", "yes"),),
    runtime_class="nvidia",
)


def rendered(given: GangOrder | None = None, rank: int = 0, **changes: Any) -> Json:
    return pod(blueprint(given, **changes), rank, "owner-uid")


def worker_of(document: Json) -> Json:
    (container,) = document["spec"]["containers"]
    return dict(container)


def variables_of(document: Json) -> dict[str, str]:
    return {one["name"]: one["value"] for one in worker_of(document)["env"] if "value" in one}


def with_everything() -> GangOrder:
    return with_spec(
        order("wait", workers=2),
        image="team/training:2.1",
        shared_memory_mib=512,
        environment=(("GREETING", "hello"),),
        volumes=(Volume("datasets", "/data", is_read_only=False), Volume("scratch", "/cache", is_read_only=True)),
        secrets=(SecretVariable("HUB_TOKEN", "hub", "token"),),
        labels=(("team", "hostile"),),
        time_limit_s=3600,
    )


EVERYTHING: Json = {
    "images": ["team/"],
    "volume_classes": VOLUMES,
    "tenants": {"demo": TenantRules(namespace="demo-jobs", secrets=("hub",))},
}


def test_a_pod_says_whose_it_is() -> None:
    metadata = rendered(order("wait", workers=4), 3)["metadata"]

    identity = Identity(SECRET, "test")
    assert metadata["name"] == f"{ATTEMPT}-r3"
    assert metadata["namespace"] == "medley-jobs"
    assert metadata["labels"] == {
        "medley/instance": identity.instance,
        "medley/job": "0a1b2c3d4e5f6g7h",
        "medley/attempt": ATTEMPT,
        "medley/rank": "3",
        "medley/generation": "1",
        "medley/tenant": "demo",
    }
    assert metadata["annotations"] == {
        "medley/proof": identity.proof("medley-jobs", "Pod", f"{ATTEMPT}-r3"),
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    }
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": ATTEMPT,
            "uid": "owner-uid",
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def test_a_pod_waits_at_our_gate_and_names_no_node() -> None:
    spec = rendered()["spec"]

    assert spec["schedulingGates"] == [{"name": "medley/gang"}]
    assert spec.keys() & {"nodeName", "affinity", "nodeSelector"} == set()


def test_a_pod_asks_for_what_its_rank_holds() -> None:
    given = order("wait", workers=2)
    more = replace(given.allocations[1], slots=(4, 5, 6), cpu_milli=2500, memory_mib=9000)
    resources = worker_of(rendered(replace(given, allocations=(given.allocations[0], more)), 1))["resources"]

    assert resources["requests"] == {"cpu": "2500m", "memory": "9000Mi", "nvidia.com/gpu": "3"}
    assert resources["limits"] == resources["requests"]


def test_a_pod_ends_as_its_job_says() -> None:
    spec = rendered(with_limits(order("wait"), time_limit_s=60, grace_s=0))["spec"]

    assert spec["activeDeadlineSeconds"] == 60
    assert spec["terminationGracePeriodSeconds"] == 1, "without any grace the API forgets what still runs"
    assert spec["restartPolicy"] == "Never"
    assert spec["shareProcessNamespace"] is True, "a first process would not feel a SIGTERM that it does not handle"
    assert "activeDeadlineSeconds" not in rendered()["spec"]


def test_a_pod_stays_on_a_lost_node_for_as_long_as_configured() -> None:
    tolerations = rendered(node_loss_tolerated_s=7)["spec"]["tolerations"]

    lost = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 7}
    assert {"key": "node.kubernetes.io/not-ready"} | lost in tolerations
    assert {"key": "node.kubernetes.io/unreachable"} | lost in tolerations
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in tolerations


def test_the_clusters_choices_are_in_every_pod() -> None:
    spec = rendered(
        scheduler_name="volcano",
        priority_class="training",
        image_pull_policy="Never",
        image_pull_secrets=("registry",),
    )["spec"]

    assert (spec["schedulerName"], spec["priorityClassName"]) == ("volcano", "training")
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["containers"][0]["imagePullPolicy"] == "Never"


@pytest.mark.parametrize("given", [order("wait"), with_everything()], ids=["plain", "with everything"])
def test_a_pod_is_what_restricted_pod_security_asks_for(given: GangOrder) -> None:
    document = rendered(given, **EVERYTHING)

    assert restricted_violations(document["spec"]) == []
    assert document["spec"]["automountServiceAccountToken"] is False
    assert document["spec"]["enableServiceLinks"] is False
    for container in document["spec"]["containers"] + document["spec"].get("initContainers", []):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_pod_names_the_trace_that_its_job_belongs_to() -> None:
    given, traceparent = order("wait"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    traced = replace(given, job=replace(given.job, traceparent=traceparent))
    assert rendered(traced)["metadata"]["annotations"]["traceparent"] == traceparent
    assert "traceparent" not in rendered(given)["metadata"]["annotations"]


def test_a_pod_of_an_array_finds_its_number_in_its_environment() -> None:
    given = with_spec(order("wait"), array=ArrayMember("a1", "sweep", 3, 10))
    found = variables_of(rendered(given))
    numbers = {name: value for name, value in found.items() if name.startswith("MEDLEY_ARRAY")}
    assert numbers == {"MEDLEY_ARRAY_ID": "a1", "MEDLEY_ARRAY_INDEX": "3", "MEDLEY_ARRAY_COUNT": "10"}


def test_a_pools_template_shapes_the_pods_on_its_nodes_only() -> None:
    given = with_spec(order("wait"), environment=(("SHARED", "of the job"),))
    document = rendered(given, labels={"fabric": "ib"}, pools=(INFINIBAND,))
    spec, worker = document["spec"], worker_of(document)

    assert (spec["hostNetwork"], spec["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    assert spec["runtimeClassName"] == "nvidia"
    assert worker["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["IPC_LOCK"]}
    assert worker["securityContext"]["readOnlyRootFilesystem"] is False
    assert worker["resources"]["limits"]["rdma/hca"] == "1"
    assert {spec["securityContext"][field] for field in ("runAsUser", "runAsGroup", "fsGroup")} == {1000, 1001, 1002}
    assert {"medium": "Memory", "sizeLimit": "2048Mi"} in [one.get("emptyDir") for one in spec["volumes"]]
    assert document["metadata"]["annotations"]["example.com/network"] == "fabric"
    assert document["metadata"]["annotations"][SAFE_TO_EVICT] == "false"
    assert {"key": "example.com/training", "operator": "Equal", "value": "yes"} in spec["tolerations"]
    assert variables_of(document)["NCCL_IB_HCA"] == "mlx5"
    assert variables_of(document)["SHARED"] == "of the job"
    assert sorted(restricted_violations(spec)) == ["hostNetwork", "worker: adds IPC_LOCK"]
    assert rendered(given, labels={"fabric": "ethernet"}, pools=(INFINIBAND,)) == rendered(given)


def test_a_job_without_an_image_runs_the_runtime_itself() -> None:
    document = rendered(runtime_image="registry.example/runtime:1")

    assert worker_of(document)["image"] == "registry.example/runtime:1"
    assert worker_of(document)["command"] == ["python3", "-m", "medley_runtime"]
    assert "initContainers" not in document["spec"]
    assert (
        rendered(
            with_spec(order("wait"), image="registry.example/runtime:1"), runtime_image=("registry.example/runtime:1")
        )
        == document
    ), "the runtime's image may be named by everybody"


def test_an_image_of_the_jobs_own_is_given_the_runtime() -> None:
    template = PoolTemplate(chips=("h100-sxm",), capabilities=("IPC_LOCK",))
    document = rendered(with_everything(), pools=(template,), **EVERYTHING)
    (prepare,) = document["spec"]["initContainers"]

    assert worker_of(document)["image"] == "team/training:2.1"
    assert prepare["image"] == "medley-runtime:dev"
    assert {"name": "runtime", "mountPath": "/medley/runtime", "readOnly": True} in worker_of(document)["volumeMounts"]
    assert prepare["securityContext"]["capabilities"] == {"drop": ["ALL"]}, "capabilities are for the worker"
    assert prepare["volumeMounts"] == [{"name": "runtime", "mountPath": "/medley/runtime"}]
    assert prepare["resources"]["limits"] == {"cpu": "1000m", "memory": "4096Mi"}
    assert "PYTHONPATH" not in variables_of(document), "it would hide the image's own"


def test_volumes_and_secrets_are_taken_from_what_is_offered() -> None:
    document = rendered(with_everything(), **EVERYTHING)
    volumes = {one["name"]: one for one in document["spec"]["volumes"]}
    mounts = worker_of(document)["volumeMounts"]

    assert volumes["volume-0"]["persistentVolumeClaim"] == {"claimName": "datasets", "readOnly": True}
    assert volumes["volume-1"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "1024Mi"}
    assert {"name": "volume-0", "mountPath": "/data", "readOnly": True} in mounts
    assert {"name": "volume-1", "mountPath": "/cache", "readOnly": True} in mounts
    assert volumes["shared-memory"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "512Mi"}
    assert worker_of(document)["env"][-1] == {
        "name": "HUB_TOKEN",
        "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token", "optional": False}},
    }
    assert document["metadata"]["namespace"] == "demo-jobs"


def test_an_nfs_volume_names_its_server() -> None:
    given = with_spec(order("wait"), volumes=(Volume("archive", "/archive", is_read_only=False),))
    document = rendered(given, volume_classes=(VolumeClass("archive", NfsVolume("files.example", "/archive")),))

    (nfs,) = [one["nfs"] for one in document["spec"]["volumes"] if "nfs" in one]
    assert nfs == {"server": "files.example", "path": "/archive", "readOnly": False}


@given(st.text(alphabet="$(){}ABHOME \n'\"`\\é", max_size=40))
def test_a_value_reaches_the_worker_as_it_was_written(value: str) -> None:
    document = rendered(with_spec(order("wait"), environment=(("TEXT", value),)))

    assert expanded(variables_of(document)["TEXT"], variables_of(document)) == value


def expanded(text: str, variables: dict[str, str]) -> str:
    """Do what a kubelet does: `$(NAME)` is a variable's value, `$$` one dollar, any other dollar itself."""
    found, rest = "", text
    while rest:
        before, dollar, rest = rest.partition("$")
        found += before
        if rest.startswith("$"):
            found, rest = found + "$", rest[1:]
        elif rest.startswith("(") and ")" in rest:
            name, _, rest = rest[1:].partition(")")
            found += variables.get(name, f"$({name})")
        else:
            found += dollar
    return found


def test_the_runtimes_own_variables_cannot_be_replaced() -> None:
    template = PoolTemplate(chips=("h100-sxm",), environment=(("MEDLEY_RANK", "7"),))
    names = [one["name"] for one in worker_of(rendered(pools=(template,)))["env"]]

    assert variables_of(rendered(pools=(template,)))["MEDLEY_RANK"] == "0"
    assert len(names) == len(set(names))


def test_labels_of_a_tenant_are_nowhere_in_a_pod() -> None:
    assert "hostile" not in json.dumps(rendered(with_everything(), **EVERYTHING))


def test_the_token_is_in_the_secret_only() -> None:
    given = blueprint(replace(order("wait"), token="mda_hidden"))
    (path, secret), *others = owned_objects(given, "owner-uid")

    assert path == "/api/v1/namespaces/medley-jobs/secrets"
    assert base64.b64decode(secret["data"]["token"]) == b"mda_hidden"
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "owner-uid"
    assert others == []
    (volume,) = [one["secret"] for one in pod(given, 0, "owner-uid")["spec"]["volumes"] if "secret" in one]
    assert volume["defaultMode"] == 0o440, "not for everybody in the container"
    assert "mda_hidden" not in json.dumps([owner_object(given), pod(given, 0, "owner-uid")])


def test_the_owner_holds_the_ranks() -> None:
    owner = owner_object(blueprint(order("wait", workers=3)))

    assert (owner["kind"], owner["metadata"]["name"]) == ("ConfigMap", ATTEMPT)
    assert len(json.loads(owner["data"]["launch.json"])["ranks"]) == 3
    assert "ownerReferences" not in owner["metadata"]


def test_an_owner_of_another_kind_owns_the_ranks_too() -> None:
    given = blueprint(owner=OwnerKind("example.com/v1", "Gang", "gangs"))
    _, (path, ranks) = owned_objects(given, "owner-uid")

    assert "data" not in owner_object(given)
    assert path == "/api/v1/namespaces/medley-jobs/configmaps"
    assert ranks["metadata"]["ownerReferences"][0]["kind"] == "Gang"
    assert "launch.json" in ranks["data"]


def test_a_release_names_the_node_and_opens_our_gate_only() -> None:
    patch = release_patch("n1", "pod-uid")

    (term,) = patch["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    assert patch["spec"]["schedulingGates"] == [{"$patch": "delete", "name": "medley/gang"}]
    assert patch["metadata"] == {"uid": "pod-uid"}


NOT_ALLOWED: list[Json] = [
    {"image": "ubuntu"},
    {"image": "teams/training"},
    {"volumes": (Volume("none", "/data", is_read_only=False),)},
    {"volumes": (Volume("../datasets", "/data", is_read_only=False),)},
    {"secrets": (SecretVariable("A", "another", "token"),)},
    {"secrets": (SecretVariable("A", ATTEMPT, "token"),)},
]
INVALID: list[Json] = [
    *({"image": image} for image in ("", "team/training:2.1\n", "team/$(HOME)", "team/a b", "../a", "-a")),
    *(
        {"volumes": (Volume("datasets", path, is_read_only=False),)}
        for path in (
            *("/", "data", "", "/a/../etc", "/a/./b", "//a", "/a/", "/a:b", "/a\n", "/.a", "/usr", "/lib"),
            *("/etc/medley", "/etc/medley/token", "/etc", "/medley", "/medley/x", "/dev", "/dev/shm", "/proc/self"),
            *("/sys", "/run/secrets", "/var", "/var/run", "/tmp", "/medley/home"),
        )
    ),
    {"volumes": (Volume("datasets", "/a", is_read_only=False), Volume("scratch", "/a", is_read_only=False))},
    *(
        {"environment": ((name, "x"),)}
        for name in (
            *("", "1A", "A-B", "A=B", "A\n", "É", "A" * 256, "MEDLEY_LAUNCH", "MEDLEY_X", "LD_PRELOAD", "PYTHONPATH"),
            *("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"),
            *("ASCEND_RT_VISIBLE_DEVICES", "MLU_VISIBLE_DEVICES"),
        )
    ),
    {"environment": (("A", "\0"),)},
    {"environment": (("A", "\ud800"),)},
    {"environment": (("A", "1"), ("A", "2"))},
    {"environment": (("A", HUGE),)},
    {"environment": (("A", "1"),), "secrets": (SecretVariable("A", "hub", "token"),)},
    *({"secrets": (SecretVariable(name, "hub", "token"),)} for name in ("", "A B", "MEDLEY_TOKEN_FILE")),
    {"secrets": (SecretVariable("A", "../hub", "token"),)},
    {"secrets": (SecretVariable("A", "hub", "a/b"),)},
]


@pytest.mark.parametrize("changes", NOT_ALLOWED, ids=lambda changes: repr(changes)[:70])
def test_what_the_operator_does_not_offer_is_not_allowed(changes: Json) -> None:
    refused(with_spec(order("wait"), **changes), StartRefusal.NOT_ALLOWED)


@pytest.mark.parametrize("changes", INVALID, ids=lambda changes: repr(changes)[:70])
def test_what_cannot_stand_in_a_pod_is_invalid(changes: Json) -> None:
    refused(with_spec(order("wait"), **changes), StartRefusal.INVALID)


def refused(given: GangOrder, want: StartRefusal) -> None:
    """See that a job is objected to when it is submitted, and refused again when it is rendered."""
    assert objection(given.job, configuration(**EVERYTHING)) is not None
    with pytest.raises(StartFailed) as caught:
        rendered(given, **EVERYTHING)
    assert caught.value.refusal is want
    with pytest.raises(StartFailed, match=re.escape(str(caught.value))):
        owner_object(blueprint(given, **EVERYTHING))
    assert ";" in str(caught.value), "it says what to do"
    assert len(str(caught.value)) < 500


def test_a_command_that_fits_no_config_map_is_objected_to() -> None:
    given = order(HUGE)

    assert "bytes" in (objection(given.job, configuration()) or "")
    with pytest.raises(StartFailed, match="bytes"):
        owner_object(blueprint(order(*(["x" * 4000] * 300))))


def test_nothing_is_objected_to_that_is_offered() -> None:
    assert objection(with_everything().job, configuration(**EVERYTHING)) is None
    assert objection(order("wait").job, configuration()) is None


def test_a_tenants_own_images_stand_in_place_of_the_clusters() -> None:
    given = with_spec(order("wait"), image="team/training:2.1")
    own = {"demo": TenantRules(images=(ImageRule.parse("other/"),))}

    assert objection(given.job, configuration(images=["team/"])) is None
    assert "may not run" in (objection(given.job, configuration(images=["team/"], tenants=own)) or "")


@pytest.mark.parametrize("tenant", ["", "A", "a.b", "a" * 64, "../a", "a\n", "medley/x"])
def test_a_tenants_name_is_checked_again(tenant: str) -> None:
    given = order("wait")

    assert objection(replace(given.job, tenant=tenant), configuration()) is not None


@pytest.mark.parametrize(("node", "resource"), [("a/b", "nvidia.com/gpu"), ("n1\n", "nvidia.com/gpu"), ("n1", "gpu")])
def test_what_is_known_of_a_node_is_checked_again(node: str, resource: str) -> None:
    given = replace(blueprint(), places=(Place(node, resource, {}),))

    with pytest.raises(StartFailed):
        pod(given, 0, "owner-uid")
    with pytest.raises(StartFailed):
        owner_object(given)


def test_names_at_the_limit_are_rendered() -> None:
    given = order("wait")
    long = replace(given, job=replace(given.job, tenant="t" * 63), attempt="a" * 63)
    document = pod(
        replace(
            blueprint(long, tenants={"t" * 63: TenantRules(namespace="n" * 63)}),
            places=(Place(".".join(["n" * 63] * 4)[:253], f"{'d' * 63}.example/{'r' * 63}", {}),),
        ),
        0,
        "owner-uid",
    )

    assert len(document["metadata"]["name"]) == 66
    assert document["metadata"]["labels"]["medley/attempt"] == "a" * 63
    assert document["metadata"]["namespace"] == "n" * 63


def test_the_api_reserves_the_same_variables() -> None:
    assert checks.RESERVED_PREFIXES == program.RESERVED_PREFIXES
    assert checks.DEVICE_VARIABLES == program.DEVICE_VARIABLES
    assert checks.VISIBLE == program.VISIBLE


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "image": st.text(max_size=30),
            "environment": st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=3).map(tuple),
            "volumes": st.lists(
                st.builds(
                    Volume, st.sampled_from(["datasets", "scratch", "x"]), st.text("/a.e\n", max_size=9), st.booleans()
                ),
                max_size=2,
            ).map(tuple),
            "secrets": st.lists(
                st.builds(
                    SecretVariable, st.text("AB_\n ", max_size=4), st.sampled_from(["hub", "x"]), st.text(max_size=4)
                ),
                max_size=2,
            ).map(tuple),
            "labels": st.lists(st.tuples(st.text(), st.text()), max_size=2).map(tuple),
        },
    )
)
def test_whatever_is_submitted_a_pod_is_restricted_or_not_rendered(changes: Json) -> None:
    given = with_spec(order("wait"), **changes)
    what = objection(given.job, configuration(**EVERYTHING))
    if what is not None:
        with pytest.raises(StartFailed, match=re.escape(what)):
            rendered(given, **EVERYTHING)
        return
    document = rendered(given, **EVERYTHING)
    assert restricted_violations(document["spec"]) == []
    paths = [mount["mountPath"] for mount in worker_of(document)["volumeMounts"]]
    assert len(set(paths)) == len(paths)
    json.dumps(document).encode()
