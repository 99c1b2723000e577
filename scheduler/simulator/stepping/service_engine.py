"""The production services on a database in memory and a cluster of scripts, called when there is something for each.

What the loops of a server do by the clock is done here where it is due: no hint is ever lost, so nobody has to look by
the second.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from math import inf

from scheduler.adapters.database.storage import Storage, open_memory_storage
from scheduler.adapters.memory.cluster import FakeCluster
from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change
from scheduler.core.model.identifiers import JobId, WorkerKey, job_named_by
from scheduler.core.model.job import Job
from scheduler.core.model.node import LOCAL_KIND, Node, NodeState
from scheduler.ports.cluster import GangOrder
from scheduler.ports.journal import Rejected, Rejection, SubmitJob
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.decide_once import NOTHING_TO_DECIDE, Decider
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from scheduler.services.submit_job import MOST_LIVE_JOBS, NotOffered, Submission, draft_job
from scheduler.services.sync_inventory import InventorySync
from scheduler.simulator.lives import Fate, Lives
from scheduler.simulator.stepping.engine import START, Listener, Numbered, Setting, moment, seconds_until

_AT_ONCE = 1_000
"""So many jobs are submitted in one transaction."""
_TERMS = LaunchTerms("http://127.0.0.1:1", AttemptTokens(b"nobody asks"))


class NotRunnable(Exception):
    """A workload has a job that a server would not take; the message says which and why."""


class _VirtualClock:
    """Fulfils ports.clock.Clock with the time of a simulation."""

    def __init__(self) -> None:
        self.now_s = 0

    def now(self) -> datetime:
        """Return the virtual time."""
        return moment(self.now_s)

    def monotonic_s(self) -> float:
        """Return the virtual seconds since the start."""
        return float(self.now_s)


class _GivenNames:
    """Fulfils ports.clock.IdentifierSource with names that were given beforehand."""

    def __init__(self) -> None:
        self.following: JobId = ""

    def new_job_id(self) -> JobId:
        """Return the name that is next."""
        return self.following

    def new_token_id(self) -> str:
        """Return a name that no token has; nothing of a simulation makes tokens."""
        return f"token-{self.following}"


class ServiceEngine:
    """Fulfils simulator.stepping.engine.Engine."""

    def __init__(self, setting: Setting, lives: Lives, listeners: Sequence[Listener] = ()) -> None:
        self.changes = 0
        """How many changes the feed had since the start."""
        self._lives = lives
        self._listeners = (lives.follow, *listeners)
        self._nodes = {node.id: node for node in setting.nodes}
        self._fates: dict[str, Fate] = {}
        self._clock, self._names, self._resources = _VirtualClock(), _GivenNames(), ExitStack()
        wake_up = InProcessWakeUp()
        self._storage = open_memory_storage(wake_up)
        self._resources.callback(self._storage.close)
        _prepare(self._storage, setting)
        self._cluster = FakeCluster(setting.cluster, setting.nodes, clock=self._clock, script=self._script)
        directory, journal = self._storage.directory, self._storage.journal
        self._inventory = InventorySync(directory, self._clock, self._cluster, kind=LOCAL_KIND)
        self._inventory.sync_once()
        lead = Lead.take(self._storage.leadership, "simulation")
        self._followed = FollowedState(
            self._storage.views, self._clock, ordering=setting.ordering, listener=self._listen
        )
        self._decider = Decider(
            self._followed, journal, self._clock, wake_up, lead=lead, passes=Passes(rules=setting.rules)
        )
        self._decided = NOTHING_TO_DECIDE
        self._reconciler = Reconciler(
            self._cluster, self._followed, journal, directory, clock=self._clock, terms=_TERMS, lead=lead
        )
        self._resources.callback(self._reconciler.close)

    @property
    def has_jobs(self) -> bool:
        """Whether there are jobs that are not over."""
        with self._followed.hold() as state:
            return bool(state.jobs)

    def advance(self, to_s: int) -> None:
        """Let it be so many seconds after the start."""
        self._clock.now_s = to_s

    def submit(self, jobs: Sequence[Numbered]) -> int:
        """Submit jobs; return how many were turned away."""
        turned_away = 0
        for first in range(0, len(jobs), _AT_ONCE):
            batch = jobs[first : first + _AT_ONCE]
            items = [SubmitJob(self._drafted(each), None, MOST_LIVE_JOBS) for each in batch]
            for each, outcome in zip(batch, self._storage.journal.write(items), strict=True):
                if not isinstance(outcome, Rejected):
                    continue
                if outcome.why is not Rejection.TOO_MANY_JOBS:
                    raise NotRunnable(f"job {each.id} was refused: {outcome.why} {outcome.detail}")
                self._lives.withdraw(each.id)
                turned_away += 1
        return turned_away

    def change_nodes(self, nodes: Sequence[Node]) -> None:
        """Let nodes be as these; what runs on one that is GONE is lost."""
        gone = {node.id for node in nodes if node.state is NodeState.GONE}
        for attempt in self._followed.live_attempts().values() if gone else ():
            for held in attempt.allocations:
                if held.node in gone:
                    self._cluster.lose_worker(WorkerKey(attempt.attempt, held.rank))
        self._nodes |= {node.id: node for node in nodes}
        self._cluster.change_nodes([node for node in self._nodes.values() if node.state is not NodeState.GONE])

    def settle(self) -> None:
        """Let everything happen that can happen now."""
        if self._inventory.has_news():
            self._inventory.sync_once()
        if self._cluster.next_due_s() <= self._clock.now_s or self._reconciler.has_news():
            self._reconcile()
        while True:
            self._decide()
            if not self._reconciler.has_news():
                return
            self._reconcile()

    def next_due_s(self) -> int | None:
        """Return when something happens by itself."""
        due_s = self._cluster.next_due_s()
        due = [] if due_s == inf else [int(due_s)]
        if self._decided.next_due is not None:
            due.append(max(seconds_until(self._decided.next_due), self._clock.now_s + 1))
        return min(due, default=None)

    def close(self) -> None:
        """Close the database, with all that is in it."""
        self._inventory.close()
        self._resources.close()

    def _decide(self) -> None:
        while True:
            self._decided = self._decider.decide_once()
            if self._followed.decided_change == self._followed.change:
                return

    def _reconcile(self) -> None:
        while True:
            self._reconciler.reconcile_once()
            if self._reconciler.is_settled and not self._reconciler.has_news():
                return

    def _drafted(self, each: Numbered) -> Job:
        arrival = each.arrival
        self._names.following = each.id
        self._lives.expect(each.id, arrival.life)
        submission = Submission(arrival.tenant, arrival.by, arrival.spec, None)
        drafted = draft_job(self._clock, self._names, submission, clusters=(self._cluster,))
        if isinstance(drafted, NotOffered):
            raise NotRunnable(f"job {each.id}: {' '.join(drafted.objections)}")
        return drafted

    def _script(self, order: GangOrder, rank: int) -> Behaviour:
        """Say what a worker does: one that fails is the first of its gang, the others would run on."""
        if rank == 0:
            self._fates[order.attempt] = self._lives.fate(job_named_by(order.attempt), order.number, order.allocations)
        fate = self._fates[order.attempt]
        if rank == len(order.allocations) - 1:
            del self._fates[order.attempt]
        runs_s = fate.ends_s - fate.ready_s
        if fate.has_failed and rank == 0:
            return Behaviour(runs_s, ready_after_s=fate.ready_s, exit_code=1)
        return Behaviour(inf if fate.has_failed else runs_s, ready_after_s=fate.ready_s)

    def _listen(self, change: Change, state: SchedulerState) -> None:
        self.changes += 1
        for listener in self._listeners:
            listener(change, state)


def _prepare(storage: Storage, setting: Setting) -> None:
    directory = storage.directory
    directory.define_chips(setting.chips, START)
    for tenant in setting.tenants:
        directory.create_tenant(tenant, START)
    for queue in setting.queues:
        storage.queues.set_queue(queue, START)
    for quota in setting.limits:
        storage.queues.set_quota(quota, START)
