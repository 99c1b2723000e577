"""What the memory model says of the four models of arXiv 2205.05198, beside the paper's own figures."""

from fractions import Fraction

from bench.calibrate import unit_ns
from bench.public.tables import table
from bench.report import Limit, Measurement
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.counting import layer_parameters
from scheduler.core.mixing.memory import layer_activation_bytes, state_bytes

REQUIRED = (Limit("off_max", "==", 0.0), Limit("values", ">=", 12.0))
NAME = "predict_memory"
GIB = 2**30


def measure() -> Measurement:
    """Compare all of them, to the last digit. The paper counts layers alone, without embedding and head."""
    rows = table(NAME, "mixed_chip", "megatron_anchors.csv")
    off = {
        f"{row['model']}_{name}": float(abs(said - Fraction(row[name]))) for row in rows for name, said in _said(row)
    }
    figures = {"off_max": max(off.values()), "values": float(len(off)), "equal": float(list(off.values()).count(0.0))}
    return Measurement(figures, {"unit_ns": unit_ns()}, required=REQUIRED)


def _said(row: dict[str, str]) -> list[tuple[str, Fraction]]:
    """Return what the planner's formulas say for the first stage, in GiB."""
    hidden, degree, micro_batch = int(row["hidden"]), int(row["tp"]), int(row["micro_batch"])
    stages, chunks, layers = int(row["pp"]), int(row["interleave_v"]), int(row["layers"])
    shape = ModelShape(
        row["model"], layers, hidden, int(row["heads"]), hidden, 4 * hidden, int(row["vocab"]), is_gated=False
    )
    plain = Training(shape, int(row["global_batch"]), int(row["seq"]), sequence_parallel=False, stores_scores=True)
    selective = Training(shape, int(row["global_batch"]), int(row["seq"]))
    states = state_bytes(plain, layers * layer_parameters(shape) // (degree * stages), data_parallel=1).total
    kept = [
        layer_activation_bytes(training, tensor_parallel=degree, micro_batch=micro_batch, recomputes=False)
        for training in (plain, selective)
    ]
    held = Fraction(layers, stages) * interleaved_in_flight(stages, chunks)
    return [
        ("param_opt_gib", Fraction(states, GIB)),
        ("act_gib_no_recompute", held * kept[0] / GIB),
        ("act_gib_seqpar_selective", held * kept[1] / GIB),
    ]


def interleaved_in_flight(stages: int, chunks: int) -> Fraction:
    """Return how many micro-batches the first stage holds where it has its layers in chunks: `p (1 + (p-1)/(p v))`.

    Of plain 1F1B, which is what is planned, it is `p`: one chunk has no such factor (section 4.2.3 of the paper).
    """
    return Fraction(stages) if chunks == 1 else stages * (1 + Fraction(stages - 1, stages * chunks))
