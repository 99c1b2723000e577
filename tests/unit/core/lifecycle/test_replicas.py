"""Wanted replicas against the groups there are."""

from dataclasses import replace

import pytest

from scheduler.core.lifecycle.replicas import Scaling, is_member, scaling
from scheduler.core.model.group import Group, State, StopReason, first_group

R, S, P, Q = State.RUNNING, State.STARTING, State.PLACED, State.QUEUED
RETIRED = (State.CANCELLED, StopReason.SCALED_DOWN)
LEAVING = (State.STOPPING, StopReason.SCALED_DOWN)
FAILED = (State.FAILED, StopReason.UNSTARTABLE)
RESTARTING = (State.STOPPING, StopReason.WORKER_FAILED)


def groups(*states: State | tuple[State, StopReason]) -> list[Group]:
    made = []
    for index, each in enumerate(states):
        state, reason = each if isinstance(each, tuple) else (each, None)
        made.append(replace(first_group("job1", index), state=state, stop_reason=reason))
    return made


def indexes(found: tuple[Group, ...]) -> list[int]:
    return [group.index for group in found]


def test_what_is_as_wanted_is_left_alone() -> None:
    assert scaling(groups(R, Q, RESTARTING), 3, with_failed=True) == Scaling()


def test_missing_replicas_are_added() -> None:
    assert scaling(groups(R), 3, with_failed=True) == Scaling(add=2)


@pytest.mark.parametrize(
    ("states", "wanted", "retired"),
    [
        ((R, R, R), 1, [1, 2]),
        ((Q, R, S), 1, [0, 2]),
        ((RESTARTING, R, Q, P), 2, [0, 2]),
        ((R, LEAVING, R), 1, [2]),
    ],
)
def test_those_go_first_that_are_furthest_from_serving(
    states: tuple[State | tuple[State, StopReason], ...], wanted: int, retired: list[int]
) -> None:
    steps = scaling(groups(*states), wanted, with_failed=True)
    assert (sorted(indexes(steps.retire)), steps.revive, steps.add) == (retired, (), 0)


def test_retired_replicas_come_back_before_new_ones_are_made() -> None:
    steps = scaling(groups(R, RETIRED, RETIRED), 4, with_failed=True)
    assert (indexes(steps.revive), steps.add, steps.retire) == ([1, 2], 1, ())


def test_one_that_is_leaving_is_waited_for_and_not_replaced() -> None:
    assert scaling(groups(R, LEAVING), 2, with_failed=True) == Scaling()
    assert indexes(scaling(groups(R, RETIRED), 2, with_failed=False).revive) == [1]


def test_failed_replicas_come_back_only_when_somebody_asks() -> None:
    assert indexes(scaling(groups(R, FAILED), 2, with_failed=True).revive) == [1]
    assert scaling(groups(R, FAILED, RETIRED), 2, with_failed=False) == Scaling()


def test_there_are_never_more_groups_than_were_ever_wanted() -> None:
    present = groups(R, LEAVING, LEAVING, RETIRED)
    steps = scaling(present, 4, with_failed=True)
    assert (indexes(steps.revive), steps.add) == ([3], 0)


def test_who_is_cancelled_by_the_user_is_no_member_any_more() -> None:
    (group,) = groups((State.STOPPING, StopReason.CANCELLED))
    assert not is_member(group)
    assert scaling(groups((State.CANCELLED, StopReason.CANCELLED)), 1, with_failed=True) == Scaling()
