import pytest
from medley_runtime.api_client import ApiClient
from medley_runtime.endings import AttemptClosed
from medley_runtime.launch import parse_launch
from medley_runtime.progress import WAITING_LIMIT, Progress, ProgressReporter

from tests.builders.eventually import eventually
from tests.builders.runtime import TOKEN, WorkerApi, launch_document, serving

LAUNCH = parse_launch(launch_document())


def reporter_for(api: WorkerApi) -> ProgressReporter:
    return ProgressReporter(LAUNCH, ApiClient(api.url, TOKEN, print))


def progress(step: int) -> Progress:
    return Progress(step, 60, 2.5, 1000.0)


def test_a_report_arrives_as_the_contract_has_it() -> None:
    with serving(WorkerApi()) as api:
        reporter = reporter_for(api)
        reporter.report(progress(10))
        reporter.close()

    assert api.requests == ["POST /v1/attempts/attempt-1/progress"]
    assert api.progress == [{"generation": 7, "step": 10, "steps": 60, "loss": 2.5, "tokens_per_s": 1000.0}]


def test_a_slow_api_never_holds_up_the_training_and_the_oldest_reports_are_dropped() -> None:
    with serving(WorkerApi()) as api:
        api.holds.set()
        reporter = reporter_for(api)
        reporter.report(progress(1))
        eventually(lambda: bool(api.requests), within_s=5)
        for step in range(2, 102):
            reporter.report(progress(step))
        api.released.set()
        eventually(lambda: len(api.progress) == 1 + WAITING_LIMIT, within_s=5)
        reporter.close()

    want = [1, *range(102 - WAITING_LIMIT, 102)]
    assert [report["step"] for report in api.progress] == want


def test_closing_sends_the_last_report() -> None:
    with serving(WorkerApi(scripted=[(503, {})])) as api:
        reporter = reporter_for(api)
        reporter.report(progress(59))
        reporter.report(progress(60))
        reporter.close()

    assert api.progress[-1]["step"] == 60


def test_refused_reports_are_told_once_and_the_training_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(WorkerApi(scripted=[(422, {"code": "no"})] * 2)) as api:
        reporter = reporter_for(api)
        for step in (1, 2, 3):
            reporter.report(progress(step))
            eventually(lambda want=step: len(api.requests) == want, within_s=5)  # type: ignore[misc]  # binds the step
        reporter.close()

    assert [report["step"] for report in api.progress] == [3]
    assert capsys.readouterr().err.count("progress is not reported") == 1


def test_a_closed_attempt_ends_the_training_at_a_later_report() -> None:
    with serving(WorkerApi(is_closed=True)) as api:
        reporter = reporter_for(api)
        reporter.report(progress(1))
        eventually(lambda: bool(api.requests), within_s=5)
        reporter.close()
        with pytest.raises(AttemptClosed):
            reporter.report(progress(2))
