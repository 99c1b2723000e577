"""Medley as installed on the test bed by kubectl, and the `medley` command of somebody who uses it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.builders.eventually import eventually
from tests.builders.server import ROOT
from tests.kubernetes.end_to_end.overlay import write_overlay
from tests.kubernetes.end_to_end.real_node import RealNode
from tests.kubernetes.manifests import kubectl
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane

ADDRESS = "http://127.0.0.1:8080"
ACCOUNT = 65_532
"""The user of the pods; a hostPath volume is not handed over to it by Kubernetes."""
TOKEN = "/var/lib/medley/data/operator.token"
ROLLOUT = "--timeout=180s"
COMMAND_TIMEOUT_S = 120

Document = dict[str, Any]


class Installation:
    """Medley on a control plane's real node."""

    def __init__(self, plane: ControlPlane, node: RealNode) -> None:
        self.plane = plane
        storage = node.folder / "storage"
        storage.mkdir()
        os.chown(storage, ACCOUNT, ACCOUNT)
        self.overlay = write_overlay(node.folder / "overlay", api_server_port=plane.port, storage=storage)
        self._login = node.folder / "login.json"
        self._operators_token = self._token = ""

    def install(self) -> None:
        """Apply the overlay, wait until Medley is ready and be its operator."""
        self.kubectl("apply", "-k", str(self.overlay))
        self.kubectl("-n", "medley", "rollout", "status", "deployment/medley", ROLLOUT)
        self._operators_token = self.kubectl("-n", "medley", "exec", "deploy/medley", "--", "cat", TOKEN).strip()

    def uninstall(self) -> None:
        """Delete the overlay; returns when all of it is gone. What is gone already does not matter."""
        self.kubectl("delete", "-k", str(self.overlay), "--ignore-not-found", "--wait=true", ROLLOUT)

    def become_submitter(self, tenant: str) -> None:
        """Make a tenant, and be somebody of it from now on."""
        self._token = self._operators_token
        self.medley("tenants", "create", tenant)
        self._token = self.medley("tokens", "create", "ada", "--role", "submitter", "--tenant", tenant).strip()

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl as the cluster's administrator and return what it printed."""
        return kubectl(*arguments, kubeconfig=self.plane.kubeconfig()).stdout

    def medley(self, *arguments: str, stdin: str = "") -> str:
        """Run the `medley` command and return what it printed."""
        done = subprocess.run(
            self._command(arguments),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=self._environment(),
            cwd=ROOT,
            timeout=COMMAND_TIMEOUT_S,
        )
        assert done.returncode == 0, f"medley {' '.join(arguments)}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def following(self, job: str, into: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """Follow a job's output, over all its attempts, into a file."""
        command = self._command(["logs", "-f", job])
        with (
            into.open("wb") as file,
            subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=self._environment(), cwd=ROOT
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def job(self, job: str) -> Document:
        """Return a job as the API shows it."""
        shown: Document = json.loads(self.medley("show", job, "-o", "json"))
        return shown

    def wait_for_state(self, job: str, *states: str, within_s: float) -> Document:
        """Wait until a job is in one of the states and return it."""

        def look() -> Document | None:
            found = self.job(job)
            return found if found["state"] in states else None

        return eventually(look, within_s=within_s, what=f"{job} to be {states}")

    def pods_of(self, job: str) -> list[Document]:
        """Return the pods of a job, by rank."""
        found = self.plane.api.get(path_of("pods", namespace="medley-jobs"), labelSelector=f"medley/job={job}")["items"]
        return sorted(found, key=lambda pod: int(pod["metadata"]["labels"]["medley/rank"]))

    def own_pods(self) -> list[Document]:
        """Return Medley's own pods: one, but for moments in which one goes and another comes."""
        selector = "app.kubernetes.io/name=medley"
        found: list[Document] = self.plane.api.get(path_of("pods", namespace="medley"), labelSelector=selector)["items"]
        return found

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "medley", *arguments]

    def _environment(self) -> dict[str, str]:
        own = {"MEDLEY_ADDRESS": ADDRESS, "MEDLEY_TOKEN": self._token, "MEDLEY_CONFIG": str(self._login)}
        return {"PATH": os.environ["PATH"], **own}
