from api.answers.jobs import job_answer, worker_answer
from api.schemas.job import MOST_ATTEMPTS
from scheduler.core.model.attempt import Allocation, Attempt
from scheduler.core.model.group import State, StopReason
from scheduler.ports.views import JobView
from tests.builders.core import make_job, seconds_after_noon


def ended_attempt(number: int) -> Attempt:
    return Attempt(
        id=f"a{number}",
        group_id="g-g0",
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


def test_a_worker_says_what_it_holds() -> None:
    shared = Allocation(0, "mixed/n1", "h100", (3,), 1000, 512, share_milli=500, share_memory_mib=40_960)
    counted = Allocation(1, "east/n1", "h100", (), 1000, 512, counted=8)
    launcher = Allocation(2, "east/n2", None, (), 1000, 512, role="launcher")
    answers = [worker_answer(each, None, None) for each in (shared, counted, launcher)]
    assert [(one.chip, one.devices, one.devices_counted, one.role) for one in answers] == [
        ("h100", (3,), 0, "worker"),
        ("h100", (), 8, "worker"),
        (None, (), 0, "launcher"),
    ]
    assert answers[0].share is not None
    assert answers[0].share.model_dump() == {"milli": 500, "memory_mib": 40_960}
    assert (answers[1].share, answers[1].cpu_milli, answers[1].memory_mib) == (None, 1000, 512)
