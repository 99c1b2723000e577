"""How long a gang takes to start on Kubernetes: from the placement, durable, to all pods bound, and to all running.

Medley and the bare loop of the same calls take turns on one cluster, and one reader of the pods watches both.
"""

from dataclasses import dataclass
from datetime import datetime
from operator import truediv
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import CHIP, DEVICES, Bed, say
from bench.kubernetes.children import Child
from bench.kubernetes.plain_watch import PlainWatch, Sighting
from bench.kubernetes.server import MedleyServer
from bench.report import Limit, Measurement
from bench.spread import percentile
from tests.builders.eventually import eventually
from tests.builders.server import Api
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane

GANG_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 1000
    workers: int = 64
    gangs: int = 20
    """Of Medley, and as many of the bare loop."""


@dataclass(frozen=True, slots=True)
class Start:
    """How one gang started, in seconds from its placement, or from the bare loop's first call."""

    created_s: float
    """Its last pod was made."""
    bound_s: float
    """Its last pod had a node."""
    running_s: float


FULL = Size()


def measure(size: Size = FULL, *, plane: ControlPlane | None = None) -> Measurement:
    """Run the benchmark against a control plane of its own, or against `plane`."""
    ours: list[Start] = []
    bare: list[Start] = []
    with Bed(nodes=size.nodes, plane=plane) as bed:
        server = bed.serve()
        pods = bed.watch("pods")
        try:
            with bed.bare_loop({}, devices=DEVICES) as loop, Api(server.address, server.submitter()) as api:
                pods.start()
                rig = _Rig(bed, server, api, pods, loop, size.workers)
                rig.ours(-1)  # what is done only once, such as the first connections, is not measured
                rig.bare(-1)
                for number in range(size.gangs):
                    turns = [(ours, rig.ours), (bare, rig.bare)]
                    for found, turn in turns if number % 2 else reversed(turns):
                        found.append(turn(number))
                    say(
                        f"kube_start: gang {number + 1} of {size.gangs}: "
                        f"bound after {ours[-1].bound_s:.2f} s, by the bare loop after {bare[-1].bound_s:.2f} s"
                    )
        finally:
            pods.close()
            server.close()
    return judged(ours, bare)


def judged(ours: list[Start], bare: list[Start]) -> Measurement:
    """Return what the starts say; a ratio is that of two starts that followed each other."""
    bound_ms, bare_ms = ([start.bound_s * 1000 for start in starts] for starts in (ours, bare))
    running_ms, bare_running_ms = ([start.running_s * 1000 for start in starts] for starts in (ours, bare))
    figures = {
        "bound_ratio_p50": median(map(truediv, bound_ms, bare_ms)),
        "running_ratio_p50": median(map(truediv, running_ms, bare_running_ms)),
        "created_p50_ms": median(start.created_s * 1000 for start in ours),
        "bound_p50_ms": median(bound_ms),
        "bound_p90_ms": percentile(bound_ms, 90),
        "running_p50_ms": median(running_ms),
        "running_p90_ms": percentile(running_ms, 90),
        "gangs": float(len(ours)),
    }
    calibrators = {
        "bare_created_p50_ms": median(start.created_s * 1000 for start in bare),
        "bare_bound_p50_ms": median(bare_ms),
        "bare_bound_p90_ms": percentile(bare_ms, 90),
        "bare_running_p50_ms": median(bare_running_ms),
        "unit_ns": unit_ns(),
    }
    return Measurement(figures, calibrators, goals=(Limit("bound_ratio_p50", "<=", 1.3),))


@dataclass(frozen=True, slots=True)
class _Rig:
    bed: Bed
    server: MedleyServer
    api: Api
    pods: PlainWatch
    loop: Child
    workers: int

    def ours(self, number: int) -> Start:
        """Let Medley start a gang, and take it away."""
        body = {
            "name": f"gang-{number + 1}",
            "workers": self.workers,
            "devices_per_worker": DEVICES,
            "chips": CHIP,
            "command": ["true"],
        }
        job = self.api.want(201, "POST", "/v1/jobs?wait=placed&wait_s=30", body)
        assert job["attempts"], f"not placed: {job}"
        attempt = job["attempts"][0]
        placed_s = datetime.fromisoformat(attempt["placed_at"]).timestamp()
        found = self._await(f"{job['id']}-", placed_s)
        self.api.want(200, "POST", f"/v1/jobs/{job['id']}/cancel")
        self._await_end(f"{job['id']}-")
        eventually(lambda: self._is_cancelled(job["id"]), within_s=GANG_LIMIT_S, what="the job's end")
        return found

    def bare(self, number: int) -> Start:
        """Let the bare loop start a gang, and take it away."""
        attempt = f"bare{number + 1:04}-g0-a1"
        nodes = self.bed.nodes[-self.workers :]
        told = self.loop.ask({"gang": {"attempt": attempt, "nodes": nodes}}, within_s=GANG_LIMIT_S)
        found = self._await(f"{attempt}-", told["began_s"])
        api = self.bed.plane.api
        api.call(
            "DELETE",
            path_of("pods", namespace=self.bed.namespace),
            {"gracePeriodSeconds": 1},
            query={"labelSelector": f"medley/attempt={attempt}"},
        )
        api.delete(path_of("configmaps", attempt, namespace=self.bed.namespace))
        self._await_end(f"{attempt}-")
        return found

    def _await(self, prefix: str, from_s: float) -> Start:
        def is_running() -> bool:
            seen = self._of(prefix)
            return len(seen) == self.workers and all(each.running_s for each in seen)

        if not self.pods.wait(is_running, within_s=GANG_LIMIT_S):
            raise RuntimeError(f"not all pods of {prefix} ran within {GANG_LIMIT_S:g} s")
        seen = self._of(prefix)
        made, bound, running = (
            max(getattr(each, what) for each in seen) - from_s for what in ("made_s", "bound_s", "running_s")
        )
        return Start(made, bound, running)

    def _await_end(self, prefix: str) -> None:
        if not self.pods.wait(lambda: all(each.gone_s for each in self._of(prefix)), within_s=GANG_LIMIT_S):
            raise RuntimeError(f"not all pods of {prefix} were gone within {GANG_LIMIT_S:g} s")
        self.pods.forget()

    def _of(self, prefix: str) -> list[Sighting]:
        return [seen for name, seen in self.pods.sightings.items() if name.startswith(prefix)]

    def _is_cancelled(self, job: str) -> bool:
        return bool(self.api.want(200, "GET", f"/v1/jobs/{job}")["state"] == "cancelled")
