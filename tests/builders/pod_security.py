"""The rules of the Pod Security Standard `restricted`, as published with Kubernetes 1.36, for Linux."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

VOLUME_KINDS = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
SECCOMP = ("RuntimeDefault", "Localhost")


def restricted_violations(spec: Json) -> list[str]:
    """Return what of a pod's specification the standard forbids."""
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    for volume in spec.get("volumes", []):
        (kind,) = volume.keys() - {"name"}
        if kind not in VOLUME_KINDS:
            found.append(f"volume {volume['name']} is {kind}")
    whole = spec.get("securityContext", {})
    if whole.get("sysctls") or whole.get("seLinuxOptions") or whole.get("appArmorProfile"):
        found.append("pod: sysctls, SELinux or AppArmor")
    for container in spec["containers"] + spec.get("initContainers", []):
        found.extend(f"{container['name']}: {what}" for what in _of_container(container, whole))
    return found


def _of_container(container: Json, whole: Json) -> Iterator[str]:
    own = container.get("securityContext", {})
    merged = whole | own
    capabilities = own.get("capabilities", {})
    if own.get("privileged") or own.get("procMount") not in (None, "Default"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may escalate"
    if "ALL" not in capabilities.get("drop", []):
        yield "keeps capabilities"
    for added in capabilities.get("add", []):
        if added != "NET_BIND_SERVICE":
            yield f"adds {added}"
    if merged.get("runAsNonRoot") is not True or merged.get("runAsUser") == 0:
        yield "may be root"
    if merged.get("seccompProfile", {}).get("type") not in SECCOMP:
        yield "has no seccomp profile"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "takes a port of the host"
