"""Runs, profiles and links that SAILOR's authors measured, as the planner's values (SOSP 2025, its artefact)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log2

from bench.mixing.measured.stages import Run
from bench.public.tables import table
from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey, Profiles
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.asked.training import Precision, Training

SEQUENCE = 2_048
SHAPES = {
    "OPT-350": ModelShape("OPT-350", 24, 1_024, 16, 1_024, 4_096, 50_272, is_gated=False, learnt_positions=2_050),
    "GPT-Neo-2.7": ModelShape(
        "GPT-Neo-2.7",
        32,
        2_560,
        20,
        2_560,
        10_240,
        50_257,
        is_gated=False,
        ties_embeddings=True,
        learnt_positions=2_048,
    ),
}
BUCKET_BYTES = 500e6
"""Gradients are sent in buckets of so many."""
MEGA = 1e6
LEAST_BYTES_PER_S = 1e6

Device = tuple[str, int]
"""Chip, and how many of a node's work together: its tensor-parallel degree."""


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run: its replicas each as a pipeline of its own, for replicas of one stage may be on unlike chips."""

    name: str
    cluster: str
    model: str
    nodes: int
    measured_s: float
    is_suspect: bool
    """Its figures are those of another run, or its layers are not those of its model."""
    replicas: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Bandwidth by size: a polynomial of the second degree in the logarithm of megabytes, and its bound."""

    coefficients: tuple[float, float, float]
    most_bytes_per_s: float

    def bytes_per_s(self, sent_bytes: float) -> float:
        """Return what a message of this size gets."""
        size = log2(sent_bytes / MEGA)
        second, first, constant = self.coefficients
        found = (second * size * size + first * size + constant) * 1e9
        return min(self.most_bytes_per_s, max(LEAST_BYTES_PER_S, found))


def read_runs(benchmark: str) -> list[MeasuredRun]:
    """Return all runs of models whose shape is known here. Ends the benchmark where a file is missing."""
    rows = table(benchmark, "mixed_chip", "sailor_runs.csv")
    curves = _curves(benchmark)
    profiles = read_profiles(benchmark)
    return [_run(row, profiles[row["model"]], curves) for row in rows]


def _run(row: dict[str, str], profiles: Profiles, curves: dict[tuple[Device, Device], Curve]) -> MeasuredRun:
    """Return a run. The first and the last of its listed layers are the embedding and the head."""
    stages = [
        [_device(text) for text in stage.split(";")] for stage in row["gpu_and_tp_per_replica_per_stage"].split("|")
    ]
    training = training_of(row["model"], int(row["global_batch"]))
    layers = [int(count) for count in row["layers_per_stage"].split()]
    layers[0] -= 1
    layers[-1] -= 1
    micro_batch = int(row["micro_batch"])
    sent_bytes = 4 * micro_batch * SEQUENCE * training.shape.hidden
    syncing = tuple(_ring(number, stage, curves) for number, stage in enumerate(stages))
    replicas = []
    for replica in range(len(stages[0])):
        devices = [stage[replica] for stage in stages]
        pools = tuple(_pool(f"stage {number}", device) for number, device in enumerate(devices))
        links = {
            frozenset((a.name, b.name)): Link(curves[devices[n], devices[n + 1]].bytes_per_s(sent_bytes), latency_s=0.0)
            for n, (a, b) in enumerate(pairwise(pools))
        }
        problem = Problem(training, pools, links, profiles)
        replicas.append(Run(problem, pools, tuple(layers), devices[0][1], len(stages[0]), micro_batch, syncing))
    is_suspect = "identical" in row["note"] or "layer model" in row["note"]
    return MeasuredRun(
        row["run"],
        row["cluster"],
        row["model"],
        int(row["nodes"]),
        float(row["measured_iter_s"]),
        is_suspect,
        tuple(replicas),
    )


def training_of(model: str, global_batch: int) -> Training:
    """Return how a model was trained: in single precision, each replica with all of the optimiser."""
    return Training(
        SHAPES[model],
        global_batch,
        SEQUENCE,
        precision=Precision.FP32,
        shards_optimiser=False,
        sequence_parallel=False,
    )


def a_node_with(chip: str) -> ChipPool:
    """Return a node whose chip was measured."""
    return _pool("node", (chip, 1))


def _device(text: str) -> Device:
    chip, _, degree = text.strip().partition(":tp")
    return chip, int(degree)


def _pool(name: str, device: Device, network_bytes_per_s: float = 1.0) -> ChipPool:
    """Return a node of a run. Its rates and links within are never asked for: everything of them was measured."""
    chip, degree = device
    return ChipPool(
        name,
        chip,
        "NVIDIA",
        nodes=1,
        chips_per_node=degree,
        memory_bytes=1,
        flops_per_s=1.0,
        device_link_bytes_per_s=1.0,
        node_link_bytes_per_s=network_bytes_per_s,
    )


def _ring(number: int, stage: list[Device], curves: dict[tuple[Device, Device], Curve]) -> ChipPool:
    """Return the pool that a stage's gradients are summed up on: of the slowest link in the ring of its replicas."""
    slowest = min((curves[a, b].bytes_per_s(BUCKET_BYTES) for a, b in _neighbours(stage)), default=1.0)
    return _pool(f"ring {number}", stage[0], slowest)


def _neighbours(stage: list[Device]) -> Iterator[tuple[Device, Device]]:
    if len(stage) > 1:
        yield from zip(stage, [*stage[1:], stage[0]], strict=True)


def _curves(benchmark: str) -> dict[tuple[Device, Device], Curve]:
    """Return the curves between nodes, the same both ways where only one was measured."""
    found: dict[tuple[Device, Device], Curve] = {}
    for row in table(benchmark, "mixed_chip", "sailor_bandwidth.csv"):
        if row["scope"] != "inter":
            continue
        a, b = ((row[f"{side}_gpu"], int(row[f"{side}_gpus_per_node"])) for side in ("src", "dst"))
        curve = Curve((float(row["c2"]), float(row["c1"]), float(row["c0"])), float(row["max_bytes_per_s"]))
        found[a, b] = curve
        found.setdefault((b, a), curve)
    return found


def read_profiles(benchmark: str) -> dict[str, Profiles]:
    """Return what was measured of layers, per model. Ends the benchmark where the file is missing."""
    found: dict[str, dict[ProfileKey, LayerProfile]] = {}
    for row in table(benchmark, "mixed_chip", "sailor_profiles.csv"):
        key = ProfileKey(row["gpu"], int(row["tp"]), int(row["micro_batch"]))
        found.setdefault(row["model"], {})[key] = LayerProfile(
            float(row["block_fwd_s"]),
            float(row["block_bwd_s"]),
            float(row["embed_fwd_s"]) + float(row["embed_bwd_s"]),
            float(row["head_fwd_s"]) + float(row["head_bwd_s"]),
            float(row["update_s_first_layer"]),
        )
    return {model: Profiles(1, layers) for model, layers in found.items()}
