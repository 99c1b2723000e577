import pytest

from medley.screens.ends import first_failure, has_run, worker_state
from medley.screens.job_text import situation
from tests.builders.command import a_job, a_worker, an_attempt


def _exited(code: int | None, end: str = "exited", **changes: object) -> dict[str, object]:
    return a_worker(phase="exited", exit_code=code, end=end, **changes)


@pytest.mark.parametrize(
    ("worker", "want"),
    [
        (a_worker(), "running"),
        (_exited(0), "exit code 0"),
        (_exited(7), "exit code 7"),
        (_exited(-11), "killed by SIGSEGV"),
        (_exited(-99), "killed by signal 99"),
        (_exited(-15, "stopped"), "stopped (SIGTERM)"),
        (_exited(3, "stopped"), "stopped (exit code 3)"),
        (_exited(-9, "memory-limit"), "killed: over its memory"),
        (_exited(-15, "time-limit"), "stopped: over its time limit"),
        (a_worker(phase="lost", end="lost"), "lost"),
    ],
)
def test_the_end_of_a_worker_is_said_in_words(worker: dict[str, object], want: str) -> None:
    assert worker_state(worker) == want


@pytest.mark.parametrize(
    ("workers", "want"),
    [
        ([_exited(0), _exited(7, rank=2)], "rank 2 ended with exit code 7"),
        (
            [_exited(1, rank=0, ended_at="2026-01-01T00:00:09Z"), _exited(7, rank=3, ended_at="2026-01-01T00:00:08Z")],
            "rank 3 ended with exit code 7",
        ),
        ([_exited(-15, "stopped"), _exited(-11, rank=1)], "rank 1 was killed by SIGSEGV"),
        ([_exited(-9, "memory-limit")], "rank 0 was killed: over its memory"),
        ([a_worker(phase="lost", end="lost")], "rank 0 vanished without an exit code"),
        ([_exited(-15, "stopped"), _exited(0)], None),
    ],
)
def test_the_first_worker_that_failed_is_named(workers: list[dict[str, object]], want: str | None) -> None:
    assert first_failure(an_attempt(workers=workers)) == want


def test_a_failed_job_names_the_worker_that_failed() -> None:
    attempt = an_attempt(state="failed", stop_reason="worker-failed", workers=[_exited(7, rank=2)])
    stop = {"reason": "worker-failed", "text": "a worker ended with an exit code other than 0", "detail": None}
    assert situation(a_job(state="failed", attempts=[attempt], stop=stop)) == "rank 2 ended with exit code 7"


def test_an_attempt_whose_workers_never_started_has_not_run() -> None:
    assert has_run(an_attempt())
    assert not has_run(an_attempt(started_at=None, workers=[a_worker(phase="pending")]))
    assert has_run(an_attempt(started_at=None, workers=[_exited(1)]))
