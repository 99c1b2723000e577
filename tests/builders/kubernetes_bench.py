"""A cluster of the contract suite on a real API server: its pods run as processes of this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.builders.blueprints import RESOURCE
from tests.builders.cluster import PROGRAM, Bench
from tests.builders.kubernetes import KNOWN_AS, Driven
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape
from tests.kubernetes.testbed.process_kubelet import ProcessKubelet

NODE = NodeShape("n1", {RESOURCE: 8}, labels=KNOWN_AS, resources={"memory": "256Gi"})


def runtime_of_the_steps(folder: Path) -> Path:
    """Make a medley_runtime that does the steps of worker_program, and return what belongs into PYTHONPATH."""
    package = folder / "medley_runtime"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(PROGRAM, package / "__main__.py")
    return folder


@dataclass(frozen=True)
class KubernetesBench(Bench):
    """Clears up by another life of Medley: the cluster under test may be closed."""

    driven: Driven

    def clear(self) -> None:
        """End every worker and let go of the clusters."""
        self.cluster.close()
        Bench(self.driven.cluster(), self.pass_time).clear()
        self.driven.close()


@contextmanager
def kubernetes_bench(plane: ControlPlane, namespace: str, folder: Path) -> Iterator[Bench]:
    """Build a cluster with one node, which is taken away at the end."""
    environment = {"PYTHONPATH": str(runtime_of_the_steps(folder / "image"))}
    serving = plane.authority.server("kubelet")
    with ProcessKubelet(plane.api, [NODE], folder / "kubelet", serving=serving, image_environment=environment):
        driven = Driven(plane.kubeconfig(), folder / "data", settings={"namespace": namespace})
        yield KubernetesBench(driven.cluster(), lambda: None, driven)
