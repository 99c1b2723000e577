"""Figures as Prometheus metrics: base units, units in names, and labels of which there are few."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.waiting.estimate import StartBasis
from scheduler.ports.telling.telemetry import CycleFigures

NO_CHIP = "none"
"""The chip label of gangs that need no devices."""

LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WAIT_S = (1, 10, 60, 300, 1800, 7200, 28800, 86400)
"""Few, because they count once per tenant and chip type."""
RATIO = (0.1, 0.25, 0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0, 4.0, 10.0)
BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class PrometheusTelemetry:
    """Fulfils ports.telemetry.Telemetry. Has a registry of its own, so that two servers may live in one process."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._count_work()
        self._measure_time()
        build = Gauge("medley_build_info", "Which Medley this is; always 1.", ("version",), registry=self.registry)
        build.labels(version).set(1)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def _count_work(self) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        text = "Decisions by outcome; `rejected` ones the database did not take, and they are made anew."
        self._decisions = counter("medley_decisions", text, "outcome")
        for outcome in ("placed", "refused", "evicted", "rejected"):
            self._decisions.labels(outcome)
        self._submitted = counter("medley_jobs_submitted", "Jobs that were submitted.", "tenant")
        text = "Attempts that were stopped before their end, by reason: evicted, failed, lost, cancelled."
        self._stopped = counter("medley_attempts_stopped", text, "reason")
        text = "Gangs that were queued again, by what ended them."
        self._retried = counter("medley_attempts_retried", text, "reason")
        for reason in StopReason:
            self._stopped.labels(reason.value)
            self._retried.labels(reason.value)
        text = "Attempts that were stopped for other gangs, by what entitled these."
        self._evictions = counter("medley_preemptions", text, "cause")
        text = "Work that preempted attempts had not saved when they were told to stop, in device-seconds."
        self._unsaved = counter("medley_preemptions_unsaved_device_seconds", text, "cause")
        for cause in EvictionCause:
            self._evictions.labels(cause.value)
            self._unsaved.labels(cause.value)
        self._finished = counter("medley_gangs_finished", "Gangs that came to their end.", "tenant", "state")
        text = "Requests of the API by operation and status."
        self._requests = counter("medley_http_requests", text, "operation", "status")

    def _measure_time(self) -> None:
        def histogram(name: str, text: str, *labels: str, buckets: Sequence[float] = LATENCY_S) -> Histogram:
            return Histogram(name, text, labels, registry=self.registry, buckets=buckets)

        text = "From a job's submission to its first decision: placed, refused, or to wait."
        self._decision_latency = histogram("medley_decision_latency_seconds", text)
        text = "A decision cycle: following the feed, deciding, and the commit."
        self._cycle = histogram("medley_cycle_duration_seconds", text)
        text = "How long gangs waited until they were placed, by the chip type that they got."
        self._waits = histogram("medley_queue_wait_seconds", text, "tenant", "chip", buckets=WAIT_S)
        text = "How many times as long gangs waited as they were told, by what that rested on; 1 is right."
        self._estimates = histogram("medley_start_estimate_error_ratio", text, "basis", buckets=RATIO)
        for basis in StartBasis:
            self._estimates.labels(basis.value)
        text = "A transaction of the writer, tries again included."
        self._commits = histogram("medley_database_commit_duration_seconds", text)
        text = "Writes that went into one transaction."
        self._batches = histogram("medley_database_commit_items", text, buckets=BATCH)
        text = "Until the answer of the API began: what follows of a stream is not in it."
        self._request_times = histogram("medley_http_request_duration_seconds", text, "operation")

    def cycle(self, figures: CycleFigures) -> None:
        """Take a cycle."""
        self._cycle.observe(figures.duration_s)
        for outcome, count in (
            ("placed", figures.placed),
            ("refused", figures.refused),
            ("evicted", figures.evicted),
            ("rejected", figures.rejected),
        ):
            if count:
                self._decisions.labels(outcome).inc(count)

    def decided(self, latency_s: float) -> None:
        """Take the time from a submission to its first decision."""
        self._decision_latency.observe(latency_s)

    def submitted(self, tenant: TenantName) -> None:
        """Count a job."""
        self._submitted.labels(tenant).inc()

    def placed(self, tenant: TenantName, chip: ChipName | None, wait_s: float) -> None:
        """Take the time that a gang waited."""
        self._waits.labels(tenant, chip or NO_CHIP).observe(wait_s)

    def stopped(self, reason: StopReason) -> None:
        """Count an attempt that is stopped."""
        self._stopped.labels(reason.value).inc()

    def evicted(self, cause: EvictionCause, unsaved_device_s: float) -> None:
        """Count an attempt that is stopped for another gang."""
        self._evictions.labels(cause.value).inc()
        self._unsaved.labels(cause.value).inc(unsaved_device_s)

    def retried(self, reason: StopReason) -> None:
        """Count a gang that is queued again."""
        self._retried.labels(reason.value).inc()

    def finished(self, tenant: TenantName, state: State) -> None:
        """Count a gang that came to its end."""
        self._finished.labels(tenant, state.value).inc()

    def estimated(self, basis: StartBasis, ratio: float) -> None:
        """Take how many times as long a gang waited as it was told."""
        self._estimates.labels(basis.value).observe(ratio)

    def committed(self, duration_s: float, items: int) -> None:
        """Take a transaction."""
        self._commits.observe(duration_s)
        self._batches.observe(items)

    def answered(self, operation: str, status: int, duration_s: float) -> None:
        """Take a request."""
        self._requests.labels(operation, str(status)).inc()
        self._request_times.labels(operation).observe(duration_s)


def described(registry: CollectorRegistry) -> Sequence[tuple[str, str, tuple[str, ...], str]]:
    """Return name, kind, labels and help of every metric of ours that is told of, as they are written in queries."""
    found = []
    for metric in vars(registry)["_collector_to_names"]:
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            labels: tuple[str, ...] = vars(metric)["_labelnames"]
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found.append((name, family.type, labels, family.documentation))
    return sorted(found)
