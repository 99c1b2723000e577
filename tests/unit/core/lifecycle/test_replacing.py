"""Which replicas make room for a new version."""

from dataclasses import replace

import pytest

from scheduler.core.lifecycle.replacing import Aged, next_to_replace
from scheduler.core.model.group import State, StopReason, first_group

R, S, P, Q = State.RUNNING, State.STARTING, State.PLACED, State.QUEUED
OLD, NEW = 1, 2


def aged(*groups: tuple[State, int]) -> list[Aged]:
    made = []
    for index, (state, revision) in enumerate(groups):
        reason = StopReason.REPLACED if state is State.STOPPING else None
        group = replace(first_group("job1", index), state=state, stop_reason=reason)
        made.append(Aged(group, revision))
    return made


@pytest.mark.parametrize(
    ("groups", "indexes"),
    [
        (((R, OLD), (R, OLD), (R, OLD)), [0]),
        (((R, NEW), (R, OLD), (R, OLD)), [1]),
        (((R, NEW), (R, NEW)), []),
        (((S, NEW), (R, OLD)), []),
        (((Q, OLD), (R, OLD)), []),
        (((State.STOPPING, OLD), (R, OLD)), []),
        (((S, OLD), (P, OLD), (R, OLD)), [0, 1]),
        (((R, OLD), (S, OLD)), [1]),
        (((State.FAILED, OLD), (R, OLD)), [1]),
        (((Q, 0), (R, OLD)), []),
    ],
)
def test_one_that_serves_goes_only_while_all_others_serve(
    groups: tuple[tuple[State, int], ...], indexes: list[int]
) -> None:
    assert [group.index for group in next_to_replace(aged(*groups), NEW)] == indexes


def test_who_leaves_anyway_is_not_waited_for() -> None:
    groups = aged((State.STOPPING, OLD), (R, OLD))
    leaving = replace(groups[0], group=replace(groups[0].group, stop_reason=StopReason.SCALED_DOWN))
    assert [group.index for group in next_to_replace([leaving, groups[1]], NEW)] == [1]
