"""What everything else of a process is built on."""

from contextlib import ExitStack
from dataclasses import dataclass

from scheduler.adapters.database.processes.scheduler_lock import SchedulerLock
from scheduler.adapters.database.storage import Storage
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.identifiers import SystemIdentifiers
from scheduler.adapters.telemetry.instruments import Instruments
from scheduler.bootstrap.storage import (
    declare_prepared,
    lock_folder,
    lock_scheduler,
    open_as_follower,
    open_as_leader,
    own_secret,
    prepare_directory,
)
from scheduler.bootstrap.wake_up import Sharing, share
from scheduler.ports.wake_up import WakeUp
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.settings import Settings


@dataclass(frozen=True, slots=True)
class Foundation:
    """Settings, and what they open first."""

    settings: Settings
    clock: SystemClock
    identifiers: SystemIdentifiers
    instruments: Instruments
    """What this process is measured with."""
    sharing: Sharing
    storage: Storage
    secret: bytes
    scheduler_lock: SchedulerLock | None
    """Of a process that is the scheduler among several."""
    resources: ExitStack
    """What is to be closed at the end."""

    @property
    def wake_up(self) -> WakeUp:
        """Hints, of all processes."""
        return self.sharing.wake_up

    @property
    def tokens(self) -> AttemptTokens:
        """What workers show."""
        return AttemptTokens(self.secret)


def lay_foundation(settings: Settings, instruments: Instruments, resources: ExitStack) -> Foundation:
    """Open what the role needs. Raises what the parts raise, each with a message for people."""
    lay = _follower if settings.role == "api" else _leader
    return lay(settings, instruments, resources)


def _leader(settings: Settings, instruments: Instruments, resources: ExitStack) -> Foundation:
    clock, identifiers = SystemClock(), SystemIdentifiers()
    lock_folder(settings, resources)
    lock = lock_scheduler(settings, resources) if settings.role == "scheduler" else None
    secret = own_secret(settings)
    sharing = share(settings, secret, clock, resources)
    storage = open_as_leader(settings, secret, sharing.wake_up, instruments.telemetry, resources)
    prepare_directory(settings, storage, clock, identifiers)
    declare_prepared(settings, storage, secret)
    return Foundation(
        settings=settings,
        clock=clock,
        identifiers=identifiers,
        instruments=instruments,
        sharing=sharing,
        storage=storage,
        secret=secret,
        scheduler_lock=lock,
        resources=resources,
    )


def _follower(settings: Settings, instruments: Instruments, resources: ExitStack) -> Foundation:
    clock = SystemClock()
    made: list[Sharing] = []

    def share_hints(secret: bytes) -> WakeUp:
        made.append(share(settings, secret, clock, resources))
        return made[0].wake_up

    storage, secret = open_as_follower(settings, share_hints, instruments.telemetry, resources)
    return Foundation(
        settings=settings,
        clock=clock,
        identifiers=SystemIdentifiers(),
        instruments=instruments,
        sharing=made[0],
        storage=storage,
        secret=secret,
        scheduler_lock=None,
        resources=resources,
    )
