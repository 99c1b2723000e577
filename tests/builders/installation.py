"""A Medley of several processes for tests: schedulers and API processes on one PostgreSQL and one Redis."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.server import Api, ServerProcess
from tests.kubernetes.testbed.processes import free_ports

INVENTORY = """cluster: one
node_types: {one: {devices: {t4: 4}, cpu_cores: 64, memory_gib: 64}}
racks: {r1: {node: one}}
"""


@dataclass
class Installation:
    """What is common to its processes."""

    folder: Path
    database: str
    redis_url: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings of all processes, by the names of their environment."""

    def __post_init__(self) -> None:
        api, scheduler = free_ports(2)
        self.api_address = f"127.0.0.1:{api}"
        """Of the first API process: workers call that one."""
        self.scheduler_address = f"127.0.0.1:{scheduler}"
        self.inventory = self.folder / "nodes.yaml"
        self.inventory.write_text(INVENTORY)

    @property
    def secret(self) -> Path:
        """The scheduler's secret, which API processes are given."""
        return self.folder / "scheduler" / "server.secret"

    def scheduler(self, name: str = "scheduler", *, listen: str | None = None) -> ServerProcess:
        """Return a scheduler that does not run yet."""
        environment = {"MEDLEY_ROLE": "scheduler", "MEDLEY_API_URL": f"http://{self.api_address}"}
        listens = listen or self.scheduler_address
        return self._process(name, self.inventory, listens, environment)

    def api(self, number: int) -> ServerProcess:
        """Return an API process that does not run yet, on a data folder that it leaves alone."""
        environment = {
            "MEDLEY_ROLE": "api",
            "MEDLEY_SECRET_FILE": str(self.secret),
            "MEDLEY_SCHEDULER_URL": f"http://{self.scheduler_address}",
        }
        return self._process(f"api-{number}", None, self.api_address if number == 1 else "127.0.0.1:0", environment)

    def operator_token(self) -> str:
        """Return the first start's operator token."""
        return (self.folder / "scheduler" / "operator.token").read_text().strip()

    def tenant_token(self, api: ServerProcess, name: str = "team") -> str:
        """Make sure that a tenant exists and return a new submitter's token for it."""
        with Api(api.address, self.operator_token()) as operator:
            assert operator.call("POST", "/v1/tenants", {"name": name}).status in (201, 409)
            asked = {"name": f"test-{os.urandom(4).hex()}", "role": "submitter", "tenant": name}
            return str(operator.want(201, "POST", "/v1/tokens", asked)["secret"])

    def _process(self, name: str, inventory: Path | None, listen: str, environment: Mapping[str, str]) -> ServerProcess:
        redis = {} if self.redis_url is None else {"MEDLEY_REDIS_URL": self.redis_url}
        return ServerProcess(
            self.folder / name,
            inventory,
            listen=listen,
            metrics_listen="127.0.0.1:0",
            database=self.database,
            environment={**redis, **self.settings, **environment},
        )


@contextmanager
def running(*processes: ServerProcess) -> Iterator[None]:
    """Start processes, wait until all are ready, and end them whatever happens."""
    try:
        for process in processes:
            process.launch()
        for process in processes:
            process.wait_until_ready()
        yield
    finally:
        for process in processes:
            process.end(signal.SIGTERM)
