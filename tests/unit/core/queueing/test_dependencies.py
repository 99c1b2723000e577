from scheduler.core.model.group import State
from scheduler.core.model.job import Condition, Dependency, Job
from scheduler.core.model.reason import CannotFollow, WaitsForJob
from scheduler.core.queueing.dependencies import Dependents, why_never, why_not_yet
from tests.builders.core import make_job

FIRST, SECOND = make_job(1).id, make_job(2).id
BOTH = make_job(3, after=(Dependency(FIRST), Dependency(SECOND, Condition.ENDED)))


def settled(**became: State) -> Job:
    job = BOTH
    for name, state in became.items():
        job = job.with_settled({"first": FIRST, "second": SECOND}[name], state)
    return job


def test_a_job_waits_for_all_that_are_not_over_in_its_order() -> None:
    assert why_not_yet(BOTH) == (
        WaitsForJob(FIRST, Condition.SUCCEEDED),
        WaitsForJob(SECOND, Condition.ENDED),
    )
    assert why_not_yet(settled(first=State.SUCCEEDED)) == (WaitsForJob(SECOND, Condition.ENDED),)
    assert why_not_yet(settled(second=State.FAILED, first=State.SUCCEEDED)) == ()
    assert why_not_yet(make_job()) == ()


def test_what_was_to_succeed_and_did_not_is_lost_and_what_was_to_end_never_is() -> None:
    assert why_never(BOTH) == why_never(settled(first=State.SUCCEEDED, second=State.CANCELLED)) == ()
    for became in (State.FAILED, State.CANCELLED):
        assert why_never(settled(first=became, second=State.FAILED)) == (CannotFollow(FIRST, became),)


def test_what_became_of_others_is_kept_in_the_order_of_the_job() -> None:
    job = settled(second=State.FAILED, first=State.SUCCEEDED)
    assert job.settled == ((FIRST, State.SUCCEEDED), (SECOND, State.FAILED))


def test_those_who_waited_for_a_job_are_named_once() -> None:
    dependents, other = Dependents(), make_job(4, after=(Dependency(FIRST),))
    dependents.add(BOTH)
    dependents.add(other)
    assert dependents.released_by(FIRST) == [BOTH.id, other.id]
    assert dependents.released_by(FIRST) == []
    assert dependents.released_by(SECOND) == [BOTH.id]


def test_who_is_over_waits_for_nobody() -> None:
    dependents = Dependents()
    dependents.add(BOTH)
    dependents.remove(BOTH)
    dependents.remove(BOTH)
    assert dependents.released_by(FIRST) == dependents.released_by(SECOND) == []
