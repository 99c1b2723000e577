"""Who must go for a gang to have a place: found out on the real ledger, on which they are let go on trial."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.losses import charged_milli, held_milli
from scheduler.core.ledger.changes import Hold, Overcommitted, Release, Seat
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import Account, QuotaCause
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.room.offers import offers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.preempting.candidates import Candidates
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.demand import Fit
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.ledger.trial import Trial
    from scheduler.core.model.identifiers import AttemptId, ClusterName
    from scheduler.core.model.reason import QuotaExceeded
    from scheduler.core.placement.placement import GangPlace
    from scheduler.core.placement.request import GangRequest, OptionRequest, PartRequest

    Found = tuple[GangPlace, list[LiveAttempt]]
    """A place, and those who must go for it."""

MOST_DOMAINS = 8
"""Where one domain must hold the gang, so many are tried: those of the attempts with whom least is lost."""
MOST_PLACINGS = 16
"""So often a place is looked for among what was let go; between two looks more is let go."""


class Search:
    """The search of one gang, on a trial that the caller ends."""

    def __init__(
        self,
        state: SchedulerState,
        request: GangRequest,
        candidates: Candidates,
        trial: Trial,
        *,
        given_milli: int = 0,
    ) -> None:
        """`given_milli` thousandths of devices came free on the trial beside what was free."""
        self._state = state
        self._request = request
        self._candidates = candidates
        self._trial = trial
        self._given_milli = given_milli
        self._gone: dict[AttemptId, LiveAttempt] = {}
        """Those that were let go."""
        self._was_over = False
        """Whether the gang's quotas had too little left while all of them held something."""

    def find(self, name: AttemptId) -> Found | None:
        """Return a place on the first option that has one if some go, and who must; None where none can be made.

        On the trial, those are gone then, and the gang may sit in its place under a name.
        """
        state, request = self._state, self._request
        for option in request.options:
            for cluster in state.ledger.clusters():
                if cluster in request.without or not offers(state.ledger, cluster, option):
                    continue
                for domain in self._domains(cluster, option):
                    before = self._trial.changes
                    place = self._in_domain(cluster, option, domain)
                    if place is not None:
                        if self._leaves_anything(place):
                            account = Account(request.queue)
                            seat = Seat(name, request.tenant, place.seatings, account, place.compute_milli)
                            self._trial.apply(seat)
                            self._spare(name, place)
                        return place, list(self._gone.values())
                    self._trial.back_to(before)
                    self._gone.clear()
        return None

    def _domains(self, cluster: ClusterName, option: OptionRequest) -> Iterator[Domain | None]:
        """Yield the domains to make room in, each for the whole gang; None: anywhere."""
        level = self._request.closeness.required
        if level in (None, NODE, CLUSTER):
            yield None
            return
        pool, useful = (cluster, option.parts[0].part.chip), option.parts[0].part.workers
        entries = self._state.ledger.inventory.entries
        found: dict[Domain, None] = {}
        for live in self._candidates.by_loss(pool, useful):
            domain = entries[live.allocations[0].node].domain.at(level)
            if domain is not None and domain not in found:
                found[domain] = None
                yield domain
                if len(found) >= MOST_DOMAINS:
                    return

    def _in_domain(self, cluster: ClusterName, option: OptionRequest, domain: Domain | None) -> GangPlace | None:
        if not self._is_within_quota(cluster, option):
            return None
        openings = [self._open(cluster, part, domain) for part in option.parts]
        for part, opening in zip(option.parts, openings, strict=True):
            missing = self._wanted(part) - self._room(cluster, part, domain)
            while missing > 0:
                gained = next(opening, 0)
                if not gained:
                    return None
                missing -= gained
        for _ in range(MOST_PLACINGS):
            place = find_place(self._state, self._request)
            if place is not None:
                return place
            steps = [1 + self._wanted(part) // 8 for part in option.parts]
            more = [sum(islice(opening, step)) for step, opening in zip(steps, openings, strict=True)]
            if not any(more):
                return None
        return None

    def _is_within_quota(self, cluster: ClusterName, option: OptionRequest) -> bool:
        """Let those go who hold what the gang's quotas have too little of; say whether it is enough then."""
        over = self._over_quota(option)
        self._was_over = bool(over)
        for live in self._within_limits(cluster, option, over):
            if not over:
                break
            if live.attempt not in self._gone and any(self._eases(live, one) for one in over):
                self._let_go(live)
                over = self._over_quota(option)
        return not over

    def _over_quota(self, option: OptionRequest) -> tuple[QuotaExceeded, ...]:
        return self._state.sharing.over_quota(self._request.queue, option.charge_milli)

    def _within_limits(
        self, cluster: ClusterName, option: OptionRequest, over: Iterable[QuotaExceeded]
    ) -> Iterator[LiveAttempt]:
        """Yield those who may hold something of what is limited, those first whose nodes are of use to the gang."""
        worth, clusters = self._state.sharing.book.worth, self._state.ledger.clusters()
        counted = sorted({chip for one in over for chip in worth(one.resource)})
        pools = [(cluster, part.part.chip) for part in option.parts]
        useful = max(1, sum(part.part.workers * part.part.shape.devices for part in option.parts))
        for pool in dict.fromkeys([*pools, *((name, chip) for chip in counted for name in clusters)]) if over else ():
            yield from self._candidates.by_loss(pool, useful)

    def _eases(self, live: LiveAttempt, over: QuotaExceeded) -> bool:
        """Say whether a quota has more left without an attempt; what others keep back, without anybody."""
        book = self._state.sharing.book
        if over.cause is not QuotaCause.KEPT_BACK and over.queue not in book.path(live.job.queue):
            return False
        held = charged_milli(live.allocations)
        return any(held[chip] for chip in book.weights(over.resource))

    def _wanted(self, part: PartRequest) -> int:
        return 1 if self._request.closeness.required == NODE else part.part.workers

    def _room(self, cluster: ClusterName, part: PartRequest, domain: Domain | None) -> int:
        """Return how many workers fit by now, wherever they stand."""
        demand = part.together if self._request.closeness.required == NODE else part.demand
        if domain is not None:
            fit = self._state.ledger.inventory.fit(demand)
            return sum(fit[entry.leftover] for entry in domain.nodes())
        view = self._state.placer.lookout(cluster, part.part.chip, demand, self._request.tenant).widest()
        return 0 if view is None else view.total

    def _open(self, cluster: ClusterName, part: PartRequest, domain: Domain | None) -> Iterator[int]:
        """Let attempts go one by one where that makes room for workers; yield for how many more each time."""
        demand = part.together if self._request.closeness.required == NODE else part.demand
        useful = max(1, part.part.workers * part.part.shape.devices)
        hopeless: set[NodeEntry] = set()
        fit = self._state.ledger.inventory.fit(demand)
        for live in self._in_reach((cluster, part.part.chip), useful, domain):
            if live.attempt in self._gone or (domain is not None and not self._candidates.may_go(live)):
                continue
            entries = [entry for entry in self._entries(live) if self._may_use(entry, domain)]
            before = _room_on(entries, fit)
            self._let_go(live)
            gained = _room_on(entries, fit) - before
            if gained > 0:
                yield gained
                continue
            for entry in entries:
                if entry not in hopeless and not gained:
                    gained = self._clear(entry, demand_fit=fit)
                    hopeless.update([entry] * (not gained))
            if gained:
                yield gained
            else:
                self._trial.back_to(self._trial.changes - 1)
                del self._gone[live.attempt]

    def _in_reach(self, pool: tuple[str, str | None], useful: int, domain: Domain | None) -> Iterable[LiveAttempt]:
        if domain is None:
            return self._candidates.by_loss(pool, useful)
        found = {live.attempt: live for entry in domain.nodes() for live in self._candidates.on_node(entry.id)}
        return sorted(found.values(), key=lambda live: (self._candidates.loss(live, useful), live.attempt))

    def _clear(self, entry: NodeEntry, demand_fit: Fit) -> int:
        """Let those on a node go, least loss first, until more workers fit; none of them where that never happens."""
        before, changes = demand_fit[entry.leftover], self._trial.changes
        went = []
        for live in self._candidates.on_node(entry.id):
            if live.attempt in self._gone or not self._candidates.may_go(live):
                continue
            self._let_go(live)
            went.append(live.attempt)
            if demand_fit[entry.leftover] > before:
                return demand_fit[entry.leftover] - before
        self._trial.back_to(changes)
        for attempt in went:
            del self._gone[attempt]
        return 0

    def _let_go(self, live: LiveAttempt) -> None:
        self._trial.apply(Release(live.attempt))
        self._gone[live.attempt] = live

    def _entries(self, live: LiveAttempt) -> list[NodeEntry]:
        entries = self._state.ledger.inventory.entries
        if len(live.allocations) == 1:  # as for most
            return [entries[live.allocations[0].node]]
        return [entries[node] for node in dict.fromkeys(held.node for held in live.allocations)]

    def _may_use(self, entry: NodeEntry, domain: Domain | None) -> bool:
        tenant = entry.leftover.kind.tenant
        if tenant is not None and tenant != self._request.tenant:
            return False
        return domain is None or entry.domain.at(domain.level) is domain

    def _spare(self, name: AttemptId, place: GangPlace) -> None:
        """Let those come back, dearest first, beside whom the gang fits all the same, and may."""
        used = {entry.id for part in place.parts for entry in part.seating.nodes}
        dearest_first = sorted(self._gone.values(), key=lambda live: (-self._candidates.loss(live, 1), live.attempt))
        for live in dearest_first:
            if self._is_needed(live, used):
                continue
            changes = self._trial.changes
            with suppress(Overcommitted):
                self._trial.apply(Hold(live.attempt, live.job.tenant, live.allocations, live.job.account))
                if self._was_over and self._is_over_with(name, place.option):
                    self._trial.back_to(changes)
                else:
                    del self._gone[live.attempt]

    def _is_over_with(self, name: AttemptId, option: OptionRequest) -> bool:
        """Say whether the gang may not have its place beside all that is held."""
        changes = self._trial.changes
        self._trial.apply(Release(name))
        over = self._over_quota(option)
        self._trial.back_to(changes)
        return bool(over)

    def _leaves_anything(self, place: GangPlace) -> bool:
        """Say whether those who went held more devices than the place takes, or nobody knows."""
        if self._was_over:
            return True
        taken = sum(part.part.workers * part.part.shape.devices for part in place.option.parts)
        freed_milli = self._given_milli + sum(map(held_milli, self._gone.values()))
        return not taken or freed_milli != taken * WHOLE_DEVICE_MILLI

    def _is_needed(self, live: LiveAttempt, used: set[str]) -> bool:
        """Say whether an attempt cannot come back for reasons that are plain to see."""
        entries = self._state.ledger.inventory.entries
        for held in live.allocations:
            leftover = entries[held.node].leftover
            group = leftover.kind.group_of.get(held.chip or "")
            if held.node in used and group is not None and leftover.free[group] < held.devices:
                return True
        return False


def _room_on(entries: Sequence[NodeEntry], fit: Fit) -> int:
    """Return how many workers fit on nodes now."""
    if len(entries) == 1:  # as for most
        return fit[entries[0].leftover]
    return sum(fit[entry.leftover] for entry in entries)
