from dataclasses import replace

from scheduler.core.deciding.backfilling.beside import Beside
from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import GroupMoved, JobSubmitted, NodeSeen, ReservationMade
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import KeptFor, KeptForOthers
from scheduler.core.model.waiting.promise import Promise
from tests.builders.core import NOON, as_change, make_group, make_job, make_node, seconds_after_noon
from tests.unit.core.deciding.backfilling.test_promises import GANG, GRACE_S, NODE, busy, limited, placed

SMALL = make_job(2, workers=4)
BEGINS_S = 600 + GRACE_S


def kept(*others: Job, state: SchedulerState | None = None) -> SchedulerState:
    """Return a state in which half of the only node is free and kept for the gang, and others wait behind it."""
    found = state or busy(NODE, running={"n1": (4, 600)}, jobs=(GANG, *others))
    passes = Passes(reserve_after_s=0)
    placed(passes, found)
    for promise in passes.promises.unwritten(found.promised):
        assert isinstance(promise, Promise)
        found.apply(as_change(ReservationMade(promise)))
    return found


def test_who_would_fit_on_what_is_kept_is_told_for_whom_until_when_and_which_limit_would_let_it_overtake() -> None:
    (reason,) = explain(kept(SMALL), make_group(SMALL).id, NOON).reasons
    those = KeptFor(GANG.id, GANG.tenant, seconds_after_noon(BEGINS_S), (("h100", 4),), ("mixed/n1",))
    assert reason == KeptForOthers((those,), overtakes_s=600)


def test_the_limit_that_is_named_is_short_enough_and_a_second_more_is_not() -> None:
    state = kept()
    for limit_s, is_placed in ((600, True), (601, False)):
        prospect = prospect_of(state, limited(SMALL, limit_s), NOON)
        assert (len(prospect.places), prospect.reasons == ()) == (is_placed, is_placed)
        job = replace(limited(SMALL, limit_s), id=f"job{limit_s}")
        state.apply(as_change(JobSubmitted(job, (make_group(job),))))
        assert (explain(state, make_group(job).id, NOON).reasons == ()) is is_placed


def test_later_a_shorter_limit_is_needed_and_at_last_none_is_short_enough() -> None:
    state, group = kept(SMALL), make_group(SMALL).id
    (later,) = explain(state, group, seconds_after_noon(100)).reasons
    (at_last,) = explain(state, group, seconds_after_noon(600)).reasons
    assert isinstance(later, KeptForOthers)
    assert isinstance(at_last, KeptForOthers)
    assert (later.overtakes_s, at_last.overtakes_s) == (500, None)


def test_what_is_kept_for_a_gang_is_not_kept_from_it_nor_from_one_that_is_alike_and_goes_before_it() -> None:
    state = kept()
    first = make_job(9, workers=8, priority=1)
    state.apply(as_change(JobSubmitted(first, (make_group(first),))))
    for live in list(state.live.values()):
        ended = replace(live.group, state=State.SUCCEEDED, version=live.group.version + 1)
        state.apply(as_change(GroupMoved(ended, live.attempt)))
    assert explain(state, make_group(GANG).id, NOON).reasons == ()
    assert explain(state, make_group(first).id, NOON).reasons == ()


def test_a_promise_that_cannot_be_kept_keeps_nothing() -> None:
    state = kept(SMALL, state=busy(NODE, make_node("n2"), running={"n1": (4, 600), "n2": (8, 9)}, jobs=(GANG, SMALL)))
    promised = dict(state.promised)
    state.apply(as_change(NodeSeen(replace(NODE, state=NodeState.DRAINED))))
    assert state.promised == promised
    found = Beside(state, NOON)
    place = state.waiters.classes.place_of(make_group(SMALL).id)
    assert found.find(state.request(SMALL.id), SMALL, place) is None
    state.apply(as_change(NodeSeen(make_node("n3"))))
    assert Beside(state, NOON).find(state.request(SMALL.id), SMALL, place) is not None


def test_looking_beside_promises_leaves_no_trace() -> None:
    state = kept(SMALL)
    before = state.digest()
    explain(state, make_group(SMALL).id, NOON)
    prospect_of(state, make_job(7, workers=4), NOON)
    assert state.digest() == before
