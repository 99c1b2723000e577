"""The clusters that Medley drives as a YAML file; every key but the name may be left out.

The format::

    clusters:
      - name: east                       # what runs belongs to this name: under another one it is a stranger's
        kubeconfig: east.kubeconfig      # beside this file; without it, the service account of Medley's own pod
        context: admin@east              # of the kubeconfig; its current one
        namespace: medley-jobs           # of the workers' pods
        tenants:
          vision:
            namespace: vision-jobs       # of this tenant's pods
            images: [registry.example/vision/]   # instead of the cluster's
            secrets: [hub]               # in its namespace; its jobs may read them
        runtime_image: registry.example/medley-runtime:1.0
        images:                          # what tenants may run beside it
          - registry.example/shared/     # everything below a folder
          - registry.example/vendor/torch         # every image of a repository
          - registry.example/vendor/torch:2.9     # this one
        image_pull_policy: IfNotPresent
        image_pull_secrets: [registry]
        scheduler_name: default-scheduler
        priority_class: medley-jobs
        owner: {api_version: v1, kind: ConfigMap, resource: configmaps}   # of what belongs to an attempt
        volumes:                         # what jobs may mount, by these names
          datasets: {claim: datasets, read_only: true, tenants: [vision]}
          scratch: {scratch: {size_mib: 102400, in_memory: false}}
          archive: {nfs: {server: files.example, path: /archive}}
          results: {claim: results}
        checkpoints: results             # the volume in which jobs keep what a retry goes on from
        pools:                           # the first one that fits a worker's chip and node shapes its pod
          infiniband:
            chips: [h100-sxm]
            labels: {example.com/fabric: "ib-*"}
            host_network: true
            capabilities: [IPC_LOCK]
            resources: {rdma/hca: 1}
            shared_memory_mib: 65536     # of jobs that name none
            run_as_user: 1000            # and run_as_group, fs_group
            read_only_root_filesystem: false
            environment: {NCCL_IB_HCA: mlx5}
            annotations: {example.com/network: fabric}
            tolerations: [{key: example.com/training, value: "yes", effect: NoSchedule}]
            runtime_class: nvidia
        chips:                           # asked before the built-in table, first fit
          - {chip: h100-sxm, resource: example.com/gpu, labels: {example.com/card: "H100*"}, memory_mib: 81920}
        topology:                        # outermost level first
          zone: topology.kubernetes.io/zone
          rack: example.com/rack
        node_labels: [example.com/fabric]     # what jobs can ask of nodes, beside architecture and instance type
        fault_conditions: [KernelDeadlock]    # of nodes; true keeps new work away
        node_loss_tolerated_s: 60        # how long pods stay on a node that cannot be reached
        scratch_mib: 65536               # of a worker's /tmp, and again of its home
        deadlines: {unschedulable_s: 60, start_s: 300, image_pull_s: 900, configuration_s: 60}
        logs: {worker_mib: 16, attempt_mib: 64, total_mib: 8192}   # kept once pods are gone
        devices_are_simulated: false     # true: workers compute on CPU, for test beds
"""

import dataclasses
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from scheduler.adapters.files.marked_yaml import Marked, read_marked
from scheduler.adapters.kubernetes.configuration import grammar
from scheduler.adapters.kubernetes.configuration.cluster import (
    ClusterConfiguration,
    Deadlines,
    LogLimits,
    OwnerKind,
    TenantRules,
    TopologyLevel,
)
from scheduler.adapters.kubernetes.configuration.entries import (
    Readers,
    flag,
    gather,
    listed,
    name,
    named,
    names,
    one_of,
    plain_text,
    text_of,
    values_of,
    whole_number,
)
from scheduler.adapters.kubernetes.configuration.images import BadImage, ImageRule, Reference
from scheduler.adapters.kubernetes.configuration.reading_pools import (
    MOST_LABELS,
    MOST_SIZE_MIB,
    chip_name,
    read_labels,
    read_pool,
    read_volume_class,
)
from scheduler.adapters.kubernetes.configuration.rules import ChipRule
from scheduler.adapters.kubernetes.configuration.volumes import ScratchVolume
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.topology import CLUSTER, NODE

MOST_CLUSTERS = 100
HOST_NAME_LABEL = "kubernetes.io/hostname"

_MOST = 1_000
_MOST_TENANTS = 10_000
_MOST_LEVELS = 8
_LONGEST_WAIT_S = 86_400
_MOST_LOG_MIB = 1_048_576
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_RESERVED_NAMESPACES = "kube-"


def read_clusters(path: Path, chips: Collection[ChipType]) -> tuple[ClusterConfiguration, ...]:
    """Return the clusters of a file; its chips are those of the catalogue. Raises FileError.

    Nothing is asked of a cluster, and no kubeconfig is opened.
    """
    listing = read_marked(path).fields(required=("clusters",))["clusters"]
    memories_mib = {chip.name: chip.memory_mib for chip in chips}
    entries = listing.items()
    if not 1 <= len(entries) <= MOST_CLUSTERS:
        raise listing.error(f"{len(entries):,} clusters", what_to_do=f"describe from 1 to {MOST_CLUSTERS} of them")
    clusters: dict[str, ClusterConfiguration] = {}
    reached: dict[tuple[Path | None, str | None], str] = {}
    for entry in entries:
        cluster = _cluster(entry, path.parent, memories_mib)
        if cluster.name in clusters:
            raise entry.error(f"cluster {cluster.name!r} is described twice", what_to_do="give each its own name")
        kubeconfig = None if cluster.kubeconfig is None else cluster.kubeconfig.resolve()
        known = reached.setdefault((kubeconfig, cluster.context), cluster.name)
        if known != cluster.name:
            what_to_do = "describe it once, or give each its own kubeconfig or context"
            raise entry.error(f"clusters {known!r} and {cluster.name!r} are the same one", what_to_do=what_to_do)
        clusters[cluster.name] = cluster
    return tuple(clusters.values())


def _cluster(entry: Marked, folder: Path, memories_mib: Mapping[ChipName, int | None]) -> ClusterConfiguration:
    readers: Readers = {
        "name": ("name", text_of(grammar.LABEL)),
        "kubeconfig": ("kubeconfig", lambda value: folder / plain_text(value)),
        "context": ("context", plain_text),
        "namespace": ("namespace", _namespace),
        "tenants": ("tenants", lambda value: dict(named(value, grammar.LABEL, _tenant, most=_MOST_TENANTS))),
        "runtime_image": ("runtime_image", _image),
        "images": ("images", _images),
        "image_pull_policy": ("image_pull_policy", partial(one_of, known=_PULL_POLICIES)),
        "image_pull_secrets": ("image_pull_secrets", partial(names, form=grammar.SUBDOMAIN, most=_MOST)),
        "scheduler_name": ("scheduler_name", text_of(grammar.SUBDOMAIN)),
        "priority_class": ("priority_class", text_of(grammar.SUBDOMAIN)),
        "owner": ("owner", _owner),
        "volumes": ("volume_classes", partial(values_of, form=grammar.LABEL, read=read_volume_class, most=_MOST)),
        "checkpoints": ("checkpoints", text_of(grammar.LABEL)),
        "pools": (
            "pools",
            partial(values_of, form=grammar.LABEL, read=partial(read_pool, chips=memories_mib), most=_MOST),
        ),
        "chips": ("chip_rules", partial(listed, read=partial(_chip_rule, memories_mib=memories_mib), most=_MOST)),
        "topology": ("topology", _topology),
        "node_labels": ("node_labels", partial(listed, read=_node_label, most=MOST_LABELS)),
        "fault_conditions": ("fault_conditions", partial(names, form=grammar.CONDITION, most=_MOST)),
        "node_loss_tolerated_s": ("node_loss_tolerated_s", whole_number(least=0, most=_LONGEST_WAIT_S)),
        "scratch_mib": ("scratch_mib", whole_number(least=1, most=MOST_SIZE_MIB)),
        "deadlines": ("deadlines", _deadlines),
        "logs": ("logs", _logs),
        "devices_are_simulated": ("devices_are_simulated", flag),
    }
    configuration = ClusterConfiguration(**gather(entry, readers, required=("name",)))
    _check_checkpoints(entry, configuration)
    return configuration


def _check_checkpoints(entry: Marked, configuration: ClusterConfiguration) -> None:
    """Raise FileError where what is named for checkpoints cannot keep any."""
    name_given = configuration.checkpoints
    if name_given is None:
        return
    known = {volume_class.name: volume_class for volume_class in configuration.volume_classes}
    here = entry.entries()["checkpoints"]
    if name_given not in known:
        raise here.error(f"no volume class {name_given!r}", what_to_do="describe it under volumes")
    if isinstance(known[name_given].source, ScratchVolume):
        raise here.error(f"{name_given!r} is scratch, gone with each worker", what_to_do="name a claim or nfs")
    if known[name_given].is_read_only:
        raise here.error(f"{name_given!r} is read-only", what_to_do="name a class that workers can write to")


def _namespace(entry: Marked) -> str:
    namespace = name(entry, grammar.LABEL)
    if namespace.startswith(_RESERVED_NAMESPACES):
        raise entry.error(f"{namespace!r} is Kubernetes' own", what_to_do="give workers a namespace of theirs")
    return namespace


def _tenant(_: str, entry: Marked) -> TenantRules:
    readers: Readers = {
        "namespace": ("namespace", _namespace),
        "images": ("images", _images),
        "secrets": ("secrets", partial(names, form=grammar.SUBDOMAIN, most=_MOST)),
    }
    return TenantRules(**gather(entry, readers))


def _image(entry: Marked) -> Reference:
    try:
        return Reference.parse(entry.text())
    except BadImage as error:
        raise entry.error(str(error), what_to_do="write it as registry.example/team/name:tag") from error


def _images(entry: Marked) -> tuple[ImageRule, ...]:
    def read(item: Marked) -> ImageRule:
        try:
            return ImageRule.parse(item.text())
        except BadImage as error:
            what_to_do = "write an image, or a folder of images with a slash at its end"
            raise item.error(str(error), what_to_do=what_to_do) from error

    return listed(entry, read, most=_MOST)


def _owner(entry: Marked) -> OwnerKind:
    readers: Readers = {
        "api_version": ("api_version", text_of(grammar.API_VERSION)),
        "kind": ("kind", text_of(grammar.KIND)),
        "resource": ("resource", text_of(grammar.LABEL)),
    }
    return OwnerKind(**gather(entry, readers, required=tuple(readers)))


def _chip_rule(entry: Marked, memories_mib: Mapping[ChipName, int | None]) -> ChipRule:
    readers: Readers = {
        "chip": ("chip", partial(chip_name, chips=memories_mib)),
        "resource": ("resource", text_of(grammar.EXTENDED_RESOURCE)),
        "labels": ("labels", read_labels),
        "memory_mib": ("memory_mib", whole_number(least=1, most=MOST_SIZE_MIB)),
    }
    rule = ChipRule(**gather(entry, readers, required=("chip", "resource")))
    if rule.memory_mib is None and memories_mib[rule.chip] is None:
        raise entry.error(f"nobody said how much memory {rule.chip!r} has", what_to_do="give memory_mib here")
    return rule


def _topology(entry: Marked) -> tuple[TopologyLevel, ...]:
    def read(level: str, value: Marked) -> str:
        if level in (NODE, CLUSTER):
            raise value.error(f"{level!r} is a level of every topology", what_to_do="leave it out")
        return name(value, grammar.QUALIFIED)

    levels = named(entry, grammar.LABEL, read, most=_MOST_LEVELS)
    return tuple(TopologyLevel(level, label) for level, label in levels)


def _node_label(entry: Marked) -> str:
    label = name(entry, grammar.QUALIFIED)
    if label == HOST_NAME_LABEL:
        what_to_do = "name labels that many nodes share: nodes are chosen by the thousand because they are alike"
        raise entry.error(f"{label} is another one on every node", what_to_do=what_to_do)
    return label


def _deadlines(entry: Marked) -> Deadlines:
    seconds = whole_number(least=1, most=_LONGEST_WAIT_S)
    return Deadlines(**gather(entry, {field.name: (field.name, seconds) for field in dataclasses.fields(Deadlines)}))


def _logs(entry: Marked) -> LogLimits:
    amount = whole_number(least=1, most=_MOST_LOG_MIB)
    return LogLimits(**gather(entry, {field.name: (field.name, amount) for field in dataclasses.fields(LogLimits)}))
