import pytest

from medley.answers import Json
from medley.screens.capacity import (
    advice,
    capacity_line,
    chips_table,
    clusters_table,
    findings_table,
    nodes_table,
    pools_table,
    tenants_use_table,
)

POOL = {
    "name": "mixed/h100-sxm-81920-x8", "cluster": "mixed", "chip": "h100-sxm", "device_memory_mib": 81920,
    "devices_per_node": 8, "nodes": 4, "devices": 32, "devices_held": 8, "devices_free": 16, "devices_drained": 8,
}  # fmt: skip


def test_a_node_says_what_is_free_and_who_holds_the_rest() -> None:
    node = {
        "cluster": "mixed", "name": "nvidia-1", "state": "ready", "topology": {"rack": "r1"},
        "devices": [{"chip": "h100-sxm", "count": 8, "memory_mib": 81920, "held": 6}],
        "cpu_milli": 128_000, "cpu_milli_held": 1_500, "memory_mib": 1_048_576, "memory_mib_held": 4_096,
        "holdings": [
            {"tenant": "demo", "job": "a", "chip": "h100-sxm", "devices": 1},
            {"tenant": "beta", "job": None, "chip": "h100-sxm", "devices": 3},
            {"tenant": "demo", "job": "b", "chip": "h100-sxm", "devices": 2},
        ],
        "note": "an operator looks at it",
    }  # fmt: skip
    want = (
        "mixed/nvidia-1", "ready", "r1", "8 h100-sxm", "2", "1.5/128", "4/1024 GiB", "beta 3, demo 3",
        "an operator looks at it",
    )  # fmt: skip
    (row,) = nodes_table([node]).rows
    assert row == (*want, "rack r1", "")


NODE = {
    "cluster": "mixed", "name": "n1", "state": "ready", "text": "takes new work", "tenant": None,
    "topology": {"rack": "r1"}, "devices": [
        {"chip": "h100", "count": 8, "memory_mib": 81920, "held": 1, "shared_milli": 1200, "foreign": 2}
    ],
    "cpu_milli": 128_000, "cpu_milli_held": 0, "memory_mib": 1_048_576, "memory_mib_held": 0, "note": "",
    "holdings": [{"tenant": "demo", "job": "a", "chip": "h100", "devices": 1,
                  "share": {"milli": 1200, "memory_mib": 40_960}}],
}  # fmt: skip


def test_shares_and_what_is_not_medleys_are_not_free() -> None:
    row = dict(zip((table := nodes_table([NODE])).columns, table.rows[0], strict=True))
    assert (row["FREE"], row["HELD BY"]) == ("3", "demo 2.2, not by Medley 2")
    assert "ONLY FOR" not in row


def test_whose_a_node_is_has_a_column_where_some_belong_to_a_tenant() -> None:
    table = nodes_table([NODE, NODE | {"tenant": "vision"}])
    assert [row[table.columns.index("ONLY FOR")] for row in table.rows] == ["", "vision"]


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"state": "degraded", "text": "takes work last"}, "takes work last"),
        ({"state": "suspect", "text": "may be broken", "note": "two workers were lost"}, "two workers were lost"),
        ({"state": "drained", "text": "takes nothing new"}, ""),
        ({}, ""),
    ],
)
def test_a_state_that_does_not_speak_for_itself_is_explained(changes: Json, want: str) -> None:
    assert nodes_table([NODE | changes]).rows[0][-3] == want


def test_devices_that_are_not_medleys_have_a_column_where_there_are_any() -> None:
    table = pools_table([POOL | {"devices_foreign": 3}])
    assert table.rows[0][table.columns.index("NOT BY MEDLEY")] == "3"
    assert "NOT BY MEDLEY" not in pools_table([POOL]).columns


def test_a_pool_has_a_bar_of_what_is_held() -> None:
    row = pools_table([POOL]).rows[0]
    assert row[3:8] == ("4", "32", "8", "16", "8")
    assert row[8] == "██░░░░░░░░  25%"


def test_an_empty_pool_divides_by_nothing() -> None:
    empty = POOL | {"devices": 0, "devices_held": 0}
    assert pools_table([empty]).rows[0][8].endswith("0%")


def test_all_capacity_is_one_sentence() -> None:
    assert capacity_line([POOL, POOL]) == "64 devices on 8 nodes, 16 held"


def test_no_quota_is_no_limit() -> None:
    rows = [{"tenant": "demo", "chip": "mi300x", "devices_held": 2, "quota": quota} for quota in (None, 0, 8)]
    assert [row[3] for row in tenants_use_table(rows).rows] == ["no limit", "0", "8"]


def test_estimates_are_marked_and_unknown_figures_are_not_invented() -> None:
    chip = {
        "name": "x1", "vendor": "Vendor", "model": "X1", "memory_mib": 65_536, "planning_tflops": 350.5,
        "rate_is_estimate": True, "memory_bandwidth_gb_s": None, "torch_device": "cuda", "collective_library": "nccl",
        "estimated_fields": ["memory_mib", "memory_bandwidth_gb_s"],
    }  # fmt: skip
    assert chips_table([chip]).rows[0][3:6] == ("~64 GiB", "~350.5", "?")


CHECK = {
    "cluster": "east", "is_ok": False,
    "findings": [
        {"what": "create pods", "is_ok": False, "detail": "not allowed", "next": "grant it"},
        {"what": "list nodes", "is_ok": True, "detail": "allowed", "next": None},
        {"what": "delete pods", "is_ok": False, "detail": "not allowed", "next": "grant it"},
    ],
}  # fmt: skip


def test_a_check_says_what_works_and_each_advice_once() -> None:
    assert findings_table([CHECK]).rows == [
        ("east", "create pods", "fails", "not allowed"),
        ("east", "list nodes", "works", "allowed"),
        ("east", "delete pods", "fails", "not allowed"),
    ]
    assert list(advice([CHECK])) == ["next, on east: grant it"]


def test_clusters_are_listed_with_what_drives_them() -> None:
    assert clusters_table([{"name": "east", "kind": "kubernetes"}]).rows == [("east", "kubernetes")]
