"""Llama-3-8B on eight A100, as FlagPerf measured it: seven layouts that ran, and one that ran out of memory."""

from bench.calibrate import unit_ns
from bench.mixing.measured.scoring import best_fit, left_out, mape_percent, spearman
from bench.mixing.measured.stages import Run, memory_of, pipeline_of
from bench.public.tables import table
from bench.report import Limit, Measurement
from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.catalogue import MODELS
from scheduler.core.mixing.timing import step_s

NAME = "predict_llama3"
REQUIRED = (
    Limit("mape_percent", "<=", 2.5),
    Limit("spearman", "==", 1.0),
    Limit("out_of_memory_predicted", "==", 1.0),
    Limit("out_of_memory_false", "==", 0.0),
)
GOALS = (Limit("mape_percent", "<=", 2.0),)
CASE, CHIP = "llama3_8B-megatron", "A100-80"
OUT_OF_MEMORY = "OOM"
GLOBAL_BATCH = 512
DEVICES, MEMORY_BYTES, PEAK_FLOPS_PER_S = 8, 80 << 30, 312e12
EFFICIENCIES = tuple(percent / 200 for percent in range(110, 151))
LINKS_BYTES_PER_S = tuple(gigabytes * 1e9 for gigabytes in range(50, 205, 5))
"""The two numbers that are fitted: what layers reach of the peak, and what an all-reduce within the node reaches."""
SETTINGS = tuple((efficiency, link) for efficiency in EFFICIENCIES for link in LINKS_BYTES_PER_S)


def measure() -> Measurement:
    """Predict each layout by what the six others say of the two numbers, and the memory of all eight."""
    rows = [row for row in table(NAME, "mixed_chip", "flagperf_llm.csv") if (row["case"], row["chip"]) == (CASE, CHIP)]
    ran = [row for row in rows if row["mem_used_gib"] != OUT_OF_MEMORY]
    measured = [_step_s(row) for row in ran]
    predicted = [[step_s(pipeline_of(run_of(row, *setting))) for row in ran] for setting in SETTINGS]
    unseen = left_out(predicted, measured)
    fitted = best_fit(predicted, measured)
    memory_bytes = [max(use.total for use in memory_of(run_of(row, *SETTINGS[fitted]))) for row in rows]
    is_out = [row["mem_used_gib"] == OUT_OF_MEMORY for row in rows]
    used = [
        (said, float(row["mem_used_gib"]) * 2**30) for said, row in zip(memory_bytes, rows, strict=True) if row in ran
    ]
    figures = {
        "mape_percent": mape_percent(unseen, measured),
        "fitted_mape_percent": mape_percent(predicted[fitted], measured),
        "spearman": spearman(unseen, measured),
        "ranked_right": float(_ranked_right(unseen, measured)),
        "rows": float(len(ran)),
        "efficiency": SETTINGS[fitted][0],
        "all_reduce_gb_per_s": SETTINGS[fitted][1] / 1e9,
        "out_of_memory_predicted": float(
            all(_is_over(said) for said, out in zip(memory_bytes, is_out, strict=True) if out)
        ),
        "out_of_memory_false": float(
            sum(_is_over(said) for said, out in zip(memory_bytes, is_out, strict=True) if not out)
        ),
        "out_of_memory_gib": max(memory_bytes) / 2**30,
        "memory_mape_percent": mape_percent(*zip(*used, strict=True)),
    }
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS, required=REQUIRED)


def run_of(row: dict[str, str], efficiency: float, link_bytes_per_s: float) -> Run:
    """Return the run of a row: 32 layers evenly over the stages."""
    training = Training(MODELS["llama3-8b"], GLOBAL_BATCH, int(row["seq"]))
    pool = ChipPool(
        "node",
        CHIP,
        "NVIDIA",
        nodes=1,
        chips_per_node=DEVICES,
        memory_bytes=MEMORY_BYTES,
        flops_per_s=PEAK_FLOPS_PER_S,
        device_link_bytes_per_s=link_bytes_per_s,
        node_link_bytes_per_s=link_bytes_per_s,
        efficiency=efficiency,
    )
    stages = int(row["pp"])
    return Run(
        Problem(training, (pool,)),
        (pool,) * stages,
        (training.shape.layers // stages,) * stages,
        int(row["tp"]),
        int(row["dp"]),
        micro_batch=1,
    )


def _step_s(row: dict[str, str]) -> float:
    return GLOBAL_BATCH * int(row["seq"]) / (float(row["tokens_per_s_per_chip"]) * DEVICES)


def _is_over(memory_bytes: int) -> bool:
    return memory_bytes > MEMORY_BYTES


def _ranked_right(predicted: list[float], measured: list[float]) -> int:
    """Return how many stand where they should, from the fastest to the slowest."""
    order = sorted(range(len(measured)), key=measured.__getitem__)
    said = sorted(range(len(predicted)), key=predicted.__getitem__)
    return sum(a == b for a, b in zip(order, said, strict=True))
