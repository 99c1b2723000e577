"""Finding out whether a cluster can be driven: does it answer, may we do what we do, does the namespace exist."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.reflector import ReflectorHealth
from scheduler.adapters.kubernetes.transport import ApiFault, Transport, Unreachable
from scheduler.ports.cluster import Finding

OLDEST_MINOR = 30
"""Scheduling gates are a promise since then."""
CALL_LIMIT_S = 10.0
STALE_S = 120.0


@dataclass(frozen=True, slots=True)
class Permission:
    """What Medley does with one kind of object."""

    group: str
    """Of the API; empty for the core."""
    resource: str
    """With its subresource, as `pods/log`."""
    verbs: tuple[str, ...]
    is_cluster_wide: bool
    """Else it is needed in each namespace that pods live in."""


PERMISSIONS: tuple[Permission, ...] = (
    Permission("", "nodes", ("list", "watch"), is_cluster_wide=True),
    Permission("", "pods", ("list", "watch"), is_cluster_wide=True),
    Permission("", "pods", ("create", "get", "patch", "delete"), is_cluster_wide=False),
    Permission("", "pods/log", ("get",), is_cluster_wide=False),
    Permission("", "configmaps", ("create", "get", "list", "watch", "delete"), is_cluster_wide=False),
    Permission("", "secrets", ("create",), is_cluster_wide=False),
    Permission("", "services", ("create", "get", "patch"), is_cluster_wide=False),
    Permission("", "events", ("list", "watch"), is_cluster_wide=False),
)
"""All that Medley may need to do, with ConfigMaps as owners; the manifests grant exactly this."""


def permissions_of(configuration: ClusterConfiguration) -> tuple[Permission, ...]:
    """Return what this cluster needs: where owners are of another kind, these are watched and removed as well."""
    owner = configuration.owner
    if owner.is_config_map:
        return PERMISSIONS
    group = owner.api_version.rpartition("/")[0]
    verbs = ("create", "get", "list", "watch", "delete")
    return (*PERMISSIONS, Permission(group, owner.resource, verbs, is_cluster_wide=False))


class Check:
    """Looks at one cluster. Takes seconds; never raises."""

    def __init__(
        self,
        configuration: ClusterConfiguration,
        transport: Transport,
        *,
        writers: Executor,
        health: Mapping[str, ReflectorHealth],
        api_url: str | None,
    ) -> None:
        """`health` says how each kind of object is followed; `api_url` is where workers are told that the API is."""
        self._configuration = configuration
        self._transport = transport
        self._writers = writers
        self._health = health
        self._api_url = api_url

    def findings(self) -> tuple[Finding, ...]:
        """Return what works and what is missing; nothing is looked at in a cluster that does not answer."""
        server = self._server()
        if not server.is_ok:
            return (server,)
        return (
            server,
            *(self._namespace(name) for name in self._configuration.namespaces),
            *self._permissions(),
            *(_followed(what, health) for what, health in self._health.items()),
            *self._address(),
        )

    def _address(self) -> Iterator[Finding]:
        """Say where workers are told to find the API; a test bed's pods may well share the machine with it."""
        if self._api_url is None or self._configuration.devices_are_simulated:
            return
        what, host = "address of the API for workers", urlsplit(self._api_url).hostname or ""
        if host == "localhost" or host.startswith("127.") or host in ("::1", "0.0.0.0"):  # noqa: S104 - recognised
            detail = f"{self._api_url} means each pod itself: its workers would not find one another"
            step = "start the server with --api-url http://ADDRESS:PORT, an address that pods reach"
            yield Finding(what, is_ok=False, detail=detail, next_step=step)
        else:
            yield Finding(what, is_ok=True, detail=self._api_url)

    def _server(self) -> Finding:
        what = "API server"
        try:
            version = self._transport.request("GET", "/version", timeout_s=CALL_LIMIT_S)
        except (Unreachable, ApiFault) as error:
            return Finding(what, is_ok=False, detail=str(error), next_step="correct the address or the credentials")
        said = str(version.get("gitVersion"))
        digits = "".join(letter for letter in str(version.get("minor", "")) if letter.isdecimal())
        if digits and int(digits) < OLDEST_MINOR:
            needed = f"Medley needs 1.{OLDEST_MINOR} or newer, for scheduling gates"
            return Finding(what, is_ok=False, detail=f"it is {said}; {needed}", next_step="upgrade the cluster")
        return Finding(what, is_ok=True, detail=f"{said} answers")

    def _namespace(self, name: str) -> Finding:
        """Pretend to make a ConfigMap there: so no permission on namespaces is needed."""
        what = f"namespace {name}"
        document = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"generateName": "medley-check-", "namespace": name},
        }
        path = f"/api/v1/namespaces/{name}/configmaps"
        try:
            self._transport.request("POST", path, query={"dryRun": "All"}, body=document, timeout_s=CALL_LIMIT_S)
        except ApiFault as fault:
            advice = f"create the namespace {name}" if fault.status == HTTPStatus.NOT_FOUND else "grant what is missing"
            return Finding(what, is_ok=False, detail=str(fault), next_step=advice)
        except Unreachable as error:
            return Finding(what, is_ok=False, detail=str(error), next_step="try again")
        return Finding(what, is_ok=True, detail="objects can be made there")

    def _permissions(self) -> list[Finding]:
        asked = list(self._asked())
        missing = [finding for finding in self._writers.map(self._permission, asked) if finding is not None]
        if missing:
            return missing
        return [Finding("permissions", is_ok=True, detail=f"all {len(asked)} are granted")]

    def _asked(self) -> Iterator[tuple[Permission, str, str]]:
        """Yield each verb of each permission, with its namespace or an empty one."""
        for permission in permissions_of(self._configuration):
            namespaces: Sequence[str] = ("",) if permission.is_cluster_wide else self._configuration.namespaces
            yield from ((permission, verb, namespace) for namespace in namespaces for verb in permission.verbs)

    def _permission(self, asked: tuple[Permission, str, str]) -> Finding | None:
        permission, verb, namespace = asked
        place = f"in namespace {namespace}" if namespace else "in the whole cluster"
        what = f"permission to {verb} {permission.resource} {place}"
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": _attributes(permission, verb, namespace)},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        try:
            answer = self._transport.request("POST", path, body=review, timeout_s=CALL_LIMIT_S)
        except (Unreachable, ApiFault) as error:
            return Finding(what, is_ok=False, detail=f"cannot be found out: {error}", next_step="try again")
        status = answer.get("status") or {}
        if status.get("allowed") is True:
            return None
        kind = "a Role there" if namespace else "a ClusterRole"
        advice = f"grant {verb} on {permission.resource} to Medley's account by {kind}, as deploy/ does"
        return Finding(what, is_ok=False, detail=str(status.get("reason") or "it is not granted"), next_step=advice)


def _attributes(permission: Permission, verb: str, namespace: str) -> dict[str, Any]:
    resource, _, subresource = permission.resource.partition("/")
    attributes = {"group": permission.group, "resource": resource, "verb": verb}
    if subresource:
        attributes["subresource"] = subresource
    if namespace:
        attributes["namespace"] = namespace
    return attributes


def _followed(what: str, health: ReflectorHealth) -> Finding:
    name = f"following {what}"
    if not health.is_synced:
        said = health.last_error or "the first list is not complete yet"
        return Finding(name, is_ok=False, detail=said, next_step="grant what is missing, or try again in a moment")
    age_s = health.age_s or 0.0
    if health.last_error is not None or age_s > STALE_S:
        said = health.last_error or f"nothing was heard for {age_s:.0f} s"
        return Finding(name, is_ok=False, detail=said, next_step="it is tried again by itself; look at the API server")
    return Finding(name, is_ok=True, detail=f"heard of {age_s:.0f} s ago")
