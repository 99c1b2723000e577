import pytest

from scheduler.core.ledger.changes import Hold, Overcommitted, PutCluster, PutNode, Release
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.node import Cluster, NodeState
from tests.builders.core import can_hold, devices_free, make_allocation, make_hold, make_ledger, make_node, make_share


def take_slot(attempt: str, slot: int, *, node: str = "mixed/n1") -> Hold:
    return make_hold(attempt, make_allocation((slot,), node=node))


def test_what_was_tried_is_real_inside_and_taken_back_newest_first() -> None:
    ledger = make_ledger(make_node())
    before = ledger.digest()
    with Trial(ledger) as trial:
        trial.apply(PutNode(make_node("n2")))
        trial.apply(take_slot("a1", 0, node="mixed/n2"))
        assert devices_free(ledger) == 15
    assert (ledger.digest(), devices_free(ledger)) == (before, 8)


def test_an_error_inside_takes_everything_back_and_is_not_hidden() -> None:
    ledger = make_ledger(make_node())
    before = ledger.digest()

    def take_one_slot_twice() -> None:
        with Trial(ledger) as trial:
            trial.apply(take_slot("a1", 0))
            trial.apply(take_slot("a2", 0))

    with pytest.raises(Overcommitted):
        take_one_slot_twice()
    assert (ledger.digest(), devices_free(ledger)) == (before, 8)


def test_what_was_released_for_a_trial_is_held_again_on_the_same_slots() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_allocation((3, 5)), make_share(6, 700)))
    before = ledger.digest()
    with Trial(ledger) as trial:
        trial.apply(Release("a1"))
        trial.apply(take_slot("a2", 3))
        trial.apply(PutNode(make_node(state=NodeState.DRAINED)))
    assert (ledger.digest(), devices_free(ledger)) == (before, 5)
    assert can_hold(ledger, make_share(6, 300))
    assert not can_hold(ledger, make_share(6, 301))


def test_what_is_said_of_a_cluster_holds_for_the_trial_alone() -> None:
    ledger = make_ledger(make_node())
    with Trial(ledger) as trial:
        trial.apply(PutCluster(Cluster("mixed", "local", enforces_shares=False)))
        assert not can_hold(ledger, make_share(0, 100))
    assert can_hold(ledger, make_share(0, 100))


def test_the_newest_changes_alone_can_be_taken_back() -> None:
    ledger = make_ledger(make_node())
    with Trial(ledger) as trial:
        trial.apply(make_hold("a/1", make_allocation((0,))))
        kept, digest = trial.changes, ledger.digest()
        trial.apply(make_hold("b/1", make_allocation((1,))))
        trial.apply(make_hold("c/1", make_allocation((2,))))
        trial.back_to(kept)
        assert ledger.digest() == digest
