"""Which moves of jobs that run would let one start that waits, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.beside import Beside
from scheduler.core.deciding.parts.losses import held_milli
from scheduler.core.deciding.preempting.moving import cost_device_s, find_moves
from scheduler.core.deciding.preempting.rules import NO_PREEMPTION
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.asking.moves import Move
from scheduler.core.model.group import first_group
from scheduler.core.model.job import Wish

if TYPE_CHECKING:
    from datetime import datetime

    from scheduler.core.deciding.preempting.moving import Moved
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.job import Job


def moves_to_start(state: SchedulerState, job: Job, now: datetime) -> tuple[Move, ...]:
    """Return few moves that together would let a gang of a job start now, whether they are allowed or not.

    None where there is none, or not room enough wherever it is. What is kept for others is no room for anybody of them.
    The state is afterwards as it was.
    """
    request, restart_s, group = state.request(job.id), NO_PREEMPTION.restart_s, first_group(job.id, 0)
    with Trial(state.ledger) as trial:
        Beside(state, now).keep(trial, request, job, (state.order.key(job, group), group.id))
        found = find_moves(state, request, lambda live: live.job.wish is Wish.RUN, now=now, restart_s=restart_s)
    return () if found is None else tuple(_move(moved, now, restart_s) for moved in found.moved)


def _move(moved: Moved, now: datetime, restart_s: float) -> Move:
    live, job = moved.live, moved.live.job
    return Move(
        job=job.id,
        tenant=job.tenant,
        leaves=tuple(sorted({held.node for held in live.allocations})),
        goes_to=tuple(sorted({held.node for held in moved.place.allocations})),
        devices_milli=held_milli(live),
        cost_device_s=cost_device_s(live, now, restart_s),
        is_allowed=job.spec.movable,
    )
