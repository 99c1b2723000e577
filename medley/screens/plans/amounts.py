"""What is said of a plan, wherever it is shown."""

from medley.answers import Json
from medley.screens.safe_text import one_line

_GIB = 1 << 30
_PERCENT = 100
ESTIMATE_NOTE = "? nobody measured what this chip does: its times are an estimate"
MEMORY_PARTS = ("parameters", "gradients", "optimiser", "activations", "logits", "reserved")
"""Of the memory of a device, in the order in which bars show them."""


def step_text(seconds: float) -> str:
    """Return a step's time with three digits: `840 ms`, `1.62 s`, `75.3 s`."""
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:#.3g} s".replace(". ", " ")


def span_text(prediction: Json) -> str:
    """Return a step's time with its range: `1.62 s a step (1.5 to 1.8 s)`."""
    low, high = prediction["low_s"], prediction["high_s"]
    return f"{step_text(prediction['step_s'])} a step ({step_text(low)} to {step_text(high)})"


def percent(part: float) -> str:
    """Return a part of one in whole percents."""
    return f"{part * _PERCENT:.0f} %"


def gib(count: float) -> str:
    """Return bytes in GiB, to a tenth below ten."""
    amount = count / _GIB
    return f"{amount:.1f}" if amount < 10 else f"{amount:.0f}"  # noqa: PLR2004 - fewer digits from two places on


def devices_by_chip(plan: Json) -> dict[str, int]:
    """Return how many devices of each chip type a plan takes, in the order of the pipeline."""
    found: dict[str, int] = {}
    for stage in plan["stages"]:
        chip = one_line(stage["chip"])
        found[chip] = found.get(chip, 0) + stage["tensor_parallel"] * plan["data_parallel"]
    return found


def chips_text(plan: Json) -> str:
    """Return what a plan runs on: `16 h100-sxm and 8 ascend-910b2`."""
    parts = [f"{count} {chip}" for chip, count in devices_by_chip(plan).items()]
    return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} and {parts[-1]}"  # noqa: PLR2004 - a list


def batch_text(plan: Json) -> str:
    """Return how a step is made up: `2 replicas of 2 stages, 8 micro-batches of 2 sequences each`."""
    replicas, stages = plan["data_parallel"], len(plan["stages"])
    sequences = plan["micro_batch"]
    return (
        f"{replicas} replica{'s' * (replicas != 1)} of {stages} stage{'s' * (stages != 1)}, "
        f"{plan['micro_batches']} micro-batch{'es' * (plan['micro_batches'] != 1)} "
        f"of {sequences} sequence{'s' * (sequences != 1)} each"
    )


def busy_part(plan: Json, number: int) -> float:
    """Return the part of a step in which a stage computes, 0 to 1."""
    stage = plan["stages"][number]
    busy_s = plan["micro_batches"] * (stage["forward_s"] + stage["backward_s"])
    return min(1.0, float(busy_s / plan["prediction"]["step_s"]))


def layers_text(stage: Json) -> str:
    """Return which layers a stage has: `0-4`, or `7` for one."""
    first, last = stage["first_layer"], stage["last_layer"]
    return str(first) if first == last else f"{first}-{last}"


def shown_note(timeline: Json, plan: Json) -> str:
    """Return what a timeline is of, where it is of fewer micro-batches than a step has."""
    shown, whole = timeline["micro_batches"], plan["micro_batches"]
    return f"predicted, {shown} of {whole} micro-batches" if shown < whole else "predicted, one step"
