"""How things stand, as gauges that are read at every scrape."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from scheduler.adapters.telemetry.metrics import NO_CHIP
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.telling.telemetry import LeaderReadings, Readings

Sample = tuple[tuple[str, ...], float]
"""Values of the labels, and of the gauge."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One gauge and where its values come from."""

    name: str
    text: str
    labels: tuple[str, ...]
    samples: Callable[[Readings], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class _OfLeader:
    """Samples that only the process that leads has: all others have the same state, and would double every sum."""

    samples: Callable[[LeaderReadings], Iterable[Sample]]

    def __call__(self, readings: Readings) -> Iterable[Sample]:
        return () if readings.leader is None else self.samples(readings.leader)


def _waiting(value: Callable[[int, int, float], float]) -> _OfLeader:
    def samples(readings: LeaderReadings) -> Iterator[Sample]:
        for one in readings.waiting:
            labels = (one.count.tenant, one.count.chip or NO_CHIP)
            yield labels, value(one.count.gangs, one.count.devices_milli, one.oldest_wait_s)

    return _OfLeader(samples)


def _capacity(readings: LeaderReadings) -> Iterator[Sample]:
    for one in readings.capacity:
        yield (one.cluster, one.chip, "usable"), one.usable
        yield (one.cluster, one.chip, "unusable"), one.unusable
        yield (one.cluster, one.chip, "foreign"), one.foreign


def _held(readings: LeaderReadings) -> Iterator[Sample]:
    for one in readings.held:
        yield (one.cluster, one.chip, one.tenant), one.devices_milli / WHOLE_DEVICE_MILLI


def _ages(readings: Readings) -> Iterator[Sample]:
    for loop in readings.loops:
        if loop.s_since_success is not None:
            yield (loop.name,), loop.s_since_success


QUEUE = ("tenant", "chip")
GAUGES = (
    Gauge(
        "medley_queue_gangs",
        "Gangs that wait, by the chip type that they like best.",
        QUEUE,
        _waiting(lambda gangs, _devices, _wait_s: gangs),
    ),
    Gauge(
        "medley_queue_devices",
        "Devices that waiting gangs ask for, by the chip type that they like best.",
        QUEUE,
        _waiting(lambda _gangs, devices_milli, _wait_s: devices_milli / WHOLE_DEVICE_MILLI),
    ),
    Gauge(
        "medley_queue_oldest_wait_seconds",
        "How long the gang waits that has waited longest.",
        QUEUE,
        _waiting(lambda _gangs, _devices, wait_s: wait_s),
    ),
    Gauge(
        "medley_devices",
        "Devices by condition: `usable`, `unusable` (their node takes nothing new), `foreign` (used by others).",
        ("cluster", "chip", "condition"),
        _OfLeader(_capacity),
    ),
    Gauge("medley_devices_allocated", "Devices that tenants hold.", ("cluster", "chip", "tenant"), _OfLeader(_held)),
    Gauge(
        "medley_attempts_live", "Attempts that hold something.", (), _OfLeader(lambda now: [((), now.live_attempts)])
    ),
    Gauge(
        "medley_follower_change",
        "The latest change of the feed that this process has followed.",
        (),
        lambda now: [((), now.change)],
    ),
    Gauge(
        "medley_follower_age_seconds",
        "Since this process last compared itself with the feed.",
        (),
        lambda now: [((), now.age_s)],
    ),
    Gauge(
        "medley_leader_epoch",
        "The epoch under which this process leads; absent where it does not.",
        (),
        _OfLeader(lambda now: [((), now.epoch)]),
    ),
    Gauge(
        "medley_watch_lag_seconds",
        "Since a cluster last told anything of its nodes or pods; bookmarks come once a minute where all is quiet.",
        ("cluster",),
        lambda now: [((cluster,), lag_s) for cluster, lag_s in now.watch_lag_s],
    ),
    Gauge(
        "medley_loop_failures",
        "Steps of a loop that failed in a row; 0 where it works.",
        ("loop",),
        lambda now: [((loop.name,), loop.failures_in_a_row) for loop in now.loops],
    ),
    Gauge("medley_loop_age_seconds", "Since a loop's last step that succeeded.", ("loop",), _ages),
)


OF_THE_LEADER = tuple(gauge.name for gauge in GAUGES if isinstance(gauge.samples, _OfLeader))
"""The names of those that only the process that leads tells."""


class GaugeCollector(Collector):
    """Reads how things stand when it is asked."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge as it is now."""
        readings = self._read()
        for gauge in GAUGES:
            family = GaugeMetricFamily(gauge.name, gauge.text, labels=gauge.labels)
            for labels, value in gauge.samples(readings):
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield names only: nothing is read before somebody looks."""
        for gauge in GAUGES:
            yield GaugeMetricFamily(gauge.name, gauge.text, labels=gauge.labels)
