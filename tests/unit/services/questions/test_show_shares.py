from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.sharing.queue import Queue
from scheduler.services.follow_changes import FollowedState
from scheduler.services.questions.show_shares import QueueShare, show_shares
from tests.builders.core import NOON, make_node, make_state


class Followed:
    """A state that nothing happens to."""

    change, age_s = 7, 0.5

    def __init__(self, state: SchedulerState) -> None:
        self._state = state

    def follow(self) -> int:
        return 0

    @contextmanager
    def hold(self) -> Iterator[SchedulerState]:
        yield self._state


def shown(state: SchedulerState) -> dict[str, QueueShare]:
    found = show_shares(cast("FollowedState", Followed(state)), NOON)
    return {share.queue.name: share for share in found.items}


QUEUES = (
    Queue("org"),
    Queue("alpha", parent="org", tenant="alpha", weight=3),
    Queue("beta", parent="org", tenant="beta"),
    Queue("gamma", parent="org", tenant="gamma", weight=2),
)


def test_of_siblings_the_decider_takes_the_one_that_has_least_of_what_it_is_due() -> None:
    state = make_state(make_node(), queues=QUEUES)
    state.order.shares.recall([("alpha", "h100", 3_000.0), ("beta", "h100", 2_000.0)], NOON)
    turns, shares = state.order.turns(state.waiters, NOON), shown(state)
    names = [queue.name for queue in QUEUES]
    made = {name: standing for name in names if (standing := shares[name].standing) is not None}
    assert list(made) == names
    assert {name: made[name].made.share for name in names} == {name: turns.share(name) for name in names}
    by_rank = sorted(names[1:], key=lambda name: turns.share(name) / state.sharing.tree.queues[name].weight)
    assert sorted(names[1:], key=lambda name: made[name].against_due) == by_rank == ["gamma", "alpha", "beta"]
    assert made["alpha"].against_due == pytest.approx(made["alpha"].made.share / 0.5)
