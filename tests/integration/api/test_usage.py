"""Use over time as people ask for it: series, accounts, history, and CSV of them."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.core.model.tenant import Role
from scheduler.ports.records.usage import PoolSum, TenantSum, UsagePeriod
from tests.builders.api import ApiWorld, open_world

SPAN = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    """A world with a job of each tenant that is over, and one that runs."""
    folder: Path = tmp_path_factory.mktemp("usage")
    with open_world(folder) as opened:
        jobs = [opened.submit("demo"), opened.submit("beta", chips="mi300x")]
        opened.step()
        for tenant, job in zip(("demo", "beta"), jobs, strict=True):
            assert opened.client(Role.SUBMITTER, tenant).post(f"/v1/jobs/{job}/cancel").status_code == 200
        opened.step()
        opened.step()
        opened.submit("demo")
        opened.step()
        yield opened


def get(world: ApiWorld, path: str, role: Role = Role.OPERATOR, tenant: str | None = None) -> Any:
    answer = world.client(role, tenant).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_accounts_tell_who_held_what(world: ApiWorld) -> None:
    items = get(world, "/v1/usage")["items"]
    assert [(item["tenant"], item["chip"]) for item in items] == [("beta", "mi300x"), ("demo", "h100-sxm")]
    assert all(item["chip_hours"] > 0 and item["is_estimate"] for item in items)
    by_user = get(world, "/v1/usage?by=user&by=day")["items"]
    assert {item["user"] for item in by_user} == {"token:submitter-of-demo", "token:submitter-of-beta"}
    assert {(item["tenant"], item["chip"]) for item in by_user} == {(None, None)}
    assert get(world, f"/v1/usage?{SPAN}")["items"] == []


def test_a_tenant_sees_its_own_use_only(world: ApiWorld) -> None:
    for query, expected in (("", {"demo"}), ("?tenant=demo", {"demo"}), ("?tenant=beta", set())):
        assert {item["tenant"] for item in get(world, f"/v1/usage{query}", Role.VIEWER, "demo")["items"]} == expected
        assert {item["tenant"] for item in get(world, f"/v1/history{query}", Role.VIEWER, "demo")["items"]} == expected
    assert {item["tenant"] for item in get(world, "/v1/usage?tenant=beta")["items"]} == {"beta"}


def test_accounts_come_as_csv_by_parameter_or_header(world: ApiWorld) -> None:
    client = world.client(Role.AUDITOR)
    for answer in (client.get("/v1/usage?format=csv"), client.get("/v1/usage", headers={"Accept": "text/csv"})):
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows = table(answer.text)
        assert [row["tenant"] for row in rows] == ["beta", "demo"]
        assert list(rows[0])[:2] == ["tenant", "chip"]
        assert {"chip_hours", "compute_pflops_hours"} <= rows[0].keys()
    json_wins = client.get("/v1/usage?format=json", headers={"Accept": "text/csv"})
    assert json_wins.headers["content-type"] == "application/json"


def test_history_lists_finished_jobs_with_wait_and_run_time(world: ApiWorld) -> None:
    items = get(world, "/v1/history")["items"]
    assert {item["tenant"] for item in items} == {"demo", "beta"}
    assert [item["finished_at"] for item in items] == sorted((item["finished_at"] for item in items), reverse=True)
    for item in items:
        assert (item["state"], item["attempts"]) == ("cancelled", 1)
        assert item["wait_s"] > 0
        assert item["chip_hours"] == pytest.approx(2 * item["run_s"] / 3600, abs=2e-6)
    assert get(world, "/v1/history?state=succeeded")["items"] == []
    assert get(world, f"/v1/history?{SPAN}")["items"] == []
    assert len(get(world, "/v1/history?user=token:submitter-of-beta")["items"]) == 1


def test_history_is_paged_in_both_forms(world: ApiWorld) -> None:
    first = get(world, "/v1/history?limit=1")
    second = get(world, f"/v1/history?limit=1&cursor={first['next']}")
    assert second["next"] is None
    assert [*first["items"], *second["items"]] == get(world, "/v1/history")["items"]
    client = world.client(Role.OPERATOR)
    page = client.get("/v1/history?limit=1&format=csv")
    target = page.headers["link"].removeprefix("<").removesuffix('>; rel="next"')
    further = client.get(target)
    assert "link" not in further.headers
    assert [row["id"] for row in (*table(page.text), *table(further.text))] == [
        item["id"] for item in (*first["items"], *second["items"])
    ]


def test_series_show_what_was_kept(world: ApiWorld) -> None:
    at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    full = 60_000 * 1_000
    tenants = [TenantSum("mixed", "h100-sxm", name, 4 * full, 2 * full, full) for name in ("demo", "beta")]
    period = UsagePeriod(at, 60_000, [PoolSum("mixed", "h100-sxm", 16 * full, 12 * full)], tenants)
    assert world.storage.usage.record(period, world.storage.leadership.current()[0])
    answer = get(world, "/v1/utilisation/series?step=60&by=pool")
    (line,) = answer["series"]
    point = answer["times"].index(at.isoformat(timespec="microseconds").replace("+00:00", "Z"))
    figures = {name: values[point] for name, values in line.items() if name != "name"}
    assert figures == {
        "capacity": 16.0, "usable": 12.0, "allocated": 8.0, "busy": 4.0, "idle": 2.0, "unreported": 2.0,
    }  # fmt: skip
    assert line["allocated"][point - 1] is None
    own = get(world, "/v1/utilisation/series?by=tenant", Role.VIEWER, "demo")
    assert [(line["name"], set(line["capacity"])) for line in own["series"]] == [("demo", {None})]
    others = get(world, "/v1/utilisation/series?by=tenant&tenant=beta", Role.VIEWER, "demo")
    assert others["series"] == []


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/usage?from=yesterday", "/query/from"),
        ("/v1/usage?from=2026-01-01T00:00:00", "/query/from"),
        ("/v1/usage?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/query"),
        ("/v1/usage?from=0001-01-01T00:00:00Z", "/query"),
        ("/v1/usage?from=2024-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "/query/from"),
        ("/v1/usage?by=node", "/query/by"),
        ("/v1/usage?format=xml", "/query/format"),
        ("/v1/history?cursor=bm9uc2Vuc2U", "/query/cursor"),
        ("/v1/history?state=running", "/query/state"),
        ("/v1/utilisation/series?step=59", "/query/step"),
        ("/v1/utilisation/series?step=61", "/query/step"),
        ("/v1/utilisation/series?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z&step=60", "/query/step"),
        ("/v1/utilisation/series?by=node", "/query/by"),
        ("/v1/utilisation/series?since=now", "/query/since"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_place(world: ApiWorld, path: str, pointer: str) -> None:
    answer = world.client(Role.OPERATOR).get(path)
    assert answer.status_code == 422, answer.text
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.json()
