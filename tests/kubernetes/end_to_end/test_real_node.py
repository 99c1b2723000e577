"""A pod on the real node: the image of the runtime works there as hardened as Medley's pods are."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.builders.eventually import eventually
from tests.builders.server import ROOT, strays
from tests.kubernetes.end_to_end.clear_up import control_groups
from tests.kubernetes.end_to_end.real_node import RealNode
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane

PROGRAM = """
import os, shutil
import torch, medley_runtime
assert (torch.ones(3, 3) @ torch.ones(3, 3)).sum() == 27
assert os.getuid() == 65532
assert not any(map(shutil.which, ("gcc", "cc", "make"))), "a compiler is left"
print(medley_runtime.__file__)
raise SystemExit(3)
"""

RUN_THAT_IS_KILLED = """
import os, signal
from tests.kubernetes.end_to_end.images import build_images
from tests.kubernetes.end_to_end.real_node import RealNode
from tests.kubernetes.testbed.control_plane import ControlPlane

with ControlPlane() as plane:
    node = RealNode(plane)
    node.start(build_images(images=()))
    print(node.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def hardened_pod(name: str, *command: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {
            "schedulingGates": [{"name": "medley/gang"}],
            "hostNetwork": True,
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "main",
                    "image": "medley-runtime:dev",
                    "command": list(command),
                    "resources": {"limits": {"memory": "1Gi", "cambricon.com/mlu": "4"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "readOnlyRootFilesystem": True,
                    },
                }
            ],
        },
    }


def test_a_hardened_pod_runs_torch_on_devices_and_its_exit_code_and_log_come_back(
    plane: ControlPlane, node: RealNode
) -> None:
    namespace = plane.make_namespace("real-pods")
    plane.api.create(path_of("pods", namespace=namespace), hardened_pod("torch", "python3", "-c", PROGRAM))
    pod = path_of("pods", "torch", namespace=namespace)
    plane.api.patch(pod, {"spec": {"schedulingGates": []}})
    ended = eventually(lambda: ended_pod(plane, pod), within_s=120, what="the end of the pod")
    (container,) = ended["status"]["containerStatuses"]
    said = plane.api.text(f"{pod}/log")
    assert container["state"]["terminated"]["exitCode"] == 3, said
    assert said == "/opt/medley/package/medley_runtime/__init__.py\n"
    assert ended["spec"]["nodeName"] == node.name
    plane.remove_namespace(namespace)


def test_a_killed_run_leaves_nothing_of_its_node_on_the_machine() -> None:
    command = [sys.executable, "-c", RUN_THAT_IS_KILLED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("medley-node-"), done.stderr
    eventually(lambda: not strays(folder), within_s=30, what="the end of the node's processes")
    eventually(lambda: not control_groups(folder.name), within_s=30, what="the end of its control groups")
    eventually(lambda: not folder.exists(), within_s=30, what="the end of its folder")
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()


def ended_pod(plane: ControlPlane, path: str) -> dict[str, Any] | None:
    found = plane.api.get(path)
    return found if found["status"]["phase"] in ("Succeeded", "Failed") else None
