"""Every route that edits something: who read another state than what is there changes nothing.

What is called comes of the routes themselves: a new one that edits is tried as soon as it is there.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.permissions import PERMISSIONS, Open
from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld, open_world

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
EDITING = {
    str(route.operation_id): route
    for route in ROUTES
    if (route.methods or set()) & {"PUT", "PATCH", "DELETE"}
    and not isinstance(PERMISSIONS[str(route.operation_id)], Open)
}
"""Workers' routes edit nothing that anybody read before."""
SHOWN = {route.path for route in ROUTES if route.methods == {"GET"}}
SERVER = {
    "name": "chat",
    "kind": "inference",
    "chips": "h100-sxm",
    "workers": 1,
    "command": ["serve"],
}
BODIES: dict[str, Callable[[int], dict[str, Any]]] = {
    "change_job": lambda turn: {"priority": turn},
    "scale_job": lambda turn: {"replicas": turn},
    "replace_job": lambda turn: {**SERVER, "command": ["serve", str(turn)]},
    "drain_node": lambda turn: {"note": str(turn)},
    "set_quota": lambda turn: {"devices": turn},
    "set_queue": lambda turn: {"tenant": "demo", "weight": turn},
    "set_queue_quota": lambda turn: {"limit": turn},
    "set_chip_group": lambda turn: {"chips": ["h100-sxm", "mi300x"][: turn - 1]},
    "set_throughput": lambda turn: {"units_per_s": float(turn)},
    "set_profile": lambda turn: {"layer_forward_s": 0.01 * turn, "layer_backward_s": 0.02},
    "change_user": lambda turn: {"is_disabled": bool(turn % 2)},
    "define_chip": lambda turn: {
        "vendor": "NVIDIA",
        "model": str(turn),
        "torch_device": "cuda",
        "collective_library": "nccl",
    },
}
"""What changes something at each turn."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("edits")) as opened:
        yield opened


@pytest.fixture
def ids(world: ApiWorld) -> Mapping[str, str]:
    """What there is to edit, some of it new for each test."""
    operator = world.client(Role.OPERATOR)
    operator.post("/v1/users", json={"name": "ada", "tenant": "demo"})
    token = operator.post("/v1/tokens", json={"name": "spare", "role": "viewer", "tenant": "demo"}).json()["id"]
    assert operator.put("/v1/tenants/demo/quotas/mi300x", json={"devices": 8}).status_code == 200
    assert operator.put("/v1/queues/night", json={"tenant": "demo"}).status_code == 200
    assert operator.put("/v1/queues/night/quotas/mi300x", json={"limit": 8}).status_code == 200
    assert operator.put("/v1/chip-groups/fast", json={"chips": ["h100-sxm"]}).status_code == 200
    assert operator.put("/v1/throughputs/demo/train/mi300x", json={"units_per_s": 1.5}).status_code == 200
    times = {"layer_forward_s": 0.01, "layer_backward_s": 0.02}
    assert operator.put("/v1/profiles/demo/train/mi300x/8/2", json=times).status_code == 200
    submitted = world.client().post("/v1/jobs", json=SERVER)
    assert submitted.status_code == 201, submitted.text
    named = {"tenant": "demo", "chip": "mi300x", "cluster": "mixed", "node": "mi300x-1", "user": "ada"}
    named |= {"queue": "night", "resource": "mi300x", "group": "fast", "family": "train"}
    named |= {"tensor_parallel": "8", "micro_batch": "2"}
    return {**named, "job": submitted.json()["id"], "token": token}


def shown_at(route: APIRoute, ids: Mapping[str, str]) -> str:
    """Where what a route edits is read: at its own address, or at the nearest one above it."""
    path = route.path
    while path not in SHOWN:
        path = path.rpartition("/")[0]
        assert path.count("/") > 2, f"nothing shows what {route.operation_id} edits"
    return path.format(**ids)


def edit(world: ApiWorld, name: str, ids: Mapping[str, str], *, turn: int, if_match: str | None = None) -> Any:
    route = EDITING[name]
    access = PERMISSIONS[name]
    assert not isinstance(access, Open)
    client = world.client(Role.OPERATOR if Role.OPERATOR in access else Role.TENANT_ADMIN)
    body = BODIES[name](turn) if route.body_field is not None else None
    headers = {} if if_match is None else {"If-Match": if_match}
    return client.request(min(route.methods or ()), route.path.format(**ids), headers=headers, json=body)


@pytest.mark.parametrize("name", EDITING)
def test_who_read_another_state_changes_nothing(world: ApiWorld, ids: Mapping[str, str], name: str) -> None:
    operator, address = world.client(Role.OPERATOR), shown_at(EDITING[name], ids)
    read = operator.get(address)
    assert read.status_code == 200, read.text
    late = edit(world, name, ids, turn=2, if_match='"another"')
    assert (late.status_code, late.json()["code"]) == (412, "has-changed")
    assert operator.get(address).headers["ETag"] == read.headers["ETag"]
    made = edit(world, name, ids, turn=3, if_match=read.headers["ETag"])
    assert made.status_code in (200, 204), made.text
    if made.status_code == 200:
        assert made.headers["ETag"] == operator.get(address).headers["ETag"]


@pytest.mark.parametrize("name", EDITING)
def test_the_document_says_that_it_takes_a_tag(world: ApiWorld, name: str) -> None:
    paths = world.bearer(None).get("/openapi.json").json()["paths"]
    operation = paths[EDITING[name].path_format][min(EDITING[name].methods or ()).lower()]
    assert "412" in operation["responses"]
    assert "If-Match" in [parameter["name"] for parameter in operation["parameters"]]


@pytest.mark.parametrize("name", ["change_user", "define_chip", "scale_job", "replace_job", "change_job"])
def test_of_two_who_read_the_same_the_first_one_wins(world: ApiWorld, ids: Mapping[str, str], name: str) -> None:
    edit(world, name, ids, turn=4)
    tag = world.client(Role.OPERATOR).get(shown_at(EDITING[name], ids)).headers["ETag"]
    assert [edit(world, name, ids, turn=turn, if_match=tag).status_code for turn in (5, 6)] == [200, 412]


def test_a_job_has_one_tag_for_all_that_is_edited_in_it(world: ApiWorld, ids: Mapping[str, str]) -> None:
    operator = world.client(Role.OPERATOR)
    tags = {operator.get(f"/v1/jobs/{ids['job']}{path}").headers["ETag"] for path in ("", "/replicas")}
    for turn, name in enumerate(("change_job", "scale_job", "replace_job"), start=2):
        tags.add(edit(world, name, ids, turn=turn).headers["ETag"])
    assert len(tags) == 4


def test_a_token_that_is_used_is_the_same_and_one_with_a_new_secret_is_not(
    world: ApiWorld, ids: Mapping[str, str]
) -> None:
    operator, address = world.client(Role.OPERATOR), f"/v1/tokens/{ids['token']}"
    read = operator.get(address).headers["ETag"]
    assert operator.post(f"{address}/rotate", json={}, headers={"Idempotency-Key": "k"}).status_code == 200
    assert operator.delete(address, headers={"If-Match": read}).status_code == 412
    assert operator.get(address).json()["revoked_at"] is None


def test_a_chip_type_that_is_not_there_matches_nothing(world: ApiWorld) -> None:
    operator, body = world.client(Role.OPERATOR), BODIES["define_chip"](1)
    assert operator.get("/v1/chips/no-such").status_code == 404
    assert operator.put("/v1/chips/no-such", json=body, headers={"If-Match": "*"}).status_code == 412
    assert operator.get("/v1/chips/no-such").status_code == 404


def test_a_training_has_no_replicas_to_read_a_tag_of(world: ApiWorld) -> None:
    job = world.client().post("/v1/jobs", json=dict(JOB)).json()["id"]
    answer = edit(world, "scale_job", {"job": job}, turn=2, if_match='"another"')
    assert (answer.status_code, answer.json()["code"]) == (409, "no-server")
