"""A Medley server that drives the test bed's cluster."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

from bench.kubernetes.children import ROOT
from tests.builders.eventually import eventually
from tests.builders.server import Api

START_LIMIT_S = 90.0
STOP_LIMIT_S = 30.0
CLUSTER = "bench"
LOG_TAIL = 3000


class MedleyServer:
    """`medley serve --cluster kubernetes` as a process of its own, ready when it is made."""

    def __init__(self, folder: Path, kubeconfig: Path, namespace: str) -> None:
        """`folder` is for its data and log, `namespace` for the workers' pods."""
        clusters = folder / "clusters.yaml"
        clusters.write_text(
            f"clusters:\n  - name: {CLUSTER}\n    kubeconfig: {kubeconfig}\n    namespace: {namespace}\n"
            "    devices_are_simulated: true\n"
        )
        self.log = folder / "server.log"
        self._data = folder / "data"
        command = [sys.executable, "-m", "medley", "serve", "--cluster", "kubernetes", "--clusters", str(clusters)]
        command += ["--data-folder", str(self._data), "--listen", "127.0.0.1:0"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=dict(os.environ), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self.address = ""
        try:
            eventually(self._find_address, within_s=START_LIMIT_S, what="the server's address")
            eventually(self._is_ready, within_s=START_LIMIT_S, what="the server to be ready")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def operator(self) -> Api:
        """Return a connection as operator."""
        return Api(self.address, (self._data / "operator.token").read_text().strip())

    def submitter(self) -> str:
        """Return a token with which the tenant `bench` submits."""
        with self.operator() as operator:
            operator.call("POST", "/v1/tenants", {"name": "bench"})
            asked = {"name": "bench", "role": "submitter", "tenant": "bench"}
            return str(operator.want(201, "POST", "/v1/tokens", asked)["secret"])

    def wait_for_nodes(self, count: int) -> None:
        """Wait until it knows so many nodes."""
        with self.operator() as operator:
            eventually(lambda: _nodes(operator) >= count, within_s=START_LIMIT_S, what=f"{count} nodes at the server")

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _find_address(self) -> bool:
        text = self.log.read_text(errors="replace")
        assert self._process.poll() is None, f"the server ended at once:\n{text[-LOG_TAIL:]}"
        found = [line.split()[-1] for line in text.splitlines() if line.startswith("Medley listens on ")]
        self.address = found[0] if found else ""
        return bool(found)

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException), Api(self.address, None) as api:
            return api.call("GET", "/readyz").status == HTTPStatus.OK
        return False


def _nodes(operator: Api) -> int:
    """Return how many nodes there are: all pages of the list."""
    count, cursor = 0, ""
    while True:
        page = operator.want(200, "GET", f"/v1/nodes?limit=200{cursor}")
        count += len(page["items"])
        if not page.get("next"):
            return count
        cursor = f"&cursor={page['next']}"
