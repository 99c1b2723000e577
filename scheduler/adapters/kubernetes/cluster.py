"""A cluster that Kubernetes runs: gangs as gated pods, and everything that becomes of them."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from scheduler.adapters.kubernetes.chores import Chores
from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.driving.check import Check
from scheduler.adapters.kubernetes.driving.gangs import Gangs
from scheduler.adapters.kubernetes.driving.node_health import NodeHealth
from scheduler.adapters.kubernetes.driving.observing import Members
from scheduler.adapters.kubernetes.driving.removal import Removal
from scheduler.adapters.kubernetes.driving.scene import Scene
from scheduler.adapters.kubernetes.driving.standings import Standings
from scheduler.adapters.kubernetes.driving.verdicts import Verdicts
from scheduler.adapters.kubernetes.driving.writing import Writing
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.logs import LogKeeper
from scheduler.adapters.kubernetes.nodes import Inventory
from scheduler.adapters.kubernetes.nodes.rules import Catalogue
from scheduler.adapters.kubernetes.notes import EventView, Notes
from scheduler.adapters.kubernetes.rendering import objection
from scheduler.adapters.kubernetes.transport import Credentials, Transport
from scheduler.adapters.kubernetes.views import NodeView, PodView
from scheduler.adapters.kubernetes.watches import Watches
from scheduler.core.model.attempt import SeenWorker
from scheduler.core.model.identifiers import AttemptId, ClusterName, JobId, WorkerKey
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import (
    Claims,
    Finding,
    GangOrder,
    LogChunk,
    WorkerNote,
    elastic_objection,
    objection_by_claims,
)

WRITES_AT_ONCE = 16
STOP_THREADS = 4
REMOVE_THREADS = 8
"""Apart from the others: fetching the output of slow nodes must not keep anybody from stopping."""
_SPARE_CONNECTIONS = 8
LOGS_CLOSING_LIMIT_S = 2.0
CLOSING_LIMIT_S = 5.0
"""For all the rest at the same time: calls that nobody answers are not waited for."""

CLAIMS = Claims(
    binds_devices=False,
    enforces_shares=False,
    enforces_time_limit=True,
    enforces_memory=True,
    keeps_logs=True,
    runs_images=True,
    starts_at_once=16,
    probes_readiness=True,
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
        api_url: str | None = None,
        transport: Transport | None = None,
    ) -> None:
        """`secret` is the server's: what it signs is ours. `data` keeps the output of workers whose pods are gone.

        `api_url` is where workers will be told that the API is: `check` looks at it.
        """
        self._api_url = api_url
        name = configuration.name
        self._configuration = configuration
        self._identity = Identity(secret, name)
        self._transport = transport or _transport(configuration)
        self._listening = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._logs = LogKeeper(
            self._transport, data / name / "logs", limits=configuration.logs, monotonic=clock.monotonic_s
        )
        self._standings = Standings()
        self._inventory = Inventory(configuration, catalogue, is_worker=self._is_worker, monotonic=clock.monotonic_s)
        self._watches = Watches(
            self._transport,
            configuration,
            self._identity.instance,
            on_node=self._node_changed,
            on_pod=self._pod_changed,
            on_event=self._event_changed,
        )
        node_health = NodeHealth(
            self._watches.nodes, clock, strike=self._inventory.strike, forgive=self._inventory.forgive
        )
        verdicts = Verdicts(configuration.deadlines, node_health, clock=clock, confirm=self._confirm)
        self._members = Members(self._identity, self._standings, verdicts, node_health, clock=clock, on_news=self._tell)
        self._notes = Notes(self._members.worker_of)
        self._writers = ThreadPoolExecutor(WRITES_AT_ONCE, thread_name_prefix=f"kubernetes-{name}-write")
        self._stops = Chores(f"{name}-stop", threads=STOP_THREADS, clock=clock)
        self._removals = Chores(f"{name}-remove", threads=REMOVE_THREADS, clock=clock)
        self._scene = Scene(
            configuration=configuration,
            identity=self._identity,
            clock=clock,
            writing=Writing(self._transport, clock),
            writers=self._writers,
            pods=self._watches.pods,
            owners=self._watches.owners,
            inventory=self._inventory,
            members=self._members,
            standings=self._standings,
        )
        self._removal = Removal(self._scene, self._logs, stops=self._stops, removals=self._removals)
        self._gangs = Gangs(self._scene, self._removal)
        for part in (self._stops, self._removals, *self._watches.all()):
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
        """Return the nodes with what others' pods use of them; the same list while nothing changed."""
        self._watches.require_nodes()
        self._watches.require_pods()
        return self._inventory.nodes()

    def start(self, order: GangOrder) -> None:
        """Start every worker of the gang that was never started; within a minute."""
        self._watches.require_pods()
        self._watches.require_nodes()
        self._watches.require_owners(self._configuration.namespace_of(order.job.tenant))
        self._inventory.nodes()
        self._gangs.start(order)

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Ask all workers of an attempt to end; done in the background, and again until it is done."""
        self._removal.stop(attempt, grace_s=grace_s)

    def dismiss(self, attempt: AttemptId, workers: Collection[int], *, grace_s: int) -> None:
        """Ask some workers to end; done in the background."""
        self._removal.dismiss(attempt, workers, grace_s=grace_s)

    def observe(self) -> list[SeenWorker]:
        """Return every worker whose gate was opened, from what the watch has brought."""
        self._watches.require_pods()
        self._removal.remind()
        return self._members.seen()

    def forget(self, attempt: AttemptId) -> None:
        """Drop an ended attempt from `observe`; its output is stored and its objects are removed in the background."""
        self._removal.forget(attempt)

    def sweep(
        self,
        live: Collection[AttemptId],
        *,
        unfinished: Collection[JobId],  # noqa: ARG002 - the volumes are the operator's
    ) -> None:
        """Remove in the background what is left of attempts that are not live and have no workers.

        Checkpoints stay: they are in a volume of the operator's, which Medley itself does not reach.
        """
        if self._watches.pods.is_synced:
            self._removal.sweep(live)

    def logs(self, worker: WorkerKey, *, offset: int, limit: int, within_s: float = 5.0) -> LogChunk:
        """Return a piece of a worker's output, from its pod or from what was kept of it."""
        return self._logs.read(worker, self._members.pod(worker), offset=offset, limit=limit, within_s=within_s)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back from a thread of the watch when something of a worker or of a node changed."""
        key = object()
        with self._listening:
            self._callbacks[key] = callback

        def end() -> None:
            with self._listening:
                self._callbacks.pop(key, None)

        return end

    def objection(self, job: Job) -> str | None:
        """Return why this cluster would never run the job; None where it would."""
        return objection_of(self._configuration, job)

    def keeps_checkpoints(self, job: Job) -> bool:
        """Say whether the cluster's configuration names a class of volumes that the job's tenant may use."""
        return self._configuration.checkpoint_class(job.tenant) is not None

    def notes(self) -> list[WorkerNote]:
        """Return what Kubernetes newly said of our pods in its events."""
        return self._notes.drain()

    def lag_s(self) -> float | None:
        """Return how long nothing was heard of nodes or pods; where all is quiet, a bookmark comes every minute."""
        return self._watches.lag_s()

    def check(self) -> tuple[Finding, ...]:
        """Return what works and which permission is missing."""
        health = self._watches.health()
        check = Check(self._configuration, self._transport, writers=self._writers, health=health, api_url=self._api_url)
        try:
            return check.findings()
        except Exception as error:  # noqa: BLE001 - whoever looks for faults must be told of this one, too
            return (Finding("this check", is_ok=False, detail=f"{type(error).__name__}: {error}"),)

    def close(self) -> None:
        """End all threads and connections, within seconds; may be called again. Pods go on."""
        with self._listening:
            self._callbacks.clear()
        self._scene.closing.set()
        # Logs before the connections that they come by: what ends with those must not look like the end of a log.
        _end_all([self._logs.close], within_s=LOGS_CLOSING_LIMIT_S)
        self._transport.close()
        parts = (self._stops, self._removals, *self._watches.all())
        writers = partial(self._writers.shutdown, cancel_futures=True)
        _end_all([writers, *(part.close for part in parts)], within_s=CLOSING_LIMIT_S)

    def _is_worker(self, pod: PodView) -> bool:
        return (
            pod.ownership is not None
            and not self._standings.is_forgotten(pod.ownership.attempt)
            and self._identity.is_our_pod(pod)
        )

    def _pod_changed(self, before: PodView | None, after: PodView | None) -> None:
        is_news = self._inventory.pod_changed(before, after)
        has_told = self._members.changed(before, after)
        if is_news and not has_told:
            self._tell()

    def _node_changed(self, before: NodeView | None, after: NodeView | None) -> None:
        if self._inventory.node_changed(before, after):
            self._tell()

    def _event_changed(self, before: EventView | None, after: EventView | None) -> None:
        self._notes.changed(before, after)

    def _confirm(self, pod: PodView) -> None:
        self._removal.confirm(pod)

    def _tell(self) -> None:
        with self._listening:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback()


def objection_of(configuration: ClusterConfiguration, job: Job) -> str | None:
    """Return why a cluster of this configuration would never run the job; None where it would."""
    has_place = configuration.checkpoint_class(job.tenant) is not None
    no_place = elastic_objection(configuration.name, job, keeps_checkpoints=has_place)
    return objection_by_claims(configuration.name, CLAIMS, job) or no_place or objection(job, configuration)


def _transport(configuration: ClusterConfiguration) -> Transport:
    return Transport(
        Credentials(configuration.kubeconfig, configuration.context),
        connections=WRITES_AT_ONCE + 2 * len(configuration.namespaces) + _SPARE_CONNECTIONS,
        requests_at_once=WRITES_AT_ONCE,
    )


def _end_all(ends: Iterable[Callable[[], None]], *, within_s: float) -> None:
    """Do all at the same time, and wait for them for so long in all."""
    threads = [threading.Thread(target=end, name="kubernetes-closing", daemon=True) for end in ends]
    for thread in threads:
        thread.start()
    give_up_s = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(give_up_s - time.monotonic(), 0.0))
