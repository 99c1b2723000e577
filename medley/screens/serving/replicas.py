"""The replicas of a server."""

from collections.abc import Sequence
from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import age, counted, moment
from medley.screens.job_text import attempt_ends
from medley.screens.safe_text import one_line
from medley.screens.tables import Table


def replica_name(replica: Json) -> str:
    """Return what names a replica for scripts: its address, or its number while it has none."""
    return str(replica["address"] or replica["replica"])


def replicas_table(replicas: Sequence[Json], at: datetime) -> Table:
    """Return one row per replica."""
    rows = [
        (
            str(replica["replica"]),
            replica["state"],
            "yes" if replica["is_ready"] else "no",
            replica["address"] or "",
            ", ".join(replica["nodes"]),
            str(replica["version"] or ""),
            str(replica["attempts"]),
            age(replica["ready_since"], at) if replica["ready_since"] else "",
            _how_it_fares(replica, at),
        )
        for replica in replicas
    ]
    return Table(
        ("REPLICA", "STATE", "READY", "ADDRESS", "NODES", "VERSION", "ATTEMPTS", "SINCE", "HOW IT FARES"),
        rows,
        numbers=("REPLICA", "VERSION", "ATTEMPTS"),
        clipped=("HOW IT FARES",),
        spare=("NODES", "VERSION", "ATTEMPTS", "SINCE", "HOW IT FARES"),
    )


def _how_it_fares(replica: Json, at: datetime) -> str:
    if replica["state"] == "queued" and replica["not_before"]:
        ended = counted(replica["failures"], "failure", "failures")
        why = attempt_ends(replica["stop_reason"]) if replica["stop_reason"] else ""
        return f"starts again {moment(replica['not_before'], at)}, after {ended}" + (f": {why}" if why else "")
    if replica["reasons"]:
        return one_line(replica["reasons"][0]["text"])
    if replica["state"] == "starting":
        return "its workers run; it is not ready"
    return attempt_ends(replica["stop_reason"]) if replica["stop_reason"] else ""
