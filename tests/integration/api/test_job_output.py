"""Logs and progress over HTTP."""

from datetime import timedelta

from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.core.model.attempt import Progress
from scheduler.ports.workers.reports import ReportProgress
from tests.builders.api import ApiWorld


def running(world: ApiWorld) -> str:
    job = world.submit()
    world.step()
    world.step()
    return job


def test_a_job_without_an_attempt_has_no_output_yet(world: ApiWorld) -> None:
    job = world.submit()
    assert world.client().get(f"/v1/jobs/{job}/logs").json() == {"entries": [], "next": "0", "is_complete": False}
    world.client().post(f"/v1/jobs/{job}/cancel")
    assert world.client().get(f"/v1/jobs/{job}/logs").json()["is_complete"]


def test_output_is_read_once_by_whoever_follows_the_cursor(world: ApiWorld) -> None:
    job, client = running(world), world.client()
    first = client.get(f"/v1/jobs/{job}/logs").json()
    want = [{"attempt": 1, "rank": rank, "text": f"rank {rank} began\n", "skipped_bytes": 0} for rank in (0, 1)]
    assert first["entries"] == want
    assert not first["is_complete"]
    second = client.get(f"/v1/jobs/{job}/logs?cursor={first['next']}").json()
    assert second["entries"] == []
    assert second["next"] == first["next"]


def test_one_rank_and_few_bytes_can_be_asked_for(world: ApiWorld) -> None:
    job, client = running(world), world.client()
    page = client.get(f"/v1/jobs/{job}/logs?rank=1&limit=6").json()
    assert [(entry["rank"], entry["text"]) for entry in page["entries"]] == [(1, "rank 1")]
    rest = client.get(f"/v1/jobs/{job}/logs?rank=1&cursor={page['next']}").json()
    assert rest["entries"][0]["text"] == " began\n"


def test_a_reader_follows_a_job_through_its_attempts_to_the_end(world: ApiWorld) -> None:
    world.behaviours[0] = Behaviour(runs_s=0, exit_code=1, output="the first try\n")
    job = world.submit(workers=1, retries=1)
    client = world.client()
    text, cursor = "", ""
    steps = 0
    while True:
        world.step()
        if client.get(f"/v1/jobs/{job}").json()["retries_used"]:
            world.behaviours[0] = Behaviour(runs_s=0, output="the second try\n")
        page = client.get(f"/v1/jobs/{job}/logs{cursor}").json()
        text += "".join(entry["text"] for entry in page["entries"])
        cursor = f"?cursor={page['next']}"
        steps += 1
        if page["is_complete"]:
            break
        assert steps < 2000, client.get(f"/v1/jobs/{job}").json()
    assert text == "the first try\nthe second try\n"
    assert client.get(f"/v1/jobs/{job}").json()["state"] == "succeeded"
    first_again = client.get(f"/v1/jobs/{job}/logs?attempt=1").json()
    assert first_again["entries"][0]["text"] == "the first try\n"
    assert first_again["is_complete"]


def test_what_is_not_there_to_read_is_refused(world: ApiWorld) -> None:
    job, client = running(world), world.client()
    assert client.get(f"/v1/jobs/{job}/logs?attempt=2").status_code == 404
    assert client.get(f"/v1/jobs/{job}/progress?attempt=2").status_code == 404
    for query in ("rank=2", "cursor=9.9", "cursor=1.0", "limit=65537", "attempt=0"):
        answer = client.get(f"/v1/jobs/{job}/logs?{query}")
        assert answer.status_code == 422, query
        assert answer.json()["errors"][0]["pointer"] == f"/query/{query.partition('=')[0]}"


def test_progress_is_listed_oldest_first_and_the_latest_is_shown(world: ApiWorld) -> None:
    job, client = running(world), world.client()
    began_at = world.context.clock.now()
    reports = [
        ReportProgress(f"{job}-g0-a1", 1, Progress(step, 60, 3.0 / step, 1000.0, began_at + timedelta(seconds=step)))
        for step in (1, 2, 3)
    ]
    world.storage.journal.write(reports)
    items = client.get(f"/v1/jobs/{job}/progress").json()["items"]
    assert [report["step"] for report in items] == [1, 2, 3]
    assert [report["step"] for report in client.get(f"/v1/jobs/{job}/progress?limit=1").json()["items"]] == [3]
    assert client.get(f"/v1/jobs/{job}").json()["progress"] == items[-1]
    assert client.get(f"/v1/jobs/{world.submit()}/progress").json() == {"items": []}


def test_a_cluster_that_does_not_answer_is_said_so(world: ApiWorld) -> None:
    job = running(world)
    world.cluster.is_away = True
    answer = world.client().get(f"/v1/jobs/{job}/logs")
    assert (answer.status_code, answer.json()["code"]) == (503, "cluster-unavailable")
    assert world.client().get(f"/v1/jobs/{job}").status_code == 200
