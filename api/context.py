"""What the API is built with: ports and services' objects, handed in once by the bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import Self

from scheduler.core.model.access.audit import Actor
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.cluster import Clusters
from scheduler.ports.directory import Directory
from scheduler.ports.journal import Journal
from scheduler.ports.queues import Queues
from scheduler.ports.records.audit import AuditTrail
from scheduler.ports.records.profiles import ProfileTable
from scheduler.ports.records.throughputs import Throughputs
from scheduler.ports.records.usage import UsageLog
from scheduler.ports.telling.telemetry import SILENCE, Telemetry
from scheduler.ports.telling.tracing import NO_TRACES, Tracer
from scheduler.ports.views import Views
from scheduler.ports.wake_up import WakeUp
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.access.log_in import Login
from scheduler.services.access.meter_requests import Meter
from scheduler.services.access.note_denied import DeniedCalls
from scheduler.services.access.server_secrets import ServerSecrets
from scheduler.services.follow_changes import FollowedState
from scheduler.services.heartbeats.hearing import Hearing
from scheduler.services.planning.plan_training import TrainingPlanner
from scheduler.services.questions.forecasting import Forecaster
from scheduler.services.questions.suppose import Supposer


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work before requests are welcome."""

    name: str
    is_ok: bool
    detail: str
    is_required: bool = True
    """Whether requests are unwelcome without it; one cluster that does not answer leaves the others usable."""


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Everything a request may reach."""

    journal: Journal
    directory: Directory
    views: Views
    clock: Clock
    identifiers: IdentifierSource
    wake_up: WakeUp
    followed: FollowedState
    hearing: Hearing
    clusters: Clusters
    attempt_tokens: AttemptTokens
    meter: Meter
    readiness: Callable[[], tuple[Check, ...]]
    ending: Event
    """Set when the server is about to end: streams then end by themselves."""
    usage: UsageLog
    throughputs: Throughputs
    profiles: ProfileTable
    audit: AuditTrail
    secrets: ServerSecrets
    denied: DeniedCalls
    queues: Queues
    forecaster: Forecaster | None = None
    """Who says when those that wait will start; None: nobody does."""
    supposer: Supposer | None = None
    """Who says what would follow if something were otherwise; None: nobody does."""
    planner: TrainingPlanner | None = None
    """Who plans trainings on what is free; None: nobody does."""
    login: Login | None = None
    """The organisation's login, where the server offers it."""
    telemetry: Telemetry = SILENCE
    tracer: Tracer = NO_TRACES

    def acting(self, actor: Actor) -> Self:
        """Return the context of one request: what it writes is in somebody's name."""
        return replace(
            self,
            journal=self.journal.acting(actor),
            directory=self.directory.acting(actor),
            queues=self.queues.acting(actor),
            throughputs=self.throughputs.acting(actor),
            profiles=self.profiles.acting(actor),
        )
