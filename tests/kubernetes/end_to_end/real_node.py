"""A real node on this machine beside a test bed's control plane: containerd, runc and kubelet, started by `RealNode`.

It is named `localhost`, because the API server reaches its nodes by name, for logs, and this one resolves everywhere.
All its pods use the network of the machine. Its devices are numbers in its status: nothing checks that they exist.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from tests.builders.eventually import eventually
from tests.kubernetes.end_to_end.clear_up import control_groups, make_control_groups, remove_control_groups
from tests.kubernetes.end_to_end.images import PAUSE, ROOT
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.binaries import folder as folder_of_programs
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import wait_for_nodes
from tests.kubernetes.testbed.processes import Program, free_ports, guardian

NAME = "localhost"
NETWORK_PLUGINS = ("/usr/lib/cni", "/opt/cni/bin")
READY_WITHIN_S = 60.0
IMPORT_TIMEOUT_S = 300
COMMAND_TIMEOUT_S = 60
NETWORK = '{"cniVersion": "1.0.0", "name": "loopback", "plugins": [{"type": "loopback"}]}'


class RealNode:
    """Starts with `start`, ends with `close`, which leaves nothing of it on the machine. Raises NotReady."""

    def __init__(self, plane: ControlPlane, *, names: Sequence[str] = ()) -> None:
        """Prepare a node of a control plane; for its pods, further `names` mean this machine."""
        self.name = NAME
        self.folder = Path(tempfile.mkdtemp(prefix="medley-node-"))
        guardian().tell("folder", self.folder)
        self._plane = plane
        self._names = tuple(names)
        self._address = str(self.folder / "containerd.sock")
        self._watchman: subprocess.Popen[bytes] | None = None
        self._room = Program(self._unshare(), log=self.folder / "room.log")
        self.runtime: Program | None = None
        self.kubelet: Program | None = None

    def start(self, archives: Sequence[Path]) -> None:
        """Start it with images from archives, and wait until pods can be bound to it."""
        try:
            self._start_room()
            self.runtime = self._program("containerd", "--config", str(self._write_runtime_settings()))
            self.runtime.start()
            self.runtime.wait_until(lambda: self._ask_runtime("version") == 0, within_s=READY_WITHIN_S)
            for archive in archives:
                self._import(archive)
            self.kubelet = self._program(
                str(folder_of_programs() / "kubelet"),
                f"--config={self._write_kubelet_settings()}",
                f"--kubeconfig={self._plane.kubeconfig(f'system:node:{self.name}', 'system:nodes')}",
                f"--hostname-override={self.name}",
                f"--root-dir={self.folder / 'kubelet'}",
                f"--cert-dir={self.folder / 'pki'}",
            )
            self.start_kubelet()
        except BaseException:
            self.close()
            raise

    def start_kubelet(self) -> None:
        """Start the kubelet, also after `kubelet.kill()`, and wait until the node is ready."""
        assert self.kubelet is not None
        self.kubelet.start()
        node = path_of("nodes", self.name)
        self.kubelet.wait_until(lambda: self._plane.api.find(node) is not None, within_s=READY_WITHIN_S)
        wait_for_nodes(self._plane.api, [self.name])

    def close(self) -> None:
        """End all that runs on the node at once, and remove what it left on the machine."""
        for program in (self.kubelet, self.runtime, self._room):
            if program is not None:
                program.kill()
        if self._watchman is not None:
            remove_control_groups(self.folder.name)
            assert self._watchman.stdin is not None
            self._watchman.stdin.close()
            self._watchman.wait(COMMAND_TIMEOUT_S)
            self._watchman = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def give_devices(self, devices: Mapping[str, int], labels: Mapping[str, str]) -> None:
        """Have the node offer devices by resource name, with labels of their vendors."""
        self._plane.api.patch(path_of("nodes", self.name), {"metadata": {"labels": dict(labels)}})
        counts = {name: str(count) for name, count in devices.items()}
        status = {"status": {"capacity": counts, "allocatable": counts}}
        self._plane.api.patch(f"{path_of('nodes', self.name)}/status", status)

    def processes_of(self, pod: Mapping[str, Any]) -> list[int]:
        """Return the processes of a pod's containers, by their numbers on this machine."""
        return self.processes(str(pod["metadata"]["uid"]))

    def processes(self, uid: str = "") -> list[int]:
        """Return the processes of all pods' containers, or of one pod's."""
        found: set[int] = set()
        for group in control_groups(self.folder.name):
            if uid in str(group):
                with suppress(OSError):
                    found.update(int(number) for number in (group / "cgroup.procs").read_text().split())
        return sorted(number for number in found if not _is_pause(number))

    def kill_container(self, pod: Mapping[str, Any]) -> None:
        """Kill all that runs in a pod's containers, as a fault of the machine would."""
        processes = eventually(lambda: self.processes_of(pod), within_s=READY_WITHIN_S, what="processes of the pod")
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _start_room(self) -> None:
        command = [sys.executable, "-m", "tests.kubernetes.end_to_end.clear_up", self.folder.name]
        self._watchman = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)
        make_control_groups(self.folder.name)
        self._room.start()
        self._room.wait_until((self.folder / "ready").exists, within_s=READY_WITHIN_S)

    def _unshare(self) -> list[str]:
        room = [sys.executable, str(Path(__file__).with_name("room.py")), str(self.folder), *self._names]
        return ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc", *room]

    def _program(self, *arguments: str) -> Program:
        """Return a program that runs in the node's room."""
        name = Path(arguments[0]).name
        return Program([*self._enter(), *arguments], log=self.folder / f"{name}.log")

    def _enter(self) -> list[str]:
        assert self._room.pid is not None
        children = Path(f"/proc/{self._room.pid}/task/{self._room.pid}/children").read_text().split()
        return ["nsenter", "--target", children[0], "--mount", "--pid"]

    def _import(self, archive: Path) -> None:
        images = ["ctr", "--address", self._address, "--namespace", "k8s.io", "images", "import", str(archive)]
        done = subprocess.run(
            [*self._enter(), *images], capture_output=True, text=True, check=False, timeout=IMPORT_TIMEOUT_S
        )
        assert done.returncode == 0, f"{archive} cannot be imported: {done.stderr}"

    def _ask_runtime(self, *arguments: str) -> int:
        command = [*self._enter(), "ctr", "--address", self._address, *arguments]
        return subprocess.run(command, capture_output=True, check=False, timeout=COMMAND_TIMEOUT_S).returncode

    def _write_runtime_settings(self) -> Path:
        plugins = next((place for place in NETWORK_PLUGINS if Path(place).is_dir()), NETWORK_PLUGINS[0])
        networks = self.folder / "networks"
        networks.mkdir()
        (networks / "10-loopback.conflist").write_text(NETWORK)
        path = self.folder / "containerd.toml"
        path.write_text(f"""\
version = 2
root = "{self.folder}/images"
state = "{self.folder}/containers"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs"]
[grpc]
address = "{self._address}"
[ttrpc]
address = "{self._address}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
disable_apparmor = true
restrict_oom_score_adj = true  # where CAP_SYS_RESOURCE is missing, runc dies of less
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{networks}"
""")
        return path

    def _write_kubelet_settings(self) -> Path:
        port, health = free_ports(2)
        settings = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": "127.0.0.1",
            "port": port,
            "healthzPort": health,
            "authentication": {"x509": {"clientCAFile": str(self._plane.authority.own.certificate)}},
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.folder.name}",
            "clusterDNS": ["127.0.0.1"],  # nobody answers there; without any, each pod would get a warning
            "containerRuntimeEndpoint": f"unix://{self._address}",
            "enforceNodeAllocatable": [],
            "evictionHard": {},
            "failCgroupV1": False,
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,
            "makeIPTablesUtilChains": False,
            "nodeStatusUpdateFrequency": "5s",
            "podLogsDir": str(self.folder / "logs"),
            "volumePluginDir": str(self.folder / "volume-plugins"),
        }
        path = self.folder / "kubelet.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path


def _is_pause(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"/pause\0")
    except OSError:
        return True  # gone meanwhile
