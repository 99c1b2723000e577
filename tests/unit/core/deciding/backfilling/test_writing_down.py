from scheduler.core.deciding.backfilling.promises import Promises
from scheduler.core.deciding.backfilling.writing_down import taken_over, written_down
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import ReservationMade
from scheduler.core.model.waiting.promise import Basis, Dropped, DropReason, NodeRoom, Promise
from tests.builders.core import as_change, make_group, make_job, make_node, seconds_after_noon
from tests.unit.core.deciding.backfilling.test_promises import GANG, GRACE_S, NODE, busy, placed


def kept() -> tuple[SchedulerState, Passes]:
    """Return a state in which room is kept for one gang."""
    state, passes = busy(NODE, running={"n1": (4, 600)}, jobs=(GANG,)), Passes(reserve_after_s=0)
    placed(passes, state)
    return state, passes


def test_a_reservation_is_written_down_with_its_nodes_and_the_ends_that_it_counts_on() -> None:
    state, passes = kept()
    (promise,) = passes.promises.unwritten(state.promised)
    assert isinstance(promise, Promise)
    assert (promise.group, promise.begins) == (make_group(GANG).id, seconds_after_noon(600 + GRACE_S))
    assert promise.needs == (NodeRoom("mixed/n1", (("h100", 8),), 8_000, 8_192, 8),)
    (end,) = promise.awaited
    assert (end.at, end.basis, end.gives[0].devices) == (promise.begins, Basis.LIMIT, (("h100", 4),))


def test_what_was_written_down_is_the_same_reservation_again() -> None:
    state, passes = kept()
    (made,) = passes.promises.standing
    again = taken_over(written_down(made), state.ledger)
    assert again is not None
    assert written_down(again) == written_down(made)
    assert again.set_aside(state.ledger) == made.set_aside(state.ledger)


def test_a_promise_on_a_node_that_is_gone_is_not_taken_over() -> None:
    state, passes = kept()
    (promise,) = passes.promises.unwritten(state.promised)
    assert isinstance(promise, Promise)
    elsewhere = busy(make_node("n2"), running={"n2": (4, 600)}, jobs=(GANG,))
    assert taken_over(promise, elsewhere.ledger) is None
    elsewhere.promised[promise.group] = promise
    found = Promises.of(elsewhere)
    assert found.unwritten(elsewhere.promised) == [Dropped(promise.group, DropReason.NOT_NEEDED)]


def test_nothing_is_written_down_twice_and_what_a_new_leader_takes_over_not_at_all() -> None:
    state, passes = kept()
    (promise,) = passes.promises.unwritten(state.promised)
    assert isinstance(promise, Promise)
    state.apply(as_change(ReservationMade(promise)))
    assert passes.promises.unwritten(state.promised) == []
    assert passes.promises.unwritten(state.promised) == []
    successor = Passes(reserve_after_s=0)
    placed(successor, state, 1)
    assert [each.begins for each in successor.promises.standing] == [promise.begins]
    assert successor.promises.unwritten(state.promised) == []


def test_what_is_kept_no_more_is_written_down_with_why() -> None:
    state, passes = kept()
    (promise,) = passes.promises.unwritten(state.promised)
    assert isinstance(promise, Promise)
    state.apply(as_change(ReservationMade(promise)))
    placed(passes, state, 10_000)
    (news,) = passes.promises.unwritten(state.promised)
    assert isinstance(news, Promise), "it is made anew, later"
    passes.promises.drop(state.waiters.classes.of(promise.group), DropReason.OVERDUE)  # type: ignore[arg-type] # it waits
    assert passes.promises.unwritten(state.promised) == [Dropped(promise.group, DropReason.OVERDUE)]


def test_the_promise_of_one_who_waits_no_longer_is_dropped_by_the_next_leader() -> None:
    state, passes = kept()
    (promise,) = passes.promises.unwritten(state.promised)
    other = busy(NODE, running={"n1": (4, 600)}, jobs=(make_job(5, workers=8),))
    assert isinstance(promise, Promise)
    other.promised[promise.group] = promise
    successor = Passes(reserve_after_s=0)
    placed(successor, other)
    gone, made = successor.promises.unwritten(other.promised)
    assert gone == Dropped(promise.group, DropReason.NOT_NEEDED)
    assert isinstance(made, Promise)
