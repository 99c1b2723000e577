"""How simulations are drawn."""

from medley.answers import Json
from medley.screens.simulated.chart import bars, chart, squeezed
from medley.screens.simulated.picture import picture
from medley.screens.simulated.tables import chips_table, compared, finish_line, jobs_line, waits_table

WAIT = {"jobs": 5, "waiting_still": 1, "p50_s": 2_460, "p90_s": 7_200, "p99_s": 9_000, "longest_s": 9_000}
NOBODY = {"jobs": 0, "waiting_still": 0, "p50_s": None, "p90_s": None, "p99_s": None, "longest_s": None}


def a_report(**changes: object) -> Json:
    counts = ("submitted", "turned_away", "started", "succeeded", "failed", "refused", "waiting", "begun", "attempts",
              "preempted", "lost", "over_time_limit")  # fmt: skip
    report: Json = {
        "cluster": "east",
        "nodes": 2,
        "virtual_s": 172_800,
        "seed": 1,
        "digest": "0" * 64,
        "use": 0.5,
        "jobs": {**dict.fromkeys(counts, 0), "submitted": 5, "succeeded": 4, "waiting": 1, "lost": 2},
        "wait": WAIT,
        "order": "las",
        "finish": {"jobs": 4, "p50_s": 3_600, "p90_s": 7_200, "p99_s": 7_200, "mean_s": 4_500.0},
        "chips": [{"chip": "fast", "devices": 16.0, "device_hours": 384.0, "use": 0.5}],
        "tenants": [{"tenant": "alpha", **WAIT}, {"tenant": "beta", **NOBODY}],
        "sizes": [{"devices": "5-8", **WAIT}],
        "over_time": {
            "step_s": 60,
            "devices_used": [0.0, 8.0, 16.0],
            "devices": [16.0, 16.0, 16.0],
            "jobs_waiting": [0.0, 0.0, 4.0],
            "devices_asked_for": [0.0, 0.0, 40.0],
        },
    }
    return report | changes


def test_jobs_are_counted_and_what_never_happened_is_left_out() -> None:
    assert jobs_line(a_report()) == "4 succeeded, 0 begun, 1 waiting, 2 lost"


def test_how_long_jobs_took_is_said_with_the_policy_that_decided() -> None:
    said = "from submission to success by las: 1 h 15 min in the mean, half within 1 h, nine in ten within 2 h"
    assert finish_line(a_report()) == said


def test_two_clusters_stand_beside_each_other() -> None:
    added = [{"chip": "fast", "devices": 48.0, "device_hours": 1.0, "use": 0.25}]
    both = [a_report(), a_report(chips=added, use=0.25)]
    assert list(chips_table(both).rows[-1]) == ["all", "16", "50.0 %", "48", "25.0 %"]
    assert waits_table(both, "tenants", "TENANT").columns[-1] == "P99'"
    assert waits_table(both, "tenants", "TENANT").rows[1][:3] == ("beta", "0", "-")
    one = [{"chip": "fast", "devices": 17.0, "device_hours": 1.0, "use": 0.25}]
    assert compared(a_report(), a_report(chips=one)).startswith("with 1 more device: ")
    assert compared(*both) == (
        "with 32 more devices: median wait 41 min -> 41 min, nine in ten within 2 h -> 2 h, "
        "99 in 100 within 2 h 30 min -> 2 h 30 min, used 50.0 % -> 25.0 %"
    )


def test_a_chip_type_that_only_one_of_them_has_is_shown() -> None:
    other = [{"chip": "slow", "devices": 4.0, "device_hours": 0.0, "use": 0.0}]
    rows = chips_table([a_report(), a_report(chips=other)]).rows
    assert [tuple(row) for row in rows[:2]] == [("fast", "16", "50.0 %", "-", "-"), ("slow", "-", "-", "4", "0.0 %")]


def test_bars_are_as_high_as_their_values() -> None:
    assert bars([0, 4, 8, 99], 8) == ["  ██", "  ██", " ███", " ███"]
    assert bars([1, 2], 0) == ["  "] * 4


def test_a_curve_is_squeezed_into_the_width() -> None:
    assert squeezed([1, 3, 5, 7], 2) == [2, 6]
    assert squeezed([1, 3], 10) == [1, 3]
    assert squeezed([], 10) == []


def test_a_chart_fits_its_width() -> None:
    lines = list(chart(a_report(), width=40))
    assert max(map(len, lines)) <= 40
    assert [line.strip() for line in lines if "d" in line] == ["devices used", "devices asked for", "02.0 d"]


def test_nothing_that_happened_can_be_drawn() -> None:
    nothing = {"step_s": 60, "devices_used": [], "devices": [], "jobs_waiting": [], "devices_asked_for": []}
    report = a_report(over_time=nothing, virtual_s=0)
    assert len(list(chart(report, width=40))) == 16
    assert picture([report]).startswith("<svg")


def test_names_cannot_break_a_picture() -> None:
    assert "<script>" not in picture([a_report(cluster="<script>")])
