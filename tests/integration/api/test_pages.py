"""Lists come in pages: all of them, found by what the routes answer with, so that a new one is looked at too."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, get_args, get_origin

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.app import ROUTERS
from api.schemas.queries import PlainPageQuery
from scheduler.core.model.node import Cluster
from scheduler.core.model.tenant import Role
from tests.builders.api import JOB, ApiWorld, open_world


class Whole(StrEnum):
    """Why an answer with a list in it comes without pages."""

    ONE_THING = "what one thing consists of, or what was found out about it"
    ONE_CURVE = "no more are kept than one page holds, and a curve of the latest ones is what they are for"
    ONE_ACCOUNT = "added up anew at each question from all that lies in the span; too many are refused"


WITHOUT_PAGES = {
    "show_job": Whole.ONE_THING,
    "explain_job": Whole.ONE_THING,
    "show_node": Whole.ONE_THING,
    "check_cluster": Whole.ONE_THING,
    "is_ready": Whole.ONE_THING,
    "list_job_progress": Whole.ONE_CURVE,
    "show_usage": Whole.ONE_ACCOUNT,
    "show_utilisation": Whole.ONE_ACCOUNT,
    "show_utilisation_series": Whole.ONE_ACCOUNT,
}
READING = {
    str(route.operation_id): route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "GET" in (route.methods or ())
}
HAS_ITS_OWN_TEST = {"read_job_logs"}
"""Its cursor is a place in the output of each rank."""


def answers(route: APIRoute) -> Iterator[type[BaseModel]]:
    for kind in get_args(route.response_model) or (route.response_model,):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind


def has_a_list(answer: type[BaseModel]) -> bool:
    """Say whether an answer lists things that have fields of their own."""
    kinds = [field.annotation for field in answer.model_fields.values()]
    return any(get_origin(kind) in (tuple, list) and has_fields(get_args(kind)[0]) for kind in kinds)


def has_fields(kind: Any) -> bool:
    return (isinstance(kind, type) and issubclass(kind, BaseModel)) or any(map(has_fields, get_args(kind)))


def takes_pages(route: APIRoute) -> bool:
    queries = [query.field_info.annotation for query in route.dependant.query_params]
    asked = {name for query in queries for name in getattr(query, "model_fields", ())}
    return {"limit", "cursor"} <= asked and all("next" in answer.model_fields for answer in answers(route))


LISTS = sorted(name for name, route in READING.items() if any(map(has_a_list, answers(route))))
PAGED = sorted(set(LISTS) - set(WITHOUT_PAGES) - HAS_ITS_OWN_TEST)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_comes_in_pages_or_it_is_stated_why_not(name: str) -> None:
    assert takes_pages(READING[name]) is (name not in WITHOUT_PAGES)


def test_nothing_is_excused_that_there_is_not() -> None:
    assert set(WITHOUT_PAGES) | HAS_ITS_OWN_TEST <= set(LISTS)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(world: ApiWorld) -> dict[str, str]:
    """Three and more of everything, but two of what the world has two of."""
    operator, submitter = world.client(Role.OPERATOR), world.client()
    now = world.context.clock.now()
    for name in ("ada", "bob", "eve"):
        assert operator.post("/v1/users", json={"name": name, "tenant": "demo"}).status_code == 201
        world.storage.directory.register_cluster(Cluster(name, "local"), now)
    for chip in ("h100-sxm", "mi300x"):
        assert operator.put(f"/v1/tenants/demo/quotas/{chip}", json={"devices": 64}).status_code == 200
        assert operator.put(f"/v1/throughputs/demo/train/{chip}", json={"units_per_s": 5}).status_code == 200
        times = {"layer_forward_s": 0.01, "layer_backward_s": 0.02}
        for degree in (2, 10):
            assert operator.put(f"/v1/profiles/demo/train/{chip}/{degree}/1", json=times).status_code == 200
        assert operator.put(f"/v1/chip-groups/some-{chip}", json={"chips": [chip]}).status_code == 200
    for _ in range(3):
        submitter.post(f"/v1/jobs/{world.submit()}/cancel")
        assert submitter.post("/v1/jobs", json={**JOB, "array": {"count": 2}}).status_code == 201
    server = world.submit(kind="inference", replicas=3)
    world.step()
    return {"tenant": "demo", "queue": "demo", "job": server, "family": "train", "chip": "h100-sxm"}


@pytest.mark.parametrize("name", PAGED)
def test_page_after_page_shows_each_item_once_in_the_order_of_the_whole(
    world: ApiWorld, ids: dict[str, str], name: str
) -> None:
    client, path = world.client(Role.OPERATOR), READING[name].path.format(**ids)
    whole = client.get(path, params={"limit": 200}).json()
    assert len(whole["items"]) > 1
    assert whole["next"] is None
    assert client.get(path, params={"limit": len(whole["items"])}).json()["next"] is None
    seen: list[Any] = []
    cursor: str | None = None
    for _ in whole["items"]:
        page = client.get(path, params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["items"]) == 1
        seen += page["items"]
        cursor = page["next"]
    assert cursor is None
    assert [_still(item) for item in seen] == [_still(item) for item in whole["items"]]


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 100_000}, {"cursor": "bm9uZSBvZiBvdXJzIQ"}])
def test_a_page_that_cannot_be_is_refused_by_the_name_of_what_is_wrong(
    world: ApiWorld, ids: dict[str, str], name: str, query: dict[str, Any]
) -> None:
    answer = world.client(Role.OPERATOR).get(READING[name].path.format(**ids), params=query)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/query/{next(iter(query))}")


def test_a_change_of_a_server_is_answered_with_all_its_replicas(world: ApiWorld) -> None:
    more = PlainPageQuery().limit + 10
    job = world.submit(kind="inference", replicas=1)
    scaled = world.client().patch(f"/v1/jobs/{job}/replicas", json={"replicas": more}).json()
    assert (len(scaled["items"]), scaled["next"]) == (more, None)
    first = world.client().get(f"/v1/jobs/{job}/replicas").json()
    assert (first["wanted"], len(first["items"])) == (more, more - 10)
    rest = world.client().get(f"/v1/jobs/{job}/replicas", params={"cursor": first["next"]}).json()
    assert [one["replica"] for one in first["items"] + rest["items"]] == list(range(more))


def _still(item: Any) -> Any:
    """Return an item without what changes from question to question."""
    return {key: value for key, value in item.items() if key != "last_used_at"}
