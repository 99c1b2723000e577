"""The kinds of objects that the fake knows."""

from dataclasses import dataclass

ANY_FIELDS = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object."""

    plural: str
    name: str
    prefix: str = "/api/v1"
    is_namespaced: bool = True
    has_status: bool = False
    returns_deleted: bool = False
    """Whether DELETE answers with the object; else with a Status."""
    fields: tuple[str, ...] = ANY_FIELDS
    """The field selectors that it supports."""
    has_generation: bool = False

    @property
    def version(self) -> str:
        """The apiVersion of its objects."""
        return self.prefix.removeprefix("/apis/").removeprefix("/api/")

    @property
    def group(self) -> str:
        """Its API group; empty for the first one."""
        return self.version.rpartition("/")[0]


POD_FIELDS = (
    *ANY_FIELDS,
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
EVENT_FIELDS = (
    *ANY_FIELDS,
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.uid",
    "reason",
    "type",
)

PODS = Kind("pods", "Pod", has_status=True, returns_deleted=True, fields=POD_FIELDS, has_generation=True)
NODES = Kind("nodes", "Node", is_namespaced=False, has_status=True, fields=(*ANY_FIELDS, "spec.unschedulable"))
NAMESPACES = Kind(
    "namespaces",
    "Namespace",
    is_namespaced=False,
    has_status=True,
    returns_deleted=True,
    fields=(*ANY_FIELDS, "status.phase"),
)
EVENTS = Kind("events", "Event", fields=EVENT_FIELDS)
QUOTAS = Kind("resourcequotas", "ResourceQuota", has_status=True, returns_deleted=True)

KINDS = (
    PODS,
    NODES,
    NAMESPACES,
    EVENTS,
    QUOTAS,
    Kind("configmaps", "ConfigMap"),
    Kind("secrets", "Secret", fields=(*ANY_FIELDS, "type")),
    Kind("services", "Service", has_status=True, returns_deleted=True),
    Kind("serviceaccounts", "ServiceAccount", returns_deleted=True),
    Kind("persistentvolumeclaims", "PersistentVolumeClaim", has_status=True, returns_deleted=True),
    Kind("leases", "Lease", prefix="/apis/coordination.k8s.io/v1"),
    Kind("poddisruptionbudgets", "PodDisruptionBudget", prefix="/apis/policy/v1", has_status=True),
    Kind("priorityclasses", "PriorityClass", prefix="/apis/scheduling.k8s.io/v1", is_namespaced=False),
    Kind("storageclasses", "StorageClass", prefix="/apis/storage.k8s.io/v1", is_namespaced=False, returns_deleted=True),
    Kind("deviceclasses", "DeviceClass", prefix="/apis/resource.k8s.io/v1", is_namespaced=False, returns_deleted=True),
    Kind("resourceslices", "ResourceSlice", prefix="/apis/resource.k8s.io/v1", is_namespaced=False),
)
BY_PLURAL = {(kind.prefix, kind.plural): kind for kind in KINDS}
PREFIXES = frozenset(kind.prefix for kind in KINDS)
