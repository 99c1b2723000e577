from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from medley.client import Client
from medley.errors import ApiProblem, Unreachable
from medley.exit_codes import ExitCode
from tests.builders.command import JOB_ID, TOKEN, Reply, a_job, a_problem, a_scripted_server, an_event

DROPPED = Reply(is_dropped=True)
BUSY = Reply(503, a_problem(503, "storage-unavailable"))


def test_every_call_carries_the_token() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on("GET /v1/whoami", Reply(body={"name": "ada"}))
        assert client.whoami() == {"name": "ada"}
        assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_submission_keeps_its_key_over_all_repetitions() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=20) as client:
        server.on("POST /v1/jobs", DROPPED, BUSY, DROPPED, Reply(201, a_job()))
        assert client.submit({"name": "first"})["id"] == JOB_ID
        keys = [request.headers["Idempotency-Key"] for request in server.asked("POST /v1/jobs")]
        assert len(keys) == 4
        assert len(set(keys)) == 1
        assert len(keys[0]) >= 32


def test_two_submissions_have_two_keys_and_a_given_key_is_used() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on("POST /v1/jobs", Reply(201, a_job()))
        client.submit({"name": "first"})
        client.submit({"name": "first"})
        client.submit({"name": "first"}, key="mine", wait_placed_s=99)
        one, other, mine = server.asked("POST /v1/jobs")
        assert one.headers["Idempotency-Key"] != other.headers["Idempotency-Key"]
        assert mine.headers["Idempotency-Key"] == "mine"
        assert mine.query == {"wait": ["placed"], "wait_s": ["30"]}


def test_a_token_is_never_made_twice() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=20) as client:
        server.on("POST /v1/tokens", DROPPED)
        with pytest.raises(Unreachable) as failed:
            client.create_token({"name": "ci", "role": "viewer"})
        assert failed.value.was_sent
        assert len(server.requests) == 1


def test_too_many_requests_are_repeated_after_the_time_asked_for() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=20) as client:
        slow_down = Reply(429, a_problem(429, "too-many"), headers={"Retry-After": "0"})
        server.on("POST /v1/tenants", slow_down, Reply(201, {"name": "demo"}))
        assert client.create_tenant("demo") == {"name": "demo"}


def test_a_wait_longer_than_the_patience_ends_at_once_with_the_problem() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=1) as client:
        server.on("GET /v1/pools", Reply(429, a_problem(429, "too-many"), headers={"Retry-After": "600"}))
        with pytest.raises(ApiProblem) as failed:
            client.pools()
        assert (failed.value.retry_after_s, failed.value.exit_code) == (600, ExitCode.UNAVAILABLE)


@pytest.mark.parametrize(
    ("path", "ask"),
    [
        ("/v1/pools", lambda client: client.pools()),
        ("/v1/clusters", lambda client: client.clusters()),
        ("/v1/chips", lambda client: client.chips()),
        ("/v1/tenants/demo/quotas", lambda client: client.quotas("demo")),
        ("/v1/queues", lambda client: client.sharing.queues()),
        ("/v1/queues/demo/quotas", lambda client: client.sharing.quotas("demo")),
        ("/v1/chip-groups", lambda client: client.sharing.chip_groups()),
        ("/v1/shares", lambda client: client.sharing.shares()),
        ("/v1/jobs/a/replicas", lambda client: client.replicas("a")["items"]),
    ],
)
def test_a_list_that_is_returned_whole_has_the_items_of_all_its_pages(path: str, ask: Callable[[Client], Any]) -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        pages = [Reply(body={"items": [{"number": number}], "next": place}) for number, place in ((1, "x"), (2, None))]
        server.on(f"GET {path}", *pages)
        assert [item["number"] for item in ask(client)] == [1, 2]
        assert [asked.query.get("cursor") for asked in server.asked(f"GET {path}")] == [None, ["x"]]


def test_a_refusal_is_not_repeated_and_carries_all_that_was_said() -> None:
    errors = [{"pointer": "/workers", "detail": "must be 4"}]
    problem = a_problem(422, "invalid-request", errors=errors, next="mend it")
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on("POST /v1/jobs", Reply(422, problem))
        with pytest.raises(ApiProblem) as failed:
            client.submit({"name": "first"})
        found = failed.value
        assert (found.code, found.status, found.request_id) == ("invalid-request", 422, "req-1")
        assert (found.detail, found.next_step) == ("the detail of invalid-request", "mend it")
        assert [(error.pointer, error.detail) for error in found.errors] == [("/workers", "must be 4")]
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "want"),
    [
        (400, 2),
        (401, 4),
        (403, 4),
        (404, 3),
        (408, 6),
        (409, 5),
        (412, 5),
        (413, 2),
        (422, 2),
        (429, 6),
        (500, 6),
        (503, 6),
    ],
)
def test_each_status_has_its_exit_code(status: int, want: int) -> None:
    assert ApiProblem(status, {}).exit_code == want


@pytest.mark.parametrize("reply", [Reply(500, "oops"), Reply(302), Reply(502, [1]), Reply(200, stream=[b"<html>"])])
def test_what_is_no_answer_of_medley_is_called_that(reply: Reply) -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=0) as client:
        server.on("GET /v1/chips", reply)
        if reply.status == 302:
            server.on("GET /v1/chips", Reply(302, headers={"Location": "http://127.0.0.1:1/"}))
        with pytest.raises(ApiProblem, match="no answer of Medley's API") as failed:
            client.chips()
        assert failed.value.code == "not-medley"


def test_a_server_that_is_not_there_is_unreachable_after_the_patience() -> None:
    with a_scripted_server() as server:
        gone = server.address
    with Client(gone, TOKEN, patience_s=0.3) as client, pytest.raises(Unreachable) as failed:
        client.whoami()
    assert not failed.value.was_sent
    assert failed.value.exit_code == ExitCode.UNAVAILABLE


def test_pages_are_read_one_after_the_other_with_the_same_filters() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        pages = [
            Reply(body={"items": [{"n": n}, {"n": n + 1}], "next": cursor})
            for n, cursor in ((1, "c1"), (3, "c2"), (5, None))
        ]
        server.on("GET /v1/jobs", *pages)
        found = client.jobs(state=["queued", "running"], name=None)
        assert [item["n"] for item in found] == [1, 2, 3, 4, 5, 6]
        queries = [request.query for request in server.requests]
        assert queries[0] == {"state": ["queued", "running"]}
        assert [query.get("cursor") for query in queries] == [None, ["c1"], ["c2"]]


def test_pages_are_read_only_as_far_as_they_are_wanted() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on("GET /v1/nodes", Reply(body={"items": [{"n": 1}, {"n": 2}], "next": "c1"}))
        assert [item["n"] for item in islice(client.nodes(), 2)] == [1, 2]
        assert len(server.requests) == 1


def test_a_cursor_that_stands_still_ends_the_pages() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on("GET /v1/jobs", Reply(body={"items": [{"n": 1}], "next": "same"}))
        assert [item["n"] for item in client.jobs()] == [1, 1]


def test_names_are_quoted_into_addresses() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on("GET /v1/jobs/a%2Fb%3Fc", Reply(body=a_job()))
        assert client.job("a/b?c")["id"] == JOB_ID


def test_a_broken_event_stream_is_taken_up_after_the_last_event() -> None:
    route = f"GET /v1/jobs/{JOB_ID}/events"
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=20) as client:
        first = Reply(stream=[b": hello\n\n", an_event(4, "job-submitted", "queued"), an_event(9, "group-placed")])
        half = Reply(stream=[an_event(12, "group-moved", "running")[:-1]])
        last = Reply(stream=[an_event(12, "group-moved", "running"), an_event(15, "group-moved", "succeeded")])
        server.on(route, first, DROPPED, BUSY, half, last)
        events = list(islice(client.events(JOB_ID, after=3), 4))
        assert [event.data["number"] for event in events] == [4, 9, 12, 15]
        assert [request.headers["Last-Event-ID"] for request in server.asked(route)] == ["3", "9", "9", "9", "9"]


def test_an_event_stream_that_is_refused_ends_with_the_problem() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=20) as client:
        server.on("GET /v1/events", Reply(401, a_problem(401, "not-authenticated")))
        with pytest.raises(ApiProblem) as failed:
            next(client.events())
        assert failed.value.exit_code == ExitCode.DENIED


def test_a_stream_in_which_nothing_has_happened_yet_is_taken_up_where_it_began() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=20) as client:
        opened = Reply(stream=[b"retry: 2000\n\n", b"id: 7\n\n"])
        server.on("GET /v1/events", opened, DROPPED, Reply(stream=[an_event(9, "group-placed")]))
        assert next(client.events()).data["number"] == 9
        found = [request.headers.get("Last-Event-ID") for request in server.requests]
        assert found == [None, "7", "7"]


def test_a_stream_that_was_open_is_tried_again_for_longer_than_the_patience() -> None:
    broken: list[str] = []
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=0) as client:
        first = Reply(stream=[an_event(4, "job-submitted")])
        server.on("GET /v1/events", first, DROPPED, BUSY, Reply(stream=[an_event(5, "group-placed")]))
        events = client.events(on_break=lambda error: broken.append(error.what))
        assert [event.data["number"] for event in islice(events, 2)] == [4, 5]
    assert len(broken) == 1


def test_a_stream_that_never_opened_is_given_up_after_the_patience() -> None:
    with a_scripted_server() as server:
        gone = server.address
    with Client(gone, TOKEN, patience_s=0) as client, pytest.raises(Unreachable):
        next(client.events())


def test_many_submissions_and_a_clone_keep_their_key_over_all_repetitions() -> None:
    made = {"items": [{"id": JOB_ID, "name": "first", "state": "queued"}]}
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=20) as client:
        server.on("POST /v1/jobs/bulk", DROPPED, Reply(201, made))
        server.on(f"POST /v1/jobs/{JOB_ID}/clone", BUSY, Reply(201, a_job()))
        assert client.submit_many([{"name": "first"}]) == made["items"]
        assert client.clone(JOB_ID, {"priority": 1})["id"] == JOB_ID
        for route in ("POST /v1/jobs/bulk", f"POST /v1/jobs/{JOB_ID}/clone"):
            first, again = server.asked(route)
            assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]
            assert first.body == again.body


def test_more_jobs_than_one_request_takes_are_cancelled_by_several() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on("POST /v1/jobs/cancel", Reply(body={"items": [{"id": JOB_ID, "outcome": "stopping"}], "next": None}))
        assert len(list(client.cancel_many([JOB_ID] * 1001))) == 2
        assert [len(asked.body["jobs"]) for asked in server.asked("POST /v1/jobs/cancel")] == [1000, 1]
