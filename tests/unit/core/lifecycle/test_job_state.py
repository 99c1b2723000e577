from itertools import product

import pytest

from scheduler.core.lifecycle.job_state import job_state
from scheduler.core.model.group import FINAL, State


@pytest.mark.parametrize("state", State)
def test_a_job_with_one_group_is_what_its_group_is(state: State) -> None:
    assert job_state([state]) is state


@pytest.mark.parametrize("pair", list(product(State, State)))
def test_the_order_of_groups_does_not_matter(pair: tuple[State, State]) -> None:
    assert job_state(pair) is job_state(pair[::-1])


@pytest.mark.parametrize("pair", list(product(State, State)))
def test_a_job_is_final_exactly_when_all_its_groups_are(pair: tuple[State, State]) -> None:
    assert (job_state(pair) in FINAL) == all(state in FINAL for state in pair)


def test_one_failed_group_fails_a_job_that_is_over() -> None:
    assert job_state([State.SUCCEEDED, State.CANCELLED, State.FAILED]) is State.FAILED
    assert job_state([State.SUCCEEDED, State.CANCELLED]) is State.CANCELLED


def test_a_living_job_is_what_its_furthest_group_is() -> None:
    assert job_state([State.QUEUED, State.RUNNING, State.FAILED]) is State.RUNNING
    assert job_state([State.STOPPING, State.RUNNING]) is State.RUNNING
    assert job_state([State.STOPPING, State.QUEUED]) is State.STOPPING
