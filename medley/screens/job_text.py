"""A job in words: what it asks for, where it stands, what to do next."""

from typing import Any

from medley.screens.amounts import counted
from medley.screens.output import printable

Json = dict[str, Any]

FINAL = frozenset({"succeeded", "failed", "cancelled"})
"""States that a job never leaves."""


def wanted_chips(spec: Json) -> str:
    """Return the chip types asked for: `2 h100-sxm + 2 mi300x`, or `h100-sxm, else a800-sxm`."""
    chips = spec["chips"]
    if isinstance(chips, dict):
        return " + ".join(f"{count} {chip}" for chip, count in chips.items())
    return ", else ".join([chips] if isinstance(chips, str) else chips)


def wanted(spec: Json) -> str:
    """Return the gang asked for in one line."""
    devices = counted(spec["devices_per_worker"], "device")
    return f"{counted(spec['workers'], 'worker')} of {devices} each: {wanted_chips(spec)}"


def program(spec: Json) -> str:
    """Return what each worker runs."""
    if spec.get("command"):
        return printable(" ".join(spec["command"]))
    training = spec.get("training") or {}
    return "the reference training, " + ", ".join(f"{name} {value}" for name, value in training.items())


def progress_line(progress: Json) -> str:
    """Return one report of a training."""
    rate = f"{progress['tokens_per_s']:,.0f} tokens/s"
    return f"step {progress['step']:>4}/{progress['steps']}   loss {progress['loss']:.4f}   {rate}"


def situation(job: Json) -> str:
    """Return in a few words how the job fares: its progress, why it waits, or how it ended."""
    if job["state"] in ("queued", "failed") and job["reasons"]:
        return printable(job["reasons"][0]["text"])
    if job["state"] in ("failed", "cancelled") and job.get("stop"):
        return printable(job["stop"]["text"])
    progress = job.get("progress")
    return f"step {progress['step']}/{progress['steps']}, loss {progress['loss']:.3f}" if progress else ""


def latest_attempt(job: Json) -> Json | None:
    """Return the job's latest attempt, None before the first."""
    return max(job["attempts"], key=lambda attempt: int(attempt["number"]), default=None)


def next_commands(job: Json) -> str:
    """Return the commands that help from here."""
    name = job["name"]
    if job["state"] == "queued":
        return f"medley why {name}, medley follow {name}, medley cancel {name}"
    if job["state"] == "failed" and not job["attempts"]:
        return f"medley why {name}"
    return f"medley logs {name}" if job["state"] in FINAL else f"medley follow {name}, medley cancel {name}"
