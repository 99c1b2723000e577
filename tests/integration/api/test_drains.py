"""Draining nodes over HTTP."""

from typing import Any

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld

NODE = "/v1/nodes/mixed/h100-sxm-0"


def test_jobs_leave_a_drained_node_alone_and_are_told_why_they_wait(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    drained = operator.put(f"{NODE}/drain", json={"note": "a fan is broken"})
    assert drained.status_code == 200
    assert (drained.json()["state"], drained.json()["drain"]["note"]) == ("drained", "a fan is broken")
    assert drained.json()["drain"]["by"] == "token:operator-of-None"
    operator.put("/v1/nodes/mixed/h100-sxm-1/drain", json={})
    job = world.submit(chips="h100-sxm", workers=1)
    world.step()
    client = world.client(Role.VIEWER)
    world.context.followed.follow()
    assert "16 are on drained nodes" in client.get(f"/v1/jobs/{job}/why").json()["text"]
    assert operator.delete(f"{NODE}/drain").json()["drain"] is None
    world.step()
    assert client.get(f"/v1/jobs/{job}").json()["attempts"][0]["workers"][0]["node"] == "mixed/h100-sxm-0"


def test_who_read_another_state_changes_nothing(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    read = operator.get(NODE).headers["ETag"]

    def drain(if_match: str, note: str) -> Any:
        return operator.put(f"{NODE}/drain", json={"note": note}, headers={"If-Match": if_match})

    first = drain(read, "first")
    assert first.status_code == 200
    late = drain(read, "second")
    assert (late.status_code, late.json()["code"]) == (412, "has-changed")
    assert late.json()["next"]
    assert late.json()["errors"][0]["pointer"] == "/header/if-match"
    assert operator.get(NODE).json()["drain"]["note"] == "first"
    assert operator.delete(f"{NODE}/drain", headers={"If-Match": read}).status_code == 412
    assert drain(f'"other", {first.headers["ETag"]}', "second").status_code == 200
    assert drain("*", "third").status_code == 200
    assert drain(f"W/{operator.get(NODE).headers['ETag']}", "weak").status_code == 412
    assert drain("no tag", "fourth").status_code == 422


def test_a_node_that_nobody_knows_and_a_bad_note_are_refused(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    for method, path in (("GET", ""), ("PUT", "/drain"), ("DELETE", "/drain")):
        for node in ("mixed/nowhere", "elsewhere/h100-sxm-0"):
            answer = operator.request(method, f"/v1/nodes/{node}{path}", json={} if method == "PUT" else None)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    for note in ("x" * 201, "two\nlines", " padded", 7):
        assert operator.put(f"{NODE}/drain", json={"note": note}).status_code == 422
    assert operator.get(NODE).json()["drain"] is None
