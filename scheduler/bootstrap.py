"""Build a server from its settings: the one place that knows which adapter fulfils which port."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI

from api.app import create_app
from api.context import ApiContext, Check
from api.readiness import loop_check
from scheduler.adapters.database.migrate import upgrade
from scheduler.adapters.database.storage import Storage, file_of, open_storage
from scheduler.adapters.files.catalogue_file import read_catalogue, shipped_catalogue
from scheduler.adapters.files.inventory_file import read_inventory
from scheduler.adapters.files.scoring_file import read_scoring
from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration, default_configuration
from scheduler.adapters.kubernetes.configuration.clusters_file import read_clusters
from scheduler.adapters.local.cluster import LocalCluster
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.identifiers import SystemIdentifiers
from scheduler.adapters.system.process_lock import ProcessLock
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.adapters.telemetry.instruments import Instruments
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ClusterName
from scheduler.core.model.node import KUBERNETES_KIND, LOCAL_KIND, Node
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring
from scheduler.loops.loop import Loop, Step
from scheduler.loops.steps import SAMPLING, deciding, reconciling, recording_inventory, sampling
from scheduler.ports.cluster import ClusterPort
from scheduler.ports.wake_up import Waiter
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.decide_once import Decider
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.measuring.count_changes import ChangeCounter
from scheduler.services.measuring.read_state import StateReader
from scheduler.services.measuring.sample_usage import UsageSampler
from scheduler.services.measuring.traced_journal import TracedJournal
from scheduler.services.prepare_first_start import FirstStart, make_operator_token, prepare_first_start
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from scheduler.services.sync_inventory import InventorySync, describe
from scheduler.settings import (
    OPERATOR_TOKEN_FILE,
    Settings,
    prepare_data_folder,
    process_environment,
    require_runtime,
    server_secret,
    wants_traces,
    write_private,
)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Server:
    """Everything that runs in one process."""

    app: FastAPI
    loops: Sequence[Loop]
    wake_up: InProcessWakeUp
    ending: threading.Event
    instruments: Instruments
    resources: ExitStack
    """Clusters, database, instruments and locks, closed in that order."""

    def start(self) -> None:
        """Start deciding and reconciling."""
        self.instruments.start()
        for loop in self.loops:
            loop.start()

    def announce_end(self) -> None:
        """Have streams end by themselves, so that nobody waits for their readers."""
        self.ending.set()
        self.wake_up.notify()

    def close(self, *, timeout_s: float) -> None:
        """Stop everything in order; workers go on and are adopted by the next start."""
        for loop in self.loops:
            loop.stop(timeout_s=timeout_s)
        self.resources.close()


@dataclass(frozen=True, slots=True)
class _DrivenCluster:
    """A cluster and what drives it."""

    port: ClusterPort
    kind: str

    @property
    def is_required(self) -> bool:
        """Whether the server is of no use without it: one far cluster that does not answer leaves the others usable."""
        return self.kind == LOCAL_KIND


@dataclass(frozen=True, slots=True)
class _ClusterStep:
    """What one loop does for a cluster."""

    name: str
    step: Step
    listen: Callable[[Callable[[], None]], object]
    """Takes what is to be called when there is something to do."""


@dataclass(frozen=True, slots=True)
class _Foundation:
    """What everything else is built on."""

    settings: Settings
    clock: SystemClock
    identifiers: SystemIdentifiers
    wake_up: InProcessWakeUp
    instruments: Instruments
    storage: Storage
    tokens: AttemptTokens
    resources: ExitStack
    """What is to be closed at the end."""


def build_server(
    settings: Settings,
    listener: socket.socket,
    *,
    on_leadership_lost: Callable[[], None],
    metrics: socket.socket | None = None,
) -> Server:
    """Open the database, take the lead, record the inventory and put the pieces together; nothing runs yet.

    `metrics` is where metrics will be served, None for nowhere; it is closed with the rest.
    Raises what the parts raise for a locked or unusable database and for faulty files, each with a message for
    people. What was opened by then is closed again.
    """
    with ExitStack() as resources:
        has_traces = wants_traces(process_environment())
        instruments = Instruments(metrics, version("medley"), has_traces=has_traces)
        resources.callback(instruments.close)
        prepare_data_folder(settings.data_folder)
        _lock(settings, resources)
        wake_up = InProcessWakeUp()
        storage = open_storage(settings.database_url, wake_up, instruments.telemetry)
        resources.callback(storage.close)
        foundation = _Foundation(
            settings=settings,
            clock=SystemClock(),
            identifiers=SystemIdentifiers(),
            wake_up=wake_up,
            instruments=instruments,
            storage=storage,
            tokens=AttemptTokens(server_secret(settings.data_folder)),
            resources=resources,
        )
        _prepare_directory(foundation)
        clusters = _clusters(foundation)
        for driven in clusters:
            resources.callback(driven.port.close)
        ending = threading.Event()
        context, loops = _assemble(foundation, clusters, listener, on_leadership_lost, ending=ending)
        return Server(
            app=create_app(context),
            loops=loops,
            wake_up=wake_up,
            ending=ending,
            instruments=instruments,
            resources=resources.pop_all(),
        )
    raise AssertionError("unreachable: the block returns or raises")


def migrate_database(settings: Settings) -> str:
    """Bring the database's schema up to date and return its revision, while no server runs on it.

    Raises AlreadyLocked, StorageError, OSError.
    """
    with ExitStack() as resources:
        prepare_data_folder(settings.data_folder)
        _lock(settings, resources)
        return upgrade(settings.database_url)
    raise AssertionError("unreachable: the block returns or raises")


def replace_operator_token(settings: Settings) -> Path:
    """Make a new operator token, while no server runs on the data folder, and return the file it is in.

    Raises AlreadyLocked, StorageError, StorageUnavailable, OSError.
    """
    path = settings.data_folder / OPERATOR_TOKEN_FILE
    with ExitStack() as resources:
        prepare_data_folder(settings.data_folder)
        _lock(settings, resources)
        storage = open_storage(settings.database_url, InProcessWakeUp())
        resources.callback(storage.close)
        keep = partial(write_private, path)
        make_operator_token(storage.directory, SystemClock(), SystemIdentifiers(), keep_secret=keep)
    return path


def _lock(settings: Settings, resources: ExitStack) -> None:
    """Allow one server per data folder, whose workers it drives, and one per SQLite file, wherever that lies."""
    locks = [settings.data_folder / "server.lock"]
    database = file_of(settings.database_url)
    if database is not None:
        locks.append(database.with_name(database.name + ".lock"))
    for path in locks:
        resources.callback(ProcessLock(path).release)


def _prepare_directory(foundation: _Foundation) -> None:
    settings, directory = foundation.settings, foundation.storage.directory
    first_start = FirstStart(
        chips=shipped_catalogue(),
        keep_secret=partial(write_private, settings.data_folder / OPERATOR_TOKEN_FILE),
    )
    prepare_first_start(directory, foundation.clock, foundation.identifiers, first_start=first_start)
    if settings.chips is not None:
        directory.define_chips(read_catalogue(settings.chips), foundation.clock.now())


def _clusters(foundation: _Foundation) -> list[_DrivenCluster]:
    """Return all clusters to drive. What the database knows besides has no nodes from now on."""
    clusters = [_DrivenCluster(cluster, LOCAL_KIND) for cluster in _local_clusters(foundation)]
    clusters += [_DrivenCluster(cluster, KUBERNETES_KIND) for cluster in _kubernetes_clusters(foundation)]
    directory = foundation.storage.directory
    for cluster in clusters:
        directory.register_cluster(describe(cluster.port, cluster.kind), foundation.clock.now())
    driven = {cluster.port.name for cluster in clusters}
    for known in directory.clusters():
        if known.name not in driven:
            logger.warning(
                "cluster %s is not configured any more: it takes nothing, and its workers are unseen", known.name
            )
            directory.record_nodes(known.name, (), foundation.clock.now())
    return clusters


def _kubernetes_clusters(foundation: _Foundation) -> list[KubernetesCluster]:
    settings = foundation.settings
    if settings.cluster != KUBERNETES_KIND:
        return []
    secret = server_secret(settings.data_folder)
    chips = foundation.storage.directory.chips()
    catalogue = {chip.name: chip for chip in chips}
    return [
        KubernetesCluster(
            configuration,
            secret=secret,
            catalogue=catalogue,
            data=settings.data_folder.resolve() / "kubernetes",
            clock=foundation.clock,
            api_url=settings.api_url or f"http://{settings.listen}",
        )
        for configuration in _configurations(settings, chips)
    ]


def _configurations(settings: Settings, chips: Sequence[ChipType]) -> Sequence[ClusterConfiguration]:
    if settings.clusters is not None:
        return read_clusters(settings.clusters, chips)
    return [replace(default_configuration(), kubeconfig=settings.kubeconfig)]


def _local_clusters(foundation: _Foundation) -> list[LocalCluster]:
    """Return every local cluster the database knows; one that no inventory declares any more has no nodes.

    It is driven all the same, so that what still runs there is seen to its end.
    """
    settings, directory = foundation.settings, foundation.storage.directory
    declared: dict[ClusterName, Sequence[Node]] = {
        cluster.name: () for cluster in directory.clusters() if cluster.kind == LOCAL_KIND
    }
    if settings.inventory is not None:
        inventory = read_inventory(settings.inventory, directory.chips())
        declared[inventory.cluster] = inventory.nodes
    if declared:
        require_runtime(settings.runtime_python)
    return [
        LocalCluster(
            name,
            nodes,
            settings.data_folder.resolve() / "workers" / name,
            runtime_command=(str(settings.runtime_python), "-m", "medley_runtime"),
            server_environment=process_environment(),
        )
        for name, nodes in sorted(declared.items())
    ]


def _assemble(
    foundation: _Foundation,
    clusters: Sequence[_DrivenCluster],
    listener: socket.socket,
    on_leadership_lost: Callable[[], None],
    *,
    ending: threading.Event,
) -> tuple[ApiContext, list[Loop]]:
    storage, clock, wake_up = foundation.storage, foundation.clock, foundation.wake_up
    scoring = _scoring(foundation)  # a faulty file is to be found before somebody else's lead is ended
    lead = Lead.take(storage.leadership, f"process {os.getpid()}")
    telemetry, tracer = foundation.instruments.telemetry, foundation.instruments.tracer
    counter = ChangeCounter(telemetry)
    followed = FollowedState(storage.views, clock, scoring, listener=counter.see)
    decider = Decider(
        followed, storage.journal, clock, wake_up, lead=lead, telemetry=telemetry, tracer=tracer, counter=counter
    )

    def loop(name: str, step: Step, waiter: Waiter) -> Loop:
        return Loop(name, step, waiter, clock, fatal=LeadershipLost, on_fatal=on_leadership_lost)

    loops = [loop("deciding", deciding(decider, clock), wake_up.waiter())]
    optional: set[str] = set()
    for driven in clusters:
        of_cluster = _steps_of(driven, foundation, listener, followed, lead=lead)
        optional |= set() if driven.is_required else {each.name for each in of_cluster}
        for each in of_cluster:
            # What a cluster sees is for its own loops; others hear of it once it stands in the feed.
            waiter = wake_up.waiter()
            each.listen(waiter.hint)
            loops.append(loop(each.name, each.step, waiter))
    sampler = UsageSampler(followed, storage.usage, clock, lead=lead)
    foundation.resources.callback(sampler.close)
    # Nothing hints at it: use is looked at in even steps.
    loops.append(loop(SAMPLING, sampling(sampler), InProcessWakeUp().waiter()))
    optional.add(SAMPLING)
    ports = tuple(driven.port for driven in clusters)
    reader = StateReader(followed, clock, ports, epoch=lead.epoch, loops=lambda: [each.health for each in loops])
    foundation.instruments.read_with(reader.read)
    context = ApiContext(
        journal=TracedJournal(storage.journal, tracer) if tracer.is_on else storage.journal,
        directory=storage.directory,
        views=storage.views,
        clock=clock,
        identifiers=foundation.identifiers,
        wake_up=wake_up,
        followed=followed,
        clusters=ports,
        attempt_tokens=foundation.tokens,
        readiness=lambda: _readiness(storage, loops, optional),
        ending=ending,
        telemetry=telemetry,
        tracer=tracer,
        usage=storage.usage,
    )
    return context, loops


def _scoring(foundation: _Foundation) -> Scoring:
    path = foundation.settings.scoring
    return DEFAULT_SCORING if path is None else read_scoring(path, foundation.storage.directory.chips())


def _steps_of(
    driven: _DrivenCluster, foundation: _Foundation, listener: socket.socket, followed: FollowedState, *, lead: Lead
) -> list[_ClusterStep]:
    storage, clock, cluster = foundation.storage, foundation.clock, driven.port
    inventory = InventorySync(storage.directory, clock, cluster, kind=driven.kind)
    if driven.is_required:
        inventory.sync_once()
    api_url = foundation.settings.api_url or reachable_url(listener)
    terms = LaunchTerms(api_url=api_url, tokens=foundation.tokens)
    tracer, journal, directory = foundation.instruments.tracer, storage.journal, storage.directory
    reconciler = Reconciler(cluster, followed, journal, directory, clock=clock, terms=terms, lead=lead, tracer=tracer)
    for part in (inventory, reconciler):
        foundation.resources.callback(part.close)
    return [
        _ClusterStep(f"recording nodes of {cluster.name}", recording_inventory(inventory, clock), cluster.listen),
        _ClusterStep(f"reconciling {cluster.name}", reconciling(reconciler, clock), reconciler.listen),
    ]


def reachable_url(listener: socket.socket) -> str:
    """Return the URL under which processes of this machine reach a listening socket."""
    host, port = listener.getsockname()[:2]
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound
    host = loopback.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _readiness(storage: Storage, loops: Sequence[Loop], optional: Collection[str]) -> tuple[Check, ...]:
    answers = storage.ping()
    database = Check("database", is_ok=answers, detail="answers" if answers else "does not answer")
    checks = (loop_check(loop.health) for loop in loops)
    return (database, *(replace(check, is_required=check.name not in optional) for check in checks))
