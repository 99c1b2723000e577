"""All that is followed of one cluster: its nodes, all its pods, and in our namespaces owners of gangs and events."""

from collections.abc import Callable
from typing import Any

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.decoding import map_view, node_view, pod_view
from scheduler.adapters.kubernetes.driving.check import STALE_S
from scheduler.adapters.kubernetes.identity import INSTANCE_LABEL
from scheduler.adapters.kubernetes.notes import EventView, event_view
from scheduler.adapters.kubernetes.reflector import Pace, Reflector, ReflectorHealth, Resource
from scheduler.adapters.kubernetes.store import View
from scheduler.adapters.kubernetes.transport import Transport
from scheduler.adapters.kubernetes.views import MapView, NodeView, PodView
from scheduler.ports.cluster import ClusterUnavailable

EVENTS_PACE = Pace(shortest_watch_s=40.0, longest_watch_s=60.0)
"""API servers send no bookmarks for events, which they do not cache: quiet is no sign of a dead connection there, so
that each watch ends by itself before the silence would count as one."""

Heard = Callable[[View | None, View | None], None]


class Watches:
    """The reflectors of one cluster."""

    def __init__(
        self,
        transport: Transport,
        configuration: ClusterConfiguration,
        instance: str,
        *,
        on_node: Heard[NodeView],
        on_pod: Heard[PodView],
        on_event: Heard[EventView],
    ) -> None:
        """`instance` is the label of our owners. Of events only those are told that come after the first list."""
        self._transport = transport
        self._configuration = configuration
        self._on_event = on_event
        self.nodes = self._follow(Resource("/api/v1/nodes", what=self._named("nodes")), node_view, on_node)
        self.pods = self._follow(Resource("/api/v1/pods", what=self._named("pods")), pod_view, on_pod)
        self.owners = {name: self._follow_owners(name, instance) for name in configuration.namespaces}
        """By namespace."""
        self.events = {name: self._follow_events(name) for name in configuration.namespaces}
        """By namespace."""

    def all(self) -> list[Reflector[PodView] | Reflector[NodeView] | Reflector[MapView] | Reflector[EventView]]:
        """Return all reflectors."""
        return [self.pods, self.nodes, *self.owners.values(), *self.events.values()]

    def health(self) -> dict[str, ReflectorHealth]:
        """Return how well each kind of object is followed, by what it is called."""
        followed = {"nodes": self.nodes.health, "pods": self.pods.health}
        followed |= {f"owners of gangs in {name}": owners.health for name, owners in self.owners.items()}
        return followed | {f"events in {name}": events.health for name, events in self.events.items()}

    def lag_s(self) -> float | None:
        """Return how long nothing was heard of nodes or of pods, the longer of both; None before the first lists."""
        ages = [reflector.health.age_s for reflector in (self.nodes, self.pods)]
        return None if None in ages else max(age for age in ages if age is not None)

    def require_nodes(self) -> None:
        """Raise ClusterUnavailable unless the nodes are known and news of them keep coming."""
        self._require(self.nodes.health, "nodes")

    def require_pods(self) -> None:
        """Raise ClusterUnavailable unless the pods are known and news of them keep coming."""
        self._require(self.pods.health, "pods")

    def require_owners(self, namespace: str) -> None:
        """Raise ClusterUnavailable unless the owners in a namespace are known and news of them keep coming."""
        self._require(self.owners[namespace].health, f"owners of gangs in namespace {namespace}")

    def _require(self, health: ReflectorHealth, what: str) -> None:
        name = self._configuration.name
        if not health.is_synced:
            why = health.last_error or "the first list is under way"
            raise ClusterUnavailable(f"the {what} of cluster {name} are not known yet: {why}")
        if health.age_s is not None and health.age_s > STALE_S:
            why = health.last_error or "the API server is silent"
            raise ClusterUnavailable(f"nothing was heard of the {what} of {name} for {health.age_s:.0f} s: {why}")

    def _named(self, what: str) -> str:
        """Return what the log calls them: one process may drive several clusters."""
        return f"{what} of cluster {self._configuration.name}"

    def _follow(
        self, resource: Resource, view: Callable[[dict[str, Any]], View | None], on_change: Heard[View]
    ) -> Reflector[View]:
        return Reflector(self._transport, resource, view=view, on_change=on_change)

    def _follow_owners(self, namespace: str, instance: str) -> Reflector[MapView]:
        selector = {"labelSelector": f"{INSTANCE_LABEL}={instance}"}
        path, what = self._configuration.owner.path(namespace), self._named(f"owners of gangs in {namespace}")
        return self._follow(Resource(path, selector, what, is_metadata_only=True), map_view, lambda _, __: None)

    def _follow_events(self, namespace: str) -> Reflector[EventView]:
        """Follow events about pods. The first list tells what was told by whoever was here before."""

        def heard(before: EventView | None, after: EventView | None) -> None:
            if self.events[namespace].is_synced:
                self._on_event(before, after)

        resource = Resource(
            f"/api/v1/namespaces/{namespace}/events",
            {"fieldSelector": "involvedObject.kind=Pod"},
            self._named(f"events in {namespace}"),
        )
        return Reflector(self._transport, resource, view=event_view, on_change=heard, pace=EVENTS_PACE)
