import math

import pytest
from medley_runtime.api_client import ApiClient
from medley_runtime.endings import AttemptClosed
from medley_runtime.heartbeats.heart import Gauges, Heart, Progress
from medley_runtime.launch import parse_launch

from tests.builders.eventually import eventually
from tests.builders.runtime import TOKEN, WorkerApi, launch_document, serving

LAUNCH = parse_launch(launch_document())
GAUGES = Gauges(memory_mib=lambda: 512, device_memory_mib=lambda: None)


def heart_for(api: WorkerApi, *, reports: int = 0, is_alone: bool = True) -> Heart:
    return Heart(LAUNCH, ApiClient(api.url, TOKEN, print), gauges=GAUGES, reports=reports, is_alone=is_alone)


def progress(step: int, loss: float = 2.5) -> Progress:
    return Progress(step, 60, loss, 1000.0)


def test_a_heartbeat_arrives_as_the_contract_has_it() -> None:
    with serving(WorkerApi(next_s=30.0)) as api:
        heart = heart_for(api, reports=1)
        eventually(lambda: len(api.heartbeats) == 1, within_s=60)
        heart.report(progress(10))
        heart.saved(8)
        heart.close()

    assert set(api.requests) == {"POST /v1/attempts/attempt-1/heartbeat"}
    first, last = api.heartbeats[0], api.heartbeats[-1]
    assert first == {
        "generation": 7,
        "reports": 1,
        "memory_mib": 512,
        "device_memory_mib": None,
        "checkpoint_step": None,
        "progress": None,
    }
    step = {"step": 10, "steps": 60, "loss": 2.5, "tokens_per_s": 1000.0}
    assert last == {**first, "reports": 2, "checkpoint_step": 8, "progress": step}


def test_it_goes_on_beating_as_often_as_the_server_wants() -> None:
    with serving(WorkerApi(next_s=0.02)) as api:
        heart = heart_for(api)
        eventually(lambda: len(api.heartbeats) >= 5, within_s=60)
        heart.close()


def test_a_thousand_reports_in_a_row_are_a_few_heartbeats_and_the_last_one_arrives() -> None:
    with serving(WorkerApi(next_s=0.5)) as api:
        heart = heart_for(api)
        for step in range(1, 61):
            heart.report(progress(step))
        heart.close()

    assert len(api.heartbeats) <= 4
    assert api.progress[-1]["step"] == 60
    assert api.heartbeats[-1]["reports"] == 60


def test_what_came_too_soon_for_the_server_is_told_again() -> None:
    with serving(WorkerApi(next_s=0.02, scripted=[(200, {"next_s": 0.02, "is_kept": False})])) as api:
        heart = heart_for(api, is_alone=False)
        heart.saved(5)
        eventually(lambda: bool(api.heartbeats), within_s=60)
        heart.close()

    assert len(api.requests) == 2
    assert api.checkpoints == [5]


def test_beside_another_heart_it_tells_only_what_is_new() -> None:
    with serving(WorkerApi(next_s=0.02)) as api:
        heart = heart_for(api, is_alone=False)
        heart.report(progress(60))
        heart.close()

    assert len(api.heartbeats) == 1


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_is_told_as_none(loss: float) -> None:
    with serving(WorkerApi()) as api:
        heart = heart_for(api)
        heart.report(progress(60, loss))
        heart.close()

    assert api.progress[-1] == {"step": 60, "steps": 60, "loss": None, "tokens_per_s": 1000.0}


def test_closing_sends_the_last_report_through_a_server_that_is_being_restarted() -> None:
    with serving(WorkerApi(scripted=[(503, {})] * 2)) as api:
        heart = heart_for(api)
        heart.report(progress(59))
        heart.report(progress(60))
        heart.close()

    assert api.progress[-1]["step"] == 60


def test_refusals_are_told_once_and_the_training_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(WorkerApi(next_s=0.02, scripted=[(422, {"code": "no"})] * 2)) as api:
        heart = heart_for(api)
        eventually(lambda: len(api.heartbeats) > 0, within_s=60)
        heart.close()

    assert capsys.readouterr().err.count("progress is not reported") == 1


def test_a_closed_attempt_ends_the_training_at_a_later_report() -> None:
    with serving(WorkerApi(is_closed=True)) as api:
        heart = heart_for(api)
        eventually(lambda: bool(api.requests), within_s=60)
        heart.close()
        with pytest.raises(AttemptClosed):
            heart.report(progress(2))


def test_a_call_to_another_generation_is_told_once() -> None:
    told: list[int] = []
    with serving(WorkerApi(next_s=0.01, called=(8, 2))) as api:
        client = ApiClient(api.url, TOKEN, print)
        heart = Heart(LAUNCH, client, gauges=GAUGES, on_called=told.append)
        assert heart.called == LAUNCH.generation
        eventually(lambda: len(api.heartbeats) > 2, within_s=60)
        heart.close()

    assert (heart.called, told) == (8, [8])
