from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import TABLE
from scheduler.core.model.group import State


def test_every_event_moves_a_group_from_some_state_to_another() -> None:
    for event in Event:
        assert any(isinstance(row[event], State) for row in TABLE.values()), event
