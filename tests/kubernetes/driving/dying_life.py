"""One life of Medley that ends at a certain write: run as a program by test_sigkill.py, which then looks what is left.

Arguments: the kubeconfig, a data folder, what to live through (`run` or `refused`), the number of the write to die at,
and whether to die `before` it is sent or `after` it was carried out. Each step that is reached is printed.
"""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scheduler.adapters.kubernetes.transport import Credentials, Transport
from scheduler.core.model.attempt import WorkerPhase
from scheduler.ports.cluster import StartFailed
from tests.builders.cluster import ATTEMPT, order
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, seen, wait_seen

WRITES = ("POST", "PATCH", "DELETE")


class DyingTransport(Transport):
    """Ends its process without a word at one of its writes."""

    def __init__(self, kubeconfig: Path, *, at: int, when: str) -> None:
        super().__init__(Credentials(kubeconfig))
        self._counting = threading.Lock()
        self._left = at
        self._when = when

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout_s: float = 15.0,
    ) -> dict[str, Any]:
        is_last = False
        if method in WRITES and "accessreview" not in path and query is None:
            with self._counting:
                self._left -= 1
                is_last = self._left == 0
        if is_last and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return super().request(
                method, path, query=query, body=body, content_type=content_type, accept=accept, timeout_s=timeout_s
            )
        finally:
            if is_last:
                os.kill(os.getpid(), signal.SIGKILL)


def say(step: str) -> None:
    sys.stdout.write(f"{step}\n")
    sys.stdout.flush()


def is_empty(driven: Driven) -> bool:
    root = "/api/v1/namespaces/medley-jobs"
    return not any(driven.transport().request("GET", f"{root}/{kind}")["items"] for kind in ("pods", "configmaps"))


def live(kubeconfig: Path, data: Path, what: str, *, at: int, when: str) -> None:
    driven = Driven(kubeconfig, data)
    cluster = driven.cluster(DyingTransport(kubeconfig, at=at, when=when))
    gang = order("wait", workers=2)
    say("start")
    try:
        cluster.start(gang)
    except StartFailed:
        say("refused")
        return
    assert what == "run"
    wait_seen(cluster, "all to run", lambda found: all(one.record.phase is WorkerPhase.RUNNING for one in found))
    say("stop")
    cluster.stop(ATTEMPT, grace_s=1)
    over = (WorkerPhase.EXITED, WorkerPhase.LOST)
    wait_seen(cluster, "the end", lambda found: all(one.record.phase in over for one in found))
    say("forget")
    cluster.forget(ATTEMPT)
    assert seen(cluster) == []
    eventually(lambda: is_empty(driven), within_s=PATIENCE_S, what="an empty namespace")
    say("done")
    os._exit(0)


if __name__ == "__main__":
    live(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], at=int(sys.argv[4]), when=sys.argv[5])
