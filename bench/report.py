"""The form of every benchmark's answer."""

import operator
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPERATORS = {"<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt}
EXIT_OK = 0
EXIT_GOAL_MISSED = 3
EXIT_REQUIREMENT_MISSED = 4


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure should be."""

    figure: str
    op: str
    limit: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run of a benchmark measured."""

    figures: dict[str, float]
    calibrators: dict[str, float]
    goals: tuple[Limit, ...] = ()
    required: tuple[Limit, ...] = ()


def document(name: str, measurement: Measurement, seconds: float) -> dict[str, Any]:
    """Return the JSON object of a run."""
    return {
        "bench": name,
        "figures": {figure: round(value, 4) for figure, value in measurement.figures.items()},
        "calibrators": {figure: round(value, 4) for figure, value in measurement.calibrators.items()},
        "goals": [_judged(limit, measurement) for limit in measurement.goals],
        "required": [_judged(limit, measurement) for limit in measurement.required],
        "seconds": round(seconds, 1),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


def exit_status(judged: dict[str, Any]) -> int:
    """Return 4 where a required figure is missed, else 3 where a goal is, else 0."""
    if not all(limit["holds"] for limit in judged["required"]):
        return EXIT_REQUIREMENT_MISSED
    return EXIT_OK if all(limit["holds"] for limit in judged["goals"]) else EXIT_GOAL_MISSED


def _judged(limit: Limit, measurement: Measurement) -> dict[str, Any]:
    holds = OPERATORS[limit.op](measurement.figures[limit.figure], limit.limit)
    return {"figure": limit.figure, "op": limit.op, "limit": limit.limit, "holds": bool(holds)}


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    return found.stdout.strip() or "unknown"
