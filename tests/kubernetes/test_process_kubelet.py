"""The tests' own kubelet, asked through the real API server: it must behave as a real one where Medley looks."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.cluster import is_gone
from tests.builders.eventually import eventually
from tests.kubernetes.fake_api.server import FakeApi
from tests.kubernetes.testbed.api import Api, Document, path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, is_ready
from tests.kubernetes.testbed.process_kubelet import ProcessKubelet

PATIENCE_S = 30.0
NODE = "process-1"
GPU = "nvidia.com/gpu"
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); signal.pause()"


@pytest.fixture
def kubelet(control_plane: ControlPlane, tmp_path: Path) -> Iterator[ProcessKubelet]:
    serving = control_plane.authority.server("kubelet")
    shapes = [NodeShape(NODE, {GPU: 4})]
    absent = ["registry.example/absent:1"]
    with ProcessKubelet(control_plane.api, shapes, tmp_path, serving=serving, absent_images=absent) as kubelet:
        yield kubelet


@pytest.fixture
def pods(control_plane: ControlPlane, namespace: str, kubelet: ProcessKubelet) -> "Pods":
    return Pods(control_plane.api, namespace)


class Pods:
    """The pods of a test's namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def path(self, name: str = "p") -> str:
        return path_of("pods", name, namespace=self.namespace)

    def run(self, program: str, *, name: str = "p", container: Document | None = None, **spec: Any) -> None:
        """Create a pod whose container runs a Python program."""
        main = {"name": "main", "image": "busy:1", "command": ["python3", "-c", program]} | (container or {})
        body = {"automountServiceAccountToken": False, "restartPolicy": "Never", "containers": [main]}
        named = {"metadata": {"name": name}, "spec": body | spec}
        self.api.create(path_of("pods", namespace=self.namespace), named)

    def status(self, name: str = "p") -> Document:
        found: Document = self.api.get(self.path(name))["status"]
        return found

    def wait_for(self, phase: str, name: str = "p") -> Document:
        """Return the status of a pod once it is in a phase."""
        return eventually(
            lambda: status if (status := self.status(name))["phase"] == phase else None,
            within_s=PATIENCE_S,
            what=f"phase {phase} of {name}: {self.status(name)}",
        )

    def waiting(self, reason: str) -> Document:
        """Return the state of the container once it waits for a reason."""

        def look() -> Document | None:
            statuses = self.status().get("containerStatuses") or [{"state": {}}]
            state: Document = statuses[0]["state"].get("waiting", {})
            return state if state.get("reason") == reason else None

        return eventually(look, within_s=PATIENCE_S, what=reason)

    def log(self, name: str = "p", **query: str) -> str:
        return self.api.text(f"{self.path(name)}/log", **query)

    def printed(self, text: str) -> None:
        self.wait_for("Running")
        eventually(lambda: text in self.log(), within_s=PATIENCE_S, what=text)

    def delete(self, grace_s: int, name: str = "p") -> None:
        self.api.delete(self.path(name), {"gracePeriodSeconds": grace_s})

    def wait_until_gone(self, name: str = "p") -> None:
        eventually(lambda: self.api.find(self.path(name)) is None, within_s=PATIENCE_S, what="the end of the object")


def ended(status: Document) -> Document:
    found: Document = status["containerStatuses"][0]["state"]["terminated"]
    return found


def test_a_pod_runs_to_its_end(pods: Pods) -> None:
    pods.run("print('hello')")
    status = pods.wait_for("Succeeded")
    assert (ended(status)["exitCode"], ended(status)["reason"]) == (0, "Completed")
    conditions = {one["type"]: one["status"] for one in status["conditions"]}
    assert conditions["PodScheduled"] == "True"
    assert conditions["Ready"] == "False"
    assert pods.log() == "hello\n"


def test_an_exit_code_and_a_signal_are_told_as_a_runtime_does(pods: Pods) -> None:
    pods.run("raise SystemExit(3)", name="three")
    pods.run("import os; os.kill(os.getpid(), 11)", name="signalled")
    assert ended(pods.wait_for("Failed", "three"))["exitCode"] == 3
    assert ended(pods.wait_for("Failed", "signalled"))["exitCode"] == 139


def test_configuration_reaches_the_process(pods: Pods) -> None:
    files = {"metadata": {"name": "files"}, "data": {"launch.json": "{}"}}
    token = {"metadata": {"name": "token"}, "stringData": {"token": "secret"}}
    pods.api.create(path_of("configmaps", namespace=pods.namespace), files)
    pods.api.create(path_of("secrets", namespace=pods.namespace), token)
    container = {
        "env": [
            {"name": "FILE", "value": "/etc/medley/gang/launch.json"},
            {"name": "TOKEN_FILE", "value": "/etc/medley/token/token"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "token"}}},
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "GREETING", "value": "hello $(NAME)"},
        ],
        "volumeMounts": [
            {"name": "gang", "mountPath": "/etc/medley/gang"},
            {"name": "token", "mountPath": "/etc/medley/token"},
        ],
    }
    volumes = [{"name": "gang", "configMap": {"name": "files"}}, {"name": "token", "secret": {"secretName": "token"}}]
    read = "print(open(e['FILE']).read(), open(e['TOKEN_FILE']).read(), e['TOKEN'], e['GREETING'])"
    show = f"import os; e = os.environ; {read}"
    pods.run(show, container=container, volumes=volumes)
    pods.wait_for("Succeeded")
    assert pods.log() == "{} secret secret hello p\n"


def test_an_init_container_runs_first_and_its_failure_is_the_pods(pods: Pods) -> None:
    pods.run("print('never')", initContainers=[{"name": "copy", "image": "x", "command": ["false"]}])
    status = pods.wait_for("Failed")
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
    assert "waiting" in status["containerStatuses"][0]["state"]


def test_a_deleted_pod_ends_by_itself_within_its_grace(pods: Pods, kubelet: ProcessKubelet) -> None:
    pods.run("import signal; print('ready', flush=True); signal.pause()")
    pods.printed("ready")
    pid = kubelet.process_of(pods.namespace, "p")
    pods.delete(60)
    pods.wait_until_gone()
    assert pid is not None
    assert is_gone(pid)


def test_a_deleted_pod_that_does_not_listen_is_killed_after_its_grace(pods: Pods) -> None:
    pods.run(STUBBORN)
    pods.printed("ready")
    events = pods.api.watch(path_of("pods", namespace=pods.namespace), watch="true")
    pods.delete(1)
    pods.wait_until_gone()
    pods.api.create(
        path_of("pods", namespace=pods.namespace),
        {"metadata": {"name": "last"}, "spec": {"containers": [{"name": "m", "image": "x"}]}},
    )
    seen = []
    for line in events:
        seen.append(line)
        if b'"last"' in line:
            break
    events.close()
    assert any(b'"exitCode":137' in line for line in seen)


def test_a_later_delete_shortens_the_grace(pods: Pods) -> None:
    pods.run(STUBBORN)
    pods.printed("ready")
    pods.delete(600)
    pods.delete(1)
    pods.wait_until_gone()


def test_a_pod_deleted_by_force_takes_its_processes_along(pods: Pods, kubelet: ProcessKubelet) -> None:
    pods.run(STUBBORN)
    pods.printed("ready")
    pid = kubelet.process_of(pods.namespace, "p")
    assert pid is not None
    pods.delete(0)
    eventually(lambda: is_gone(pid), within_s=PATIENCE_S, what="the end of the process")


def test_a_deadline_ends_a_pod(pods: Pods) -> None:
    pods.run("import signal; signal.pause()", activeDeadlineSeconds=1, terminationGracePeriodSeconds=5)
    status = pods.wait_for("Failed")
    assert status["reason"] == "DeadlineExceeded"
    assert ended(status)["exitCode"] == 143


def test_too_much_memory_is_an_oom_kill(pods: Pods) -> None:
    hungry = "import signal; x = b'x' * 2**27; signal.pause()"
    pods.run(hungry, container={"resources": {"limits": {"memory": "64Mi"}}})
    pods.run("print(1); import signal; signal.pause()", name="small")
    terminated = ended(pods.wait_for("Failed"))
    assert (terminated["exitCode"], terminated["reason"]) == (137, "OOMKilled")
    assert pods.wait_for("Running", "small")


def test_processes_that_left_their_session_go_with_their_container(pods: Pods) -> None:
    leave = "import os\npid = os.fork()\nif pid == 0: os.setsid(); os.execv('/bin/sleep', ['sleep', '1000'])"
    pods.run(f"{leave}\nwhile os.getsid(pid) != pid: pass\nprint(pid)")
    pods.wait_for("Succeeded")
    assert is_gone(int(pods.log()))


def test_a_killed_process_is_seen(pods: Pods, kubelet: ProcessKubelet) -> None:
    pods.run("import signal; print('ready', flush=True); signal.pause()")
    pods.printed("ready")
    pid = kubelet.process_of(pods.namespace, "p")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert ended(pods.wait_for("Failed"))["exitCode"] == 137


def test_images_that_cannot_be_used_keep_a_pod_waiting(pods: Pods) -> None:
    pods.run("", container={"image": "registry.example/absent:1"})
    assert "not found" in pods.waiting("ErrImagePull")["message"]
    pods.delete(30)
    pods.wait_until_gone()
    pods.run("", container={"image": "Not An Image"})
    pods.waiting("InvalidImageName")


def test_a_missing_secret_is_a_configuration_error(pods: Pods) -> None:
    missing = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "nowhere", "key": "token"}}}
    pods.run("", container={"env": [missing]})
    assert "nowhere" in pods.waiting("CreateContainerConfigError")["message"]


def test_a_command_that_is_not_there_ends_with_128(pods: Pods) -> None:
    pods.run("", container={"command": ["no-such-program"]})
    terminated = ended(pods.wait_for("Failed"))
    assert (terminated["exitCode"], terminated["reason"]) == (128, "StartError")


def test_a_pod_that_does_not_fit_is_rejected(pods: Pods) -> None:
    wants = {"resources": {"limits": {GPU: "3"}}}
    pods.run("import signal; signal.pause()", name="first", container=wants, nodeName=NODE)
    pods.wait_for("Running", "first")
    pods.run("print(1)", container=wants, nodeName=NODE)
    status = pods.wait_for("Failed")
    assert status["reason"] == f"OutOf{GPU}"
    assert "requested: 3, used: 3, capacity: 4" in status["message"]


def test_a_log_is_read_in_every_way_the_api_offers(pods: Pods) -> None:
    pods.run("print('one'); print('two'); print('three', end='')")
    pods.wait_for("Succeeded")
    assert pods.log() == "one\ntwo\nthree\n"
    assert pods.log(tailLines="1") == "three\n"
    assert pods.log(limitBytes="5") == "one\nt"
    stamped = pods.log(timestamps="true").splitlines()
    assert [line.partition("Z ")[2] for line in stamped] == ["one", "two", "three"]
    assert pods.log(sinceTime="2999-01-01T00:00:00Z") == ""


def test_a_log_is_followed_to_its_end(pods: Pods, tmp_path: Path) -> None:
    go = tmp_path / "go"
    wait = f"while not os.path.exists('{go}'): select.select([], [], [], 0.01)"
    pods.run(f"import os, select\nprint('one', flush=True)\n{wait}\nprint('two')")
    pods.printed("one")
    lines = iter(pods.api.watch(f"{pods.path()}/log", follow="true"))
    assert next(lines) == b"one\n"
    go.touch()
    assert list(lines) == [b"two\n"]


def test_a_silent_node_keeps_its_pods_until_it_is_back(pods: Pods, kubelet: ProcessKubelet) -> None:
    pods.run("import signal; print('ready', flush=True); signal.pause()")
    pods.printed("ready")
    kubelet.cut_off(NODE)
    pods.delete(1)
    pid = kubelet.process_of(pods.namespace, "p")
    assert pid is not None
    assert not is_gone(pid)
    assert pods.api.find(pods.path()) is not None
    kubelet.reconnect(NODE)
    pods.wait_until_gone()


def test_a_node_says_whether_it_is_ready(pods: Pods, kubelet: ProcessKubelet) -> None:
    node = path_of("nodes", NODE)
    kubelet.set_ready(NODE, is_ready=False)
    eventually(lambda: not is_ready(pods.api.get(node)), within_s=PATIENCE_S, what="a node that is not ready")
    kubelet.set_ready(NODE, is_ready=True)
    eventually(lambda: is_ready(pods.api.get(node)), within_s=PATIENCE_S, what="a node that is ready")


def test_it_serves_the_fake_api_as_well(tmp_path: Path) -> None:
    with FakeApi(schedules=True) as fake:
        api = Api(fake.url)
        with ProcessKubelet(api, [NodeShape(NODE, {GPU: 4})], tmp_path):
            pods = Pods(api, "default")
            pods.run("raise SystemExit(3)")
            assert ended(pods.wait_for("Failed"))["exitCode"] == 3
            pods.run("import signal; signal.pause()", name="q")
            pods.wait_for("Running", "q")
            pods.delete(60, "q")
            pods.wait_until_gone("q")
        api.close()


def test_a_node_is_not_ready_since_it_said_so(pods: Pods, kubelet: ProcessKubelet) -> None:
    def since() -> str:
        conditions = pods.api.get(path_of("nodes", NODE))["status"]["conditions"]
        return next(str(one["lastTransitionTime"]) for one in conditions if one["type"] == "Ready")

    kubelet.set_ready(NODE, is_ready=False)
    first, now_s = since(), int(time.time())
    eventually(lambda: int(time.time()) > now_s + 1, within_s=PATIENCE_S, what="another second")
    kubelet.set_ready(NODE, is_ready=False)
    assert since() == first


def test_pods_outlive_the_api_server(pods: Pods, control_plane: ControlPlane) -> None:
    pods.run(
        f"import signal, sys; print('ready', flush=True); signal.sigwait([15]); sys.exit(7) # {sys.version_info[0]}"
    )
    pods.printed("ready")
    control_plane.kill_api_server()
    control_plane.start_api_server()
    assert pods.status()["phase"] == "Running"
    pods.delete(60)
    pods.wait_until_gone()
