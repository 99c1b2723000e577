from scheduler.core.deciding.backfilling.keeping import Keeping
from scheduler.core.deciding.backfilling.promises import Promises
from scheduler.core.deciding.contest import Contest
from scheduler.core.deciding.cycle import Cycle
from scheduler.core.deciding.sleepers import Sleepers
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Placed, Refused
from scheduler.core.model.job import Job, Wish
from tests.builders.core import NOON, make_group, make_job, make_node, make_shape, make_state


def contested(state: SchedulerState, sleepers: Sleepers, *, anyway: bool = True) -> list[str]:
    """Let all classes contest, or those that sleep for room that there is; return who was decided on."""
    with Trial(state.ledger) as trial:
        keeping = Keeping(state, Promises(most=0), trial.apply, NOON)
        contest = Contest(state, Cycle(state, trial.apply, NOON), sleepers, keeping)
        candidates = state.waiters.classes.all.values() if anyway else ()
        return [decision.group for decision in contest.decide(candidates, [("mixed", "h100")])]


def groups(*jobs: Job) -> list[str]:
    return [make_group(job).id for job in jobs]


def test_who_is_first_in_the_queue_is_asked_first_whatever_it_asks_for() -> None:
    jobs = (make_job(1, workers=5), make_job(2, workers=4), make_job(3, workers=3, priority=1))
    assert contested(make_state(make_node(), jobs=jobs), Sleepers()) == groups(jobs[2], jobs[0])


def test_those_who_found_no_place_sleep_and_those_who_did_do_not() -> None:
    jobs = (make_job(1, workers=8), make_job(2, workers=2))
    state, sleepers = make_state(make_node(), jobs=jobs), Sleepers()
    contested(state, sleepers)
    assert [each.asked[0] for each in sleepers] == [state.request(jobs[1].id)]


def asleep(state: SchedulerState) -> Sleepers:
    """Let all classes sleep for the room of which one device is enough for each worker."""
    sleepers = Sleepers()
    for each in state.waiters.classes.all.values():
        ((_, ((_, wants),)),) = state.requests.wants(each.asked[0])
        sleepers.put(each, wants)
    return sleepers


def test_where_the_numbers_say_no_nobody_is_asked_and_sleeps_on() -> None:
    state = make_state(make_node(), jobs=(make_job(1, workers=9),))
    sleepers = asleep(state)
    assert contested(state, sleepers, anyway=False) == []
    assert len(sleepers) == 1


def test_of_those_that_sleep_for_room_the_first_have_it_and_the_others_sleep_on() -> None:
    jobs = [make_job(number, workers=number, tenant=f"team-{number % 3}") for number in (1, 8, 4, 3, 2)]
    state = make_state(make_node(), jobs=tuple(jobs))
    sleepers = asleep(state)
    want = contested(make_state(make_node(), jobs=tuple(jobs)), Sleepers())
    assert contested(state, sleepers, anyway=False) == want
    assert len(want) >= 3
    assert len(sleepers) == len(jobs) - len(want)


def test_a_job_that_is_to_stop_is_passed_over_and_those_behind_it_are_not() -> None:
    stopping, following = make_job(1, wish=Wish.STOP), make_job(2)
    assert contested(make_state(make_node(), jobs=(stopping, following)), Sleepers()) == groups(following)


def test_all_members_of_a_class_that_can_never_have_a_place_are_refused() -> None:
    jobs = (make_job(1, shape=make_shape(9)), make_job(2, shape=make_shape(9)))
    state = make_state(make_node(), jobs=jobs)
    assert contested(state, Sleepers()) == groups(*jobs)
    with Trial(state.ledger) as trial:
        keeping = Keeping(state, Promises(most=0), trial.apply, NOON)
        contest = Contest(state, Cycle(state, trial.apply, NOON), Sleepers(), keeping)
        decisions = list(contest.decide(state.waiters.classes.all.values()))
    assert all(isinstance(decision, Refused) for decision in decisions)
    assert not any(isinstance(decision, Placed) for decision in decisions)
