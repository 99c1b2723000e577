"""Queues, quotas and shares as tables."""

from collections.abc import Iterator, Mapping, Sequence

from medley.answers import Json
from medley.screens.amounts import bar, duration, figure
from medley.screens.tables import Table, without

_CAPS = (
    ("most_waiting", "waiting"),
    ("most_running", "running"),
    ("most_running_per_user", "running per user"),
    ("highest_priority", "priority"),
)
_INDENT = "- "
_PERCENT = 100
_DUE_AT = 0.5
"""Where a bar is marked: it is full with twice what a queue is due."""
_OF_STANDING = ("RECENT", "SHARE BY DUE", "MOST OF")


def queues_table(queues: Sequence[Json]) -> Table:
    """Return one row per queue, each beneath the one that it is in."""
    rows = [
        (_INDENT * depth + queue["name"], queue["tenant"] or "", str(queue["weight"]), _caps(queue))
        for queue, depth in _as_tree(queues)
    ]
    return Table(("QUEUE", "TENANT", "WEIGHT", "AT MOST"), rows, "no queues yet; every tenant has one of its own")


def queue_quotas_table(quotas: Sequence[Json], queue: str) -> Table:
    """Return one row per resource that something is said of."""
    rows = [
        (
            quota["resource"],
            str(quota["guaranteed"]),
            _or_any(quota["limit"]),
            _or_any(quota["borrowing"]),
            _or_any(quota["lending"]),
        )
        for quota in quotas
    ]
    return Table(
        ("RESOURCE", "GUARANTEED", "LIMIT", "BORROWS", "LENDS"),
        rows,
        f"nothing is guaranteed to {queue}, and nothing is limited",
    )


def shares_table(shares: Sequence[Json]) -> Table:
    """Return one row per queue: what it is due, holds and held lately, where that puts it, and of what."""
    rows = [
        (
            _INDENT * depth + share["queue"],
            str(share["weight"]),
            _percent(share["due"]),
            _percent(share["held"]),
            *_standing_cells(share.get("standing")),
            " ".join(f"{figure(chip['devices'])} {chip['chip']}" for chip in share["chips"]),
            " ".join(f"{figure(one['borrowed'])} {one['resource']}" for one in share["quotas"] if one["borrowed"]),
            str(share["running"]),
            str(share["waiting"]),
        )
        for share, depth in _as_tree(shares, "queue")
    ]
    head = ("QUEUE", "WEIGHT", "DUE", "HELD", *_OF_STANDING, "DEVICES", "BORROWED", "RUNNING", "WAITING")
    table = Table(
        head,
        rows,
        "no queues yet",
        numbers=("WEIGHT", "DUE", "HELD", "RECENT", "RUNNING", "WAITING"),
        spare=("WEIGHT", "BORROWED", "DEVICES", "MOST OF"),
    )
    return table if any(share.get("standing") for share in shares) else without(table, *_OF_STANDING)


def _standing_cells(standing: Json | None) -> tuple[str, str, str]:
    """Return recent use, what a queue has by what it is due, and the chip type that both are about."""
    if standing is None:
        return "", "", ""
    by_due = standing["against_due"]
    text = f"{bar(by_due * _DUE_AT, mark=_DUE_AT)} {by_due:.2f} x"
    return _percent(standing["recent"]), text, standing["chip"] or ""


def shares_legend(shares: Sequence[Json]) -> str:
    """Return what the figures by which queues are compared are; nothing where they are not compared."""
    standing = next((share["standing"] for share in shares if share.get("standing")), None)
    if standing is None:
        return ""
    half_life_s = standing["half_life_s"]
    counts = f"counts half after {duration(half_life_s)}" if half_life_s else "does not count here"
    return (
        "HELD is of all compute, RECENT of the chip type of which a queue has most;\n"
        f"use {counts}. SHARE BY DUE is above all RECENT, and what is held\n"
        "now, by what is DUE: the line is as much as that. Of the queues in the same one\n"
        "the one with the least is next."
    )


def _percent(part: float) -> str:
    return f"{part * _PERCENT:.1f} %"


def chip_groups_table(groups: Sequence[Json]) -> Table:
    """Return one row per group."""
    rows = [(group["name"], " ".join(group["chips"])) for group in groups]
    return Table(("GROUP", "CHIP TYPES"), rows, "no groups; `medley queue group NAME CHIP ...` makes one")


def _as_tree(items: Sequence[Json], name: str = "name") -> Iterator[tuple[Json, int]]:
    """Yield items beneath those that they are in, with their depth; one in a queue that is not there is at the top."""
    known = {item[name] for item in items}
    within: dict[str | None, list[Json]] = {}
    for item in items:
        within.setdefault(item["parent"] if item["parent"] in known else None, []).append(item)
    yield from _beneath(within, None, name, 0)


def _beneath(
    within: Mapping[str | None, list[Json]], parent: str | None, name: str, depth: int
) -> Iterator[tuple[Json, int]]:
    for item in within.get(parent, ()):
        yield item, depth
        yield from _beneath(within, item[name], name, depth + 1)


def _caps(queue: Json) -> str:
    return ", ".join(f"{queue[key]} {word}" for key, word in _CAPS if queue[key] is not None)


def _or_any(number: int | None) -> str:
    return "any" if number is None else str(number)
