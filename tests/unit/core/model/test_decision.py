from typing import get_args

from scheduler.core.model.decision import Decision, GivenPlace, Placed, Refused, Waiting
from scheduler.core.model.reason import PlacementNote
from tests.builders.core import make_allocation


def test_a_decision_that_is_written_names_the_version_it_was_made_on() -> None:
    versioned = {kind for kind in get_args(Decision) if "version" in kind.__dataclass_fields__}
    assert versioned == {Placed, Refused}
    assert Waiting in get_args(Decision)


def test_a_placed_gang_holds_what_its_place_says_and_is_told_why() -> None:
    note = PlacementNote(0, "mixed/n1", "h100", 1, 1, "node", "mixed/n1", 1, 8, 7)
    placed = Placed("g", 1, "g-a1", GivenPlace((make_allocation((0,)),), (note,)))
    assert placed.allocations == (make_allocation((0,)),)
    assert placed.notes == (note,)
