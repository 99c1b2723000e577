"""Queues, what they are due and may have, and where jobs wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.app import create_app
from scheduler.core.model.tenant import Role
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import Fifo
from scheduler.ports.records.usage import TenantSum, UsagePeriod
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead
from tests.builders.api import JOB, ApiWorld


@pytest.fixture
def tree(world: ApiWorld) -> ApiWorld:
    """An organisation of two tenants, one of which has a queue for the night."""
    operator = world.client(Role.OPERATOR)
    for name, body in {
        "org": {},
        "demo": {"parent": "org", "tenant": "demo", "weight": 3},
        "beta": {"parent": "org", "tenant": "beta"},
        "night": {"parent": "demo", "tenant": "demo", "most_running_per_user": 1},
    }.items():
        assert operator.put(f"/v1/queues/{name}", json=body).status_code == 200
    return world


def submit(world: ApiWorld, **differing: Any) -> Any:
    return world.client().post("/v1/jobs", json={**JOB, **differing})


def test_a_queue_is_shown_as_it_was_set_and_a_tenant_sees_no_others(tree: ApiWorld) -> None:
    shown = tree.client(Role.VIEWER).get("/v1/queues/night").json()
    assert shown == {
        "name": "night",
        "parent": "demo",
        "tenant": "demo",
        "weight": 1,
        "most_waiting": None,
        "most_running": None,
        "most_running_per_user": 1,
        "highest_priority": None,
    }
    seen = [queue["name"] for queue in tree.client(Role.VIEWER).get("/v1/queues").json()["items"]]
    assert seen == ["demo", "night", "org"]
    assert "beta" in [queue["name"] for queue in tree.client(Role.OPERATOR).get("/v1/queues").json()["items"]]
    for path in ("/v1/queues/beta", "/v1/queues/beta/quotas", "/v1/queues/nowhere"):
        assert tree.client(Role.VIEWER).get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "problem", "says"),
    [
        ("queues/org", {"parent": "night"}, (422, "bad-tree"), "Queue night is tenant demo's"),
        ("queues/x", {"parent": "nowhere"}, (422, "bad-tree"), "there is no such queue"),
        ("queues/x", {"parent": "demo", "tenant": "beta"}, (422, "bad-tree"), "are that tenant's"),
        ("queues/x", {"tenant": "nobody"}, (422, "unknown-reference"), "There is no tenant nobody"),
        ("queues/night", {"tenant": "beta"}, (409, "already-exists"), "Queue night is tenant demo's"),
        ("queues/x", {"weight": 0}, (422, "invalid-request"), "weight"),
        ("queues/demo/quotas/h100-sxm", {"guaranteed": 4, "limit": 3}, (422, "contradictory-quota"), "Limit is 3"),
        ("queues/demo/quotas/h100-sxm", {"guaranteed": 1, "lending": 2}, (422, "contradictory-quota"), "Lending is 2"),
        ("queues/demo/quotas/h100-sxm", {"guaranteed": 9_000}, (422, "contradictory-quota"), "9000 h100-sxm would be"),
        ("queues/demo/quotas/abacus", {"limit": 3}, (404, "not-found"), "no such queue or resource"),
        ("chip-groups/compute", {"chips": ["h100-sxm"]}, (409, "already-exists"), "counts something already"),
        ("chip-groups/fast", {"chips": ["abacus"]}, (422, "unknown-reference"), "There is no chip type abacus"),
        ("chip-groups/fast", {"chips": []}, (422, "invalid-request"), "chips"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_wrong(
    tree: ApiWorld, path: str, body: dict[str, Any], problem: tuple[int, str], says: str
) -> None:
    answer = tree.client(Role.OPERATOR).put(f"/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == problem
    assert says in answer.json()["detail"]


def test_queues_within_each_other_in_a_circle_are_refused(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    operator.put("/v1/queues/outer", json={})
    operator.put("/v1/queues/inner", json={"parent": "outer"})
    answer = operator.put("/v1/queues/outer", json={"parent": "inner"}).json()
    assert (answer["code"], "is within itself" in answer["detail"]) == ("bad-tree", True)


def test_a_queue_that_is_used_stays(tree: ApiWorld) -> None:
    job = submit(tree, queue="night").json()["id"]
    operator = tree.client(Role.OPERATOR)
    for name, says in (("night", "1 of its jobs is not over"), ("org", "beta, demo"), ("beta", "tenant beta's own")):
        answer = operator.delete(f"/v1/queues/{name}")
        assert (answer.status_code, answer.json()["code"]) == (409, "in-use")
        assert says in answer.json()["detail"]
    tree.client().post(f"/v1/jobs/{job}/cancel")
    assert operator.delete("/v1/queues/night").status_code == 204


def test_a_job_says_where_it_waits_and_a_queue_of_others_is_refused(tree: ApiWorld) -> None:
    made = submit(tree, queue="night")
    assert made.status_code == 201, made.text
    assert tree.client().get(f"/v1/jobs/{made.json()['id']}").json()["spec"]["queue"] == "night"
    for queue in ("beta", "org", "nowhere"):
        for path in ("/v1/jobs", "/v1/jobs/dry-run"):
            answer = tree.client().post(path, json={**JOB, "queue": queue})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/queue")


def test_caps_of_a_queue_refuse_what_is_above_them(tree: ApiWorld) -> None:
    caps = {"tenant": "demo", "parent": "demo", "most_waiting": 1, "highest_priority": 5}
    tree.client(Role.OPERATOR).put("/v1/queues/night", json=caps)
    urgent = submit(tree, queue="night", priority=6)
    assert (urgent.status_code, urgent.json()["code"]) == (422, "too-urgent")
    assert urgent.json()["errors"][0]["pointer"] == "/priority"
    tried = tree.client().post("/v1/jobs/dry-run", json={**JOB, "queue": "night", "priority": 6})
    assert (tried.status_code, tried.json()["code"]) == (422, "too-urgent")
    job = submit(tree, queue="night", priority=5).json()["id"]
    full = submit(tree, queue="night")
    assert (full.status_code, full.json()["code"]) == (409, "queue-full")
    edited = tree.client().patch(f"/v1/jobs/{job}", json={"priority": 6})
    assert (edited.status_code, edited.json()["code"]) == (422, "too-urgent")


def test_why_a_job_waits_names_the_queue_that_is_full_or_over_its_quota(tree: ApiWorld) -> None:
    operator = tree.client(Role.OPERATOR)
    operator.put("/v1/queues/org/quotas/h100-sxm", json={"limit": 1})
    first, second = (submit(tree, queue="night").json()["id"] for _ in range(2))
    tree.step()
    assert tree.client().get(f"/v1/jobs/{first}").json()["state"] != "failed"
    (full, *_) = tree.client().get(f"/v1/jobs/{second}/why").json()["reasons"]
    assert full["code"] in ("queue-is-full", "quota-exceeded")
    other = submit(tree).json()["id"]
    reasons = tree.client().get(f"/v1/jobs/{other}/why").json()["reasons"]
    told = {key: reasons[0][key] for key in ("code", "queue", "resource", "limit", "cause", "kept_for")}
    want = {"queue": "org", "resource": "h100-sxm", "limit": 1, "cause": "limit", "kept_for": []}
    assert told == {"code": "quota-exceeded", **want}


def test_shares_say_what_each_queue_is_due_and_holds(tree: ApiWorld) -> None:
    operator = tree.client(Role.OPERATOR)
    operator.put("/v1/queues/demo/quotas/h100-sxm", json={"guaranteed": 0, "limit": 64})
    submit(tree, queue="night")
    tree.step()
    submit(tree, queue="night")
    answer = operator.get("/v1/shares").json()
    shares = {share["queue"]: share for share in answer["items"]}
    assert [shares[name]["due"] for name in ("org", "demo", "beta", "night")] == [1.0, 0.75, 0.25, 0.75]
    demo = shares["demo"]
    assert (demo["running"], demo["waiting"]) == (1, 1)
    assert demo["chips"] == shares["org"]["chips"] == shares["night"]["chips"] != []
    devices = demo["chips"][0]["devices"]
    assert demo["quotas"][0] | {"lending": None} == {
        "resource": "h100-sxm", "guaranteed": 0, "limit": 64, "borrowing": None, "lending": None,
        "held": devices, "borrowed": devices,
    }  # fmt: skip
    assert 0 < demo["held"] < 1
    assert shares["beta"]["held"] == 0
    assert answer["change"] > 0
    assert [share["queue"] for share in tree.client(Role.VIEWER).get("/v1/shares").json()["items"]] == [
        "demo",
        "night",
        "org",
    ]


def test_a_queue_that_used_much_lately_and_holds_nothing_shows_it_and_comes_last(world: ApiWorld) -> None:
    lead = Lead.take(world.storage.leadership, "the test")
    day_ms, noon = 86_400_000, datetime.now(UTC) - timedelta(days=7, hours=12)
    held = TenantSum("mixed", "h100-sxm", "beta", 16_000 * day_ms, 16_000 * day_ms, 0)
    world.storage.usage.record(UsagePeriod(noon, day_ms, [], [held]), epoch=lead.epoch)
    started = replace(world.context, followed=FollowedState(world.storage.views, world.context.clock))
    again = replace(world, app=create_app(started), context=started)
    again.submit()
    again.step()
    answer = again.client(Role.OPERATOR).get("/v1/shares").json()
    shares = {share["queue"]: share for share in answer["items"]}
    beta, demo = shares["beta"], shares["demo"]
    assert (beta["held"], beta["running"], beta["chips"], beta["due"]) == (0, 0, [], 0.5)
    standing = beta["standing"]
    assert (standing["chip"], standing["held"], standing["half_life_s"]) == ("h100-sxm", 0, 7 * 86_400)
    assert 0.04 < standing["recent"] < 0.06, "a whole day of all there are, a week ago: half of a tenth"
    assert standing["share"] == pytest.approx(0.9 * standing["recent"], abs=1e-6)
    assert standing["against_due"] == pytest.approx(standing["share"] / 0.5, abs=1e-5)
    assert demo["standing"]["held"] > 0
    assert demo["standing"]["recent"] < 0.001
    assert demo["standing"]["against_due"] < standing["against_due"]


def test_queues_have_no_standing_where_they_are_not_compared(world: ApiWorld) -> None:
    first_come = Ordering(Fifo())
    followed = FollowedState(world.storage.views, world.context.clock, ordering=first_come)
    context = replace(world.context, followed=followed)
    answer = replace(world, app=create_app(context)).client(Role.OPERATOR).get("/v1/shares").json()
    assert [share["standing"] for share in answer["items"]] == [None, None]


def test_the_short_form_of_a_quota_and_the_long_one_are_the_same(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    operator.put("/v1/tenants/demo/quotas/mi300x", json={"devices": 5})
    assert operator.get("/v1/queues/demo/quotas/mi300x").json()["limit"] == 5
    operator.put("/v1/queues/demo/quotas/mi300x", json={"guaranteed": 2, "limit": 6})
    assert operator.get("/v1/tenants/demo/quotas/mi300x").json()["devices"] == 6
    assert operator.put("/v1/tenants/demo/quotas/mi300x", json={"devices": 1}).json()["code"] == "contradictory-quota"
