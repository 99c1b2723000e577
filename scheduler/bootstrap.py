"""Build a server from its settings: the one place that knows which adapter fulfils which port."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from api.app import create_app
from api.context import ApiContext, Check
from scheduler.adapters.database.storage import Storage, open_storage
from scheduler.adapters.files.catalogue_file import read_catalogue, shipped_catalogue
from scheduler.adapters.files.inventory_file import read_inventory
from scheduler.adapters.local.cluster import LocalCluster
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.identifiers import SystemIdentifiers
from scheduler.adapters.system.process_lock import ProcessLock
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.loops.loop import Loop
from scheduler.loops.steps import deciding, reconciling
from scheduler.ports.cluster import ClusterPort
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.decide_once import Decider, LeadershipLost
from scheduler.services.follow_changes import FollowedState
from scheduler.services.prepare_first_start import FirstStart, prepare_first_start
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from scheduler.services.sync_inventory import sync_inventory
from scheduler.settings import (
    OPERATOR_TOKEN_FILE,
    Settings,
    prepare_data_folder,
    process_environment,
    server_secret,
    write_private,
)

LOCAL_CLUSTER_KIND = "local"
OLDEST_SUCCESS_S = 30.0
"""A loop without a successful step for this long makes the server not ready."""


@dataclass(slots=True)
class Server:
    """Everything that runs in one process, in the order it is closed."""

    app: FastAPI
    loops: Sequence[Loop]
    clusters: Sequence[ClusterPort]
    storage: Storage
    lock: ProcessLock | None

    def start(self) -> None:
        """Start deciding and reconciling."""
        for loop in self.loops:
            loop.start()

    def close(self, *, timeout_s: float) -> None:
        """Stop everything in order; workers go on and are adopted by the next start."""
        for loop in self.loops:
            loop.stop(timeout_s=timeout_s)
        for cluster in self.clusters:
            cluster.close()
        self.storage.close()
        if self.lock is not None:
            self.lock.release()


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
    prepare_data_folder(settings.data_folder)
    lock = _lock_database(settings)
    wake_up = InProcessWakeUp()
    try:
        storage = open_storage(settings.database_url, wake_up)
    except BaseException:
        _release(lock)
        raise
    try:
        foundation = _Foundation(
            settings=settings,
            clock=SystemClock(),
            identifiers=SystemIdentifiers(),
            wake_up=wake_up,
            storage=storage,
            tokens=AttemptTokens(server_secret(settings.data_folder)),
        )
        _prepare_directory(foundation)
        clusters = _clusters(foundation)
        return _assemble(foundation, clusters, listener, on_leadership_lost, lock)
    except BaseException:
        storage.close()
        _release(lock)
        raise


def _release(lock: ProcessLock | None) -> None:
    if lock is not None:
        lock.release()


def _lock_database(settings: Settings) -> ProcessLock | None:
    """Allow one server per SQLite file; PostgreSQL has the epoch alone."""
    prefix = "sqlite:///"
    if not settings.database_url.startswith(prefix):
        return None
    return ProcessLock(Path(settings.database_url.removeprefix(prefix) + ".lock"))


def _prepare_directory(foundation: _Foundation) -> None:
    settings, directory = foundation.settings, foundation.storage.directory
    first_start = FirstStart(
        chips=shipped_catalogue(),
        keep_secret=lambda secret: write_private(settings.data_folder / OPERATOR_TOKEN_FILE, secret),
    )
    prepare_first_start(directory, foundation.clock, foundation.identifiers, first_start=first_start)
    if settings.chips is not None:
        directory.define_chips(read_catalogue(settings.chips), foundation.clock.now())


def _clusters(foundation: _Foundation) -> list[ClusterPort]:
    settings, directory = foundation.settings, foundation.storage.directory
    if settings.inventory is None:
        return []
    inventory = read_inventory(settings.inventory, directory.chips())
    cluster = LocalCluster(
        inventory.cluster,
        inventory.nodes,
        settings.data_folder.resolve() / "workers" / inventory.cluster,
        runtime_command=(str(settings.runtime_python), "-m", "medley_runtime"),
        server_environment=process_environment(),
    )
    sync_inventory(directory, foundation.clock, cluster, kind=LOCAL_CLUSTER_KIND)
    return [cluster]


def _assemble(
    foundation: _Foundation,
    clusters: Sequence[ClusterPort],
    listener: socket.socket,
    on_leadership_lost: Callable[[], None],
    lock: ProcessLock | None,
) -> Server:
    storage, clock, wake_up = foundation.storage, foundation.clock, foundation.wake_up
    epoch = storage.leadership.take(f"process {os.getpid()}")
    followed = FollowedState(storage.views, clock)
    decider = Decider(followed, storage.journal, clock, wake_up, epoch=epoch)
    terms = LaunchTerms(api_url=reachable_url(listener), tokens=foundation.tokens)
    steps = {"deciding": deciding(decider, clock)}
    for cluster in clusters:
        reconciler = Reconciler(
            cluster, followed, storage.journal, storage.directory, clock=clock, terms=terms, epoch=epoch
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
    )
    return Server(app=create_app(context), loops=loops, clusters=clusters, storage=storage, lock=lock)


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
