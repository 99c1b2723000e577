"""The database as each role opens it: who may be on it, who brings its schema, which secret it belongs to."""

import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from scheduler.adapters.database.migrate import SchemaBehind
from scheduler.adapters.database.processes.scheduler_lock import SchedulerLock
from scheduler.adapters.database.storage import Storage, StorageError, file_of, open_storage
from scheduler.adapters.files.catalogue_file import read_catalogue, shipped_catalogue
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.identifiers import SystemIdentifiers
from scheduler.adapters.system.process_lock import ProcessLock
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.telling.telemetry import Telemetry
from scheduler.ports.wake_up import WakeUp
from scheduler.services.access.process_secrets import (
    NoServerYet,
    OtherSecret,
    claim_secret,
    fingerprint,
    require_same_secret,
)
from scheduler.services.prepare_first_start import FirstStart, prepare_first_start
from scheduler.settings import (
    OPERATOR_TOKEN_FILE,
    Settings,
    SettingsError,
    prepare_data_folder,
    read_secret,
    server_secret,
    write_private,
)

logger = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.5
"""How often a process looks that waits for another one."""
_WAY_OUT = ", or set MEDLEY_REPLACE_SECRET=true if that one is lost for good"


class AnotherSchedulerLeads(Exception):
    """The database has a scheduler already, which did not end in time."""


class SecretMissing(SettingsError):
    """There is no file with the server's secret."""


def lock_folder(settings: Settings, resources: ExitStack) -> None:
    """Allow one server per data folder, whose workers it drives, and one per SQLite file, wherever that lies."""
    prepare_data_folder(settings.data_folder)
    locks = [settings.data_folder / "server.lock"]
    database = file_of(settings.database_url)
    if database is not None:
        locks.append(database.with_name(database.name + ".lock"))
    for path in locks:
        resources.callback(ProcessLock(path).release)


def lock_scheduler(settings: Settings, resources: ExitStack) -> SchedulerLock:
    """Wait, bounded, until no other scheduler is on the database. Raises AnotherSchedulerLeads, StorageUnavailable."""
    lock = SchedulerLock(settings.database_url)
    resources.callback(lock.close)

    def take() -> None:
        if not lock.take():
            raise AnotherSchedulerLeads("another scheduler is on this database")

    _until(take, AnotherSchedulerLeads, within_s=settings.start_wait_s)
    return lock


def own_secret(settings: Settings) -> bytes:
    """Return the server's secret, made where there is none and no file was named. Raises SettingsError."""
    if settings.secret_file is None:
        return server_secret(settings.data_folder)
    return _given_secret(settings)


def open_as_leader(
    settings: Settings, secret: bytes, wake_up: WakeUp, telemetry: Telemetry, resources: ExitStack
) -> Storage:
    """Open the database and bring its schema up to date. Raises what the parts raise.

    A server that is all in one may replace another secret, as it always could; a scheduler has to be told to.
    """
    storage = open_storage(
        settings.database_url,
        wake_up,
        telemetry,
        reading=settings.reading_connections,
        audit_kept=_audit_kept(settings),
    )
    resources.callback(storage.close)
    if storage.installation.fingerprint() not in ("", fingerprint(secret)):
        if not _may_replace_secret(settings):
            raise _other_secret(settings, _WAY_OUT)
        logger.warning("the database knew another server secret: workers that run now are strangers to this one")
    return storage


def _audit_kept(settings: Settings) -> timedelta:
    return timedelta(days=settings.audit_days)


def declare_prepared(settings: Settings, storage: Storage, secret: bytes) -> None:
    """Make the database this secret's, for which API processes wait. Raises SettingsError."""
    try:
        claim_secret(storage.installation, secret, may_replace=_may_replace_secret(settings))
    except OtherSecret:
        raise _other_secret(settings, _WAY_OUT) from None


def open_as_follower(
    settings: Settings, share: Callable[[bytes], WakeUp], telemetry: Telemetry, resources: ExitStack
) -> tuple[Storage, bytes]:
    """Wait, bounded, until a scheduler has prepared database and secret; open the one, and return the other too.

    `share` makes a wake-up of the secret. Raises SettingsError, StorageError, StorageUnavailable.
    """
    waits = SecretMissing, SchemaBehind, StorageUnavailable, _NotPrepared
    _until(partial(_require_preparations, settings), *waits, within_s=settings.start_wait_s)
    secret = _given_secret(settings)
    wake_up = share(secret)
    reading = settings.reading_connections
    storage = open_storage(
        settings.database_url,
        wake_up,
        telemetry,
        reading=reading,
        brings_schema=False,
        audit_kept=_audit_kept(settings),
    )
    resources.callback(storage.close)
    return storage, secret


def prepare_directory(settings: Settings, storage: Storage, clock: SystemClock, identifiers: SystemIdentifiers) -> None:
    """Do what a first start has to, and apply the operator's chip types."""
    first_start = FirstStart(
        chips=shipped_catalogue(),
        keep_secret=partial(write_private, settings.data_folder / OPERATOR_TOKEN_FILE),
    )
    prepare_first_start(storage.directory, clock, identifiers, first_start=first_start)
    if settings.chips is not None:
        storage.directory.define_chips(read_catalogue(settings.chips), clock.now())


def own_name() -> str:
    """Return what the database is told of this process."""
    return f"process {os.getpid()} on {socket.gethostname()}"


class _NotPrepared(StorageError):
    """No scheduler ever ran on the database."""


def _require_preparations(settings: Settings) -> None:
    secret = _given_secret(settings)
    storage = open_storage(settings.database_url, InProcessWakeUp(), reading=2, brings_schema=False)
    try:
        require_same_secret(storage.installation, secret)
    except OtherSecret:
        raise _other_secret(settings, "") from None
    except NoServerYet:
        raise _NotPrepared(
            "No scheduler has run on this database yet",
            why="it makes the first operator token and registers the clusters.",
            next_step="Start one: medley serve --role scheduler.",
        ) from None
    finally:
        storage.close()


def _may_replace_secret(settings: Settings) -> bool:
    return settings.role == "all" or settings.replace_secret


def _given_secret(settings: Settings) -> bytes:
    path = settings.secret_path
    try:
        return read_secret(path)
    except FileNotFoundError:
        raise SecretMissing(
            f"secret_file: {path} is not there; all processes of one Medley need the same secret: copy server.secret "
            "from the scheduler's data folder, and name it with --secret-file"
        ) from None


def _other_secret(settings: Settings, way_out: str) -> SettingsError:
    return SettingsError(
        f"secret_file: {settings.secret_path} is not the secret that this database belongs to: tokens of workers would "
        f"not open anything; copy server.secret from the scheduler's data folder{way_out}"
    )


def _until(do: Callable[[], None], *waits: type[Exception], within_s: float) -> None:
    """Do something, again and again while it raises what is to be waited for; the last such error is raised."""
    give_up_s = time.monotonic() + within_s
    said = ""
    while True:
        try:
            do()
        except waits as error:
            if time.monotonic() >= give_up_s:
                raise
            if str(error) != said:
                said = str(error)
                logger.warning("waits for up to %.0f s: %s", give_up_s - time.monotonic(), said)
            time.sleep(LOOK_AGAIN_S)
        else:
            return
