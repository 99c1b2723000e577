"""What a look at all who wait decides, and decisions as values that can be compared, however they were come by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.core.deciding.cycle import Cycle
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import GivenPlace, Placed
from scheduler.core.model.job import Wish

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.decision import Decision, Effect
    from scheduler.core.model.group import Group
    from scheduler.core.queueing.lines import Line


def decide(state: SchedulerState, now: datetime) -> list[Decision]:
    """Return one decision per waiting group, in the order in which they were asked; none for a job that is to stop.

    What is placed counts as held for all who come after it. A group that must wait blocks nobody behind it. The
    state is afterwards what it was before.
    """
    decisions: list[Decision] = []
    state.reach(now)
    turns = state.order.turns(state.waiters, now)
    places = ((*state.waiters.queued.place(group.id), group) for group in state.waiting.values())
    line: Line[Group] = turns.line(places)
    with Trial(state.ledger) as trial:
        cycle = Cycle(state, trial.apply, now)
        while (next_one := line.pop()) is not None:
            if state.jobs[next_one.job_id].wish is Wish.RUN:
                decisions.append(cycle.decide(next_one))
                if isinstance(decisions[-1], Placed):
                    queue, _ = state.waiters.queued.place(next_one.id)
                    turns.changed(queue)
                    line.changed(queue)
    return decisions


def spelt_out(decisions: Iterable[Decision | Effect]) -> list[Decision | Effect]:
    """Return decisions with their places rank by rank, without what they rest on."""
    return [
        replace(decision, place=GivenPlace(decision.allocations, decision.notes), grounds=None)
        if isinstance(decision, Placed)
        else decision
        for decision in decisions
    ]
