from scheduler.core.model.group import State
from scheduler.core.model.job import ArrayMember, Job
from scheduler.core.model.reason import ArrayIsFull
from scheduler.core.queueing.arrays import ArraysLeft, MembersHolding, why_not_beside
from tests.builders.core import make_job


def member(index: int, *, array: str = "a1", most_at_once: int | None = 2) -> Job:
    return make_job(index, array=ArrayMember(array, "sweep", index, 9, most_at_once))


def holding(*jobs: Job) -> MembersHolding:
    held = MembersHolding()
    for job in jobs:
        held.take(job)
    return held


def test_so_many_of_an_array_hold_something_at_once_and_no_more() -> None:
    assert why_not_beside(member(1), holding(member(0))) is None
    assert why_not_beside(member(2), holding(member(0), member(1))) == ArrayIsFull("a1", 2)


def test_who_holds_something_counts_wherever_it_is_counted() -> None:
    assert why_not_beside(member(2), holding(member(0)), holding(member(1))) == ArrayIsFull("a1", 2)
    assert why_not_beside(member(2), holding(member(0)), holding()) is None


def test_who_gave_its_place_back_counts_no_more() -> None:
    held = holding(member(0), member(1))
    held.give(member(0))
    assert held.of("a1") == 1
    assert why_not_beside(member(2), held) is None
    held.give(member(1))
    assert held.of("a1") == 0


def test_other_arrays_and_jobs_of_none_hold_up_nobody() -> None:
    others = holding(member(0, array="a2"), member(1, array="a2"), make_job(7), make_job(8))
    assert why_not_beside(member(2), others) is None
    assert why_not_beside(make_job(3), holding(member(0), member(1))) is None
    others.give(make_job(7))
    assert others.of("a2") == 2


def test_an_array_without_a_limit_runs_all_at_once() -> None:
    jobs = [member(index, most_at_once=None) for index in range(9)]
    assert why_not_beside(jobs[-1], holding(*jobs[:-1])) is None


def test_an_array_is_left_until_its_last_job_is_over_and_then_says_what_they_became() -> None:
    arrays, jobs = ArraysLeft(), [member(index) for index in range(9)]
    for job in jobs:
        arrays.add(job)
    for job in jobs[:-1]:
        assert arrays.end(job, State.SUCCEEDED) is None
    standing = arrays.standing("a1")
    assert standing is not None
    assert (standing.ended, standing.left, standing.jobs) == (8, 1, 9)
    assert arrays.ended() == [("a1", [State.SUCCEEDED])]
    assert arrays.end(jobs[-1], State.CANCELLED) == ("a1", frozenset({State.SUCCEEDED, State.CANCELLED}))
    assert (arrays.standing("a1"), arrays.ended()) == (None, [])


def test_what_jobs_became_before_is_recalled_of_those_that_are_left() -> None:
    arrays = ArraysLeft()
    arrays.add(member(8))
    arrays.recall([("a1", [State.FAILED])])
    assert arrays.ended() == [("a1", [State.FAILED])]
    assert arrays.end(member(8), State.SUCCEEDED) == ("a1", frozenset({State.SUCCEEDED, State.FAILED}))


def test_a_job_of_no_array_is_the_end_of_none() -> None:
    arrays = ArraysLeft()
    arrays.add(make_job(1))
    assert arrays.end(make_job(1), State.SUCCEEDED) is None
