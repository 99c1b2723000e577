"""All that tells of a server's own work, opened together and closed together."""

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from scheduler.ports.telemetry import SILENCE, Readings, Telemetry

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from scheduler.adapters.telemetry.metrics_server import MetricsServer


class Instruments:
    """What a server is measured with. Without a listener nothing is measured, and no library for it is loaded."""

    def __init__(self, listener: socket.socket | None, version: str) -> None:
        self.telemetry: Telemetry = SILENCE
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
        """Let go of the port."""
        if self._server is not None:
            self._server.close()
