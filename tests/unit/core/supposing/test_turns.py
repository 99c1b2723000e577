from scheduler.core.deciding.preempting.rules import NO_PREEMPTION, Rules
from scheduler.core.supposing.turns import Gained, take_turns
from tests.builders.core import NOON, make_group, make_job, make_node, make_state
from tests.unit.core.deciding.backfilling.test_beside import kept


def test_nobody_is_asked_where_there_is_nothing_more_than_before() -> None:
    state = make_state(make_node(), jobs=(make_job(1),))
    assert take_turns(state, Gained.nothing(), Rules(), NOON).placed == ()


def test_where_there_is_more_room_those_have_it_that_are_first_and_what_is_kept_stays_so() -> None:
    state, gained = make_state(make_node(), jobs=(make_job(2, workers=6), make_job(1, workers=4))), Gained.nothing()
    gained.room_on(state.ledger.kind_of("mixed/n1"))
    before = state.digest()
    assert [group for group, _ in take_turns(state, gained, NO_PREEMPTION, NOON).placed] == [make_group(make_job(1)).id]
    assert state.digest() == before
    small = make_job(2, workers=2)
    keeping, gained = kept(small), Gained.nothing()
    gained.room_on(keeping.ledger.kind_of("mixed/n1"))
    assert take_turns(keeping, gained, NO_PREEMPTION, NOON).placed == ()


def test_whose_queue_may_have_more_is_asked() -> None:
    state, gained = make_state(make_node(), jobs=(make_job(1),)), Gained.nothing()
    gained.queues["alpha"] = None
    assert len(take_turns(state, gained, Rules(), NOON).placed) == 1
