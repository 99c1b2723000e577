"""Whether the loops do their work, as checks of the server's readiness."""

from api.context import Check
from scheduler.ports.telemetry import LoopReading

OLDEST_SUCCESS_S = 30.0
"""A loop without a successful step for this long makes the server not ready."""


def loop_check(health: LoopReading) -> Check:
    """Return what a loop's health means."""
    age_s = health.s_since_success
    if age_s is None:
        return Check(health.name, is_ok=False, detail=health.last_error or "has not made its first step yet")
    if age_s > OLDEST_SUCCESS_S:
        return Check(health.name, is_ok=False, detail=health.last_error or f"made no step for {age_s:.0f} s")
    return Check(health.name, is_ok=True, detail="works")
