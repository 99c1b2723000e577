"""The figures of a simulation, as plain data."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import TenantName
from scheduler.simulator.meters import Meter, quantile
from scheduler.simulator.observing import Observer, Waited
from scheduler.simulator.simulation import Progress
from scheduler.simulator.stepping.engine import Setting

HOUR_S = 3_600
_SIZES = ((1, "1"), (2, "2"), (4, "3-4"), (8, "5-8"), (16, "9-16"), (32, "17-32"), (64, "33-64"))
"""Classes of devices in all, each up to a number."""
_LARGEST = "more than 64"
Report = dict[str, Any]


def report(setting: Setting, observer: Observer, progress: Progress) -> Report:
    """Return what there is to say so far. Times are in seconds; of use, 1 is all devices that take work."""
    observer.finish(progress.now_s)
    waited = [*observer.waited, *observer.waiting_still(progress.now_s)]
    return {
        "cluster": setting.cluster,
        "nodes": len(setting.nodes),
        "virtual_s": progress.now_s,
        "jobs": _jobs(observer, progress),
        "wait": _waits(waited),
        "finish": _finishes(sorted(observer.finished_s)),
        "chips": [_chip(chip, observer) for chip in sorted(observer.capacity)],
        "use": _use(observer.held.values(), observer.capacity.values()),
        "tenants": [_tenant(name, observer, waited, setting.weights) for name in setting.tenants],
        "sizes": [
            {"devices": size, **_waits(found)}
            for size in (*(name for _, name in _SIZES), _LARGEST)
            if (found := [one for one in waited if size_of(one.devices) == size])
        ],
        "over_time": _over_time(observer),
    }


def size_of(devices: float) -> str:
    """Return the class of a gang's size."""
    return next((name for most, name in _SIZES if devices <= most), _LARGEST)


def _jobs(observer: Observer, progress: Progress) -> Report:
    counts = observer.counts
    stopped = counts.stopped
    waiting = sum(gang.started_s is None for gang in observer.gangs.values())
    return {
        "submitted": progress.submitted,
        "turned_away": progress.turned_away,
        "started": len(observer.waited),
        "succeeded": counts.ended[State.SUCCEEDED],
        "failed": counts.ended[State.FAILED] - counts.refused,
        "refused": counts.refused,
        "waiting": waiting,
        "begun": len(observer.gangs) - waiting,
        "attempts": counts.placed,
        "preempted": stopped[StopReason.PREEMPTED],
        "lost": stopped[StopReason.LOST],
        "over_time_limit": stopped[StopReason.TIME_LIMIT],
    }


def _waits(waited: Sequence[Waited]) -> Report:
    """Return figures of waiting times; who waits still counts with what it has waited by now."""
    ordered = sorted(one.wait_s for one in waited)
    return {
        "jobs": len(ordered),
        "waiting_still": sum(not one.has_started for one in waited),
        "p50_s": quantile(ordered, 0.5),
        "p90_s": quantile(ordered, 0.9),
        "p99_s": quantile(ordered, 0.99),
        "longest_s": ordered[-1] if ordered else None,
        "mean_s": sum(ordered) / len(ordered) if ordered else None,
    }


def _finishes(ordered: Sequence[int]) -> Report:
    """Return figures of the times from submission to success, of the jobs that had any."""
    return {
        "jobs": len(ordered),
        "p50_s": quantile(ordered, 0.5),
        "p90_s": quantile(ordered, 0.9),
        "p99_s": quantile(ordered, 0.99),
        "mean_s": sum(ordered) / len(ordered) if ordered else None,
    }


def _chip(chip: str, observer: Observer) -> Report:
    held, capacity = observer.held.get(chip), observer.capacity[chip]
    return {
        "chip": chip,
        "devices": capacity.value,
        "device_hours": held.total() / HOUR_S if held is not None else 0.0,
        "use": _use([held] if held is not None else [], [capacity]),
    }


def _tenant(
    name: TenantName, observer: Observer, waited: Sequence[Waited], weights: Mapping[TenantName, int]
) -> Report:
    held = observer.held_by.get(name)
    all_held = sum(meter.total() for meter in observer.held_by.values())
    return {
        "tenant": name,
        "weight": weights.get(name, 1),
        "device_hours": held.total() / HOUR_S if held is not None else 0.0,
        "share": held.total() / all_held if held is not None and all_held else 0.0,
        **_waits([one for one in waited if one.tenant == name]),
    }


def _use(held: Iterable[Meter], capacity: Iterable[Meter]) -> float | None:
    """Return the used part of what there was; None where there was nothing."""
    there = sum(meter.total() for meter in capacity)
    return sum(meter.total() for meter in held) / there if there else None


def _over_time(observer: Observer) -> Report:
    held = _summed(observer.held.values())
    return {
        "step_s": observer.waiting.step_s,
        "devices_used": held,
        "devices": _summed(observer.capacity.values()),
        "jobs_waiting": observer.waiting.means(),
        "devices_asked_for": observer.asked_for.means(),
    }


def _summed(meters: Iterable[Meter]) -> list[float]:
    """Return several curves as one; all were led to the same time, and have the same steps."""
    return [sum(values) for values in zip(*(meter.means() for meter in meters), strict=True)]
