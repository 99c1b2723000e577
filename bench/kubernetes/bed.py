"""The cluster of a benchmark: a real control plane, KWOK nodes that give logs, and a namespace for workers."""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Self

from bench.kubernetes.bare import Access, Templates
from bench.kubernetes.children import ROOT, Child
from bench.kubernetes.plain_watch import PlainWatch
from bench.kubernetes.server import MedleyServer
from scheduler.adapters.kubernetes.rendering import owned_objects, owner_object, pod, release_patch
from tests.builders.blueprints import RESOURCE, blueprint, with_spec
from tests.builders.cluster import order
from tests.kubernetes.testbed import binaries
from tests.kubernetes.testbed.api import STRATEGIC, path_of
from tests.kubernetes.testbed.control_plane import ADMIN, ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes
from tests.kubernetes.testbed.process_kubelet.log_server import LogServer
from tests.kubernetes.testbed.process_kubelet.logs import ContainerLog

CHIP = "h100-sxm"
DEVICES = 8
CALLS_AT_ONCE = 16
BUILD_LIMIT_S = 3600
_NUMBERS = count(1)


def say(text: str) -> None:
    """Tell how far it is, on standard error."""
    print(text, file=sys.stderr, flush=True)


class Bed:
    """A cluster with so many nodes of 8 devices; ends with `close`, or as `with Bed(nodes=100) as bed`."""

    def __init__(self, *, nodes: int, plane: ControlPlane | None = None) -> None:
        """Start a control plane, or use a `plane` that runs; of that, namespace and nodes are taken away in the end."""
        build_test_bed()
        began_s = time.monotonic()
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.namespace = f"bench-{os.getpid()}-{next(_NUMBERS)}"
        self._is_guest = plane is not None
        self.plane = plane or ControlPlane()
        self.nodes: list[str] = []
        self._logs: LogServer | None = None
        try:
            if not self._is_guest:
                self.plane.start()
            self.plane.make_namespace(self.namespace)
            self.nodes = self._add_nodes(nodes)
        except BaseException:
            self.close()
            raise
        say(f"a control plane with {nodes} nodes took {time.monotonic() - began_s:.1f} s")

    @property
    def access(self) -> Access:
        """How the bare loop reaches the API server."""
        pair = self.plane.user(ADMIN, "system:masters")
        authority = self.plane.authority.own.certificate
        return Access(self.plane.url, str(authority), str(pair.certificate), str(pair.key))

    def program_pids(self) -> list[int]:
        """Return the processes of the control plane, KWOK among them."""
        plane = self.plane
        programs = (plane.store, plane.api_server, plane.controllers, plane.scheduler, plane.kwok)
        return [program.pid for program in programs if program.pid is not None]

    def serve(self) -> MedleyServer:
        """Start a Medley server on the cluster; whoever asked closes it."""
        server = MedleyServer(self.folder, self.plane.kubeconfig(), self.namespace)
        try:
            server.wait_for_nodes(len(self.nodes))
        except BaseException:
            server.close()
            raise
        return server

    def watch(self, kind: str) -> PlainWatch:
        """Return a reader of everything of attempts in the namespace; to be started."""
        return PlainWatch(self.access.pool(), f"/api/v1/namespaces/{self.namespace}/{kind}", "medley/attempt")

    def bare_loop(self, environment: dict[str, str], *, devices: int) -> Child:
        """Return a process of the bare loop, which makes what Medley makes; whoever asked closes it."""
        child = Child("bench.kubernetes.bare")
        try:
            templates = _templates(self.namespace, environment, devices)
            child.ask({"open": {"access": self.access.as_dict(), "templates": templates}}, within_s=60)
        except BaseException:
            child.close()
            raise
        return child

    def close(self) -> None:
        """End everything."""
        if self._is_guest:
            self.plane.remove_namespace(self.namespace)
            remove_nodes(self.plane.api, self.nodes)
        else:
            self.plane.close()
        if self._logs is not None:
            self._logs.close()
        with suppress(OSError):
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add_nodes(self, nodes: int) -> list[str]:
        """Add the nodes. KWOK has no logs: theirs are served here, one line for each worker."""
        log = ContainerLog()
        log.write(b"it ran\n")
        log.end()
        self._logs = LogServer(lambda *_: log, self.plane.authority.server("bench-kubelet"))
        api, labels = self.plane.api, {"medley/chip": CHIP}
        shapes = [NodeShape(f"{self.namespace}-{number:04}", {RESOURCE: DEVICES}, labels) for number in range(nodes)]
        names = add_nodes(api, shapes)
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._logs.port}},
        }
        with ThreadPoolExecutor(CALLS_AT_ONCE) as threads:
            list(
                threads.map(
                    lambda name: api.patch(f"{path_of('nodes', name)}/status", {"status": status}, kind=STRATEGIC),
                    names,
                )
            )
        return names


def build_test_bed() -> None:
    """Build the control plane's programs if they are not there. Raises CalledProcessError."""
    if not binaries.are_complete():
        command = [sys.executable, "-m", "tests.kubernetes.testbed.build"]
        subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=True, timeout=BUILD_LIMIT_S, env=dict(os.environ))


def _templates(namespace: str, environment: dict[str, str], devices: int) -> dict[str, Any]:
    """Return the objects of a gang as Medley renders them."""
    given = with_spec(order("true"), environment=tuple(sorted(environment.items())))
    allocation = given.allocations[0]
    slots = tuple(range(devices))
    given = replace(given, allocations=(replace(allocation, slots=slots),))
    drawing = blueprint(given, namespace=namespace)
    ((_, secret),) = owned_objects(drawing, "0")
    templates = Templates(
        namespace=namespace,
        owner=owner_object(drawing),
        secret=secret,
        pod=pod(drawing, 0, "0"),
        release=release_patch("n", "0"),
    )
    return {name: getattr(templates, name) for name in Templates.__slots__}
