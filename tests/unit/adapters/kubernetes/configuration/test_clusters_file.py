import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.adapters.kubernetes.configuration import clusters_file
from scheduler.adapters.kubernetes.configuration.cluster import (
    ClusterConfiguration,
    Deadlines,
    LogLimits,
    OwnerKind,
    TopologyLevel,
    default_configuration,
)
from scheduler.adapters.kubernetes.configuration.clusters_file import read_clusters
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate, Toleration
from scheduler.adapters.kubernetes.configuration.rules import ChipRule
from scheduler.adapters.kubernetes.configuration.volumes import ClaimVolume, NfsVolume, ScratchVolume, VolumeClass

CHIPS = shipped_catalogue()
EXAMPLE = Path(__file__).parents[5] / "examples" / "clusters" / "kubernetes.yaml"


def read(folder: Path, text: str) -> tuple[ClusterConfiguration, ...]:
    path = folder / "clusters.yaml"
    path.write_text(textwrap.dedent(text))
    return read_clusters(path, CHIPS)


def read_with(folder: Path, lines: str) -> ClusterConfiguration:
    """Read one cluster with these further lines, the first of which is line 3."""
    (cluster,) = read(folder, "clusters:\n  - name: east\n" + textwrap.indent(textwrap.dedent(lines), "    "))
    return cluster


def test_a_cluster_needs_a_name_only(tmp_path: Path) -> None:
    assert read_with(tmp_path, "") == default_configuration("east")
    assert default_configuration().name == "kubernetes"
    assert default_configuration().namespaces == ("medley-jobs",)


def test_the_documented_format_is_read_whole(tmp_path: Path) -> None:
    assert clusters_file.__doc__ is not None
    (east,) = read(tmp_path, clusters_file.__doc__.partition("The format::")[2])

    assert (east.name, east.context, east.kubeconfig) == ("east", "admin@east", tmp_path / "east.kubeconfig")
    assert east.namespaces == ("medley-jobs", "vision-jobs")
    assert (east.namespace_of("vision"), east.namespace_of("other")) == ("vision-jobs", "medley-jobs")
    assert [rule.text for rule in east.images_of("vision")] == ["registry.example/vision/"]
    assert east.images_of("other")[0].text == "registry.example/shared/"
    assert east.rules_of("vision").secrets == ("hub",)
    assert east.runtime_image.text == "registry.example/medley-runtime:1.0"
    assert (east.image_pull_policy, east.image_pull_secrets) == ("IfNotPresent", ("registry",))
    assert (east.scheduler_name, east.priority_class, east.owner) == ("default-scheduler", "medley-jobs", OwnerKind())
    assert east.volume_classes == (
        VolumeClass("datasets", ClaimVolume("datasets"), is_read_only=True, tenants=("vision",)),
        VolumeClass("scratch", ScratchVolume(102_400)),
        VolumeClass("archive", NfsVolume("files.example", "/archive")),
        VolumeClass("results", ClaimVolume("results")),
    )
    assert east.checkpoint_class("other") == VolumeClass("results", ClaimVolume("results"))
    assert east.pools == (
        PoolTemplate(
            name="infiniband",
            chips=("h100-sxm",),
            labels=(("example.com/fabric", "ib-*"),),
            has_host_network=True,
            capabilities=("IPC_LOCK",),
            resources=(("rdma/hca", 1),),
            shared_memory_mib=65_536,
            run_as_user=1000,
            is_root_filesystem_read_only=False,
            environment=(("NCCL_IB_HCA", "mlx5"),),
            annotations=(("example.com/network", "fabric"),),
            tolerations=(Toleration("example.com/training", "yes", "NoSchedule"),),
            runtime_class="nvidia",
        ),
    )
    assert east.chip_rules == (ChipRule("h100-sxm", "example.com/gpu", (("example.com/card", "H100*"),), 81_920),)
    assert east.topology == (
        TopologyLevel("zone", "topology.kubernetes.io/zone"),
        TopologyLevel("rack", "example.com/rack"),
    )
    assert east.node_labels == ("example.com/fabric",)
    assert (east.deadlines, east.logs) == (Deadlines(), LogLimits())
    assert (east.node_loss_tolerated_s, east.scratch_mib, east.devices_are_simulated) == (60, 65_536, False)


def test_the_example_is_read() -> None:
    assert [cluster.name for cluster in read_clusters(EXAMPLE, CHIPS)] == ["east", "west"]


def test_an_absolute_kubeconfig_stays_where_it_is(tmp_path: Path) -> None:
    assert read_with(tmp_path, "kubeconfig: /etc/medley/east").kubeconfig == Path("/etc/medley/east")


def test_an_owner_of_another_kind_has_a_path_of_its_own(tmp_path: Path) -> None:
    owner = read_with(tmp_path, "owner: {api_version: example.com/v1, kind: Gang, resource: gangs}").owner

    assert owner.path("jobs") == "/apis/example.com/v1/namespaces/jobs/gangs"
    assert not owner.is_config_map
    assert OwnerKind().path("jobs") == "/api/v1/namespaces/jobs/configmaps"


def test_a_volume_class_may_be_for_some_tenants_only(tmp_path: Path) -> None:
    cluster = read_with(tmp_path, "volumes: {data: {claim: data, tenants: [vision]}, all: {claim: all}}")

    assert cluster.volume_class("data", "vision") is not None
    assert cluster.volume_class("data", "other") is None
    assert cluster.volume_class("all", "other") is not None
    assert cluster.volume_class("none", "vision") is None


def test_the_first_pool_that_fits_shapes_a_pod(tmp_path: Path) -> None:
    cluster = read_with(
        tmp_path,
        """
        pools:
          fabric: {labels: {example.com/fabric: "ib-*"}, chips: [h100-sxm]}
          all: {chips: [h100-sxm, h20]}
        """,
    )

    assert cluster.pool("h100-sxm", {"example.com/fabric": "ib-4"}).name == "fabric"
    assert cluster.pool("h100-sxm", {"example.com/fabric": "ethernet"}).name == "all"
    assert cluster.pool("h20", {"example.com/fabric": "ib-4"}).name == "all"
    assert cluster.pool("mi300x", {}) == PoolTemplate()


def test_jobs_can_always_ask_for_the_architecture_and_the_instance_type(tmp_path: Path) -> None:
    always = ("kubernetes.io/arch", "node.kubernetes.io/instance-type")

    assert read_with(tmp_path, "").labels_of_nodes == always
    cluster = read_with(tmp_path, "node_labels: [example.com/fabric, kubernetes.io/arch]")
    assert cluster.labels_of_nodes == (*always, "example.com/fabric")


def test_workers_without_devices_are_shaped_by_pools_of_labels(tmp_path: Path) -> None:
    pools = "pools: {chips: {chips: [h20], labels: {a: b}}, labels: {labels: {a: b}}}"

    assert read_with(tmp_path, pools).pool(None, {"a": "b"}).name == "labels"
    assert read_with(tmp_path, pools).pool(None, {}) == PoolTemplate()


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ("namespaces: a", "3: unknown key 'namespaces'; did you mean 'namespace'?"),
        ("namespace: kube-system", "3: 'kube-system' is Kubernetes' own"),
        ("namespace: A", "3: 'A' cannot stand here; use 1 to 63"),
        ("scheduler_name: ''", "3: the text is empty"),
        ("kubeconfig: [a]", "3: here stands a list"),
        ('context: "a\\nb"', "3: 'a\\\\nb' cannot stand here"),
        ("runtime_image: 'a b'", "3: 'a b' is no image"),
        ("images: ['*']", "3: .* is no image"),
        ("images: [a, a]", "3: this stands here twice"),
        ("image_pull_policy: Sometimes", "3: unknown: 'Sometimes'; "),
        ("checkpoints: results", "3: no volume class 'results'; describe it under volumes"),
        ("checkpoints: a\nvolumes: {a: {scratch: {size_mib: 1}}}", "3: 'a' is scratch, gone with each worker"),
        ("checkpoints: a\nvolumes: {a: {claim: a, read_only: true}}", "3: 'a' is read-only"),
        ("tenants:\n  Vision: {}", "4: 'Vision' cannot stand here"),
        ("tenants:\n  vision:\n    secret: [a]", "5: unknown key 'secret'; did you mean 'secrets'?"),
        ("tenants:\n  vision:\n    secrets: [a/b]", "5: 'a/b' cannot stand here"),
        ("owner: {kind: Gang}", "3: 'api_version' is missing"),
        ("volumes:\n  data: {}", "4: volume class 'data' is of 0 kinds"),
        ("volumes:\n  data: {claim: a, nfs: {server: b, path: /}}", "4: volume class 'data' is of 2 kinds"),
        ("volumes:\n  data: {host: /}", "4: unknown key 'host'"),
        ("volumes:\n  data: {nfs: {server: b, path: a}}", "4: 'a' cannot stand here; use an absolute path"),
        ("volumes:\n  data: {scratch: {size_mib: 0}}", "4: 0 is out of range"),
        ("volumes:\n  data: {claim: a, read_only: 'yes'}", "4: here stands neither true nor false"),
        ("pools:\n  all: {host_network: true}", "4: pool 'all' is for no nodes in particular"),
        ("pools:\n  all: {chips: []}", "4: pool 'all' is for no nodes in particular"),
        ("pools:\n  all: {chips: [h1000-sxm]}", "4: unknown chip 'h1000-sxm'; did you mean 'h100-sxm'"),
        ("pools:\n  all: {chips: [h20], capabilities: [SYS_ADMIN]}", "4: unknown: 'SYS_ADMIN'"),
        ("pools:\n  all: {chips: [h20], resources: {cpu: 1}}", "4: 'cpu' cannot stand here"),
        ("pools:\n  all: {chips: [h20], resources: {rdma/hca: 1000000}}", "4: 1,000,000 is out of range"),
        ("pools:\n  all: {chips: [h20], run_as_user: 0}", "4: 0 is out of range"),
        ("pools:\n  all: {chips: [h20], environment: {MEDLEY_RANK: '1'}}", "4: MEDLEY_RANK is Medley's own"),
        ("pools:\n  all: {chips: [h20], annotations: {medley/proof: x}}", "4: medley/proof is Medley's own"),
        ("pools:\n  all: {chips: [h20], tolerations: [{effect: NoSchedule}]}", "4: 'key' is missing"),
        ("chips:\n  - {chip: h20}", "4: 'resource' is missing"),
        ("chips:\n  - {chip: h20, resource: gpu}", "4: 'gpu' cannot stand here; use a domain"),
        ("chips:\n  - {chip: kunlunxin-r300, resource: a/b, memory_mib: true}", "4: here stands true or false"),
        ("topology: [a]", "3: here stands a list"),
        ("topology: {zone: 'a b'}", "3: 'a b' cannot stand here"),
        ("topology: {node: example.com/node}", "3: 'node' is a level of every topology; leave it out"),
        ("topology: {cluster: example.com/c}", "3: 'cluster' is a level of every topology"),
        ("node_labels: {a: b}", "3: here stands a mapping"),
        ("node_labels: [a b]", "3: 'a b' cannot stand here"),
        ("node_labels: [kubernetes.io/hostname]", "3: kubernetes.io/hostname is another one on every node"),
        ("deadlines: {start_s: 0}", "3: 0 is out of range"),
        ("deadlines: {start_s: 1e9}", "3: here stands"),
        ("deadlines: {start: 1}", "3: unknown key 'start'; did you mean 'start_s'?"),
        ("logs: {total_mib: 99999999999}", "3: 99,999,999,999 is out of range"),
        ("node_loss_tolerated_s: -1", "3: -1 is out of range"),
        ("devices_are_simulated: 1", "3: here stands neither true nor false"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, lines: str, want: str) -> None:
    with pytest.raises(FileError, match=f"clusters.yaml:{want}"):
        read_with(tmp_path, lines)


def test_contexts_of_one_kubeconfig_are_different_clusters(tmp_path: Path) -> None:
    text = "clusters:\n  - {name: a, kubeconfig: k, context: c}\n  - {name: b, kubeconfig: k}\n  - {name: c}"

    assert len(read(tmp_path, text)) == 3


def test_a_chip_whose_memory_nobody_knows_needs_one_here(tmp_path: Path) -> None:
    path = tmp_path / "clusters.yaml"
    path.write_text("clusters:\n  - name: east\n    chips:\n      - {chip: h20, resource: example.com/gpu}\n")
    unknown = replace(next(chip for chip in CHIPS if chip.name == "h20"), memory_mib=None)

    with pytest.raises(FileError, match="4: nobody said how much memory 'h20' has"):
        read_clusters(path, [unknown])


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("clusters: []", "1: 0 clusters"),
        ("clusters: {east: {}}", "1: here stands a mapping"),
        ("cluster: []", "1: unknown key 'cluster'; did you mean 'clusters'?"),
        ("clusters:\n  - kubeconfig: a", "2: 'name' is missing"),
        ("clusters:\n  - name: a/b", "2: 'a/b' cannot stand here"),
        ("clusters:\n  - name: a\n  - name: a", "3: cluster 'a' is described twice"),
        ("clusters:\n  - name: a\n  - name: b", "3: clusters 'a' and 'b' are the same one"),
        (
            "clusters:\n  - {name: a, kubeconfig: k, context: c}\n  - {name: b, kubeconfig: x/../k, context: c}",
            "3: clusters 'a' and 'b' are the same one",
        ),
    ],
)
def test_clusters_are_a_list_of_different_names(tmp_path: Path, text: str, want: str) -> None:
    with pytest.raises(FileError, match=f"clusters.yaml:{want}"):
        read(tmp_path, text)
