"""How workers ended, in words."""

import signal

from medley.answers import Json

_KILLED = "killed: over its memory"
_OUT_OF_TIME = "stopped: over its time limit"


def worker_state(worker: Json) -> str:
    """Return how a worker fares or how it ended: `running`, `exit code 7`, `killed by SIGSEGV`."""
    code, end = worker["exit_code"], worker["end"]
    if end == "memory-limit":
        return _KILLED
    if end == "time-limit":
        return _OUT_OF_TIME
    if code is None:
        return str(end or worker["phase"])
    if code >= 0:
        return f"stopped (exit code {code})" if end == "stopped" else f"exit code {code}"
    return f"stopped ({_signal(-code)})" if end == "stopped" else f"killed by {_signal(-code)}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def first_failure(attempt: Json) -> str | None:
    """Return which worker of an attempt failed first and how: `rank 2 ended with exit code 7`; None if none did.

    Workers that were only ended because another one failed do not count.
    """
    failed = [worker for worker in attempt["workers"] if _has_failed(worker)]
    if not failed:
        return None
    first = min(failed, key=lambda worker: (worker["ended_at"] is None, worker["ended_at"] or "", worker["rank"]))
    return f"rank {first['rank']} {_verb(first)}"


def _has_failed(worker: Json) -> bool:
    if worker["end"] in ("memory-limit", "lost") or worker["phase"] == "lost":
        return True
    return worker["end"] in (None, "exited") and bool(worker["exit_code"])


def _verb(worker: Json) -> str:
    state = worker_state(worker)
    if state.startswith("killed"):
        return f"was {state}"
    return "vanished without an exit code" if worker["exit_code"] is None else f"ended with {state}"


def has_run(attempt: Json) -> bool:
    """Say whether any worker of an attempt ran, so that it may have printed something."""
    return attempt["started_at"] is not None or any(
        worker["started_at"] is not None or worker["exit_code"] is not None or worker["phase"] != "pending"
        for worker in attempt["workers"]
    )
