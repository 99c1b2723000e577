"""Figures as Prometheus metrics: base units, units in names, and labels of which there are few."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.ports.telemetry import CycleFigures

NO_CHIP = "none"
"""The chip label of gangs that need no devices."""

LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WAIT_S = (1, 10, 60, 300, 1800, 7200, 28800, 86400)
"""Few, because they count once per tenant and chip type."""
BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class PrometheusTelemetry:
    """Fulfils ports.telemetry.Telemetry. Has a registry of its own, so that two servers may live in one process."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        self._decision_latency = Histogram(
            "medley_decision_latency_seconds",
            "From a job's submission to its first decision: placed, refused, or to wait.",
            registry=made,
            buckets=LATENCY_S,
        )
        self._cycle = Histogram(
            "medley_cycle_duration_seconds",
            "A decision cycle: following the feed, deciding, and the commit.",
            registry=made,
            buckets=LATENCY_S,
        )
        self._decisions = Counter(
            "medley_decisions",
            "Decisions by outcome; `rejected` ones the database did not take, and they are made anew.",
            ("outcome",),
            registry=made,
        )
        for outcome in ("placed", "refused", "rejected"):
            self._decisions.labels(outcome)
        self._submitted = Counter("medley_jobs_submitted", "Jobs that were submitted.", ("tenant",), registry=made)
        self._waits = Histogram(
            "medley_queue_wait_seconds",
            "How long gangs waited until they were placed, by the chip type that they got.",
            ("tenant", "chip"),
            registry=made,
            buckets=WAIT_S,
        )
        self._stopped = Counter(
            "medley_attempts_stopped",
            "Attempts that were stopped before their end, by reason: evicted, failed, lost, cancelled.",
            ("reason",),
            registry=made,
        )
        self._retried = Counter(
            "medley_attempts_retried", "Gangs that were queued again, by what ended them.", ("reason",), registry=made
        )
        for reason in StopReason:
            self._stopped.labels(reason.value)
            self._retried.labels(reason.value)
        self._finished = Counter(
            "medley_gangs_finished", "Gangs that came to their end.", ("tenant", "state"), registry=made
        )
        self._commits = Histogram(
            "medley_database_commit_duration_seconds",
            "A transaction of the writer, tries again included.",
            registry=made,
            buckets=LATENCY_S,
        )
        self._batches = Histogram(
            "medley_database_commit_items",
            "Writes that went into one transaction.",
            registry=made,
            buckets=BATCH,
        )
        self._requests = Counter(
            "medley_http_requests",
            "Requests of the API by operation and status.",
            ("operation", "status"),
            registry=made,
        )
        self._request_times = Histogram(
            "medley_http_request_duration_seconds",
            "Until the answer of the API began: what follows of a stream is not in it.",
            ("operation",),
            registry=made,
            buckets=LATENCY_S,
        )
        Gauge("medley_build_info", "Which Medley this is; always 1.", ("version",), registry=made).labels(version).set(
            1
        )
        ProcessCollector(registry=made)
        GCCollector(registry=made)

    def cycle(self, figures: CycleFigures) -> None:
        """Take a cycle."""
        self._cycle.observe(figures.duration_s)
        for outcome, count in (
            ("placed", figures.placed),
            ("refused", figures.refused),
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

    def retried(self, reason: StopReason) -> None:
        """Count a gang that is queued again."""
        self._retried.labels(reason.value).inc()

    def finished(self, tenant: TenantName, state: State) -> None:
        """Count a gang that came to its end."""
        self._finished.labels(tenant, state.value).inc()

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
