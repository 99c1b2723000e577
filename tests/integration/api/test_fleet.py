"""Clusters, nodes, pools, chip types and utilisation over HTTP."""

from scheduler.core.model.tenant import Quota, Role
from tests.builders.api import ApiWorld


def test_nodes_say_who_holds_what_and_hide_other_tenants_jobs(world: ApiWorld) -> None:
    mine, theirs = world.submit("demo"), world.submit("beta", chips="mi300x")
    world.step()
    nodes = {node["name"]: node for node in world.client(Role.VIEWER).get("/v1/nodes").json()["items"]}
    held = [holding for node in nodes.values() for holding in node["holdings"]]
    assert sorted((one["tenant"], one["job"], one["chip"], one["devices"]) for one in held if one["job"]) == [
        ("demo", mine, "h100-sxm", 2)
    ]
    assert [(one["tenant"], one["devices"]) for one in held if one["job"] is None] == [("beta", 2)]
    busy = next(node for node in nodes.values() if node["holdings"] and node["holdings"][0]["job"])
    assert busy["devices"] == [
        {"chip": "h100-sxm", "count": 8, "memory_mib": 81920, "held": 2, "shared_milli": 0, "foreign": 0}
    ]
    assert (busy["text"], busy["tenant"], busy["pods"]) == ("takes new work", None, 110)
    assert (busy["topology"], busy["cpu_milli_held"]) == ({"rack": "r1"}, 2000)
    assert theirs in world.client(Role.OPERATOR).get("/v1/nodes").text


def test_nodes_are_listed_in_pages_and_can_be_narrowed(world: ApiWorld) -> None:
    client = world.client(Role.VIEWER)
    first = client.get("/v1/nodes?limit=3").json()
    second = client.get(f"/v1/nodes?limit=3&cursor={first['next']}").json()
    names = [node["name"] for node in first["items"] + second["items"]]
    assert names == ["h100-sxm-0", "h100-sxm-1", "mi300x-0", "mi300x-1"]
    assert second["next"] is None
    assert len(client.get("/v1/nodes?chip=mi300x").json()["items"]) == 2
    assert client.get("/v1/nodes?cluster=elsewhere").json()["items"] == []


def test_pools_and_clusters_are_listed(world: ApiWorld) -> None:
    client = world.client(Role.VIEWER)
    world.submit()
    world.step()
    pools = {pool["name"]: pool for pool in client.get("/v1/pools").json()["items"]}
    pool = pools["mixed/h100-sxm-81920-x8"]
    assert (pool["nodes"], pool["devices"], pool["devices_held"], pool["devices_free"]) == (2, 16, 2, 14)
    assert client.get("/v1/clusters").json() == {"items": [{"name": "mixed", "kind": "local"}], "next": None}


def test_utilisation_shows_use_and_quota_of_whom_the_reader_may_see(world: ApiWorld) -> None:
    world.storage.directory.set_quota(Quota("demo", "mi300x", 8), world.context.clock.now())
    world.submit("demo")
    world.submit("beta")
    world.step()
    mine = [
        {"tenant": "demo", "chip": "h100-sxm", "devices_held": 2, "quota": None},
        {"tenant": "demo", "chip": "mi300x", "devices_held": 0, "quota": 8},
    ]
    theirs = {"tenant": "beta", "chip": "h100-sxm", "devices_held": 2, "quota": None}
    assert world.client(Role.VIEWER).get("/v1/utilisation").json()["tenants"] == mine
    assert world.client(Role.AUDITOR).get("/v1/utilisation").json()["tenants"] == [theirs, *mine]


def test_an_operator_adds_a_chip_type_and_jobs_can_ask_for_it(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    body = {
        "vendor": "摩尔线程",
        "model": "MTT S4000",
        "memory_mib": 49152,
        "dense_bf16_tflops": 100,
        "torch_device": "musa",
        "collective_library": "mccl",
        "estimated_fields": ["dense_bf16_tflops"],
    }
    made = operator.put("/v1/chips/mtt-s4000", json=body)
    assert made.status_code == 200
    assert (made.json()["planning_tflops"], made.json()["rate_is_estimate"]) == (100.0, True)
    assert made.json() in world.client(Role.VIEWER).get("/v1/chips").json()["items"]
    measured = operator.put("/v1/chips/mtt-s4000", json={**body, "measured_tflops": 80.5}).json()
    assert (measured["planning_tflops"], measured["rate_is_estimate"]) == (80.5, False)
    assert world.submit(chips=["h100-sxm", "mtt-s4000"])


def test_an_operator_sees_what_works_on_a_cluster(world: ApiWorld) -> None:
    check = world.client(Role.OPERATOR).get("/v1/clusters/mixed/check").json()
    assert check["cluster"] == "mixed"
    assert check["is_ok"] is all(finding["is_ok"] for finding in check["findings"])


def test_a_cluster_that_is_away_is_found_out(world: ApiWorld) -> None:
    world.cluster.is_away = True
    check = world.client(Role.AUDITOR).get("/v1/clusters/mixed/check").json()
    assert check["is_ok"] is False
    assert any("away" in finding["detail"] for finding in check["findings"])


def test_a_cluster_that_nobody_knows_is_not_found(world: ApiWorld) -> None:
    answer = world.client(Role.OPERATOR).get("/v1/clusters/elsewhere/check")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_tenant_does_not_look_into_clusters(world: ApiWorld) -> None:
    assert world.client(Role.TENANT_ADMIN).get("/v1/clusters/mixed/check").status_code == 403
