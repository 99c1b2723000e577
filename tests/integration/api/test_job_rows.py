"""Jobs in short, over HTTP: what tables of many jobs are filled with."""

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld


def test_a_row_says_what_a_table_shows(world: ApiWorld) -> None:
    job = world.submit(priority=7, chips=["h100-sxm", "mi300x"], devices_per_worker=4)
    world.step()
    (row,) = world.client(Role.VIEWER).get("/v1/jobs/rows").json()["items"]
    told = {"tenant": "demo", "name": "first", "kind": "training", "state": "running", "priority": 7}
    asked = {"workers": 2, "devices": 8, "chips": ["h100-sxm", "mi300x"], "attempts": 1}
    wanted = {"id": job, **told, **asked, "stop_reason": None, "progress": None}
    assert {name: row[name] for name in wanted} == wanted
    assert (row["submitted_by"], row["finished_at"]) == ("token:submitter-of-demo", None)


def test_workers_and_devices_of_all_roles_count_and_shares_are_no_whole_devices(world: ApiWorld) -> None:
    world.submit(roles=[{"name": "launcher", "command": ["true"]}], name="roles")
    world.submit(chips={"h100-sxm": 1, "mi300x": 2}, workers=None, name="mix")
    rows = {row["name"]: row for row in world.client().get("/v1/jobs/rows").json()["items"]}
    assert [(name, row["workers"], row["devices"]) for name, row in rows.items()] == [("mix", 3, 3), ("roles", 3, 2)]
    assert rows["mix"]["chips"] == ["h100-sxm", "mi300x"]
    assert (rows["mix"]["mix"], rows["roles"]["mix"]) == ({"h100-sxm": 1, "mi300x": 2}, None)


def test_rows_come_newest_first_in_pages_and_can_be_narrowed(world: ApiWorld) -> None:
    jobs = [world.submit(name=f"job-{number}") for number in range(3)]
    client = world.client(Role.VIEWER)
    first = client.get("/v1/jobs/rows?limit=2").json()
    second = client.get(f"/v1/jobs/rows?limit=2&cursor={first['next']}").json()
    assert [row["id"] for row in first["items"] + second["items"]] == jobs[::-1]
    assert second["next"] is None
    assert [row["id"] for row in client.get("/v1/jobs/rows?name=job-1").json()["items"]] == [jobs[1]]
    assert client.get("/v1/jobs/rows?state=running").json()["items"] == []
    client.post(f"/v1/jobs/{jobs[0]}/cancel")
    assert client.get("/v1/jobs/rows?limit=2001").status_code == 422


def test_a_list_of_whole_jobs_goes_on_in_short(world: ApiWorld) -> None:
    jobs = [world.submit(name=f"job-{number}") for number in range(3)]
    client = world.client(Role.VIEWER)
    cursor = client.get("/v1/jobs?limit=2").json()["next"]
    assert [row["id"] for row in client.get(f"/v1/jobs/rows?cursor={cursor}").json()["items"]] == jobs[:1]


def test_a_cancelled_job_says_why_it_stopped(world: ApiWorld) -> None:
    job = world.submit()
    world.step()
    world.client().post(f"/v1/jobs/{job}/cancel")
    (row,) = world.client().get("/v1/jobs/rows").json()["items"]
    assert (row["state"], row["stop_reason"]) == ("stopping", "cancelled")


def test_the_report_of_what_runs_is_told(world: ApiWorld) -> None:
    job = world.submit()
    world.step()
    world.step()
    worker = world.bearer(world.context.attempt_tokens.mint(f"{job}-g0-a1", 1))
    report = {"generation": 1, "step": 3, "steps": 9, "loss": 1.5, "tokens_per_s": 20.0}
    assert worker.post(f"/v1/attempts/{job}-g0-a1/progress", json=report).status_code == 204
    world.step()
    (row,) = world.client().get("/v1/jobs/rows").json()["items"]
    assert (row["state"], row["progress"]["step"], row["progress"]["loss"]) == ("running", 3, 1.5)


def test_a_tenant_sees_its_own_rows_only(world: ApiWorld) -> None:
    mine, theirs = world.submit("demo"), world.submit("beta")
    assert [row["id"] for row in world.client().get("/v1/jobs/rows").json()["items"]] == [mine]
    assert world.client().get("/v1/jobs/rows?tenant=beta").json()["items"] == []
    operator = world.client(Role.OPERATOR)
    assert [row["id"] for row in operator.get("/v1/jobs/rows").json()["items"]] == [theirs, mine]
    assert [row["id"] for row in operator.get("/v1/jobs/rows?tenant=beta").json()["items"]] == [theirs]


def test_nodes_can_be_named(world: ApiWorld) -> None:
    client = world.client(Role.VIEWER)
    named = client.get("/v1/nodes?node=mixed/mi300x-1&node=mixed/h100-sxm-0&node=mixed/nowhere").json()["items"]
    assert [node["name"] for node in named] == ["h100-sxm-0", "mi300x-1"]
    assert client.get("/v1/nodes?node=nonsense").status_code == 422


def test_a_holding_names_its_devices(world: ApiWorld) -> None:
    world.submit()
    world.step()
    held = [holding for node in world.client().get("/v1/nodes").json()["items"] for holding in node["holdings"]]
    assert [(holding["devices"], holding["slots"]) for holding in held] == [(2, [0, 1])]


def test_who_waits_is_told_when_it_is_expected_to_start_in_every_list_and_who_runs_is_not(world: ApiWorld) -> None:
    running = world.submit(workers=16, time_limit_s=600)
    world.step()
    waiting = world.submit(workers=16)
    world.step()
    world.context.followed.follow()
    client = world.client(Role.VIEWER)
    for path in ("/v1/jobs/rows", "/v1/jobs"):
        found = {item["id"]: item["starts"] for item in client.get(path).json()["items"]}
        assert found[running] is None
        assert found[waiting]["basis"] == "limits"
        assert found[waiting]["earliest"] <= found[waiting]["latest"]
    assert client.get(f"/v1/jobs/{waiting}").json()["starts"]["basis"] == "limits"
