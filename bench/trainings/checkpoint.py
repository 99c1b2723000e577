"""What a checkpoint costs a training: extra wall time of the same steps, saved beside them or in their midst.

One training in a process of its own takes steps that are all the same work, in three ways by turns: nothing saved,
saved synchronously after the first step, saved asynchronously there with steps enough to write it beside them. What is
not yet on the disk after the last one is waited for, and counts. A stall is what the steps took longer than as many
without one. On a machine that others use, noise only ever adds time: each step counts as it was in its quickest round,
and the ratio of the medians is told too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.calibrate import durable_write_ms, unit_ns
from bench.kubernetes.bed import say
from bench.kubernetes.children import Child
from bench.report import Limit, Measurement
from bench.trainings.steps import ASYNCHRONOUS, NONE, SYNCHRONOUS

GOALS = (Limit("stall_ratio", "<=", 0.1),)
REQUIRED = (Limit("state_mib", ">=", 256),)
WAYS = (NONE, ASYNCHRONOUS, SYNCHRONOUS)
WITHIN_S = 300.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    width: int = 512
    layers: int = 8
    rounds: int = 8
    steps: int = 6
    """In each round, with nothing saved, and of what is saved synchronously."""
    steps_beside: int = 20
    """While a checkpoint is written asynchronously."""


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    plan = {"steps": 1, "batch": 1, "sequence": 64, "width": size.width, "layers": size.layers, "heads": 8}
    with Child("bench.trainings.steps") as child:
        made = child.ask({**plan, "learning_rate": 0.001, "seed": 1}, within_s=WITHIN_S)
        first = _run(child, ASYNCHRONOUS, size)
        for way in WAYS:
            _run(child, way, size)
        rounds = [{way: _run(child, way, size) for way in WAYS} for _ in range(size.rounds)]
    least = _stalls(rounds, size, min)
    middle = _stalls(rounds, size, median)
    figures = {
        "stall_ratio": least.asynchronous_s / least.synchronous_s,
        "stall_ratio_of_medians": middle.asynchronous_s / middle.synchronous_s,
        "state_mib": float(made["state_mib"]),
        "step_s": least.step_s,
        "asynchronous_stall_s": least.asynchronous_s,
        "synchronous_stall_s": least.synchronous_s,
        "asynchronous_call_s": min(each[ASYNCHRONOUS].called_s for each in rounds),
        "asynchronous_write_s": min(each[ASYNCHRONOUS].written_s for each in rounds),
        "first_call_s": first.called_s,
        "rounds": size.rounds,
    }
    calibrators = {"unit_ns": unit_ns(), "durable_write_ms": durable_write_ms()}
    return Measurement(figures, calibrators, goals=GOALS, required=REQUIRED)


@dataclass(frozen=True, slots=True)
class _Run:
    parts_s: list[float]
    """Of each step, and of waiting for what was not yet written."""
    called_s: float
    written_s: float


def _run(child: Child, way: str, size: Size) -> _Run:
    steps = size.steps_beside if way == ASYNCHRONOUS else size.steps
    found = _Run(**child.ask({"mode": way, "steps": steps}, within_s=WITHIN_S))
    parts = " ".join(f"{part_s:.2f}" for part_s in found.parts_s)
    say(f"checkpoint: {way}: {sum(found.parts_s):.2f} s, of {parts}")
    return found


@dataclass(frozen=True, slots=True)
class _Stalls:
    step_s: float
    asynchronous_s: float
    synchronous_s: float


def _stalls(rounds: list[dict[str, _Run]], size: Size, middle: Callable[[list[float]], float]) -> _Stalls:
    """Return what checkpoints cost, each step taken as `middle` of its rounds."""

    def took_s(way: str) -> float:
        columns = zip(*(each[way].parts_s for each in rounds), strict=True)
        return sum(middle(list(column)) for column in columns)

    step_s = took_s(NONE) / size.steps
    beside_s = took_s(ASYNCHRONOUS) - size.steps_beside * step_s
    return _Stalls(step_s, asynchronous_s=beside_s, synchronous_s=took_s(SYNCHRONOUS) - size.steps * step_s)
