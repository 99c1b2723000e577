"""One Kubernetes cluster as its operator describes it. Every value has a default but the name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scheduler.adapters.kubernetes.configuration.images import ImageRule, Reference
from scheduler.adapters.kubernetes.configuration.pools import HARDENED, PoolTemplate, Toleration
from scheduler.adapters.kubernetes.configuration.rules import ChipRules
from scheduler.adapters.kubernetes.configuration.volumes import VolumeClass
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.topology import RACK

DEFAULT_NAME = "kubernetes"
DEFAULT_NAMESPACE = "medley-jobs"
DEFAULT_RUNTIME_IMAGE = Reference.parse("medley-runtime:dev")


@dataclass(frozen=True, slots=True)
class OwnerKind:
    """The kind of object that owns what belongs to an attempt."""

    api_version: str = "v1"
    kind: str = "ConfigMap"
    resource: str = "configmaps"
    """Its name in paths of the API."""

    @property
    def is_config_map(self) -> bool:
        """Whether it can hold the rank table itself; else a ConfigMap of its own does."""
        return (self.api_version, self.kind) == ("v1", "ConfigMap")

    def path(self, namespace: str) -> str:
        """Return where the API keeps such objects of a namespace."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        return f"{root}/namespaces/{namespace}/{self.resource}"


@dataclass(frozen=True, slots=True)
class TopologyLevel:
    """A level of the network, and the label by which nodes say in which domain of it they are."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class TenantRules:
    """What differs for one tenant."""

    namespace: str | None = None
    """Of its pods; None: the cluster's."""
    images: tuple[ImageRule, ...] | None = None
    """None: the cluster's."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets in its namespace that its jobs may read."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a pod may stay where it is, in seconds, before its gang is given up there."""

    unschedulable_s: int = 60
    """Released to the scheduler and not bound."""
    start_s: int = 300
    """Bound and nothing heard of its containers."""
    image_pull_s: int = 900
    """Its image cannot be fetched."""
    configuration_s: int = 60
    """Its containers cannot be made, such as for want of a secret."""


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much output is kept once a pod is gone; the oldest goes first."""

    worker_mib: int = 16
    """Of one worker; its last output."""
    attempt_mib: int = 64
    """Of all workers of an attempt."""
    total_mib: int = 8192


DEFAULT_TOPOLOGY = (
    TopologyLevel("region", "topology.kubernetes.io/region"),
    TopologyLevel("zone", "topology.kubernetes.io/zone"),
    TopologyLevel(RACK, "medley/rack"),
)
ALWAYS_LABELS = ("kubernetes.io/arch", "node.kubernetes.io/instance-type")
"""Labels of nodes that jobs can always ask for: they say the same of many nodes."""
DEFAULT_FAULT_CONDITIONS = ("KernelDeadlock", "ReadonlyFilesystem")


@dataclass(frozen=True, slots=True)
class ClusterConfiguration:
    """One cluster."""

    name: ClusterName
    kubeconfig: Path | None = None
    """None: the service account of the pod that Medley runs in."""
    context: str | None = None
    """Of the kubeconfig; None: its current one."""
    namespace: str = DEFAULT_NAMESPACE
    """Of the pods of tenants that have none of their own."""
    tenants: Mapping[TenantName, TenantRules] = field(default_factory=dict)
    owner: OwnerKind = OwnerKind()
    scheduler_name: str = "default-scheduler"
    priority_class: str | None = None
    runtime_image: Reference = DEFAULT_RUNTIME_IMAGE
    """Has medley_runtime; what jobs without an image run."""
    image_pull_policy: str | None = None
    """`Always`, `IfNotPresent` or `Never`; None: Kubernetes decides by the tag."""
    image_pull_secrets: tuple[str, ...] = ()
    images: tuple[ImageRule, ...] = ()
    """What tenants may run beside the runtime image, which everybody may."""
    volume_classes: tuple[VolumeClass, ...] = ()
    checkpoints: str | None = None
    """The class of the volumes that jobs keep their checkpoints in; None: jobs cannot resume."""
    pools: tuple[PoolTemplate, ...] = ()
    """The first one that fits a rank shapes its pod."""
    node_loss_tolerated_s: int = 60
    """How long pods stay on a node that is not ready or cannot be reached."""
    scratch_mib: int = 65_536
    """The most a worker may write to its temporary folder, and again to its home."""
    chip_rules: ChipRules = ()
    """Asked before the built-in ones."""
    topology: tuple[TopologyLevel, ...] = DEFAULT_TOPOLOGY
    """Outermost level first."""
    node_labels: tuple[str, ...] = ()
    """Labels of nodes that jobs can ask for, beside `ALWAYS_LABELS`."""
    fault_conditions: tuple[str, ...] = DEFAULT_FAULT_CONDITIONS
    """Conditions of nodes that, when true, keep new work away."""
    deadlines: Deadlines = Deadlines()
    logs: LogLimits = LogLimits()
    devices_are_simulated: bool = False
    """Workers compute on CPU whatever their chip: for test beds, whose nodes only say that they have devices."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All namespaces that pods may live in, sorted."""
        own = {rules.namespace for rules in self.tenants.values() if rules.namespace is not None}
        return tuple(sorted({self.namespace} | own))

    def namespace_of(self, tenant: TenantName) -> str:
        """Return where a tenant's pods live."""
        return self.rules_of(tenant).namespace or self.namespace

    def rules_of(self, tenant: TenantName) -> TenantRules:
        """Return what differs for a tenant."""
        return self.tenants.get(tenant, _NO_RULES)

    def images_of(self, tenant: TenantName) -> tuple[ImageRule, ...]:
        """Return what a tenant may run beside the runtime image."""
        own = self.rules_of(tenant).images
        return self.images if own is None else own

    def volume_class(self, name: str, tenant: TenantName) -> VolumeClass | None:
        """Return a class of volumes that a tenant may use, None where there is none of this name for it."""
        for one in self.volume_classes:
            if one.name == name and (one.tenants is None or tenant in one.tenants):
                return one
        return None

    def checkpoint_class(self, tenant: TenantName) -> VolumeClass | None:
        """Return the class of volumes for a tenant's checkpoints, None where it has none."""
        return None if self.checkpoints is None else self.volume_class(self.checkpoints, tenant)

    @property
    def labels_of_nodes(self) -> tuple[str, ...]:
        """All labels of nodes that jobs can ask for."""
        return (*ALWAYS_LABELS, *(label for label in self.node_labels if label not in ALWAYS_LABELS))

    def pool(self, chip: ChipName | None, labels: Mapping[str, str]) -> PoolTemplate:
        """Return the template of ranks on `chip`, None for those without devices, of a node with these labels."""
        return next((pool for pool in self.pools if pool.fits(chip, labels)), HARDENED)

    def tolerations(self, resource: str, pool: PoolTemplate) -> tuple[Toleration, ...]:
        """Return what pods put up with that ask for `resource`: the taint by its own name, and their pool's taints.

        Nodes with accelerators are often tainted with the resource's name, to keep other pods away.
        """
        return (Toleration(resource, effect="NoSchedule"), *pool.tolerations)


_NO_RULES = TenantRules()


def default_configuration(name: ClusterName = DEFAULT_NAME) -> ClusterConfiguration:
    """Return the configuration of a cluster of which nothing was said."""
    return ClusterConfiguration(name)
