"""A workload as a YAML file: sorts of jobs, how often they come, and what happens to nodes.

docs/simulating.md explains all fields.

The format::

    tenants:                        # optional: those of the jobs, each with weight 1
      vision: {weight: 2, quota: {h100-sxm: 64}}
    jobs:
      pretraining:
        tenant: vision              # or {vision: 3, speech: 1}: three times as often for vision
        per_hour: 2.5
        sizes:                      # or workers and devices_per_worker, where all are of one size
          - {workers: 1, devices_per_worker: 8, weight: 70}
          - {workers: 8, devices_per_worker: 8, weight: 30}
        chips: [h100-sxm, mi300x]   # liked best first
        run: {median: 2h, p90: 9h}  # or {from: 10min, to: 2h}, or 45min
    nodes:                          # optional
      break_every: 90d
      away: {median: 2h, p90: 12h}
      drains: [{at: 2d, for: 4h, nodes: [nvidia-1]}]
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.adapters.files.marked_yaml import Marked, read_marked, suggest
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.queue import MOST_WEIGHT
from scheduler.core.model.tenant import Quota
from scheduler.simulator.workloads.arrival import Life
from scheduler.simulator.workloads.outages import Breaking, Drain
from scheduler.simulator.workloads.spans import Fixed, LogNormal, Span, Uniform
from scheduler.simulator.workloads.templates import (
    HOURS_OF_A_DAY,
    Choice,
    Drawn,
    Limit,
    Rate,
    Size,
    Template,
)

MOST_TEMPLATES = 1_000
MOST_TENANTS = 10_000
MOST_PER_HOUR = 1_000_000
LONGEST_S = 3_650 * 86_400
_MOST_CHOICES = 64
_MOST_DRAINS = 1_000
_MOST_DEVICES = 1_000_000
_DEFAULT_CPU_MILLI, _DEFAULT_MEMORY_MIB = 1_000, 4_096
"""As in job files."""
_DEFAULT_LONGEST = 10
"""Times the 90th percentile: nobody's job of hours runs for years."""

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?(s|min|h|d)", re.ASCII)
_UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
_REQUIRED = ("tenant", "per_hour", "run", "chips")
_OPTIONAL = (
    "sizes", "workers", "devices_per_worker", "day", "burst", "user", "cpu_milli", "memory_mib", "time_limit",
    "start_up", "failure_chance", "retries", "saved_every", "priority", "speeds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorkloadFile:
    """What a workload file says."""

    workload: Drawn
    weights: Mapping[TenantName, int]
    """Of those tenants that have one."""
    quotas: tuple[Quota, ...]
    breaking: Breaking | None
    drains: tuple[Drain, ...]


def read_workload(path: Path, *, chips: Collection[ChipName], nodes: Collection[Node]) -> WorkloadFile:
    """Return the workload of a file, for a cluster that has these chip types and nodes. Raises FileError."""
    whole = read_marked(path).fields(required=("jobs",), optional=("tenants", "nodes"))
    entries = whole["jobs"].entries()
    if not 1 <= len(entries) <= MOST_TEMPLATES:
        raise whole["jobs"].error(f"{len(entries):,} sorts of jobs", what_to_do=f"write from 1 to {MOST_TEMPLATES:,}")
    templates = tuple(_template(name, entry, chips) for name, entry in entries.items())
    workload = Drawn(templates)
    weights, quotas = _tenants(whole.get("tenants"), workload.tenants, chips)
    breaking, drains = _nodes(whole.get("nodes"), nodes)
    return WorkloadFile(workload, weights, quotas, breaking, drains)


def _tenants(
    entry: Marked | None, known: Collection[TenantName], chips: Collection[ChipName]
) -> tuple[dict[TenantName, int], tuple[Quota, ...]]:
    weights: dict[TenantName, int] = {}
    quotas: list[Quota] = []
    for name, described in entry.entries().items() if entry is not None else ():
        if name not in known:
            raise described.error(f"no job is of tenant {name!r}", what_to_do=suggest(name, known))
        fields = described.fields(required=(), optional=("weight", "quota"))
        if "weight" in fields:
            weights[name] = fields["weight"].whole_number(least=1, most=MOST_WEIGHT)
        for chip, devices in fields["quota"].entries().items() if "quota" in fields else ():
            _known(devices, chip, chips, "chip type")
            quotas.append(Quota(name, chip, devices.whole_number(least=0, most=_MOST_DEVICES)))
    return weights, tuple(quotas)


def _template(name: str, entry: Marked, chips: Collection[ChipName]) -> Template:
    fields = entry.fields(required=_REQUIRED, optional=_OPTIONAL)
    _named(entry, name)
    get = fields.get
    return Template(
        name=name,
        tenants=_whose(fields["tenant"]),
        user=fields["user"].text() if "user" in fields else name,
        rate=_rate(fields),
        sizes=_sizes(fields),
        run=_span(fields["run"]),
        chips=tuple(_chips(fields["chips"], chips)),
        cpu_milli=_number(get("cpu_milli"), _DEFAULT_CPU_MILLI, most=10_000_000),
        memory_mib=_number(get("memory_mib"), _DEFAULT_MEMORY_MIB, most=100_000_000),
        limit=_limit(get("time_limit")),
        life=Life(
            0.0,
            start_up_s=0.0 if (start_up := get("start_up")) is None else _seconds(start_up),
            failure_chance=0.0 if (chance := get("failure_chance")) is None else chance.number(most=1.0, or_zero=True),
            saved_every_s=None if (saved := get("saved_every")) is None else _seconds(saved),
            speeds=tuple(_speeds(get("speeds"), chips)),
        ),
        retries=_number(get("retries"), 0, most=10),
        priority=_number(get("priority"), 0, least=-100, most=100),
    )


def _rate(fields: Mapping[str, Marked]) -> Rate:
    burst = _number(fields.get("burst"), 1, least=1, most=10_000)
    day = (1.0,) * HOURS_OF_A_DAY
    if "day" in fields:
        hours = fields["day"].items()
        if len(hours) != HOURS_OF_A_DAY:
            raise fields["day"].error(f"{len(hours)} hours", what_to_do="write 24 numbers, the first for midnight to 1")
        written = [hour.number(most=1_000_000, or_zero=True) for hour in hours]
        if not any(written):
            raise fields["day"].error("a day without jobs", what_to_do="write a number above 0 for some hour")
        day = tuple(one * HOURS_OF_A_DAY / sum(written) for one in written)
    return Rate(fields["per_hour"].number(most=MOST_PER_HOUR), day, burst)


def _sizes(fields: Mapping[str, Marked]) -> Choice[Size]:
    if "sizes" not in fields:
        return Choice.of([(_size(fields), 1.0)])
    for other in ("workers", "devices_per_worker"):
        if other in fields:
            raise fields[other].error(f"{other!r} beside 'sizes'", what_to_do="write it within each of the sizes")
    items = fields["sizes"].items()
    if not 1 <= len(items) <= _MOST_CHOICES:
        raise fields["sizes"].error(f"{len(items)} sizes", what_to_do=f"write from 1 to {_MOST_CHOICES}")
    known = [item.fields(required=("weight",), optional=("workers", "devices_per_worker")) for item in items]
    return Choice.of([(_size(size), size["weight"].number(most=1e9)) for size in known])


def _size(fields: Mapping[str, Marked]) -> Size:
    return Size(
        _number(fields.get("workers"), 1, least=1, most=1_024), _number(fields.get("devices_per_worker"), 1, most=64)
    )


def _whose(entry: Marked) -> Choice[TenantName]:
    """Return the tenant, or several by how many of the jobs are whose."""
    if not isinstance(entry.value, dict):
        return Choice.of([(_named(entry, entry.text()), 1.0)])
    entries = entry.entries()
    if not 1 <= len(entries) <= MOST_TENANTS:
        raise entry.error(f"{len(entries):,} tenants", what_to_do=f"write from 1 to {MOST_TENANTS:,}")
    return Choice.of([(_named(weight, name), weight.number(most=1e9)) for name, weight in entries.items()])


def _chips(entry: Marked, known: Collection[ChipName]) -> Iterator[ChipName]:
    items = entry.items() if isinstance(entry.value, list) else [entry]
    if not items:
        raise entry.error("no chip type", what_to_do=suggest("", known))
    for item in items:
        yield _known(item, item.text(), known, "chip type")


def _speeds(entry: Marked | None, chips: Collection[ChipName]) -> Iterator[tuple[ChipName, float]]:
    for chip, speed in entry.entries().items() if entry is not None else ():
        yield _known(speed, chip, chips, "chip type"), speed.number(most=1_000)


def _limit(entry: Marked | None) -> Limit:
    if entry is None:
        return Limit()
    if isinstance(entry.value, dict):
        return Limit(times=entry.fields(required=("times",))["times"].number(most=1_000))
    return Limit(seconds=_seconds(entry))


def _span(entry: Marked) -> Span:
    if not isinstance(entry.value, dict):
        return Fixed(_seconds(entry))
    if "from" in entry.entries():
        fields = entry.fields(required=("from", "to"))
        least_s, most_s = _seconds(fields["from"]), _seconds(fields["to"])
        if least_s > most_s:
            raise fields["to"].error("it is less than 'from'", what_to_do="write the smaller one first")
        return Uniform(least_s, most_s)
    fields = entry.fields(required=("median", "p90"), optional=("longest",))
    median_s, p90_s = _seconds(fields["median"]), _seconds(fields["p90"])
    if p90_s < median_s:
        raise fields["p90"].error("it is less than the median", what_to_do="write what nine in ten are shorter than")
    longest_s = _seconds(fields["longest"]) if "longest" in fields else min(LONGEST_S, p90_s * _DEFAULT_LONGEST)
    return LogNormal(median_s, p90_s, longest_s)


def _seconds(entry: Marked) -> float:
    """Return a time such as `90s`, `10min`, `2h` or `7d`, in seconds and above 0."""
    match = _SPAN.fullmatch(entry.value) if isinstance(entry.value, str) else None
    if match is None:
        raise entry.error(f"{str(entry.value)[:63]!r} is no time", what_to_do="write it as 90s, 10min, 2h or 7d")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= LONGEST_S:
        raise entry.error(f"{entry.value!r} is out of range", what_to_do="write a time above 0, at most 3650d")
    return seconds


def _nodes(entry: Marked | None, nodes: Collection[Node]) -> tuple[Breaking | None, tuple[Drain, ...]]:
    if entry is None:
        return None, ()
    fields = entry.fields(required=(), optional=("break_every", "away", "drains"))
    if ("break_every" in fields) != ("away" in fields):
        raise entry.error("'break_every' and 'away' belong together", what_to_do="write both or neither")
    breaking = None
    if "break_every" in fields:
        breaking = Breaking(_seconds(fields["break_every"]), _span(fields["away"]))
    drains = fields["drains"].items() if "drains" in fields else []
    if len(drains) > _MOST_DRAINS:
        raise fields["drains"].error(f"{len(drains):,} drains", what_to_do=f"write at most {_MOST_DRAINS:,}")
    by_name = {node.name: node for node in nodes}
    return breaking, tuple(_drain(drain, by_name) for drain in drains)


def _drain(entry: Marked, nodes: Mapping[str, Node]) -> Drain:
    fields = entry.fields(required=("at", "for", "nodes"))
    names = fields["nodes"].items()
    found = tuple(nodes[_known(name, name.text(), nodes, "node")] for name in names)
    return Drain(_seconds(fields["at"]), _seconds(fields["for"]), found)


def _named(entry: Marked, name: str) -> str:
    if not _NAME.fullmatch(name):
        what_to_do = "use at most 63 lower-case letters, digits and dashes"
        raise entry.error(f"{name[:63]!r} cannot be a name", what_to_do=what_to_do)
    return name


def _known(entry: Marked, name: str, known: Collection[str], noun: str) -> str:
    if name not in known:
        raise entry.error(f"the cluster has no {noun} {name[:63]!r}", what_to_do=suggest(name[:63], known))
    return name


def _number(entry: Marked | None, default: int, *, least: int = 0, most: int) -> int:
    return default if entry is None else entry.whole_number(least=least, most=most)
