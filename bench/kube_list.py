"""How long it takes until all pods and nodes of a large cluster are known, and how much memory: against typed models.

The same bytes over HTTP from a server with prepared answers, read in turn by our reflectors, page by page, and by the
official client's typed calls, each time by a new process.
"""

from dataclasses import dataclass
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.kubernetes.children import Child
from bench.kubernetes.prepared import prepared_server
from bench.report import Limit, Measurement

LIST_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    pods: int = 10_000
    nodes: int = 5_000
    turns: int = 3


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    ours: list[dict[str, float]] = []
    models: list[dict[str, float]] = []
    with prepared_server(pods=size.pods, nodes=size.nodes, events=0) as (_, kubeconfig):
        for turn in range(size.turns):
            for found, reader in ((ours, "list_by_reflector"), (models, "list_by_models")):
                with Child("bench.kubernetes.readers") as child:
                    found.append(child.ask({reader: {"kubeconfig": str(kubeconfig)}}, within_s=LIST_LIMIT_S))
                assert found[-1]["objects"] == size.pods + size.nodes, found[-1]
            say(
                f"kube_list: turn {turn + 1} of {size.turns}: {ours[-1]['seconds']:.2f} s and "
                f"{ours[-1]['peak_mib']:.0f} MiB, by models {models[-1]['seconds']:.2f} s and "
                f"{models[-1]['peak_mib']:.0f} MiB"
            )
    return judged(ours, models)


def judged(ours: list[dict[str, float]], models: list[dict[str, float]]) -> Measurement:
    """Return what the turns say."""
    (seconds, models_seconds), (mib, models_mib) = (
        [median(turn[what] for turn in turns) for turns in (ours, models)] for what in ("seconds", "peak_mib")
    )
    objects = ours[0]["objects"]
    figures = {
        "time_ratio": models_seconds / seconds,
        "memory_ratio": models_mib / mib,
        "list_ms": seconds * 1000,
        "objects_per_s": objects / seconds,
        "peak_mib": mib,
        "objects": objects,
    }
    calibrators = {"models_list_ms": models_seconds * 1000, "models_peak_mib": models_mib, "unit_ns": unit_ns()}
    return Measurement(figures, calibrators, goals=(Limit("time_ratio", ">=", 10.0), Limit("memory_ratio", ">=", 5.0)))
