"""What must work before requests are welcome."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from api.context import Check
from scheduler.bootstrap.foundation import Foundation
from scheduler.loops.loop import Loop, LoopHealth
from scheduler.ports.journal import StorageUnavailable
from scheduler.services.access.process_secrets import NoServerYet, OtherSecret, require_same_secret

OLDEST_SUCCESS_S = 30.0
"""A loop without a successful step for this long makes the server not ready."""


def readiness(
    foundation: Foundation, loops: Sequence[Loop], optional: Collection[str], *, epoch: int | None = None
) -> tuple[Check, ...]:
    """Look at the database, the secret, who leads, Redis and the loops.

    The `optional` loops are of one far cluster; `epoch` is that of this process's lead, None where it only follows.
    """
    answers = foundation.storage.ping()
    database = Check("database", is_ok=answers, detail="answers" if answers else "does not answer")
    checks = (_loop_check(loop.health) for loop in loops)
    return (
        database,
        *(_secret_checks(foundation) if answers else ()),
        *(_leader_checks(foundation, epoch) if answers else ()),
        *(replace(check, is_required=check.name not in optional) for check in checks),
        *foundation.sharing.checks(),
    )


def _secret_checks(foundation: Foundation) -> tuple[Check, ...]:
    """Say where another server secret became the database's since this process started: no worker's token is good."""
    try:
        require_same_secret(foundation.storage.installation, foundation.secret)
    except OtherSecret:
        detail = "the database belongs to another one by now: give this process the scheduler's server.secret"
        return (Check("server secret", is_ok=False, detail=detail),)
    except (NoServerYet, StorageUnavailable):
        pass  # who wiped the database, or the outage, shows elsewhere
    return ()


def _leader_checks(foundation: Foundation, mine: int | None) -> tuple[Check, ...]:
    """Say who decides, by number: host names are nobody's business who has no token."""
    try:
        epoch, _ = foundation.storage.leadership.current()
    except StorageUnavailable:
        return ()  # shows elsewhere
    if epoch == 0:
        return (Check("leader", is_ok=False, is_required=False, detail="nobody has led yet: start a scheduler"),)
    if mine is None:
        return (Check("leader", is_ok=True, detail=f"another process leads, epoch {epoch}"),)
    if mine == epoch:
        return (Check("leader", is_ok=True, detail=f"this process leads, epoch {epoch}"),)
    return (Check("leader", is_ok=False, is_required=False, detail=f"another process leads by now, epoch {epoch}"),)


def _loop_check(health: LoopHealth) -> Check:
    age_s = health.s_since_success
    if age_s is None:
        return Check(health.name, is_ok=False, detail=health.last_error or "has not made its first step yet")
    if age_s > OLDEST_SUCCESS_S:
        return Check(health.name, is_ok=False, detail=health.last_error or f"made no step for {age_s:.0f} s")
    return Check(health.name, is_ok=True, detail="works")
