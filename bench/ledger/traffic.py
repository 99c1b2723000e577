"""Jobs that come and go on a state, and how much processor time each decision took."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random

from bench.ledger.asking import Ask
from bench.ledger.clock import now_ns
from bench.ledger.population import NOON, Population, make_group, make_job
from scheduler.core.deciding.cycle import Cycle
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import LedgerChange, Release
from scheduler.core.model.change import Change, ChangeBody, GroupMoved, JobSubmitted
from scheduler.core.model.decision import Decision, Placed
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import AttemptId, NodeId
from scheduler.core.placement.placement import GangPlace
from scheduler.services.collecting import nothing_collected

FIRST_JOB = 1_000_000_000


@dataclass(slots=True)
class Times:
    """What decisions took, in nanoseconds."""

    placed: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)
    """Those that found no place."""
    learning: list[float] = field(default_factory=list)
    """What the state took to learn of the job, before it was at the head of the queue."""


class Traffic:
    """Arrivals and departures. After each batch the ledger is as it was before it."""

    def __init__(self, population: Population, state: SchedulerState, random: Random) -> None:
        self._state = state
        self._random = random
        self._nodes = [node.id for node in population.nodes]
        self._on_node: dict[NodeId, list[AttemptId]] = defaultdict(list)
        self._arrived: dict[NodeId, list[AttemptId]] = defaultdict(list)
        """Those of this batch."""
        self._devices: dict[AttemptId, int] = {}
        self._target = self._used = population.devices_used
        self._undos: list[LedgerChange] = []
        self._numbers = count(FIRST_JOB)
        self._changes = count(1)
        for attempt in population.attempts:
            self._on_node[attempt.allocations[0].node].append(attempt.id)
            self._devices[attempt.id] = len({slot for held in attempt.allocations for slot in held.slots})

    def look_around(self, asks: Iterable[Ask]) -> None:
        """Have jobs decided whose time does not count, each on the same state: what a server knows after a while."""
        for ask in asks:
            self._decide(self._submit(ask))
            self.undo()

    def batch(self, asks: Iterable[Ask]) -> dict[str, Times]:
        """Have jobs decided; after each one others leave until no more is used than at first. Times by jobs' names."""
        times: dict[str, Times] = defaultdict(Times)
        for ask in asks:
            start = now_ns()
            group = self._submit(ask)
            learnt_ns = now_ns() - start
            decision, spent_ns = self._decide(group)
            found = times[ask[1].name]
            found.learning.append(learnt_ns)
            (found.placed if isinstance(decision, Placed) else found.waiting).append(spent_ns)
            while self._used > self._target:
                self._depart()
        self.undo()
        return times

    def batch_beside_others(self, asks: Iterable[Ask]) -> Times:
        """Have jobs decided that find no place; before each one of them one job leaves and the one before comes back.

        One that finds a place after all, where the other one left, does not count.
        """
        times = Times()
        for ask in asks:
            self._depart()
            decision, spent_ns = self._decide(self._submit(ask))
            if not isinstance(decision, Placed):
                times.waiting.append(spent_ns)
            self.undo()
        return times

    def undo(self) -> None:
        """Let everything be as before."""
        while self._undos:
            self._state.ledger.apply(self._undos.pop())
        self._used = self._target
        self._arrived.clear()

    def _submit(self, ask: Ask) -> Group:
        job = make_job(next(self._numbers), *ask)
        group = make_group(job)
        self._tell(JobSubmitted(job, (group,)))
        return group

    def _decide(self, group: Group) -> tuple[Decision, int]:
        """Clock the decision on a job, from the head of the queue to what is handed out."""
        state = self._state
        cycle = Cycle(state, state.ledger.apply, NOON)
        with nothing_collected():  # as the service decides
            start = now_ns()
            decision = cycle.decide(group)
            spent_ns = now_ns() - start
        if isinstance(decision, Placed):
            self._note(decision)
        self._tell(GroupMoved(replace(group, state=State.CANCELLED, version=2), None))
        return decision, spent_ns

    def _tell(self, body: ChangeBody) -> None:
        self._state.apply(Change(next(self._changes), NOON, None, None, body))

    def _note(self, placed: Placed) -> None:
        assert isinstance(placed.place, GangPlace)
        self._undos.append(Release(placed.attempt))
        for seating in placed.place.seatings:
            for entry in seating.nodes:
                self._arrived[entry.id].append(placed.attempt)
            devices = sum(seating.workers) * (seating.demand.shape.devices or 1)
            self._devices[placed.attempt] = self._devices.get(placed.attempt, 0) + devices
        self._used += self._devices[placed.attempt]

    def _depart(self) -> None:
        """Let a whole gang go of which something is on a node that is drawn."""
        ledger, random = self._state.ledger, self._random
        while True:
            node = random.choice(self._nodes)
            known = (*self._on_node[node], *self._arrived.get(node, ()))
            there = [attempt for attempt in known if ledger.has_hold(attempt)]
            if there:
                leaving = random.choice(there)
                self._used -= self._devices[leaving]
                rows = ledger.rows_of(leaving)
                self._undos.append(ledger.apply(Release(leaving)))
                ledger.catch_up(rows)  # as a state does where something ends
                return
