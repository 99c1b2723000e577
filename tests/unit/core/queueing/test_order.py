from dataclasses import replace

from scheduler.core.model.job import Job
from scheduler.core.queueing.order import queue_key
from tests.builders.core import NOON, make_group, make_job, seconds_after_noon


def ordered(*jobs: Job) -> list[str]:
    return [job.id for job in sorted(jobs, key=lambda job: queue_key(job, make_group(job)))]


def test_a_higher_priority_goes_before_an_earlier_submission() -> None:
    early, urgent = make_job(1), make_job(2, priority=5)
    assert ordered(early, urgent) == [urgent.id, early.id]


def test_among_equal_priorities_the_earlier_submission_goes_first() -> None:
    late, early = make_job(1, submitted_at=make_job(9).submitted_at), make_job(2)
    assert ordered(late, early) == [early.id, late.id]


def test_a_tie_ends_in_the_job_id_and_then_the_groups_index() -> None:
    first, second = make_job(1, submitted_at=NOON), make_job(2, submitted_at=NOON)
    assert ordered(second, first) == [first.id, second.id]
    group = make_group(first)
    assert queue_key(first, group) < queue_key(first, replace(group, index=1))


def test_a_point_of_priority_is_a_head_start_and_no_more() -> None:
    early, urgent = make_job(1), make_job(2, priority=1, submitted_at=seconds_after_noon(700))
    in_time = make_job(3, priority=1, submitted_at=seconds_after_noon(500))
    assert ordered(early, urgent, in_time) == [in_time.id, early.id, urgent.id]


def test_without_ageing_higher_priority_goes_before_all_else() -> None:
    early, urgent = make_job(1), make_job(2, priority=1, submitted_at=seconds_after_noon(1_000_000))
    keys = [queue_key(job, make_group(job), ageing_s=0.0) for job in (urgent, early)]
    assert keys == sorted(keys)


def test_a_lower_level_goes_before_an_earlier_submission() -> None:
    early, late = make_job(1), make_job(2)
    assert queue_key(late, make_group(late)) < queue_key(early, make_group(early), level=1.0)
