from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medley.live.board import Board, Look, Window, board, plain_board
from medley.live.view import KEYS, View
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


def a_board(look: Look, columns: int, lines: int, view: View = View()) -> Board:  # noqa: B008 - it cannot change
    return board(look, Window(columns, lines, has_colour=False), AT, None, view)


def names(shown: Board) -> list[str]:
    return [word for line in shown.lines for word in line.split()[:1] if word.startswith(("runs-", "waits-"))]


@pytest.mark.parametrize(("columns", "lines"), [(200, 60), (80, 24), (60, 20), (40, 40)])
def test_the_screen_fits_its_window_and_shows_capacity_jobs_and_keys(columns: int, lines: int) -> None:
    shown = a_board(a_look(pools=30, running=50, queued=50), columns, lines).lines
    assert len(shown) == lines
    assert max(map(len, shown)) <= columns
    assert any("mixed/chip-0-80g-x8" in line for line in shown)
    assert any("runs-0" in line for line in shown)
    assert "of 100 jobs" in shown[-1]


def test_jobs_that_run_come_before_those_that_wait() -> None:
    shown = a_board(a_look(), 120, 40)
    assert names(shown) == ["runs-0", "waits-0"]
    assert "live" in shown.lines[0]
    assert shown.lines[1] == "64 devices on 8 nodes, 16 held"
    assert shown.lines[-1] == f"1-2 of 2 jobs  {KEYS}"
    assert any("WORKERS  DEVICES  CHIPS" in line for line in shown.lines), "it can be sorted by them"
    assert "DEVICES  CHIPS" not in plain_board(a_look())


@pytest.mark.parametrize("columns", [120, 30])
def test_the_pages_together_have_every_job_once(columns: int) -> None:
    look = a_look(running=30, queued=47)
    pages = a_board(look, columns, 24).pages
    seen = [name for page in range(pages) for name in names(a_board(look, columns, 24, View(page=page)))]
    if columns == 120:
        assert seen == [f"runs-{n}" for n in range(30)] + [f"waits-{n}" for n in range(47)]
    assert pages > 3
    assert (
        a_board(look, columns, 24, View(page=pages + 5)).lines == a_board(look, columns, 24, View(page=pages - 1)).lines
    )


def test_where_not_all_jobs_were_read_the_foot_says_so() -> None:
    shown = a_board(replace(a_look(), has_more=True), 120, 24)
    assert shown.lines[-1].startswith("1-2 of the newest 2 jobs")


def test_a_keyboard_that_is_not_there_is_not_offered() -> None:
    shown = board(a_look(), Window(120, 24, has_colour=False, has_keys=False), AT, None, View())
    assert shown.lines[-1].endswith("Ctrl-C ends")


def test_what_is_out_of_date_says_so_and_why() -> None:
    window = Window(200, 40, has_colour=False)
    shown = board(a_look(), window, AT + timedelta(seconds=75), "it does not answer", View()).lines
    assert "as it was 1 min 15 s ago" in shown[0]
    assert shown[1] == "it does not answer"


def test_an_empty_server_is_no_fault() -> None:
    shown = a_board(a_look(pools=0, running=0, queued=0), 80, 24)
    assert "no job runs or waits" in shown.lines
    assert shown.pages == 1
    assert "no pools" in plain_board(a_look(pools=0, running=0, queued=0))


def test_without_a_terminal_all_of_it_is_printed() -> None:
    shown = plain_board(a_look(pools=30, running=50, queued=50)).splitlines()
    assert sum(line.startswith(("runs-", "waits-")) for line in shown) == 100
