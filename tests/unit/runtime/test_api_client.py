import socket
import time

import pytest
from medley_runtime.api_client import ApiClient, ApiRefused, ApiUnreachable, Patience, Request
from medley_runtime.endings import AttemptClosed

from tests.builders.runtime import TOKEN, Answer, WorkerApi, serving

PATIENT = Patience(total_s=10.0, answer_s=5.0)
PUT = Request("PUT", "/v1/attempts/attempt-1/rendezvous", {"generation": 7, "address": "127.0.0.1:1"})


def test_a_call_sends_token_and_body_and_returns_the_answer() -> None:
    with serving(WorkerApi()) as api:
        client = ApiClient(api.url, TOKEN, print)
        assert client.call(PUT, PATIENT) == {}
        answer = client.call(Request("GET", "/v1/attempts/attempt-1/rendezvous?generation=7&wait_s=0", {}), PATIENT)

    assert answer == {"address": "127.0.0.1:1"}


@pytest.mark.parametrize("trouble", [(503, {"code": "draining"}), (429, {"code": "slow-down"}), (500, {})])
def test_a_call_is_repeated_while_the_trouble_may_pass(trouble: Answer) -> None:
    heard: list[str] = []
    with serving(WorkerApi(scripted=[trouble, trouble])) as api:
        ApiClient(api.url, TOKEN, heard.append).call(PUT, PATIENT)

    assert len(api.requests) == 3
    assert len(heard) == 1
    assert f"status {trouble[0]}" in heard[0]


def test_an_api_that_is_away_is_tried_until_the_limit_and_no_longer() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        started_at = time.monotonic()
        with pytest.raises(ApiUnreachable, match="Connection refused"):
            ApiClient(url, TOKEN, print).call(PUT, Patience(total_s=0.5, answer_s=1.0))

    assert time.monotonic() - started_at < 2.0


def test_an_api_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ApiUnreachable, match="timed out"):
            ApiClient(url, TOKEN, print).call(PUT, Patience(total_s=0.0, answer_s=0.1))


def test_a_refusal_is_final_and_carries_its_code() -> None:
    with serving(WorkerApi()) as api, pytest.raises(ApiRefused) as caught:
        ApiClient(api.url, "another token", print).call(PUT, PATIENT)

    assert (caught.value.status, caught.value.code) == (401, "bad-token")
    assert api.requests == []


def test_a_closed_attempt_is_told_apart_from_other_conflicts() -> None:
    with serving(WorkerApi(is_closed=True)) as api, pytest.raises(AttemptClosed, match="attempt-1 was cancelled"):
        ApiClient(api.url, TOKEN, print).call(PUT, PATIENT)

    with serving(WorkerApi(scripted=[(409, {"code": "other"})])) as api, pytest.raises(ApiRefused, match="other"):
        ApiClient(api.url, TOKEN, print).call(PUT, PATIENT)


def test_a_proxy_of_the_jobs_never_sees_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(WorkerApi()) as api:
        ApiClient(api.url, TOKEN, print).call(PUT, PATIENT)

    assert len(api.requests) == 1
