"""All that tells of a server's own work, opened together and closed together."""

import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from scheduler.ports.telling.telemetry import SILENCE, Readings, Telemetry
from scheduler.ports.telling.tracing import NO_TRACES, Tracer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from scheduler.adapters.telemetry.metrics_server import MetricsServer
    from scheduler.adapters.telemetry.traces import OpenTelemetryTracer

logger = logging.getLogger(__name__)


class Instruments:
    """What a server is measured with. What is not wanted costs nothing, and no library for it is loaded."""

    def __init__(self, listener: socket.socket | None, version: str, *, has_traces: bool = False) -> None:
        """`listener` is where metrics are served, None for nowhere."""
        self.telemetry: Telemetry = SILENCE
        self._sender = _sender(version) if has_traces else None
        self.tracer: Tracer = NO_TRACES if self._sender is None else self._sender
        self._registry: CollectorRegistry | None = None
        self._server: MetricsServer | None = None
        if listener is None:
            return
        from scheduler.adapters.telemetry import metrics, metrics_server  # noqa: PLC0415 - only where it is wanted

        telemetry = metrics.PrometheusTelemetry(version)
        self.telemetry, self._registry = telemetry, telemetry.registry
        self._server = metrics_server.MetricsServer(listener, telemetry.registry)

    def read_with(self, read: Callable[[], Readings]) -> None:
        """Read how things stand at every scrape from now on."""
        if self._registry is not None:
            from scheduler.adapters.telemetry.gauges import GaugeCollector  # noqa: PLC0415 - only where it is wanted

            self._registry.register(GaugeCollector(read))

    def start(self) -> None:
        """Begin to answer scrapes."""
        if self._server is not None:
            self._server.start()

    def close(self) -> None:
        """Let go of the port, and send the last spans, for seconds at most."""
        if self._server is not None:
            self._server.close()
        if self._sender is not None:
            self._sender.close()


def _sender(version: str) -> "OpenTelemetryTracer | None":
    """Return what sends traces; None where its library is not installed, which is said and keeps nobody from work."""
    try:
        from scheduler.adapters.telemetry.traces import OpenTelemetryTracer  # noqa: PLC0415 - only where it is wanted
    except ImportError as error:
        logger.warning("no traces are sent: %s; install medley[traces], or unset OTEL_EXPORTER_OTLP_ENDPOINT", error)
        return None
    return OpenTelemetryTracer(version)
