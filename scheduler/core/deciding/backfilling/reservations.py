"""Promises of room at a later time, for those who would else be overtaken for ever by smaller ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.ends import ExpectedEnd
from scheduler.core.deciding.lacks import Numbers
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.live import going_of
from scheduler.core.ledger.changes import Release, SetAside
from scheduler.core.ledger.states.amounts import amounts_of
from scheduler.core.ledger.states.demand import amounts_for
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.waiting.promise import Basis
from scheduler.core.placement.placement import GangPlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from scheduler.core.deciding.backfilling.departures import Departures
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.holding import Use
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.amounts import Amounts
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, GroupId, TenantName
    from scheduler.core.model.sharing.queue import Account
    from scheduler.core.placement.request import GangRequest

RESERVED = "reserved/"
CLAIMED = "claimed/"
CPU, MEMORY, PODS = " cpu", " memory", " pods"
"""Beside chip types, of which no name begins like these, what nodes give: milli-cores, MiB, and workers."""
Sums = dict[str, int]
"""How much of each of these; of chip types in whole devices."""
NOTHING_COMES: Mapping[AttemptId, Sums] = MappingProxyType({})
MOST_LOOKS = 32
"""So many moments are looked at one after the other; after that ever fewer of them, so that a room may be told late."""


@dataclass(frozen=True, slots=True)
class QuotaShare:
    """What a gang will hold, which nobody else of its tenant is to have the quota for."""

    tenant: TenantName
    uses: tuple[Use, ...]
    instead_of: Mapping[AttemptId, tuple[Use, ...]]
    """Of the tenant's own that it waits for: while they hold this, it counts for them."""
    account: Account | None = None
    """Whose queue's quotas it counts against; None: the tenant's own."""

    def beside(self, ledger: Ledger) -> tuple[Use, ...]:
        """Return what counts beside what is held by now."""
        if len(self.uses) <= 1 and not self.instead_of:  # as for most
            return self.uses
        left: Counter[tuple[ClusterName, ChipName]] = Counter()
        for cluster, chip, milli in self.uses:
            left[cluster, chip] += milli
        for attempt, uses in self.instead_of.items():
            if ledger.has_hold(attempt):
                for cluster, chip, milli in uses:
                    left[cluster, chip] -= milli
        return tuple((cluster, chip, milli) for (cluster, chip), milli in left.items() if milli > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """Room on named nodes that is kept for a gang. Of what it needs, only what will not come free is taken now."""

    group: GroupId
    begins: datetime
    ends: datetime | None
    """When its gang will have ended, as far as is known."""
    needs: Mapping[NodeEntry, Sums]
    awaited: Mapping[NodeEntry, Mapping[AttemptId, Sums]]
    """What is to come free there by then, and with which attempt or reservation; less what others will have of it."""
    expected: Mapping[AttemptId, ExpectedEnd] = field(default_factory=dict)
    """When these were to end, when it was made."""
    quota: QuotaShare | None = None
    """What counts as used by its tenant already; None: nothing does."""
    besides: frozenset[AttemptId] = frozenset()
    """Attempts that are to end before it begins though they hold nothing of its nodes: its quota needs that."""
    claim: int = 0
    """Which claim it is, of which several may be called after a group; 0: a promise, of which a group has one."""

    @property
    def name(self) -> AttemptId:
        """What its share of the ledger is called."""
        return f"{CLAIMED}{self.claim}/{self.group}" if self.claim else reserved_for(self.group)

    @property
    def waits_for(self) -> frozenset[AttemptId]:
        """The attempts, and the reservations by their names, that are to end before it begins."""
        return self.besides.union(*self.awaited.values())

    def stands(self, ledger: Ledger) -> bool:
        """Say whether all its nodes are there and take work; on others it would keep nothing."""
        known = ledger.inventory.entries
        return all(known.get(entry.id) is entry and entry.leftover.kind.takes_work for entry in self.needs)

    def set_aside(self, ledger: Ledger) -> SetAside:
        """Return what must be kept now of what is free, for the rest comes free in time; never more than is free."""
        kept: list[tuple[NodeEntry, Amounts]] = []
        for entry, needs in self.needs.items():
            coming = self.awaited.get(entry, NOTHING_COMES)
            if len(coming) == 1:  # as for most; of several one may take what another one gives
                ((attempt, gives),) = coming.items()
                if ledger.has_hold(attempt) and _covers(gives, needs):
                    continue
            lacks = dict(needs)
            for attempt, gives in coming.items():
                if ledger.has_hold(attempt):
                    for of, figure in gives.items():
                        lacks[of] = lacks.get(of, 0) - figure
            if max(lacks.values(), default=0) > 0:
                free = _all_free(entry)
                kept += _rows(entry, {of: max(0, min(lacks[of], free.get(of, 0))) for of in needs})
        if self.quota is None:
            return SetAside(self.name, tuple(kept))
        return SetAside(self.name, tuple(kept), self.quota.tenant, self.quota.beside(ledger), self.quota.account)


def reserved_for(group: GroupId) -> AttemptId:
    """Return what the share of the ledger is called that is kept for a group."""
    return f"{RESERVED}{group}"


def reserve(
    state: SchedulerState,
    group: GroupId,
    request: GangRequest,
    departures: Departures,
    *,
    standing: Sequence[Reservation],
    instead_of: Iterable[Reservation] = (),
    run_s: float | None,
) -> Reservation | None:
    """Return the earliest room for a gang as what runs now ends, None where nothing that ends makes any.

    The `standing` reservations have what they need set aside in the ledger, which is afterwards as it was; so have
    those that it is made `instead_of`, whose room it may have. `run_s` is how long the gang will run, None where nobody
    knows. What never ends is never waited for.
    """
    moments = departures.moments(request, (each.ends for each in standing if each.ends is not None))
    patience = looks = 0
    with Trial(state.ledger) as trial:
        for each in instead_of:
            trial.apply(Release(each.name))
        future = Future(state.ledger, trial, standing)
        moment = next(moments, None)
        while moment is not None:
            following = next(moments, None)
            future.reach(*moment)
            patience -= 1
            if (patience <= 0 or following is None) and Numbers(state).allow(request):
                found = find_place(state, request)
                if found is not None:
                    return future.reservation(group, found, moment[0], run_s)
                looks += 1
                patience = max(1, looks - MOST_LOOKS)
            moment = following
    return None


class Future:
    """A ledger as it will be, as attempts leave it and reservations begin and end."""

    def __init__(self, ledger: Ledger, trial: Trial, standing: Sequence[Reservation]) -> None:
        self._ledger = ledger
        self._trial = trial
        self._standing = list(standing)
        self._given: defaultdict[NodeEntry, dict[AttemptId, Sums]] = defaultdict(dict)
        self._ended: dict[AttemptId, ExpectedEnd] = {}
        self._waiting_for: defaultdict[AttemptId, list[Reservation]] = defaultdict(list)
        for each in standing:
            for attempt in each.waits_for:
                self._waiting_for[attempt].append(each)

    def reach(self, at: datetime, leaving: Mapping[AttemptId, ExpectedEnd]) -> None:
        """Let time pass until attempts have left; what they give to a reservation stays with it until it has ended."""
        self._ended.update(leaving)
        for attempt in leaving:
            self._release(attempt)
            if self._ledger.has_hold(going := going_of(attempt)):
                self._ended[going] = leaving[attempt]
                self._release(going)
        for each in [one for one in self._standing if one.ends is not None and one.ends <= at]:
            self._standing.remove(each)
            self._ended[each.name] = ExpectedEnd(at, Basis.PROMISED)
            self._release(each.name)

    def _release(self, name: AttemptId) -> None:
        """Let something go, and give of it to those who wait for it; write down what there is more for others."""
        entries = dict.fromkeys(entry for entry, _, _ in self._ledger.rows_of(name))
        before = {entry: _all_free(entry) for entry in entries}
        self._trial.apply(Release(name))
        for each in [one for one in self._waiting_for.get(name, ()) if one in self._standing]:
            self._trial.apply(Release(each.name))
            self._trial.apply(each.set_aside(self._ledger))
        for entry, free in before.items():
            gains = {of: figure - free.get(of, 0) for of, figure in _all_free(entry).items()}
            if any(gains.values()):
                self._given[entry][name] = gains

    def reservation(self, group: GroupId, place: GangPlace, at: datetime, run_s: float | None) -> Reservation:
        """Return a place as a promise."""
        needs = needs_of(place)
        awaited = {entry: dict(self._given[entry]) for entry in needs if entry in self._given}
        names = {name for those in awaited.values() for name in those}
        expected = {name: end for name, end in self._ended.items() if name in names}
        ends = None if run_s is None else at + timedelta(seconds=run_s)
        return Reservation(group, at, ends, needs, awaited, expected)


def needs_of(place: GangPlace) -> dict[NodeEntry, Sums]:
    """Return what a place takes of each of its nodes."""
    needs: dict[NodeEntry, Sums] = {}
    for entry, amounts in _taken(place):
        known = needs.get(entry)
        if known is None:
            needs[entry] = _sums(amounts)
            continue
        for of, figure in _sums(amounts).items():
            known[of] = known.get(of, 0) + figure
    return needs


def gives_of(ledger: Ledger, allocations: Iterable[Allocation]) -> dict[NodeEntry, Sums]:
    """Return what comes free on each node with an attempt that holds this; of shares, no device is counted on."""
    gives: dict[NodeEntry, Sums] = {}
    entries = ledger.inventory.entries
    for held in allocations:
        entry = entries[held.node]
        there = gives.get(entry)
        if there is None:
            there = gives[entry] = {CPU: held.cpu_milli, MEMORY: held.memory_mib, PODS: held.pods}
            if held.chip is not None:
                there[held.chip] = held.devices
            continue
        for of, figure in ((held.chip, held.devices), (CPU, held.cpu_milli), (MEMORY, held.memory_mib)):
            if of is not None:
                there[of] = there.get(of, 0) + figure
        there[PODS] += held.pods
    return gives


def _taken(place: GangPlace) -> Iterator[tuple[NodeEntry, Amounts]]:
    """Yield what a place takes of its nodes; of shares, the devices of which nobody held anything."""
    for part in place.parts:
        seating, shape = part.seating, part.request.part.shape
        for number, (entry, before, workers) in enumerate(
            zip(seating.nodes, seating.before, seating.workers, strict=True)
        ):
            if shape.share_milli:
                opened = int(seating.opens[number])
                yield entry, amounts_of(part.request.part.chip, opened, shape.cpu_milli, shape.memory_mib, 1)
            else:
                yield entry, amounts_for(part.request.demand, workers, before)


def _covers(gives: Sums, needs: Sums) -> bool:
    return gives == needs or all(gives.get(of, 0) >= figure for of, figure in needs.items())


def _sums(amounts: Amounts) -> Sums:
    sums = {CPU: amounts.cpu_milli, MEMORY: amounts.memory_mib, PODS: amounts.pods}
    if amounts.chip is not None:
        sums[amounts.chip] = amounts.devices
    return sums


def _rows(entry: NodeEntry, sums: Sums) -> Iterator[tuple[NodeEntry, Amounts]]:
    rest = (sums[CPU], sums[MEMORY], sums[PODS])
    if any(rest):
        yield entry, amounts_of(None, 0, *rest)
    for chip, devices in sums.items():
        if devices and chip not in (CPU, MEMORY, PODS):
            yield entry, amounts_of(chip, devices, 0, 0, 0)


def _all_free(entry: NodeEntry) -> Sums:
    left = entry.leftover
    devices = {chip: left.free[group] for chip, group in left.kind.group_of.items()}
    return {**devices, CPU: left.cpu_milli, MEMORY: left.memory_mib, PODS: left.pods}
