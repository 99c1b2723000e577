import pytest

from scheduler.core.ledger.changes import Hold, Overcommitted, PutNode
from scheduler.core.ledger.trial import Trial
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node


def take_slot(attempt: str, slot: int, *, node: str = "mixed/n1") -> Hold:
    return make_hold(attempt, make_allocation((slot,), node=node))


def test_what_was_tried_is_real_inside_and_taken_back_newest_first() -> None:
    ledger = make_ledger(make_node())
    before = ledger.digest()
    with Trial(ledger) as trial:
        trial.apply(PutNode(make_node("n2")))
        trial.apply(take_slot("a1", 0, node="mixed/n2"))
        assert ledger.devices_free("mixed", "h100") == 15
    assert ledger.digest() == before


def test_an_error_inside_takes_everything_back_and_is_not_hidden() -> None:
    ledger = make_ledger(make_node())
    before = ledger.digest()

    def take_one_slot_twice() -> None:
        with Trial(ledger) as trial:
            trial.apply(take_slot("a1", 0))
            trial.apply(take_slot("a2", 0))

    with pytest.raises(Overcommitted):
        take_one_slot_twice()
    assert ledger.digest() == before
