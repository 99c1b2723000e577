"""A cluster that Kubernetes runs: gangs as gated pods, and everything that becomes of them."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from scheduler.adapters.kubernetes.chores import Chores
from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.decoding import map_view, node_view, pod_view
from scheduler.adapters.kubernetes.driving.check import STALE_S, Check
from scheduler.adapters.kubernetes.driving.gangs import Gangs
from scheduler.adapters.kubernetes.driving.node_health import NodeHealth
from scheduler.adapters.kubernetes.driving.observing import Members
from scheduler.adapters.kubernetes.driving.removal import Removal
from scheduler.adapters.kubernetes.driving.scene import Scene
from scheduler.adapters.kubernetes.driving.standings import Standings
from scheduler.adapters.kubernetes.driving.verdicts import Verdicts
from scheduler.adapters.kubernetes.driving.writing import Writing
from scheduler.adapters.kubernetes.identity import INSTANCE_LABEL, Identity
from scheduler.adapters.kubernetes.logs import LogKeeper
from scheduler.adapters.kubernetes.nodes import Inventory
from scheduler.adapters.kubernetes.nodes.rules import Catalogue
from scheduler.adapters.kubernetes.notes import EventView, Notes, event_view
from scheduler.adapters.kubernetes.reflector import Reflector, Resource
from scheduler.adapters.kubernetes.rendering import objection
from scheduler.adapters.kubernetes.store import View
from scheduler.adapters.kubernetes.transport import Credentials, Transport
from scheduler.adapters.kubernetes.views import MapView, NodeView, PodView
from scheduler.core.model.attempt import SeenWorker
from scheduler.core.model.identifiers import AttemptId, ClusterName, WorkerKey
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import Claims, ClusterUnavailable, Finding, GangOrder, LogChunk, WorkerNote

WRITES_AT_ONCE = 16
STOP_THREADS = 4
REMOVE_THREADS = 8
"""Apart from the others: fetching the output of slow nodes must not keep anybody from stopping."""
_SPARE_CONNECTIONS = 8

CLAIMS = Claims(
    binds_devices=False,
    enforces_shares=False,
    enforces_time_limit=True,
    enforces_memory=True,
    keeps_logs=True,
    runs_images=True,
    starts_at_once=16,
)


class KubernetesCluster:
    """Fulfils ports.cluster.ClusterPort.

    The API server is the truth: a new object with the same secret, in this process or after its death, knows all
    workers and goes on. It is made without asking anybody; until the pods are known, calls raise ClusterUnavailable
    with the reason. One process at a time may drive a cluster with one secret, and any number of its threads.
    """

    def __init__(
        self,
        configuration: ClusterConfiguration,
        *,
        secret: bytes,
        catalogue: Catalogue,
        data: Path,
        clock: Clock,
        transport: Transport | None = None,
    ) -> None:
        """`secret` is the server's: what it signs is ours. `data` keeps the output of workers whose pods are gone."""
        self._configuration = configuration
        self._identity = Identity(secret)
        namespaces = configuration.namespaces
        self._transport = transport or Transport(
            Credentials(configuration.kubeconfig, configuration.context),
            connections=WRITES_AT_ONCE + 2 * len(namespaces) + _SPARE_CONNECTIONS,
            requests_at_once=WRITES_AT_ONCE,
        )
        self._listening = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._logs = LogKeeper(
            self._transport, data / configuration.name / "logs", limits=configuration.logs, monotonic=clock.monotonic_s
        )
        standings = Standings()
        self._inventory = Inventory(
            configuration,
            catalogue,
            is_worker=lambda pod: self._is_worker(pod, standings),
            monotonic=clock.monotonic_s,
        )
        on_node = self._inventory.node_changed
        self._nodes = self._follow(Resource("/api/v1/nodes", what="nodes"), node_view, on_node)
        self._pods = self._follow(Resource("/api/v1/pods", what="pods"), pod_view, self._pod_changed)
        self._owners = {namespace: self._follow_owners(namespace) for namespace in namespaces}
        node_health = NodeHealth(self._nodes, clock, strike=self._inventory.strike, forgive=self._inventory.forgive)
        verdicts = Verdicts(configuration.deadlines, node_health, clock=clock, confirm=self._confirm)
        self._members = Members(self._identity, standings, verdicts, node_health, clock=clock, on_news=self._tell)
        self._notes = Notes(self._members.worker_of, since=clock.now() - timedelta(seconds=2))
        self._events = {namespace: self._follow_events(namespace) for namespace in namespaces}
        self._writers = ThreadPoolExecutor(WRITES_AT_ONCE, thread_name_prefix=f"kubernetes-{configuration.name}-write")
        self._scene = Scene(
            configuration=configuration,
            identity=self._identity,
            clock=clock,
            writing=Writing(self._transport, clock),
            writers=self._writers,
            pods=self._pods,
            owners=self._owners,
            inventory=self._inventory,
            members=self._members,
            standings=standings,
        )
        self._stops = Chores(f"{configuration.name}-stop", threads=STOP_THREADS, clock=clock)
        self._removals = Chores(f"{configuration.name}-remove", threads=REMOVE_THREADS, clock=clock)
        self._removal = Removal(self._scene, self._logs, stops=self._stops, removals=self._removals)
        self._gangs = Gangs(self._scene, self._removal)
        for part in (self._stops, self._removals, *self._reflectors()):
            part.start()

    @property
    def name(self) -> ClusterName:
        """The cluster's name."""
        return self._configuration.name

    @property
    def claims(self) -> Claims:
        """All but binding devices, which a node does by itself, and shares."""
        return CLAIMS

    def inventory(self) -> list[Node]:
        """Return the nodes with the devices that others' pods leave; the same list while nothing changed."""
        self._require(self._nodes, "nodes")
        self._require(self._pods, "pods")
        return self._inventory.nodes()

    def start(self, order: GangOrder) -> None:
        """Start every worker of the gang that was never started; within a minute."""
        self._require(self._pods, "pods")
        self._require(self._nodes, "nodes")
        namespace = self._configuration.namespace_of(order.job.tenant)
        self._require(self._owners[namespace], f"owners of gangs in namespace {namespace}")
        self._inventory.nodes()
        self._gangs.start(order)

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Ask all workers of an attempt to end; done in the background, and again until it is done."""
        self._removal.stop(attempt, grace_s=grace_s)

    def observe(self) -> list[SeenWorker]:
        """Return every worker whose gate was opened, from what the watch has brought."""
        self._require(self._pods, "pods")
        self._removal.remind()
        return self._members.seen()

    def forget(self, attempt: AttemptId) -> None:
        """Drop an ended attempt from `observe`; its output is stored and its objects are removed in the background."""
        self._removal.forget(attempt)

    def sweep(self, live: Collection[AttemptId]) -> None:
        """Remove in the background what is left of attempts that are not live and have no workers."""
        if self._pods.is_synced:
            self._removal.sweep(live)

    def logs(self, worker: WorkerKey, *, offset: int, limit: int) -> LogChunk:
        """Return a piece of a worker's output, from its pod or from what was kept of it."""
        return self._logs.read(worker, self._members.pod(worker), offset=offset, limit=limit)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back from a thread of the watch when something of a worker changed."""
        key = object()
        with self._listening:
            self._callbacks[key] = callback

        def end() -> None:
            with self._listening:
                self._callbacks.pop(key, None)

        return end

    def objection(self, job: Job) -> str | None:
        """Return why this cluster would never run the job; None where it would."""
        return objection(job, self._configuration)

    def notes(self) -> list[WorkerNote]:
        """Return what Kubernetes newly said of our pods in its events."""
        return self._notes.drain()

    def check(self) -> tuple[Finding, ...]:
        """Return what works and which permission is missing."""
        followed = {"nodes": self._nodes.health, "pods": self._pods.health}
        followed |= {f"owners of gangs in {name}": owners.health for name, owners in self._owners.items()}
        followed |= {f"events in {name}": events.health for name, events in self._events.items()}
        check = Check(self._configuration, self._identity, self._transport, writers=self._writers, health=followed)
        try:
            return check.findings()
        except Exception as error:  # noqa: BLE001 - whoever looks for faults must be told of this one, too
            return (Finding("this check", is_ok=False, detail=f"{type(error).__name__}: {error}"),)

    def close(self) -> None:
        """End all threads and connections, within seconds; may be called again. Pods go on."""
        with self._listening:
            self._callbacks.clear()
        self._scene.closing.set()
        self._transport.close()
        for reflector in self._reflectors():
            reflector.close()
        self._stops.close()
        self._removals.close()
        self._logs.close()
        self._writers.shutdown(wait=True, cancel_futures=True)

    def _reflectors(self) -> list[Reflector[PodView] | Reflector[NodeView] | Reflector[MapView] | Reflector[EventView]]:
        return [self._pods, self._nodes, *self._owners.values(), *self._events.values()]

    def _follow(
        self,
        resource: Resource,
        view: Callable[[dict[str, Any]], View | None],
        on_change: Callable[[View | None, View | None], None],
    ) -> Reflector[View]:
        return Reflector(self._transport, resource, view=view, on_change=on_change)

    def _follow_owners(self, namespace: str) -> Reflector[MapView]:
        selector = {"labelSelector": f"{INSTANCE_LABEL}={self._identity.instance}"}
        path = self._configuration.owner.path(namespace)
        resource = Resource(path, selector, what=f"owners of gangs in {namespace}", is_metadata_only=True)
        return self._follow(resource, map_view, lambda _, __: None)

    def _follow_events(self, namespace: str) -> Reflector[EventView]:
        selector = {"fieldSelector": "involvedObject.kind=Pod"}
        path = f"/api/v1/namespaces/{namespace}/events"
        return self._follow(Resource(path, selector, what=f"events in {namespace}"), event_view, self._notes.changed)

    def _is_worker(self, pod: PodView, standings: Standings) -> bool:
        return (
            pod.ownership is not None
            and not standings.is_forgotten(pod.ownership.attempt)
            and self._identity.is_our_pod(pod)
        )

    def _pod_changed(self, before: PodView | None, after: PodView | None) -> None:
        self._inventory.pod_changed(before, after)
        self._members.changed(before, after)

    def _confirm(self, pod: PodView) -> None:
        self._removal.confirm(pod)

    def _require(self, reflector: Reflector[PodView] | Reflector[NodeView] | Reflector[MapView], what: str) -> None:
        """Raise ClusterUnavailable unless these objects are known and news of them keep coming."""
        health = reflector.health
        if not health.is_synced:
            why = health.last_error or "the first list is under way"
            raise ClusterUnavailable(f"the {what} of cluster {self.name} are not known yet: {why}")
        if health.age_s is not None and health.age_s > STALE_S:
            why = health.last_error or "the API server is silent"
            raise ClusterUnavailable(f"nothing was heard of the {what} of {self.name} for {health.age_s:.0f} s: {why}")

    def _tell(self) -> None:
        with self._listening:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback()
