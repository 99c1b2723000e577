"""Tables in windows of 80, 60 and 40 columns: what names a thing is there whole, to be copied."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.command import (
    JOB_ID,
    Reply,
    ScriptedServer,
    a_job,
    a_report,
    a_scripted_server,
    a_worker,
    an_attempt,
    logged_in,
    run_in_window,
)

CHIP_NAMES = ("h100-sxm", "a800-sxm-80", "intel-gaudi3")
WHY = "tightest fit in rack r1: 8 of its a800-sxm-80 were free, 4 stay free; 12 nodes were considered"
JOB_NAME = "first-training-of-a-long-name"


def _node(number: int) -> dict[str, object]:
    chip = CHIP_NAMES[number % 3]
    holdings = [{"tenant": f"tenant-{of}", "job": None, "chip": chip, "devices": 2} for of in range(3)]
    return {
        "cluster": "mixed", "name": f"accelerated-{number}", "state": "drained", "note": "cordoned",
        "topology": {"rack": "r1"},
        "devices": [{"chip": chip, "count": 8, "memory_mib": 81_920, "held": 6}], "cpu_milli": 192_000,
        "cpu_milli_held": 1_500, "memory_mib": 2_359_296, "memory_mib_held": 64, "holdings": holdings,
    }  # fmt: skip


def _pool(chip: str) -> dict[str, object]:
    return {
        "name": f"mixed/{chip}-80g-x8", "cluster": "mixed", "chip": chip, "device_memory_mib": 81_920,
        "devices_per_node": 8, "nodes": 4, "devices": 32, "devices_held": 8, "devices_free": 16, "devices_drained": 8,
    }  # fmt: skip


def _chip(name: str) -> dict[str, object]:
    return {
        "name": name, "vendor": "Some Vendor", "model": "A100-SXM-80", "memory_mib": 81_920, "planning_tflops": 271.2,
        "rate_is_estimate": True, "memory_bandwidth_gb_s": 2000, "torch_device": "cuda", "link": None,
        "collective_library": "NCCL", "estimated_fields": [],
    }  # fmt: skip


def _token(number: int) -> dict[str, object]:
    return {
        "id": f"{number}1jd3v9k2m0a7b4", "name": "continuous-integration", "role": "tenant-admin", "tenant": "demo",
        "user": "ada.lovelace@example", "created_at": "2026-01-01T00:00:00Z", "expires_at": "2099-01-01T00:00:00Z",
        "revoked_at": None,
    }  # fmt: skip


def _items(*items: object) -> Reply:
    return Reply(body={"items": list(items), "next": None})


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    node = "mixed/accelerated-{}"
    workers = [a_worker(rank=rank, node=node.format(rank // 4), chip="a800-sxm-80", why=WHY) for rank in range(8)]
    workers[5] |= {"phase": "exited", "exit_code": -9, "end": "memory-limit"}
    job = a_job(name=JOB_NAME, state="running", attempts=[an_attempt(workers=workers)], progress=a_report(10, 2.5))
    waiting = job | {"state": "queued", "reasons": [{"code": "too-few-free", "text": f"needs more: {WHY}"}]}
    with a_scripted_server() as server:
        server.on("GET /v1/jobs", _items(job, waiting | {"tenant": "another-tenant"}))
        server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=job))
        server.on("GET /v1/nodes", _items(*map(_node, range(4))))
        server.on("GET /v1/pools", _items(*map(_pool, CHIP_NAMES)))
        server.on("GET /v1/chips", _items(*map(_chip, CHIP_NAMES)))
        uses = [{"tenant": "another-tenant", "chip": chip, "devices_held": 8, "quota": None} for chip in CHIP_NAMES]
        server.on("GET /v1/utilisation", Reply(body={"pools": [_pool(chip) for chip in CHIP_NAMES], "tenants": uses}))
        server.on("GET /v1/tenants", _items({"name": "another-tenant", "created_at": "2026-01-01T00:00:00Z"}))
        server.on("GET /v1/users", _items({"name": "ada.lovelace@example", "tenant": "demo", "created_at": None}))
        server.on("GET /v1/tokens", _items(*map(_token, range(2))))
        quotas = [{"tenant": "demo", "chip": chip, "devices": 4} for chip in CHIP_NAMES]
        server.on("GET /v1/tenants/demo/quotas", _items(*quotas))
        yield server


POOL_NAMES = tuple(f"mixed/{chip}-80g-x8" for chip in CHIP_NAMES)
NODE_NAMES = tuple(f"mixed/accelerated-{number}" for number in range(4))


@pytest.mark.parametrize("columns", [80, 60, 40])
@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("ls", (JOB_NAME, JOB_ID)),
        (f"show {JOB_ID}", (JOB_NAME, JOB_ID, *NODE_NAMES[:2])),
        ("nodes", NODE_NAMES),
        ("pools", POOL_NAMES),
        ("utilisation", (*POOL_NAMES, "another-tenant", *CHIP_NAMES)),
        ("chips", CHIP_NAMES),
        ("tenants", ("another-tenant",)),
        ("users", ("ada.lovelace@example",)),
        ("tokens", ("01jd3v9k2m0a7b4", "11jd3v9k2m0a7b4", "continuous-integration")),
        ("quota show demo", CHIP_NAMES),
    ],
)
def test_every_table_fits_its_window_and_names_are_whole(
    server: ScriptedServer, tmp_path: Path, line: str, want: tuple[str, ...], columns: int
) -> None:
    shown = run_in_window(*line.split(), columns=columns, environment=logged_in(server, tmp_path))
    words = {word.rstrip(",:") for word in shown.split()}
    assert set(want) <= words
    assert [line for line in shown.splitlines() if len(line) > columns] == []


def test_a_window_of_eighty_columns_has_one_line_per_node(server: ScriptedServer, tmp_path: Path) -> None:
    shown = run_in_window("nodes", columns=80, environment=logged_in(server, tmp_path)).splitlines()
    assert sum(line.startswith("mixed/") for line in shown) == 4


def test_why_alike_ranks_are_where_they_are_is_said_once(server: ScriptedServer, tmp_path: Path) -> None:
    shown = run_in_window("show", JOB_ID, columns=80, environment=logged_in(server, tmp_path))
    assert " ".join(shown.split()).count("12 nodes were considered") == 2
    assert "killed: over its memory" in shown


def test_a_wide_window_has_every_column(server: ScriptedServer, tmp_path: Path) -> None:
    wide = run_in_window("nodes", columns=200, environment=logged_in(server, tmp_path))
    narrow = run_in_window("nodes", columns=50, environment=logged_in(server, tmp_path))
    assert "64 MiB/2304 GiB" in wide
    assert "RACK" in wide
    assert "RACK" not in narrow
