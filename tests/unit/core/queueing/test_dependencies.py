from scheduler.core.model.group import State
from scheduler.core.model.job import ArrayMember, Condition, Dependency, Job
from scheduler.core.model.reason import CannotFollow, WaitsForArray, WaitsForJob
from scheduler.core.queueing.arrays import ArraysLeft
from scheduler.core.queueing.dependencies import Dependents, why_never, why_not_yet
from tests.builders.core import make_job

FIRST, SECOND = make_job(1).id, make_job(2).id
BOTH = make_job(3, after=(Dependency(FIRST), Dependency(SECOND, Condition.ENDED)))
NONE, ARRAY = ArraysLeft(), "a1"
MEMBERS = [make_job(10 + index, array=ArrayMember(ARRAY, "sweep", index, 3)) for index in range(3)]
AFTER_ARRAY = make_job(20, after=(Dependency(ARRAY, is_array=True),))


def settled(**became: State) -> Job:
    job = BOTH
    for name, state in became.items():
        job = job.with_settled({"first": FIRST, "second": SECOND}[name], state)
    return job


def test_a_job_waits_for_all_that_are_not_over_in_its_order() -> None:
    assert why_not_yet(BOTH, NONE) == (
        WaitsForJob(FIRST, Condition.SUCCEEDED),
        WaitsForJob(SECOND, Condition.ENDED),
    )
    assert why_not_yet(settled(first=State.SUCCEEDED), NONE) == (WaitsForJob(SECOND, Condition.ENDED),)
    assert why_not_yet(settled(second=State.FAILED, first=State.SUCCEEDED), NONE) == ()
    assert why_not_yet(make_job(), NONE) == ()


def test_what_was_to_succeed_and_did_not_is_lost_and_what_was_to_end_never_is() -> None:
    assert why_never(BOTH) == why_never(settled(first=State.SUCCEEDED, second=State.CANCELLED)) == ()
    for became in (State.FAILED, State.CANCELLED):
        assert why_never(settled(first=became, second=State.FAILED)) == (CannotFollow(FIRST, became),)


def test_what_became_of_others_is_kept_in_the_order_of_the_job() -> None:
    job = settled(second=State.FAILED, first=State.SUCCEEDED)
    assert job.settled == ((FIRST, State.SUCCEEDED), (SECOND, State.FAILED))


def test_those_who_waited_for_a_job_are_named_once() -> None:
    dependents, first, other = Dependents(), make_job(1), make_job(4, after=(Dependency(FIRST),))
    dependents.add(BOTH, other)
    assert dependents.end(first, State.FAILED) == [(FIRST, frozenset({State.FAILED}), [BOTH.id, other.id])]
    assert dependents.end(first, State.FAILED) == [(FIRST, frozenset({State.FAILED}), [])]
    assert dependents.end(make_job(2), State.SUCCEEDED) == [(SECOND, frozenset({State.SUCCEEDED}), [BOTH.id])]


def test_who_is_over_waits_for_nobody() -> None:
    dependents = Dependents()
    dependents.add(BOTH)
    for _ in range(2):
        dependents.end(BOTH, State.CANCELLED)
    ends = [dependents.end(make_job(number), State.SUCCEEDED) for number in (1, 2)]
    assert [waiting for ((_, _, waiting),) in ends] == [[], []]


def test_an_array_is_waited_for_until_its_last_job_is_over_with_how_many_are() -> None:
    dependents = Dependents()
    dependents.add(*MEMBERS, AFTER_ARRAY)
    assert why_not_yet(AFTER_ARRAY, dependents.arrays) == (WaitsForArray(ARRAY, Condition.SUCCEEDED, 0, 3),)
    for ended, member in enumerate(MEMBERS[:2], 1):
        assert [name for name, _, _ in dependents.end(member, State.SUCCEEDED)] == [member.id]
        assert why_not_yet(AFTER_ARRAY, dependents.arrays) == (WaitsForArray(ARRAY, Condition.SUCCEEDED, ended, 3),)
    _, whole = dependents.end(MEMBERS[2], State.FAILED)
    assert whole == (ARRAY, frozenset({State.SUCCEEDED, State.FAILED}), [AFTER_ARRAY.id])
    assert why_not_yet(AFTER_ARRAY, dependents.arrays) == (), "it is over, however little is known of how"


def test_an_array_that_was_to_succeed_is_lost_where_it_did_not() -> None:
    lost = AFTER_ARRAY.with_settled(ARRAY, State.FAILED)
    assert why_never(lost) == (CannotFollow(ARRAY, State.FAILED, is_array=True),)
    assert why_not_yet(lost, NONE) == ()
    assert why_never(AFTER_ARRAY.with_settled(ARRAY, State.SUCCEEDED)) == ()
