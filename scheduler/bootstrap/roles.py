"""The roles: everything in one process; the API alone, which follows; the scheduler alone, which leads."""

import socket
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from api.app import create_app, create_scheduler_app
from api.context import ApiContext
from scheduler.adapters.files.login_file import read_login
from scheduler.adapters.files.scoring_file import read_scoring
from scheduler.adapters.relay.reach import ApiReach
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.adapters.telemetry.instruments import Instruments
from scheduler.bootstrap.clusters import DrivenCluster, driven_clusters, relayed_clusters
from scheduler.bootstrap.foundation import Foundation, lay_foundation
from scheduler.bootstrap.readiness import readiness
from scheduler.bootstrap.server import Server, reachable_url
from scheduler.bootstrap.storage import own_name
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring
from scheduler.loops.loop import Loop, LoopHealth, Step
from scheduler.loops.steps import (
    LEARNING,
    SAMPLING,
    SCORING,
    deciding,
    following,
    keeping_the_scheduler_lock,
    learning,
    reconciling,
    recording_inventory,
    sampling,
    scoring_estimates,
    watching,
)
from scheduler.ports.cluster import ClusterPort, Clusters
from scheduler.ports.wake_up import Waiter
from scheduler.services.access.log_in import Login
from scheduler.services.access.note_denied import DeniedCalls
from scheduler.services.access.process_secrets import process_token
from scheduler.services.access.server_secrets import ServerSecrets
from scheduler.services.decide_once import Decider, Told
from scheduler.services.follow_changes import FollowedState, told
from scheduler.services.heartbeats.hearing import Hearing
from scheduler.services.heartbeats.watching import Watch
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.measuring.count_changes import ChangeCounter
from scheduler.services.measuring.learn_throughput import ThroughputLearner
from scheduler.services.measuring.read_state import StateReader
from scheduler.services.measuring.sample_usage import UsageSampler
from scheduler.services.measuring.score_estimates import EstimateScorer
from scheduler.services.measuring.traced_journal import TracedJournal
from scheduler.services.planning.plan_training import TrainingPlanner
from scheduler.services.planning.waiting import Waiting
from scheduler.services.questions.estimate_records import EstimateRecords
from scheduler.services.questions.forecasting import Forecaster
from scheduler.services.questions.suppose import Supposer
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from scheduler.services.sync_inventory import InventorySync
from scheduler.settings import Settings, process_environment, wants_traces


@dataclass(frozen=True, slots=True)
class _Work:
    """What a role does all the time, and what of it the API looks at."""

    followed: FollowedState
    clusters: Clusters
    loops: Sequence[Loop]
    optional: Collection[str] = ()
    """Loops of clusters without which the others are usable, and those that only look on."""
    driven: Sequence[ClusterPort] = ()
    """The clusters that this process drives itself."""
    epoch: int | None = None
    """Of the lead, where this process leads."""


@dataclass(frozen=True, slots=True)
class _ClusterStep:
    """What one loop does for a cluster."""

    name: str
    step: Step
    listen: Callable[[Callable[[], None]], object]
    """Takes what is to be called when there is something to do."""


MakeLoop = Callable[[str, Step, Waiter], Loop]


def build_server(
    settings: Settings,
    listener: socket.socket,
    *,
    on_leadership_lost: Callable[[], None],
    metrics: socket.socket | None = None,
) -> Server:
    """Open what the role needs, take the lead where it leads, and put the pieces together; nothing runs yet.

    `metrics` is where metrics will be served, None for nowhere; it is closed with the rest.
    Raises what the parts raise for a locked or unusable database and for faulty files, each with a message for
    people. What was opened by then is closed again.
    """
    with ExitStack() as resources:
        instruments = Instruments(metrics, version("medley"), has_traces=wants_traces(process_environment()))
        resources.callback(instruments.close)
        foundation = lay_foundation(settings, instruments, resources)
        loop = partial(_loop, foundation, on_leadership_lost)
        work = _follow(foundation, loop) if settings.role == "api" else _lead(foundation, listener, loop)
        instruments.read_with(_reader(foundation, work).read)
        ending = threading.Event()
        return Server(
            app=_app(foundation, work, ending),
            loops=work.loops,
            wake_up=foundation.wake_up,
            ending=ending,
            instruments=instruments,
            resources=resources.pop_all(),
        )
    raise AssertionError("unreachable: the block returns or raises")


def _loop(foundation: Foundation, on_fatal: Callable[[], None], name: str, step: Step, waiter: Waiter) -> Loop:
    return Loop(name, step, waiter, foundation.clock, fatal=LeadershipLost, on_fatal=on_fatal)


def _reader(foundation: Foundation, work: _Work) -> StateReader:
    def health() -> list[LoopHealth]:
        return [loop.health for loop in work.loops]

    return StateReader(work.followed, foundation.clock, work.driven, epoch=work.epoch, loops=health)


def _app(foundation: Foundation, work: _Work, ending: threading.Event) -> FastAPI:
    storage, tracer, secrets = foundation.storage, foundation.instruments.tracer, ServerSecrets(foundation.secret)
    records = EstimateRecords(storage.estimates, foundation.clock)
    forecaster = Forecaster(work.followed, foundation.clock, records=records)
    foundation.resources.callback(forecaster.close)
    waiting = Waiting(work.followed, foundation.clock, foundation.identifiers, forecaster)
    planner = TrainingPlanner(work.followed, waiting)
    foundation.resources.callback(planner.close)
    context = ApiContext(
        journal=TracedJournal(storage.journal, tracer) if tracer.is_on else storage.journal,
        directory=storage.directory,
        queues=storage.queues,
        views=storage.views,
        clock=foundation.clock,
        identifiers=foundation.identifiers,
        wake_up=foundation.wake_up,
        followed=work.followed,
        hearing=Hearing(storage.journal, foundation.clock, work.followed),
        clusters=work.clusters,
        attempt_tokens=foundation.tokens,
        meter=foundation.sharing.meter,
        readiness=lambda: readiness(foundation, work.loops, work.optional, epoch=work.epoch),
        ending=ending,
        telemetry=foundation.instruments.telemetry,
        tracer=tracer,
        usage=storage.usage,
        throughputs=storage.throughputs,
        profiles=storage.profiles,
        audit=storage.audit,
        secrets=secrets,
        denied=DeniedCalls(foundation.clock),
        forecaster=forecaster,
        supposer=Supposer(work.followed, foundation.clock, _rules(foundation.settings)),
        planner=planner,
        login=_login(foundation, secrets),
    )
    if foundation.settings.role == "scheduler":
        return create_scheduler_app(context, process_token(foundation.secret))
    return create_app(context)


def _login(foundation: Foundation, secrets: ServerSecrets) -> Login | None:
    """Return the organisation's login where one is configured; its issuer need not answer now."""
    if foundation.settings.login is None:
        return None
    from scheduler.adapters.oidc.provider import OidcProvider  # noqa: PLC0415 - only where there is such a login

    configuration = read_login(foundation.settings.login)
    provider = OidcProvider(configuration, foundation.clock)
    foundation.resources.callback(provider.close)
    return Login(configuration, provider, secrets)


def _follow(foundation: Foundation, loop: MakeLoop) -> _Work:
    """Keep the state equal to the feed; decide nothing and drive nothing."""
    ordering = foundation.settings.ordering
    followed = FollowedState(foundation.storage.views, foundation.clock, _scoring(foundation), ordering=ordering)
    clusters = relayed_clusters(foundation, followed)
    step = following(followed, clusters.refresh)
    return _Work(followed, clusters, [loop("following", step, foundation.wake_up.waiter())])


def _passes(settings: Settings) -> Passes:
    """Return what decides, by what the operator said of reservations and of who may be stopped for whom."""
    return Passes(settings.reservations, settings.reserve_after_s, _rules(settings))


def _rules(settings: Settings) -> Rules:
    """Return who may be stopped for whom, by what the operator said."""
    return Rules(Scope(settings.preemption), min_run_s=settings.preemption_after_s)


def _lead(foundation: Foundation, listener: socket.socket, loop: MakeLoop) -> _Work:
    """Decide, and drive all clusters."""
    storage, clock, wake_up = foundation.storage, foundation.clock, foundation.wake_up
    clusters = driven_clusters(foundation)
    for driven in clusters:
        foundation.resources.callback(driven.port.close)
    scoring = _scoring(foundation)  # a faulty file is to be found before somebody else's lead is ended
    lead = Lead.take(storage.leadership, own_name())
    telemetry, tracer = foundation.instruments.telemetry, foundation.instruments.tracer
    counter, learner = ChangeCounter(telemetry), ThroughputLearner(storage.throughputs, clock, lead=lead)
    ordering = foundation.settings.ordering
    followed = FollowedState(storage.views, clock, scoring, ordering=ordering, listener=told(counter.see, learner.see))
    decider = Decider(
        followed,
        storage.journal,
        clock,
        wake_up,
        lead=lead,
        told=Told(telemetry, tracer, counter),
        passes=_passes(foundation.settings),
    )
    can_hear = _hearing(foundation.settings)
    watch = Watch(storage.views, followed, storage.journal, clock=clock, lead=lead, can_hear=can_hear)
    loops = [
        loop("deciding", deciding(decider, clock), wake_up.waiter()),
        loop("watching heartbeats", watching(watch, clock), wake_up.waiter()),
    ]
    if foundation.scheduler_lock is not None:
        keeping = keeping_the_scheduler_lock(foundation.scheduler_lock.take)
        loops.append(loop("keeping the scheduler's lock", keeping, wake_up.waiter()))
    sampler = UsageSampler(followed, storage.usage, clock, lead=lead)
    foundation.resources.callback(sampler.close)
    # Nothing hints at it: use is looked at in even steps.
    loops.append(loop(SAMPLING, sampling(sampler), InProcessWakeUp().waiter()))
    loops.append(loop(LEARNING, learning(learner), InProcessWakeUp().waiter()))
    forecaster = Forecaster(followed, clock, in_background=False)
    scorer = EstimateScorer(followed, forecaster, storage.estimates, clock, lead=lead, telemetry=telemetry)
    loops.append(loop(SCORING, scoring_estimates(scorer), InProcessWakeUp().waiter()))
    optional = {SAMPLING, LEARNING, SCORING}
    for driven in clusters:
        of_cluster = _steps_of(driven, foundation, listener, followed, lead=lead)
        optional |= set() if driven.is_required else {each.name for each in of_cluster}
        for each in of_cluster:
            # What a cluster sees is for its own loops; others hear of it once it stands in the feed.
            waiter = wake_up.waiter()
            each.listen(waiter.hint)
            loops.append(loop(each.name, each.step, waiter))
    ports = tuple(driven.port for driven in clusters)
    return _Work(followed, ports, loops, optional, driven=ports, epoch=lead.epoch)


def _hearing(settings: Settings) -> Callable[[], bool]:
    """Return what says whether workers are heard: by this process itself, or by others that may be away."""
    if settings.role == "all" or settings.api_url is None:
        return lambda: True
    return ApiReach(settings.api_url).is_there


def _scoring(foundation: Foundation) -> Scoring:
    path = foundation.settings.scoring
    return DEFAULT_SCORING if path is None else read_scoring(path, foundation.storage.directory.chips())


def _steps_of(
    driven: DrivenCluster, foundation: Foundation, listener: socket.socket, followed: FollowedState, *, lead: Lead
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
