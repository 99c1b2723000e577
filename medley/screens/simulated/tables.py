"""The figures of one simulation, or of two beside each other."""

from collections.abc import Sequence

from medley.answers import Json
from medley.screens.amounts import counted, duration
from medley.screens.tables import Table

_NONE = "-"
_WAITS = ("p50_s", "p90_s", "p99_s")
_DAY_S = 86_400


def headline(report: Json) -> str:
    """Return what was simulated, in one line."""
    days = report["virtual_s"] / _DAY_S
    size = f"{counted(report['nodes'], 'node', 'nodes')}, {counted(round(devices(report)), 'device', 'devices')}"
    seed = f"seed {report['seed']}, digest {report['digest'][:12]}"
    return f"{report['cluster']}: {size}; {days:.1f} days, {report['jobs']['submitted']:,} jobs ({seed})"


def devices(report: Json) -> float:
    """Return how many devices there are in the end that take work."""
    return float(sum(chip["devices"] for chip in report["chips"]))


def jobs_line(report: Json) -> str:
    """Return what the jobs came to, in one line."""
    jobs = report["jobs"]
    parts = [f"{jobs['succeeded']:,} succeeded", f"{jobs['begun']:,} begun", f"{jobs['waiting']:,} waiting"]
    rare = ("failed", "refused", "turned_away", "preempted", "lost", "over_time_limit")
    parts += [f"{jobs[name]:,} {name.replace('_', ' ')}" for name in rare if jobs[name]]
    return ", ".join(parts)


def finish_line(report: Json) -> str:
    """Return how long jobs took from their submission to their end, in one line."""
    finish = report["finish"]
    within = ", ".join(
        f"{said} within {wait(finish[name])}" for name, said in (("p50_s", "half"), ("p90_s", "nine in ten"))
    )
    return f"from submission to success by {report['order']}: {wait(finish['mean_s'])} in the mean, {within}"


def chips_table(reports: Sequence[Json]) -> Table:
    """Return the use of each chip type, and of all."""
    names = list(dict.fromkeys(chip["chip"] for report in reports for chip in report["chips"]))
    known = [{chip["chip"]: chip for chip in report["chips"]} for report in reports]
    rows = [(name, *(cell for chips in known for cell in _chip_cells(chips.get(name)))) for name in sorted(names)]
    rows.append(("all", *(cell for each in reports for cell in (f"{devices(each):,.0f}", percent(each["use"])))))
    columns = _columns(("DEVICES", "USED"), len(reports))
    return Table(("CHIP", *columns), rows, numbers=columns)


def waits_table(reports: Sequence[Json], part: str, title: str) -> Table:
    """Return waiting times by tenants or sizes, and of all jobs."""
    key = "tenant" if part == "tenants" else "devices"
    known = [{row[key]: row for row in report[part]} for report in reports]
    names = list(dict.fromkeys(row[key] for report in reports for row in report[part]))
    rows = [(name, *(cell for found in known for cell in _wait_cells(found.get(name)))) for name in names]
    rows.append(("all", *(cell for report in reports for cell in _wait_cells(report["wait"]))))
    columns = _columns(("JOBS", "P50", "P90", "P99"), len(reports))
    return Table((title, *columns), rows, numbers=columns)


def compared(before: Json, after: Json) -> str:
    """Return what the second cluster makes of it, in a sentence."""
    more = devices(after) - devices(before)
    which = "more" if more > 0 else "fewer"
    what = counted(round(abs(more)), f"{which} device", f"{which} devices") if more else "the other cluster"
    names = (("p50_s", "median wait"), ("p90_s", "nine in ten within"), ("p99_s", "99 in 100 within"))
    waits = [f"{said} {wait(before['wait'][name])} -> {wait(after['wait'][name])}" for name, said in names]
    return f"with {what}: {', '.join(waits)}, used {percent(before['use'])} -> {percent(after['use'])}"


def wait(seconds: float | None) -> str:
    """Return a waiting time."""
    return _NONE if seconds is None else duration(seconds)


def percent(part: float | None) -> str:
    """Return a part of all in percent."""
    return _NONE if part is None else f"{part * 100:.1f} %"


def _columns(names: tuple[str, ...], times: int) -> tuple[str, ...]:
    """Return headings for one report, or for two: those of the second one end with a mark."""
    return names if times == 1 else (*names, *(f"{name}'" for name in names))


def _chip_cells(chip: Json | None) -> tuple[str, str]:
    return (_NONE, _NONE) if chip is None else (f"{chip['devices']:,.0f}", percent(chip["use"]))


def _wait_cells(row: Json | None) -> tuple[str, ...]:
    if row is None:
        return ("0", *(_NONE for _ in _WAITS))
    return (f"{row['jobs']:,}", *(wait(row[name]) for name in _WAITS))
