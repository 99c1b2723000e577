"""How long layers take: listed for all, edited by operators, reported by workers."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld

PATH = "/v1/profiles/demo/llama/h100-sxm/8/2"
SAID = {"layer_forward_s": 0.0121, "layer_backward_s": 0.0246}
STAGE: dict[str, Any] = {
    "chip": "h100-sxm", "tensor_parallel": 8, "micro_batch": 2, "layers": 10, "forward_s": 0.1, "backward_s": 0.2,
}  # fmt: skip


@pytest.fixture
def attempt(world: ApiWorld) -> str:
    job = world.submit(family="llama")
    world.step()
    return f"{job}-g0-a1"


@pytest.fixture
def worker(world: ApiWorld, attempt: str) -> TestClient:
    return world.bearer(world.context.attempt_tokens.mint(attempt, 1))


def test_an_operator_says_how_long_layers_take_and_takes_it_back(world: ApiWorld) -> None:
    operator, submitter = world.client(Role.OPERATOR), world.client()
    said = operator.put(PATH, json={**SAID, "head_s": 0.03})
    assert said.status_code == 200, said.text
    assert said.json()["times"] == {**SAID, "embedding_s": None, "head_s": 0.03, "update_s": None}
    assert (said.json()["version"], said.json()["measured"], said.json()["reports"]) == (1, None, 0)
    shown = submitter.get(PATH)
    assert shown.headers["ETag"] == said.headers["ETag"]
    assert submitter.get("/v1/profiles").json()["items"] == [shown.json()]
    assert operator.put(PATH, json=SAID, headers={"If-Match": '"old"'}).status_code == 412
    assert operator.delete(PATH).status_code == 204
    assert operator.delete(PATH).status_code == 404
    assert submitter.get(PATH).status_code == 404


def test_what_nobody_knows_and_what_is_no_time_is_refused(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    assert operator.put(PATH.replace("h100-sxm", "abacus"), json=SAID).status_code == 404
    assert operator.put(PATH.replace("demo", "nobody"), json=SAID).status_code == 404
    assert operator.put(PATH.replace("/8/", "/0/"), json=SAID).status_code == 404
    for wrong in (0, -1, "fast", None, 3_601):
        answer = operator.put(PATH, json={**SAID, "layer_forward_s": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/layer_forward_s"
    assert world.client().put(PATH, json=SAID).status_code == 403


def test_what_stages_took_becomes_the_profile_of_the_family(world: ApiWorld, worker: TestClient, attempt: str) -> None:
    stages = [
        {**STAGE, "has_embedding": True, "forward_s": 0.11, "backward_s": 0.22},
        {**STAGE, "layers": 12, "forward_s": 0.12, "backward_s": 0.24},
        {**STAGE, "layers": 11, "forward_s": 0.5, "backward_s": 1.0},
        {**STAGE, "layers": 9, "forward_s": 0.09, "backward_s": 0.27, "recomputes": True},
        {**STAGE, "chip": "mi300x"},
    ]
    answer = worker.post(f"/v1/attempts/{attempt}/stages", json={"generation": 1, "stages": stages})
    assert answer.status_code == 200, answer.text
    assert answer.json()["learnt"] == [{"chip": "h100-sxm", "tensor_parallel": 8, "micro_batch": 2, "version": 1}]
    refused = [(one["stage"], one["code"], one["text"]) for one in answer.json()["refused"]]
    assert refused == [
        (2, "outlier", "it took 4.5 times what the other stages and earlier reports let expect"),
        (4, "other-chip", "the attempt has no mi300x"),
    ]
    known = world.client().get(PATH).json()
    assert known["times"]["layer_forward_s"] == pytest.approx(0.01)
    assert known["times"]["layer_backward_s"] == pytest.approx(0.02)
    assert known["times"]["embedding_s"] == pytest.approx(0.03)
    assert (known["times"]["head_s"], known["reports"]) == (None, 3)


def test_one_stage_alone_says_something_by_what_the_plan_says_of_its_ends(worker: TestClient, attempt: str) -> None:
    path, alone = f"/v1/attempts/{attempt}/stages", {**STAGE, "has_embedding": True, "has_head": True}
    refused = worker.post(path, json={"generation": 1, "stages": [alone]}).json()
    assert (refused["learnt"], [one["code"] for one in refused["refused"]]) == ([], ["only-ends"])
    ends = {"embedding": 0.5, "head": 2.0}
    learnt = worker.post(path, json={"generation": 1, "stages": [alone], "ends": ends}).json()
    assert (len(learnt["learnt"]), learnt["refused"]) == (1, [])


def test_a_family_is_planned_with_what_is_known_of_its_layers(world: ApiWorld) -> None:
    asked = {"model": "gpt2-xl", "global_batch": 64, "sequence": 1024, "chips": ["h100-sxm"], "plans": 1}

    def planned_s(**named: str) -> float:
        answer = world.client().post("/v1/plans", json={**asked, **named})
        assert answer.status_code == 200, answer.text
        return float(answer.json()["plans"][0]["plan"]["prediction"]["step_s"])

    before_s = planned_s(family="llama")
    slow = {"layer_forward_s": 1.0, "layer_backward_s": 2.0}
    assert world.client(Role.OPERATOR).put(PATH.replace("/8/2", "/1/1"), json=slow).status_code == 200
    assert planned_s(family="llama") > 10 * before_s
    assert planned_s(family="gpt") == planned_s() == before_s


def test_a_report_in_between_is_let_go(world: ApiWorld, worker: TestClient, attempt: str) -> None:
    path, report = f"/v1/attempts/{attempt}/stages", {"generation": 1, "stages": [STAGE]}
    assert worker.post(path, json=report).json()["learnt"] != []
    assert worker.post(path, json=report).json() == {"learnt": [], "refused": []}
    assert world.client().get(PATH).json()["version"] == 1


def test_who_is_over_reports_no_more(world: ApiWorld, worker: TestClient, attempt: str) -> None:
    report = {"generation": 1, "stages": [STAGE]}
    assert worker.post(f"/v1/attempts/{attempt}/stages", json={**report, "generation": 5}).status_code == 409
    world.client().post(f"/v1/jobs/{attempt.partition('-')[0]}/cancel")
    for _ in range(3):
        world.step()
    answer = worker.post(f"/v1/attempts/{attempt}/stages", json=report)
    assert (answer.status_code, answer.json()["code"]) == (409, "attempt-closed")
    assert world.client().get("/v1/profiles").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"layers": 0}, "layers"), ({"forward_s": 0}, "forward_s"), ({"backward_s": -1}, "backward_s")],
)
def test_nonsense_in_a_report_is_refused(worker: TestClient, attempt: str, change: Any, pointer: str) -> None:
    report = {"generation": 1, "stages": [{**STAGE, **change}]}
    answer = worker.post(f"/v1/attempts/{attempt}/stages", json=report)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/stages/0/{pointer}"
