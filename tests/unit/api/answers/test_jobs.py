from api.answers.jobs import job_answer
from api.schemas.job import MOST_ATTEMPTS
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.group import State, StopReason
from scheduler.ports.views import JobView
from tests.builders.core import make_job, seconds_after_noon


def ended_attempt(number: int) -> Attempt:
    return Attempt(
        id=f"a{number}",
        group_id="g",
        number=number,
        generation=1,
        state=State.FAILED,
        stop_reason=StopReason.WORKER_FAILED,
        allocations=(),
        notes=(),
        workers=(),
        placed_at=seconds_after_noon(number),
    )


def test_a_job_of_many_attempts_shows_the_latest_in_their_order() -> None:
    view = JobView(
        job=make_job(),
        state=State.QUEUED,
        groups=(),
        attempts=tuple(ended_attempt(number) for number in range(1, MOST_ATTEMPTS + 6)),
        progress=None,
        finished_at=None,
        refusal=None,
    )
    shown = [attempt.number for attempt in job_answer(view, (), None).attempts]
    assert shown == list(range(6, MOST_ATTEMPTS + 6))
