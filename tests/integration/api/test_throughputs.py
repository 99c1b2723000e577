"""How fast families are on chip types: listed for all, edited by operators."""

from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld

PATH = "/v1/throughputs/demo/resnet/h100-sxm"


def test_an_operator_says_how_fast_a_family_is_and_takes_it_back(world: ApiWorld) -> None:
    operator, submitter = world.client(Role.OPERATOR), world.client()
    said = operator.put(PATH, json={"units_per_s": 1200})
    assert (said.status_code, said.json()["units_per_s"], said.json()["version"]) == (200, 1200.0, 1)
    assert submitter.get(PATH).headers["ETag"] == said.headers["ETag"]
    assert [one["family"] for one in submitter.get("/v1/throughputs").json()["items"]] == ["resnet"]
    assert operator.put(PATH, json={"units_per_s": 5}, headers={"If-Match": '"old"'}).status_code == 412
    assert operator.delete(PATH).status_code == 204
    assert operator.delete(PATH).status_code == 404
    assert submitter.get(PATH).status_code == 404


def test_what_nobody_knows_and_what_is_no_speed_is_refused(world: ApiWorld) -> None:
    operator = world.client(Role.OPERATOR)
    assert operator.put("/v1/throughputs/demo/resnet/abacus", json={"units_per_s": 1}).status_code == 404
    assert operator.put("/v1/throughputs/nobody/resnet/h100-sxm", json={"units_per_s": 1}).status_code == 404
    for speed in (0, -1, "fast", None):
        assert operator.put(PATH, json={"units_per_s": speed}).status_code == 422
    assert world.client().put(PATH, json={"units_per_s": 1}).status_code == 403


def test_a_job_may_name_its_family(world: ApiWorld) -> None:
    job = world.submit(family="resnet")
    assert world.client().get(f"/v1/jobs/{job}").json()["spec"]["family"] == "resnet"
