from typing import Any

from medley.screens.tables import fitted
from medley.sharing.tables import shares_legend, shares_table

STANDING = {"chip": "h100-sxm", "held": 0.0, "recent": 0.62, "half_life_s": 604_800.0, "share": 0.558}


def a_share(queue: str, against_due: float | None, *, parent: str | None = "org", **changes: Any) -> dict[str, Any]:
    """Return a queue as `GET /v1/shares` tells it; None: its server does not compare queues."""
    standing = None if against_due is None else STANDING | {"against_due": against_due}
    whole = {"queue": queue, "parent": parent, "weight": 1, "due": 0.25, "held": 0.0, "running": 0, "waiting": 12}
    return whole | {"chips": [], "quotas": [], "standing": standing} | changes


def cells(*shares: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the table by their headings."""
    table = shares_table(shares)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_recent_use_and_what_it_is_of_what_is_due_stand_beside_what_is_held() -> None:
    (row,) = cells(a_share("speech", 2.232))
    assert (row["DUE"], row["HELD"], row["RECENT"], row["MOST OF"]) == ("25.0 %", "0.0 %", "62.0 %", "h100-sxm")
    assert row["SHARE BY DUE"] == "█████│█████ 2.23 x"


def test_a_bar_reaches_the_line_with_what_is_due_and_its_end_with_twice_as_much() -> None:
    bars = [row["SHARE BY DUE"] for row in cells(*(a_share("one", by_due) for by_due in (0.0, 0.6, 1.0, 1.6, 9.0)))]
    assert bars == [
        "░░░░░│░░░░░ 0.00 x",
        "███░░│░░░░░ 0.60 x",
        "█████│░░░░░ 1.00 x",
        "█████│███░░ 1.60 x",
        "█████│█████ 9.00 x",
    ]


def test_where_queues_are_not_compared_there_is_nothing_to_compare() -> None:
    of_old_server = a_share("vision", None)
    del of_old_server["standing"]
    for shares in ([a_share("vision", None)], [of_old_server]):
        assert not {"RECENT", "SHARE BY DUE", "MOST OF"} & set(shares_table(shares).columns)
        assert shares_legend(shares) == ""


def test_the_legend_says_after_what_time_use_counts_half() -> None:
    text = shares_legend([a_share("vision", None), a_share("speech", 1.0)])
    assert "use counts half after 7 d." in text
    assert max(map(len, text.splitlines())) <= 80
    of_now = a_share("speech", 1.0, standing=STANDING | {"against_due": 1.0, "half_life_s": 0.0})
    assert "use does not count here." in shares_legend([of_now])


def test_a_window_of_80_cells_has_room_for_what_decides() -> None:
    shares = [a_share("org", 1.0, parent=None, due=1.0), a_share("vision-night", 0.41)]
    shown = fitted(shares_table(shares), 80, has_colour=False)
    assert {"DUE", "HELD", "RECENT", "SHARE BY DUE"}.isdisjoint(shown.left_out)
    assert "- vision-night" in shown.text
