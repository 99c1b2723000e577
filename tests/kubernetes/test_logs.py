"""Output of real processes, through the real API server, into the keeper."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.adapters.kubernetes.configuration.cluster import LogLimits
from scheduler.adapters.kubernetes.decoding import pod_view
from scheduler.adapters.kubernetes.logs import LogKeeper
from scheduler.adapters.kubernetes.transport import Credentials, Transport
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.identifiers import WorkerKey
from tests.builders.eventually import eventually
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape
from tests.kubernetes.testbed.process_kubelet import ProcessKubelet

PATIENCE_S = 60.0
ATTEMPT = "0a1b2c3d4e5f6g7h-g0-a1"
WORKER = WorkerKey(ATTEMPT, 0)
LAST_WORDS = """
import signal, sys
def leave(*_):
    print('checkpoint written', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print('ready', flush=True)
while True:
    signal.pause()
"""


class Bench:
    """One worker's pod, and a keeper of its output."""

    def __init__(self, plane: ControlPlane, namespace: str, folder: Path) -> None:
        self.plane = plane
        self.path = path_of("pods", WORKER.name, namespace=namespace)
        self.namespace = namespace
        self.folder = folder
        self.last: PodView | None = None
        self.open()

    def open(self) -> None:
        self.transport = Transport(Credentials(self.plane.kubeconfig()))
        self.keeper = LogKeeper(self.transport, self.folder, limits=LogLimits())

    def close(self) -> None:
        self.keeper.close()
        self.transport.close()

    def run(self, program: str) -> None:
        """Create the worker's pod; its container runs a Python program."""
        labels = {"medley/instance": "ours", "medley/attempt": ATTEMPT, "medley/rank": "0", "medley/generation": "1"}
        container = {"name": "worker", "image": "busy:1", "command": ["python3", "-u", "-c", program]}
        spec = {"automountServiceAccountToken": False, "restartPolicy": "Never", "containers": [container]}
        body = {"metadata": {"name": WORKER.name, "labels": labels}, "spec": spec}
        self.plane.api.create(path_of("pods", namespace=self.namespace), body)

    def pod(self) -> PodView | None:
        """Return the pod as the watch would."""
        document = self.plane.api.find(self.path)
        return pod_view(document) if document is not None else None

    def text(self) -> str:
        return self.keeper.read(WORKER, self.pod(), offset=0, limit=50_000_000).text

    def printed(self, want: str) -> str:
        """Wait until the worker has printed something, and return all it has."""
        return eventually(
            lambda: text if want in (text := self.text()) else "", within_s=PATIENCE_S, what=f"{want!r} to be printed"
        )

    def ended(self) -> PodView:
        """Wait until the pod is over."""
        return eventually(
            lambda: pod if (pod := self.pod()) is not None and pod.is_over else None,
            within_s=PATIENCE_S,
            what="the end of the pod",
        )

    def delete(self) -> None:
        self.plane.api.delete(self.path, {"gracePeriodSeconds": 30})

    def collected(self, pod: PodView | None) -> str:
        """Wait until all output is stored, and return it."""
        eventually(lambda: self.keeper.collect(WORKER, pod), within_s=PATIENCE_S, what="the output to be stored")
        chunk = self.keeper.read(WORKER, None, offset=0, limit=50_000_000)
        assert chunk.is_complete
        return chunk.text


@pytest.fixture
def kubelet(control_plane: ControlPlane, tmp_path: Path) -> Iterator[ProcessKubelet]:
    serving = control_plane.authority.server("kubelet")
    with ProcessKubelet(control_plane.api, [NodeShape("prints-1")], tmp_path / "kubelet", serving=serving) as kubelet:
        yield kubelet


@pytest.fixture
def bench(control_plane: ControlPlane, namespace: str, kubelet: ProcessKubelet, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(control_plane, namespace, tmp_path / "logs")
    yield bench
    bench.close()


def test_output_of_an_ended_worker_is_read_at_once_and_complete(bench: Bench) -> None:
    bench.run("print('first'); print('aé€')")
    pod = bench.ended()

    chunk = bench.keeper.read(WORKER, pod, offset=0, limit=1000)

    assert (chunk.text, chunk.end, chunk.is_complete) == ("first\naé€\n", 13, True)


def test_output_is_followed_while_a_worker_runs(bench: Bench) -> None:
    bench.run("import time\nfor n in range(40): print('line', n); time.sleep(0.05)\ntime.sleep(600)")

    text = bench.printed("line 39\n")

    assert text == "".join(f"line {n}\n" for n in range(40))


def test_a_megabyte_in_one_line_arrives(bench: Bench) -> None:
    bench.run("print('x' * 1_000_000); print('end')")

    text = bench.collected(bench.ended())

    assert text == "x" * 1_000_000 + "\nend\n"


def test_bytes_that_are_no_text_are_marked(bench: Bench) -> None:
    bench.run("import sys; sys.stdout.buffer.write(b'a\\xff\\xfeb\\n')")

    assert bench.collected(bench.ended()) == "a\ufffd\ufffdb\n"


def test_last_words_of_a_deleted_pod_are_kept(bench: Bench) -> None:
    bench.run(LAST_WORDS)
    eventually(lambda: (pod := bench.pod()) is not None and pod.container is not None, within_s=PATIENCE_S)
    bench.printed("ready")
    pod = bench.pod()
    assert pod is not None

    bench.keeper.follow_before_stop([pod])
    bench.delete()
    eventually(lambda: bench.pod() is None, within_s=PATIENCE_S, what="the pod to be gone")

    assert bench.collected(None) == "ready\ncheckpoint written\n"


def test_a_restart_of_medley_repeats_and_loses_nothing(bench: Bench) -> None:
    bench.run("import time\nfor n in range(60): print('line', n); time.sleep(0.05)\ntime.sleep(600)")
    bench.printed("line 5\n")
    bench.close()
    bench.open()

    assert bench.printed("line 59\n") == "".join(f"line {n}\n" for n in range(60))


def test_a_restart_of_the_api_server_repeats_and_loses_nothing(bench: Bench) -> None:
    bench.run("import time\nfor n in range(100): print('line', n); time.sleep(0.05)\ntime.sleep(600)")
    bench.printed("line 5\n")
    pod = bench.pod()

    bench.plane.kill_api_server()
    bench.plane.start_api_server()

    text = eventually(
        lambda: text if "line 99\n" in (text := bench.keeper.read(WORKER, pod, offset=0, limit=100_000).text) else "",
        within_s=PATIENCE_S,
        what="the last line",
    )
    assert text == "".join(f"line {n}\n" for n in range(100))


def test_a_node_that_is_gone_blocks_nothing(bench: Bench, kubelet: ProcessKubelet) -> None:
    bench.run("print('unheard')")
    pod = bench.ended()
    kubelet.cut_off("prints-1")
    bench.plane.api.delete(path_of("nodes", "prints-1"))

    text = bench.collected(pod)

    assert text.startswith("[medley] the rest cannot be read: ")
