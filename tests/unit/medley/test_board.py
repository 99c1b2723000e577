from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medley.live.board import Look, Window, board, plain_board
from tests.builders.command import a_job, an_attempt

AT = datetime(2026, 1, 1, 0, 10, 0, tzinfo=UTC)


def a_pool(number: int) -> dict[str, Any]:
    return {
        "name": f"mixed/chip-{number}-80g-x8", "cluster": "mixed", "chip": f"chip-{number}", "devices_per_node": 8,
        "device_memory_mib": 81_920, "nodes": 4, "devices": 32, "devices_held": 8, "devices_free": 24,
        "devices_drained": 0,
    }  # fmt: skip


def a_look(*, pools: int = 2, running: int = 1, queued: int = 1) -> Look:
    return Look(
        who="ada (submitter of demo)",
        address="http://127.0.0.1:8080",
        pools=[a_pool(number) for number in range(pools)],
        uses=[{"tenant": "demo", "chip": "chip-0", "devices_held": 8, "quota": None}],
        running=[a_job(name=f"runs-{n}", state="running", attempts=[an_attempt()]) for n in range(running)],
        queued=[a_job(name=f"waits-{n}") for n in range(queued)],
        at=AT,
    )


@pytest.mark.parametrize(("columns", "lines"), [(200, 60), (80, 24), (60, 20), (40, 40)])
def test_the_screen_fits_its_window_and_shows_capacity_and_jobs(columns: int, lines: int) -> None:
    shown = board(a_look(pools=30, running=50, queued=50), Window(columns, lines, has_colour=False), AT, None)
    assert len(shown) <= lines
    assert max(map(len, shown)) <= columns
    assert any("mixed/chip-0-80g-x8" in line for line in shown)
    assert any("runs-0" in line for line in shown)


def test_jobs_that_run_come_before_those_that_wait() -> None:
    shown = board(a_look(), Window(120, 40, has_colour=False), AT, None)
    assert [line.split()[0] for line in shown[-2:]] == ["runs-0", "waits-0"]
    assert "live" in shown[0]
    assert shown[1] == "64 devices on 8 nodes, 16 held"


def test_what_is_out_of_date_says_so_and_why() -> None:
    shown = board(a_look(), Window(200, 40, has_colour=False), AT + timedelta(seconds=75), "it does not answer")
    assert "as it was 1 min 15 s ago" in shown[0]
    assert shown[1] == "it does not answer"


def test_an_empty_server_is_no_fault() -> None:
    shown = board(a_look(pools=0, running=0, queued=0), Window(80, 24, has_colour=False), AT, None)
    assert shown[-1] == "no job runs or waits"
    assert "no pools" in plain_board(a_look(pools=0, running=0, queued=0))


def test_without_a_terminal_all_of_it_is_printed() -> None:
    shown = plain_board(a_look(pools=30, running=50, queued=50)).splitlines()
    assert sum(line.startswith(("runs-", "waits-")) for line in shown) == 100
