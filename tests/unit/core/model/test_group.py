from dataclasses import replace

from scheduler.core.model.group import FINAL, HOLDING, State
from tests.builders.core import make_group, make_job


def test_a_state_holds_devices_or_is_final_or_is_queued_and_never_two_of_these() -> None:
    assert HOLDING.isdisjoint(FINAL)
    assert set(State) - HOLDING - FINAL == {State.QUEUED}


def test_placing_a_group_makes_the_attempt_after_the_latest() -> None:
    group = replace(make_group(make_job()), attempts=2)
    assert group.latest_attempt == f"{group.id}-a2"
    assert group.next_attempt == f"{group.id}-a3"
