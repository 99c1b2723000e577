"""What must work before requests are welcome."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from api.context import Check
from scheduler.adapters.database.storage import Storage
from scheduler.bootstrap.wake_up import Sharing
from scheduler.loops.loop import Loop, LoopHealth

OLDEST_SUCCESS_S = 30.0
"""A loop without a successful step for this long makes the server not ready."""


def readiness(
    storage: Storage, sharing: Sharing, loops: Sequence[Loop], optional: Collection[str]
) -> tuple[Check, ...]:
    """Look at the database, Redis and the loops, of which the `optional` ones are of one far cluster."""
    answers = storage.ping()
    database = Check("database", is_ok=answers, detail="answers" if answers else "does not answer")
    checks = (_loop_check(loop.health) for loop in loops)
    return (
        database,
        *(replace(check, is_required=check.name not in optional) for check in checks),
        *sharing.checks(),
    )


def _loop_check(health: LoopHealth) -> Check:
    age_s = health.s_since_success
    if age_s is None:
        return Check(health.name, is_ok=False, detail=health.last_error or "has not made its first step yet")
    if age_s > OLDEST_SUCCESS_S:
        return Check(health.name, is_ok=False, detail=health.last_error or f"made no step for {age_s:.0f} s")
    return Check(health.name, is_ok=True, detail="works")
