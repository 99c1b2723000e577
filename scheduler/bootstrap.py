"""Build a server from its settings: the one place that knows which adapter fulfils which port."""

import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from api.app import create_app
from api.context import ApiContext, Check
from scheduler.adapters.database.migrate import upgrade
from scheduler.adapters.database.storage import Storage, file_of, open_storage
from scheduler.adapters.files.catalogue_file import read_catalogue, shipped_catalogue
from scheduler.adapters.files.inventory_file import read_inventory
from scheduler.adapters.local.cluster import LocalCluster
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.identifiers import SystemIdentifiers
from scheduler.adapters.system.process_lock import ProcessLock
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.core.model.identifiers import ClusterName
from scheduler.core.model.node import Node
from scheduler.loops.loop import Loop
from scheduler.loops.steps import deciding, reconciling, recording_nodes
from scheduler.ports.cluster import ClusterPort
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.decide_once import Decider
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.prepare_first_start import FirstStart, make_operator_token, prepare_first_start
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from scheduler.services.sync_inventory import InventorySync
from scheduler.settings import (
    OPERATOR_TOKEN_FILE,
    Settings,
    prepare_data_folder,
    process_environment,
    require_runtime,
    server_secret,
    write_private,
)

LOCAL_CLUSTER_KIND = "local"
OLDEST_SUCCESS_S = 30.0
"""A loop without a successful step for this long makes the server not ready."""


@dataclass(slots=True)
class Server:
    """Everything that runs in one process."""

    app: FastAPI
    loops: Sequence[Loop]
    wake_up: InProcessWakeUp
    ending: threading.Event
    resources: ExitStack
    """Clusters, database and locks, closed in that order."""

    def start(self) -> None:
        """Start deciding and reconciling."""
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
class _Foundation:
    """What everything else is built on."""

    settings: Settings
    clock: SystemClock
    identifiers: SystemIdentifiers
    wake_up: InProcessWakeUp
    storage: Storage
    tokens: AttemptTokens


def build_server(settings: Settings, listener: socket.socket, *, on_leadership_lost: Callable[[], None]) -> Server:
    """Open the database, take the lead, record the inventory and put the pieces together; nothing runs yet.

    Raises what the parts raise for a locked or unusable database and for faulty files, each with a message for
    people. What was opened by then is closed again.
    """
    with ExitStack() as resources:
        prepare_data_folder(settings.data_folder)
        _lock(settings, resources)
        wake_up = InProcessWakeUp()
        storage = open_storage(settings.database_url, wake_up)
        resources.callback(storage.close)
        foundation = _Foundation(
            settings=settings,
            clock=SystemClock(),
            identifiers=SystemIdentifiers(),
            wake_up=wake_up,
            storage=storage,
            tokens=AttemptTokens(server_secret(settings.data_folder)),
        )
        _prepare_directory(foundation)
        clusters = _local_clusters(foundation)
        for cluster in clusters:
            resources.callback(cluster.close)
        ending = threading.Event()
        context, loops = _assemble(foundation, clusters, listener, on_leadership_lost, ending=ending)
        app = create_app(context)
        return Server(app=app, loops=loops, wake_up=wake_up, ending=ending, resources=resources.pop_all())
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


def _local_clusters(foundation: _Foundation) -> list[LocalCluster]:
    """Return every local cluster the database knows; one that no inventory declares any more has no nodes.

    It is driven all the same, so that what still runs there is seen to its end.
    """
    settings, directory = foundation.settings, foundation.storage.directory
    declared: dict[ClusterName, Sequence[Node]] = {
        cluster.name: () for cluster in directory.clusters() if cluster.kind == LOCAL_CLUSTER_KIND
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
    clusters: Sequence[ClusterPort],
    listener: socket.socket,
    on_leadership_lost: Callable[[], None],
    *,
    ending: threading.Event,
) -> tuple[ApiContext, list[Loop]]:
    storage, clock, wake_up = foundation.storage, foundation.clock, foundation.wake_up
    lead = Lead.take(storage.leadership, f"process {os.getpid()}")
    inventories = [InventorySync(storage.directory, clock, cluster, kind=LOCAL_CLUSTER_KIND) for cluster in clusters]
    for inventory in inventories:
        inventory.sync_once()
    followed = FollowedState(storage.views, clock)
    decider = Decider(followed, storage.journal, clock, wake_up, lead=lead)
    terms = LaunchTerms(api_url=reachable_url(listener), tokens=foundation.tokens)
    steps = {"deciding": deciding(decider, clock), "recording nodes": recording_nodes(inventories, clock)}
    for cluster in clusters:
        reconciler = Reconciler(
            cluster, followed, storage.journal, storage.directory, clock=clock, terms=terms, lead=lead
        )
        steps[f"reconciling {cluster.name}"] = reconciling(reconciler, clock)
        cluster.listen(wake_up.notify)
    loops = [
        Loop(name, step, wake_up.waiter(), clock, fatal=LeadershipLost, on_fatal=on_leadership_lost)
        for name, step in steps.items()
    ]
    context = ApiContext(
        journal=storage.journal,
        directory=storage.directory,
        views=storage.views,
        clock=clock,
        identifiers=foundation.identifiers,
        wake_up=wake_up,
        followed=followed,
        clusters=tuple(clusters),
        attempt_tokens=foundation.tokens,
        readiness=lambda: _readiness(storage, loops),
        ending=ending,
    )
    return context, loops


def reachable_url(listener: socket.socket) -> str:
    """Return the URL under which processes of this machine reach a listening socket."""
    host, port = listener.getsockname()[:2]
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound
    host = loopback.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _readiness(storage: Storage, loops: Sequence[Loop]) -> tuple[Check, ...]:
    answers = storage.ping()
    database = Check("database", is_ok=answers, detail="answers" if answers else "does not answer")
    return (database, *(_loop_check(loop) for loop in loops))


def _loop_check(loop: Loop) -> Check:
    health = loop.health
    age_s = health.s_since_success
    if age_s is None:
        return Check(health.name, is_ok=False, detail=health.last_error or "has not made its first step yet")
    if age_s > OLDEST_SUCCESS_S:
        return Check(health.name, is_ok=False, detail=health.last_error or f"made no step for {age_s:.0f} s")
    return Check(health.name, is_ok=True, detail="works")
