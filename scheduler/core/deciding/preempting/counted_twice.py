"""What counts twice for quotas while somebody stops for a gang: what is held still, and what is kept for the gang."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scheduler.core.deciding.parts.live import whose_going
from scheduler.core.deciding.preempting.leavers import Leaver, whole
from scheduler.core.ledger.changes import SetAside
from scheduler.core.model.sharing.queue import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.deciding.backfilling.claims import Claims
    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
    from scheduler.core.model.sharing.queue import QueueName

    Uses = Counter[tuple[ClusterName, ChipName]]


class CountedTwice:
    """What queues hold of those who stop for gangs of other queues in one that both are in, during one pass.

    Within a queue a claim says itself what it counts instead of, see `QuotaShare`. Without this more would be stopped
    for the next gang than it needs.
    """

    def __init__(self, state: SchedulerState, claims: Claims) -> None:
        self._state = state
        self._claims = claims
        self._of: dict[tuple[TenantName, QueueName], Uses] | None = None
        """In thousandths; worked out when first asked for."""

    def note(self, claim: Reservation, leavers: Iterable[Leaver]) -> None:
        """Take note of a claim that is made now, and of those who leave for it."""
        if self._of is not None:
            self._add(self._of, claim, leavers)

    def less(self) -> Iterator[SetAside]:
        """Yield what takes it off what queues hold, for a trial."""
        if self._of is None:
            self._of = {}
            for claim in self._claims:
                self._add(self._of, claim, self._leavers(claim))
        for (tenant, queue), uses in self._of.items():
            less = tuple((cluster, chip, -milli) for (cluster, chip), milli in uses.items())
            yield SetAside(f"counted twice/{queue}", (), tenant, less, Account(queue, is_part=True))

    def _leavers(self, claim: Reservation) -> Iterator[Leaver]:
        for name in sorted(claim.waits_for):
            live = self._state.live.get(name)
            if live is not None:
                yield whole(live)
            elif (shrinks := self._state.live.get(whose_going(name))) is not None:
                yield Leaver(name, shrinks, shrinks.resizing.surplus)

    def _add(self, to: dict[tuple[TenantName, QueueName], Uses], claim: Reservation, leavers: Iterable[Leaver]) -> None:
        share = claim.quota
        if share is None or share.account is None:
            return
        path = set(self._state.sharing.book.path(share.account.queue))
        for leaver in leavers:
            queue = leaver.live.job.queue
            counts_once = leaver.name in share.instead_of or leaver.name in self._claims.roomy
            if leaver.held and not counts_once and not path.isdisjoint(self._state.sharing.book.path(queue)):
                uses = to.setdefault((leaver.live.job.tenant, queue), Counter())
                for cluster, chip, milli in leaver.uses(self._state.ledger):
                    uses[cluster, chip] += milli
