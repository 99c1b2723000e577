"""How many one-pod jobs pass through per second: submitted over HTTP, run, finished, and nothing of them left.

Medley and the bare loop of the same calls take turns, some hundred pods each; both print one line that is read.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.calibrate import durable_write_ms, unit_ns
from bench.kubernetes.bed import CHIP, Bed, say
from bench.kubernetes.children import Child, processor_s
from bench.kubernetes.plain_watch import PlainWatch
from bench.kubernetes.server import MedleyServer
from bench.report import Limit, Measurement
from tests.builders.eventually import eventually
from tests.builders.server import Api
from tests.kubernetes.testbed.control_plane import ControlPlane

SUBMITTERS = 4
TURN_LIMIT_S = 300.0
KINDS = ("pods", "configmaps", "secrets")
ENVIRONMENT = {"TESTBED_RUNS_S": "0"}
"""KWOK ends a pod with this variable as soon as it runs."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 150
    jobs: int = 1000
    """Of Medley, and as many pods of the bare loop."""
    turns: int = 4


@dataclass(slots=True)
class Tally:
    """What all turns of one side took."""

    lives: int = 0
    seconds: float = 0.0
    processor_s: float = 0.0
    cluster_s: float = 0.0
    """Processor time of the control plane and KWOK."""


FULL = Size()


def measure(size: Size = FULL, *, plane: ControlPlane | None = None) -> Measurement:
    """Run the benchmark against a control plane of its own, or against `plane`."""
    ours, bare = Tally(), Tally()
    with Bed(nodes=size.nodes, plane=plane) as bed:
        server = bed.serve()
        watches = {kind: bed.watch(kind) for kind in KINDS}
        try:
            with bed.bare_loop(ENVIRONMENT, devices=1) as loop:
                for watch in watches.values():
                    watch.start()
                rig = _Rig(bed, server, server.submitter(), watches, loop)
                rig.ours(Tally(), 4, -1)  # what is done only once is not measured
                rig.bare(Tally(), 4, -1)
                for turn in range(size.turns):
                    count = size.jobs // size.turns
                    rig.ours(ours, count, turn)
                    rig.bare(bare, count, turn)
                    say(
                        f"kube_churn: {ours.lives} of {size.jobs} jobs, {ours.lives / ours.seconds:.1f} per second, "
                        f"by the bare loop {bare.lives / bare.seconds:.1f}"
                    )
        finally:
            for watch in watches.values():
                watch.close()
            server.close()
    return judged(ours, bare)


def judged(ours: Tally, bare: Tally) -> Measurement:
    """Return what the turns say."""
    figures = {
        "jobs_ratio": (ours.lives / ours.seconds) / (bare.lives / bare.seconds),
        "cpu_ratio": (ours.processor_s / ours.lives) / (bare.processor_s / bare.lives),
        "jobs_per_s": ours.lives / ours.seconds,
        "cpu_per_life_ms": ours.processor_s / ours.lives * 1000,
        "cluster_cpu_per_life_ms": ours.cluster_s / ours.lives * 1000,
        "jobs": float(ours.lives),
    }
    calibrators = {
        "bare_lives_per_s": bare.lives / bare.seconds,
        "bare_cpu_per_life_ms": bare.processor_s / bare.lives * 1000,
        "bare_cluster_cpu_per_life_ms": bare.cluster_s / bare.lives * 1000,
        "durable_write_ms": durable_write_ms(),
        "unit_ns": unit_ns(),
    }
    goals = (Limit("jobs_ratio", ">=", 0.5), Limit("cpu_ratio", "<=", 2.5))
    return Measurement(figures, calibrators, goals=goals)


@dataclass(frozen=True, slots=True)
class _Rig:
    bed: Bed
    server: MedleyServer
    token: str
    watches: dict[str, PlainWatch]
    loop: Child

    def ours(self, tally: Tally, count: int, turn: int) -> None:
        """Let jobs pass through Medley."""

        def submit(number: int) -> None:
            with Api(self.server.address, self.token) as api:
                for each in range(number, count, SUBMITTERS):
                    body = {
                        "name": f"churn-{turn + 1}-{each}",
                        "workers": 1,
                        "chips": CHIP,
                        "command": ["true"],
                        "environment": ENVIRONMENT,
                    }
                    api.want(201, "POST", "/v1/jobs", body)

        began_s, used_s, cluster_s = self._begin(self.server.pid)
        with ThreadPoolExecutor(SUBMITTERS) as threads:
            list(threads.map(submit, range(SUBMITTERS)))
        self._end(tally, count, began_s)
        tally.processor_s += processor_s([self.server.pid]) - used_s
        tally.cluster_s += processor_s(self.bed.program_pids()) - cluster_s
        self._require_success()

    def bare(self, tally: Tally, count: int, turn: int) -> None:
        """Let as many pods pass through the bare loop."""
        began_s, used_s, cluster_s = self._begin(self.loop.pid)
        question = {"prefix": f"bare{turn + 1}x", "nodes": self.bed.nodes, "count": count}
        self.loop.ask({"live": question}, within_s=TURN_LIMIT_S)
        self._end(tally, count, began_s)
        tally.processor_s += processor_s([self.loop.pid]) - used_s
        tally.cluster_s += processor_s(self.bed.program_pids()) - cluster_s

    def _begin(self, pid: int) -> tuple[float, float, float]:
        for watch in self.watches.values():
            watch.forget()
        return time.time(), processor_s([pid]), processor_s(self.bed.program_pids())

    def _end(self, tally: Tally, count: int, began_s: float) -> None:
        """Wait until so many of each kind came and went, and count it."""
        for kind, watch in self.watches.items():
            if not watch.wait(lambda watch=watch: _gone(watch) >= count, within_s=TURN_LIMIT_S):  # type: ignore[misc]
                raise RuntimeError(f"{_gone(watch)} of {count} {kind} were gone after {TURN_LIMIT_S:g} s")
        ended_s = max(seen.gone_s or 0.0 for watch in self.watches.values() for seen in watch.sightings.values())
        tally.lives += count
        tally.seconds += ended_s - began_s

    def _require_success(self) -> None:
        def are_over() -> bool:
            with Api(self.server.address, self.token) as api:
                query = "&".join(f"state={state}" for state in ("queued", "placed", "starting", "running", "stopping"))
                return not api.want(200, "GET", f"/v1/jobs?{query}")["items"]

        eventually(are_over, within_s=TURN_LIMIT_S, what="the end of all jobs")
        with Api(self.server.address, self.token) as api:
            failed = api.want(200, "GET", "/v1/jobs?state=failed&state=cancelled")["items"]
        assert not failed, f"not all jobs succeeded: {failed[0]}"


def _gone(watch: PlainWatch) -> int:
    return sum(seen.gone_s is not None for seen in watch.sightings.values())
