"""Trials and profiles that AMP's authors measured, as the planner's values (NeurIPS 2022, their repository)."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from bench.mixing.measured.stages import Run
from bench.public.tables import table
from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey, Profiles
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.asked.training import Precision, Training

MIXED = "het_cluster"
LIKE = "homogeneous"
MODEL = "gpt2"
SHAPE = ModelShape("gpt2-345m", 24, 1_024, 16, 1_024, 4_096, 52_256, is_gated=False, learnt_positions=1_024)
SEQUENCE = 1_024
FIRST_LAYER, AFTER_LAYERS = 2, 26
"""They number what is before the first layer, the layers, and what is behind the last, from 0 to 29."""
PER_NODE = 4
GIGABIT_BYTES = 1e9 / 8


@dataclass(frozen=True, slots=True)
class Machine:
    """A node as they describe it, in gigabits a second."""

    chip: str
    network_gbit: float
    within_gbit: float


V100 = Machine("V100-16", 10, 170)
T4 = Machine("T4-16", 50, 50)
CLUSTERS = {MIXED: (V100, V100, V100, T4), LIKE: (V100,) * 4}


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration that ran."""

    micro_batch: int
    measured_s: float
    theirs_s: float
    """What AMP predicted."""
    replicas: tuple[Run, ...]


def read_trials(benchmark: str, cluster: str) -> list[Trial]:
    """Return the trials on a cluster that ended. Ends the benchmark where a file is missing."""
    profiles = _profiles(benchmark)
    rows = table(benchmark, "mixed_chip", "amp_runs.csv")
    return [
        _trial(row, CLUSTERS[cluster], profiles) for row in rows if (row["setting"], row["status"]) == (cluster, "ok")
    ]


def _trial(row: dict[str, str], machines: tuple[Machine, ...], profiles: Profiles) -> Trial:
    """Return a trial. Devices are numbered node by node, and given to stages, of these to replicas, in their order."""
    degree, replicas, stages = (int(row[name]) for name in ("tp", "dp", "pp"))
    micro_batch = int(row["micro_batch"])
    training = Training(
        SHAPE, int(row["global_batch"]), SEQUENCE, Precision.FP32, shards_optimiser=False, sequence_parallel=False
    )
    layers = tuple(
        max(0, min(end, AFTER_LAYERS) - max(begin, FIRST_LAYER))
        for begin, end in pairwise(int(bound) for bound in row["layer_bounds"].split())
    )
    stands_on = [
        [(stage * replicas + replica) * degree // PER_NODE for replica in range(replicas)] for stage in range(stages)
    ]
    syncing = tuple(_slowest([machines[node] for node in nodes]) for nodes in stands_on)
    runs = []
    for replica in range(replicas):
        nodes = [stage[replica] for stage in stands_on]
        pools = tuple(_pool(f"stage {number}", machines[node]) for number, node in enumerate(nodes))
        links = {
            frozenset((a.name, b.name)): _link(a, b, is_within=node == after)
            for (a, b), (node, after) in zip(pairwise(pools), pairwise(nodes), strict=True)
        }
        problem = Problem(training, pools, links, profiles)
        runs.append(Run(problem, pools, layers, degree, replicas, micro_batch, syncing))
    return Trial(micro_batch, float(row["measured_s"]), float(row["predicted_s"]), tuple(runs))


def _pool(name: str, machine: Machine) -> ChipPool:
    """Return a node. Its rate does not matter: wherever it is used, it is corrected by what was measured."""
    return ChipPool(
        name,
        machine.chip,
        "NVIDIA",
        nodes=1,
        chips_per_node=PER_NODE,
        memory_bytes=16 << 30,
        flops_per_s=1e12,
        device_link_bytes_per_s=machine.within_gbit * GIGABIT_BYTES,
        node_link_bytes_per_s=machine.network_gbit * GIGABIT_BYTES,
    )


def _slowest(machines: list[Machine]) -> ChipPool:
    """Return the node whose network holds up the gradients of a stage."""
    return _pool("ring", min(machines, key=lambda machine: machine.network_gbit))


def _link(a: ChipPool, b: ChipPool, *, is_within: bool) -> Link:
    if is_within:
        return Link(a.device_link_bytes_per_s, latency_s=0.0)
    return Link(min(a.node_link_bytes_per_s, b.node_link_bytes_per_s), latency_s=0.0)


def _profiles(benchmark: str) -> Profiles:
    """Return what was measured of layers, of forward passes of one sequence: backward takes twice as long."""
    times: dict[tuple[str, int], dict[int, float]] = {}
    for row in table(benchmark, "mixed_chip", "amp_profiles.csv"):
        if row["model"] == MODEL:
            times.setdefault((row["gpu"], int(row["tp"])), {})[int(row["layer_index"])] = float(row["forward_s"])
    return Profiles(1, {ProfileKey(chip, degree, 1): _profile(parts) for (chip, degree), parts in times.items()})


def _profile(parts: dict[int, float]) -> LayerProfile:
    layer_s = fmean(time_s for part, time_s in parts.items() if FIRST_LAYER <= part < AFTER_LAYERS)
    return LayerProfile(
        layer_s,
        2 * layer_s,
        3 * sum(time_s for part, time_s in parts.items() if part < FIRST_LAYER),
        3 * sum(time_s for part, time_s in parts.items() if part >= AFTER_LAYERS),
    )
