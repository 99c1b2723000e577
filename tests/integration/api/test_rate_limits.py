"""What clients see of their allowances, and what happens to one who asks for too much."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.costs import COSTS, COSTS_OF_STRANGERS, UNIT
from api.permissions import PERMISSIONS, Open
from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.system.rate_limits import InProcessRateLimits
from scheduler.core.model.tenant import Role
from scheduler.ports.rate_limit import Rate
from scheduler.services.access.authenticate import new_secret
from scheduler.services.access.meter_requests import Meter
from tests.builders.api import JOB, ApiWorld, open_world

PER_TOKEN = Rate(units=10, window_s=20)
PER_TENANT = Rate(units=15, window_s=30)
PER_ADDRESS = Rate(units=5, window_s=50)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def strict(tmp_path: Path, clock: ManualClock) -> Iterator[ApiWorld]:
    """An API whose callers have little to spend."""
    with open_world(tmp_path, meter=Meter(InProcessRateLimits(clock), PER_TOKEN, PER_TENANT, PER_ADDRESS)) as opened:
        yield opened


def test_every_answer_to_a_token_says_what_is_left(strict: ApiWorld) -> None:
    client = strict.client()
    headers = client.get("/v1/whoami").headers
    assert headers["ratelimit-policy"] == '"token";q=10;w=20, "tenant";q=15;w=30'
    assert headers["ratelimit"] == '"token";r=9;t=2, "tenant";r=14;t=2'
    assert client.get("/v1/jobs/0000000000000000").headers["ratelimit"] == '"token";r=8;t=4, "tenant";r=13;t=4'
    assert client.get("/v1/tenants").status_code == 403
    assert client.get("/v1/whoami").headers["ratelimit"] == '"token";r=6;t=8, "tenant";r=11;t=8'


def test_who_asks_too_much_is_told_when_to_come_back_and_nothing_is_done(strict: ApiWorld, clock: ManualClock) -> None:
    client = strict.client()
    for _ in range(10):
        assert client.post("/v1/jobs", json=dict(JOB)).status_code == 201
    refused = client.post("/v1/jobs", json=dict(JOB))
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["ratelimit"].startswith('"token";r=0;t=20')
    problem = refused.json()
    assert problem["code"] == "too-many-requests"
    assert "this token may spend 10 in 20 s" in problem["detail"]
    assert "after 2 s" in problem["next"]
    assert len(strict.client(Role.VIEWER, "demo").get("/v1/jobs").json()["items"]) == 10
    clock.advance(2)
    assert client.post("/v1/jobs", json=dict(JOB)).status_code == 201


def test_the_tokens_of_a_tenant_share_its_allowance_and_other_tenants_do_not_feel_it(strict: ApiWorld) -> None:
    one, another = strict.client(Role.SUBMITTER), strict.client(Role.VIEWER)
    assert [one.get("/v1/whoami").status_code for _ in range(10)] == [200] * 10
    assert [another.get("/v1/whoami").status_code for _ in range(6)] == [200] * 5 + [429]
    refused = another.get("/v1/whoami")
    assert "all tokens of your tenant together may spend 15 in 30 s" in refused.json()["detail"]
    assert strict.client(Role.SUBMITTER, "beta").get("/v1/whoami").status_code == 200


def test_the_cluster_wide_roles_have_a_tokens_allowance_only(strict: ApiWorld) -> None:
    operator = strict.client(Role.OPERATOR)
    assert operator.get("/v1/whoami").headers["ratelimit-policy"] == '"token";q=10;w=20'


def test_what_is_dear_costs_more_than_one_unit(strict: ApiWorld) -> None:
    job = strict.submit(workers=16)
    client = strict.client(Role.VIEWER)
    assert client.get(f"/v1/jobs/{job}/why").headers["ratelimit"].startswith('"token";r=8')
    assert client.get(f"/v1/jobs/{job}/logs").headers["ratelimit"].startswith('"token";r=4')
    assert client.get(f"/v1/jobs/{job}/logs?rank=0").headers["ratelimit"].startswith('"token";r=2')


def test_accounts_of_much_work_cost_more_than_charts_and_lists_of_it(tmp_path: Path, clock: ManualClock) -> None:
    meter = Meter(InProcessRateLimits(clock), Rate(units=40, window_s=40), None, None)
    with open_world(tmp_path, meter=meter) as world:
        client = world.client(Role.VIEWER)
        assert client.get("/v1/utilisation/series").headers["ratelimit"].startswith('"token";r=35')
        assert client.get("/v1/history").headers["ratelimit"].startswith('"token";r=30')
        assert client.get("/v1/usage").headers["ratelimit"].startswith('"token";r=10')
        assert client.get("/v1/usage").status_code == 429


def test_health_and_workers_are_not_charged(strict: ApiWorld) -> None:
    for _ in range(40):
        answer = strict.bearer(None).get("/livez")
        assert answer.status_code == 200
    assert "ratelimit" not in answer.headers
    assert strict.bearer("mdl_wrong").get("/v1/whoami").status_code == 401


def test_a_server_without_limits_says_nothing_of_them(tmp_path: Path, clock: ManualClock) -> None:
    with open_world(tmp_path, meter=Meter(InProcessRateLimits(clock), None, None, None)) as free:
        answer = free.client().get("/v1/whoami")
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


def test_only_what_is_charged_has_a_cost() -> None:
    assert all(cost > UNIT and not isinstance(PERMISSIONS[name], Open) for name, cost in COSTS.items())


def test_who_tries_token_after_token_is_told_to_stop_and_a_valid_one_from_there_still_opens(
    strict: ApiWorld, clock: ManualClock
) -> None:
    tries = [strict.bearer(new_secret()).get("/v1/whoami") for _ in range(7)]
    assert [answer.status_code for answer in tries] == [401] * 5 + [429] * 2
    assert "from your address without a valid token may spend 5 in 50 s" in tries[-1].json()["detail"]
    assert tries[-1].headers["retry-after"] == "10"
    assert strict.client().get("/v1/whoami").status_code == 200
    clock.advance(10)
    assert strict.bearer("mdl_mistyped").get("/v1/whoami").status_code == 401


def test_logins_from_an_address_share_its_allowance(strict: ApiWorld) -> None:
    stranger = strict.bearer(None)
    answers = [stranger.post("/v1/login/exchange", json={"id_token": "x"}).status_code for _ in range(6)]
    assert answers[-1] == 429
    assert 429 not in answers[:5]
    assert stranger.get("/readyz").status_code == 200
    exchange = stranger.get("/openapi.json").json()["paths"]["/v1/login/exchange"]["post"]
    assert "429" in exchange["responses"]


def test_every_login_of_strangers_is_a_public_operation() -> None:
    assert {name for name in COSTS_OF_STRANGERS if PERMISSIONS.get(name) is not Open.PUBLIC} == set()
