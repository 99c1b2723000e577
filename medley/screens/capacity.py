"""Clusters, nodes, pools, chip types, and who holds how much."""

from collections import Counter
from collections.abc import Iterator, Sequence

from medley.answers import Json
from medley.screens.amounts import cores, counted, figure, memory, memory_of
from medley.screens.safe_text import one_line
from medley.screens.tables import Table, without

_BAR_CELLS = 10
_MILLI = 1000
_UNPLAIN = ("degraded", "suspect")


def node_id(node: Json) -> str:
    """Return a node's name, unique among all clusters."""
    return f"{node['cluster']}/{node['name']}"


def nodes_table(nodes: Sequence[Json]) -> Table:
    """Return one row per node: its devices, what is held of it and by whom."""
    rows = [
        (
            one_line(node_id(node)),
            node["state"],
            one_line(node.get("tenant") or ""),
            one_line(node["topology"].get("rack", "")),
            ", ".join(f"{group['count']} {group['chip']}" for group in node["devices"]),
            " + ".join(str(_free(group)) for group in node["devices"]),
            f"{cores(node['cpu_milli_held'])}/{cores(node['cpu_milli'])}",
            memory_of(node["memory_mib_held"], node["memory_mib"]),
            _holders(node),
            one_line(_note(node)),
            one_line(", ".join(f"{level} {name}" for level, name in node["topology"].items())),
            one_line(", ".join(f"{key}:{value}" for key, value in (node.get("labels") or {}).items())),
        )
        for node in nodes
    ]
    only_wide = ("DOMAINS", "LABELS")
    head = ("NODE", "STATE", "ONLY FOR", "RACK", "DEVICES", "FREE", "CPUS HELD", "MEMORY HELD", "HELD BY", "NOTE")
    table = Table(
        (*head, *only_wide),
        rows,
        "no nodes: no cluster has reported any yet",
        numbers=("FREE",),
        wrapped=("HELD BY", "NOTE"),
        spare=("RACK", "CPUS HELD", "MEMORY HELD", "HELD BY", "ONLY FOR", "NOTE", "STATE"),
        only_wide=only_wide,
    )
    return table if any(node.get("tenant") for node in nodes) else without(table, "ONLY FOR")


def _free(group: Json) -> int:
    """Return how many devices are free as a whole; shares may be of more devices than they would fill."""
    shared = -(-group.get("shared_milli", 0) // _MILLI)
    return max(0, int(group["count"] - group["held"] - shared - group.get("foreign", 0)))


def _note(node: Json) -> str:
    """Return who drained a node and what else is noted, or what its state means where that is not plain."""
    drain = node.get("drain")
    wish = f"drained by {drain['by']}{': ' if drain['note'] else ''}{drain['note']}" if drain else ""
    said = str(node["note"] or (node.get("text", "") if node["state"] in _UNPLAIN else ""))
    return "; ".join(filter(None, (wish, said)))


def busy_line(nodes: Sequence[Json]) -> str:
    """Return how much is still held on nodes, in one clause."""
    busy = [node for node in nodes if node["holdings"] or node["cpu_milli_held"]]
    if not busy:
        return "nothing runs there"
    return f"what runs on {counted(len(busy), 'node', 'nodes')} goes on: {', '.join(map(_busy, busy))}"


def _busy(node: Json) -> str:
    return one_line(f"{node['name']} ({_holders(node) or 'no devices'})")


def _holders(node: Json) -> str:
    milli: Counter[str] = Counter()
    for holding in node["holdings"]:
        share = holding.get("share") or {"milli": 0}
        milli[holding["tenant"]] += holding["devices"] * _MILLI + share["milli"]
    holders = [f"{tenant} {held / _MILLI:g}" for tenant, held in sorted(milli.items())]
    foreign = sum(group.get("foreign", 0) for group in node["devices"])
    return ", ".join([*holders, f"not by Medley {foreign}"] if foreign else holders)


def pools_table(pools: Sequence[Json]) -> Table:
    """Return one row per pool with a bar of what is held."""
    rows = [
        (
            one_line(pool["name"]),
            pool["chip"],
            memory(pool["device_memory_mib"]),
            str(pool["nodes"]),
            str(pool["devices"]),
            str(pool["devices_held"]),
            str(pool["devices_free"]),
            str(pool["devices_drained"]),
            str(pool.get("devices_foreign", 0)),
            _bar(pool["devices_held"], pool["devices"]),
        )
        for pool in pools
    ]
    head = ("POOL", "CHIP", "MEMORY", "NODES", "DEVICES", "HELD", "FREE", "DRAINED", "NOT BY MEDLEY", "IN USE")
    table = Table(
        head,
        rows,
        "no pools: no cluster has nodes yet",
        numbers=head[3:-1],
        spare=("MEMORY", "NODES", "CHIP", "DRAINED", "NOT BY MEDLEY", "IN USE", "HELD", "DEVICES"),
    )
    return table if any(pool.get("devices_foreign") for pool in pools) else without(table, "NOT BY MEDLEY")


def _bar(held: int, total: int) -> str:
    share = held / total if total else 0.0
    full = round(share * _BAR_CELLS)
    return f"{'█' * full}{'░' * (_BAR_CELLS - full)} {share:4.0%}"


def tenants_use_table(rows_of_use: Sequence[Json]) -> Table:
    """Return one row per tenant and chip type."""
    rows = [
        (
            row["tenant"],
            row["chip"],
            str(row["devices_held"]),
            "no limit" if row["quota"] is None else str(row["quota"]),
        )
        for row in rows_of_use
    ]
    return Table(("TENANT", "CHIP", "HELD", "QUOTA"), rows, "no tenant holds anything", numbers=("HELD", "QUOTA"))


def chips_table(chips: Sequence[Json]) -> Table:
    """Return one row per chip type; estimated figures carry a `~`."""
    rows = [
        (
            chip["name"],
            one_line(chip["vendor"]),
            one_line(chip["model"]),
            _figure(chip, "memory_mib", memory(chip["memory_mib"])),
            _marked(figure(chip["planning_tflops"]), is_estimate=chip["rate_is_estimate"]),
            _figure(chip, "memory_bandwidth_gb_s", figure(chip["memory_bandwidth_gb_s"])),
            one_line(chip["torch_device"]),
            one_line(chip["collective_library"]),
        )
        for chip in chips
    ]
    head = ("NAME", "VENDOR", "MODEL", "MEMORY", "TFLOPS", "MEMORY GB/S", "TORCH", "COLLECTIVES")
    return Table(
        head,
        rows,
        "the catalogue is empty",
        numbers=("MEMORY", "TFLOPS", "MEMORY GB/S"),
        spare=("COLLECTIVES", "TORCH", "MEMORY GB/S", "MODEL", "VENDOR"),
    )


def _figure(chip: Json, field: str, text: str) -> str:
    return _marked(text, is_estimate=field in chip["estimated_fields"])


def _marked(text: str, *, is_estimate: bool) -> str:
    return f"~{text}" if is_estimate and text != "?" else text


def capacity_line(pools: Sequence[Json]) -> str:
    """Return all pools in one sentence."""
    devices, held = sum(pool["devices"] for pool in pools), sum(pool["devices_held"] for pool in pools)
    nodes = sum(pool["nodes"] for pool in pools)
    return f"{counted(devices, 'device', 'devices')} on {counted(nodes, 'node', 'nodes')}, {held:,} held"


def clusters_table(clusters: Sequence[Json]) -> Table:
    """Return one row per cluster."""
    rows = [(one_line(cluster["name"]), one_line(cluster["kind"])) for cluster in clusters]
    return Table(("CLUSTER", "KIND"), rows, "no clusters: the server was started with none")


def findings_table(checks: Sequence[Json]) -> Table:
    """Return one row per thing that was looked at."""
    rows = [
        (
            one_line(check["cluster"]),
            one_line(finding["what"]),
            "works" if finding["is_ok"] else "fails",
            one_line(finding["detail"]),
        )
        for check in checks
        for finding in check["findings"]
    ]
    head = ("CLUSTER", "WHAT", "IT", "DETAIL")
    return Table(head, rows, "no clusters: the server was started with none", wrapped=("WHAT", "DETAIL"))


def advice(checks: Sequence[Json]) -> Iterator[str]:
    """Yield what to do about what fails, each advice once."""
    steps = {
        (check["cluster"], finding["next"]): None
        for check in checks
        for finding in check["findings"]
        if not finding["is_ok"] and finding["next"]
    }
    for cluster, step in steps:
        yield f"next, on {one_line(cluster)}: {one_line(step)}"


_PARTS = ("tenant", "user", "chip", "day")


def accounts_table(usage: Json) -> Table:
    """Return one row per account, with what accounts are told apart by; estimated compute carries a `~`."""
    parts = [part for part in _PARTS if part in usage["by"]]
    rows = [
        (
            *(one_line(str(item[part] or "")) for part in parts),
            f"{item['chip_hours']:,.2f}",
            _marked(f"{item['compute_pflops_hours']:,.3f}", is_estimate=item["is_estimate"]),
        )
        for item in usage["items"]
    ]
    numbers = ("CHIP HOURS", "PFLOPS HOURS")
    head = (*(part.upper() for part in parts), *numbers)
    return Table(head, rows, "nothing was held in that time", numbers=numbers)


def account_line(usage: Json) -> str:
    """Return all accounts in one sentence."""
    hours = sum(item["chip_hours"] for item in usage["items"])
    compute = sum(item["compute_pflops_hours"] for item in usage["items"])
    unrated = sum(item["unrated_chip_hours"] for item in usage["items"])
    without = f", without {unrated:,.2f} of chip types whose rate nobody knows" if unrated else ""
    is_estimate = any(item["is_estimate"] for item in usage["items"])
    worth = _marked(f"{compute:,.3f} PFLOP/s-hours", is_estimate=is_estimate)
    return f"{hours:,.2f} chip-hours, worth {worth}{without}; from {usage['since'][:16]}Z to {usage['until'][:16]}Z"
