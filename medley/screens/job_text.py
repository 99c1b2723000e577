"""A job in words: what it asks for, where it stands, what to do next."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import counted, moment, share_size
from medley.screens.ends import first_failure, has_run
from medley.screens.safe_text import one_line

FINAL = frozenset({"succeeded", "failed", "cancelled"})
"""States that a job never leaves."""
_ATTEMPT_ENDS = {
    "preempted": "its devices were given to another job",
    "replaced": "replaced by a new version",
    "start-refused": "the cluster refused to start it",
    "stalled": "no progress for too long",
    "silent": "its heartbeats stopped",
    "lost": "a worker vanished",
    "unstartable": "its image or settings cannot be used",
    "node-rejected": "a node refused a worker",
    "disrupted": "the cluster took a worker away",
    "worker-failed": "a worker failed",
    "out-of-memory": "out of memory",
    "time-limit": "over its time limit",
    "server-ended": "its server ended by itself",
    "scaled-down": "fewer replicas were wanted",
    "cancelled": "cancelled",
}
_STOPPED = frozenset({"stopping", "failed", "cancelled"})
_FAILED_BY_A_WORKER = frozenset({"worker-failed", "out-of-memory", "lost"})


def wanted_chips(spec: Json) -> str:
    """Return the chip types asked for: `2 h100-sxm + 2 mi300x`, or `h100-sxm, else a800-sxm`; each once."""
    chips = spec["chips"]
    if isinstance(chips, dict):
        return " + ".join(f"{count} {chip}" for chip, count in chips.items())
    others = [chip for other in spec.get("alternatives", ()) for chip in _types(other["chips"])]
    return ", else ".join(dict.fromkeys([*_types(chips), *others]))


def wanted_workers(spec: Json) -> int:
    """Return the size of the gang that is asked for first, workers of all roles counted."""
    return int(spec["workers"]) + sum(int(role["workers"]) for role in spec.get("roles", ()))


def wanted_devices(spec: Json) -> int:
    """Return how many whole devices are asked for first, those of all roles and replicas counted."""
    parts = (spec, *spec.get("roles", ()))
    each = sum(int(part["workers"]) * int(part["devices_per_worker"]) for part in parts)
    return each * (int(spec["replicas"]) if spec["kind"] == "inference" else 1)


def wanted(spec: Json) -> Iterator[str]:
    """Yield the gang asked for, other sizes that would do, and further roles: a line each."""
    each = f"{counted(spec['replicas'], 'replica', 'replicas')}, each " if spec["kind"] == "inference" else ""
    yield each + _sized(spec, wanted_chips({**spec, "alternatives": ()}))
    for other in spec.get("alternatives", ()):
        yield f"or {_sized(other, ', else '.join(_types(other['chips'])))}"
    for role in spec.get("roles", ()):
        yield f"and as {role['name']}: {_sized(role, ', else '.join(_types(role['chips'] or ())))}"


def _sized(part: Json, chips: str) -> str:
    fewest = f"{part['min_workers']} to " if part.get("min_workers") else ""
    workers = fewest + counted(part["workers"], "worker", "workers")
    each = " each" if part["workers"] > 1 else ""
    if share := part.get("share"):
        return f"{workers} of a device's {share_size(share)}{each}: {chips}"
    if not part["devices_per_worker"]:
        return f"{workers} without devices"
    return f"{workers} of {counted(part['devices_per_worker'], 'device', 'devices')}{each}: {chips}"


def _types(chips: str | Sequence[str]) -> Sequence[str]:
    return [chips] if isinstance(chips, str) else chips


def wanted_places(spec: Json) -> str:
    """Return what is asked for of the places of the workers, in one line; empty where nothing is."""
    topology = spec.get("topology") or {"require": None, "prefer": None}
    wishes = []
    if topology["require"]:
        wishes.append(f"all of it {in_one(topology['require'])}")
    if topology["prefer"]:
        wishes.append(f"if possible {', else '.join(map(in_one, topology['prefer']))}")
    if topology["prefer"] == []:
        wishes.append("as near or far as there is room")
    if spread := spec.get("spread"):
        wishes.append(f"at most {counted(spread['most'], 'worker', 'workers')} {in_one(spread['level'])}")
    if apart := spec.get("apart"):
        wishes.append(f"never {in_one(apart['level'])} with a job of yours that has {_pairs(apart['labels'])}")
    if spec.get("exclusive"):
        wishes.append("nodes to itself")
    if not spec.get("preemptible", True):
        wishes.append("never stopped for another job")
    if spec.get("movable"):
        wishes.append("may be moved to make room")
    if labels := spec.get("node_labels"):
        wishes.append(f"nodes with {_pairs(labels)}")
    return one_line("; ".join(wishes))


def in_one(level: str) -> str:
    """Return where workers are that are in one domain of a level: `on one node`, `in one rack`."""
    return "on one node" if level == "node" else f"in one {level}"


def _pairs(labels: Json) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())


def program(spec: Json) -> str:
    """Return what each worker runs, in one line that a shell would read as the same words."""
    if spec.get("command"):
        return one_line(shlex.join(spec["command"]))
    if serve := spec.get("serve"):
        weights = f"the newest checkpoint of {one_line(serve['training'])}" if serve["training"] else "fresh weights"
        return f"the reference server, with {weights}"
    training = spec.get("training") or {}
    return "the reference training, " + ", ".join(f"{name} {value}" for name, value in training.items())


def progress_line(progress: Json) -> str:
    """Return one report of a training."""
    rate = f"{progress['tokens_per_s']:,.0f} tokens/s"
    return f"step {_step(progress, width=4)}   {_loss(progress, digits=4)}   {rate}"


def _step(progress: Json, width: int = 0) -> str:
    """Return `12/60`, or `12` where nobody knows how many steps there are."""
    return f"{progress['step']:>{width}}/{progress['steps']}" if progress["steps"] else str(progress["step"])


def _loss(progress: Json, digits: int) -> str:
    return "no finite loss" if progress["loss"] is None else f"loss {progress['loss']:.{digits}f}"


def heartbeat_line(heartbeat: Json, at: datetime) -> str:
    """Return when an attempt was last heard of, and how much memory it uses."""
    used = [
        f"{heartbeat[field]:,} MiB of {what}"
        for field, what in (("memory_mib", "memory"), ("device_memory_mib", "device memory"))
        if heartbeat[field]
    ]
    return f"heard of {moment(heartbeat['at'], at)}" + (f", uses {' and '.join(used)}" if used else "")


def situation(job: Json) -> str:
    """Return in a few words how the job fares: its progress, why it waits, or how it ended."""
    if (replicas := job.get("replicas")) and job["state"] not in FINAL:
        return _ready(replicas)
    if job["state"] in ("queued", "failed") and job["reasons"]:
        return one_line(job["reasons"][0]["text"])
    if job["state"] in _STOPPED and job.get("stop"):
        return stop_text(job)
    return _reached(job.get("progress"))


def situation_in_short(row: Json) -> str:
    """Return the same of a job in short, of which is not known why it waits, or which of its workers failed."""
    if (replicas := row["replicas"]) and row["state"] not in FINAL:
        return _ready(replicas)
    if row["state"] in _STOPPED:
        return attempt_ends(row["stop_reason"]) if row["stop_reason"] else ""
    return _reached(row["progress"])


def _ready(replicas: Json) -> str:
    return f"{replicas['ready']} of {counted(replicas['wanted'], 'replica', 'replicas')} ready"


def _reached(progress: Json | None) -> str:
    return f"step {_step(progress)}, {_loss(progress, digits=3)}" if progress else ""


def stop_text(job: Json) -> str:
    """Return why the latest attempt was stopped: which worker failed and how, or what the cluster said.

    Empty where it was not stopped.
    """
    stop = job["stop"]
    if not stop:
        return ""
    detail = f": {one_line(stop['detail'])}" if stop["detail"] else ""
    return f"{_failure(job) or one_line(stop['text'])}{detail}"


def stop_adds_to(job: Json, text: str) -> bool:
    """Say whether `stop_text` tells something that a text does not."""
    stop = job["stop"]
    return bool(stop) and any(part and part not in text for part in (_failure(job), stop["detail"]))


def _failure(job: Json) -> str | None:
    attempt = latest_attempt(job)
    return first_failure(attempt) if attempt and job["stop"]["reason"] in _FAILED_BY_A_WORKER else None


def attempt_end(attempt: Json) -> str:
    """Return why an attempt ended or is being ended; empty where neither is so."""
    if not attempt["stop_reason"]:
        return ""
    if eviction := attempt.get("eviction"):
        return one_line(eviction["text"])
    failure = first_failure(attempt) if attempt["stop_reason"] in _FAILED_BY_A_WORKER else None
    return failure or attempt_ends(attempt["stop_reason"])


def attempt_ends(stop_reason: str) -> str:
    """Return a stop reason in a few words."""
    return _ATTEMPT_ENDS.get(stop_reason) or one_line(stop_reason)


def latest_attempt(job: Json) -> Json | None:
    """Return the job's latest attempt, None before the first."""
    return max(job["attempts"], key=lambda attempt: int(attempt["number"]), default=None)


def may_have_output(job: Json) -> bool:
    """Say whether any worker ran, as far as is known: else there is nothing that `medley logs` could print."""
    return any(has_run(attempt) for attempt in job["attempts"])


def next_commands(job: Json) -> str:
    """Return the commands that help from here."""
    name = job["name"]
    if job["state"] == "queued":
        return f"medley why {name}, medley follow {name}, medley cancel {name}"
    if job["state"] in FINAL:
        return f"medley logs {name}" if may_have_output(job) else f"medley why {name}"
    if job.get("replicas"):
        return f"medley replicas {name}, medley scale {name} REPLICAS, medley logs {name}, medley cancel {name}"
    return f"medley follow {name}, medley cancel {name}"
