"""The list of jobs, one job, and why it waits."""

import sys
from collections.abc import Sequence
from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import age, counted, duration, moment
from medley.screens.arrays.arrays import array_situation, array_state
from medley.screens.job_text import (
    attempt_end,
    heartbeat_line,
    latest_attempt,
    may_have_output,
    next_commands,
    program,
    progress_line,
    situation,
    situation_in_short,
    stop_adds_to,
    stop_text,
    wanted,
    wanted_places,
    wanted_workers,
)
from medley.screens.job_text import wanted_chips as chips_text
from medley.screens.output import entry_text, print_table, say, talk
from medley.screens.placement import why_there, workers_table
from medley.screens.safe_text import one_line, printable
from medley.screens.serving.replicas import replicas_table
from medley.screens.tables import Table
from medley.screens.waiting.moves import print_moves
from medley.screens.waiting.remedies import print_remedies
from medley.screens.waiting.starts import start_text


def jobs_table(jobs: Sequence[Json], at: datetime) -> Table:
    """Return one row per job, job in short, or array; the tenant only where there are several."""
    tenants = {job["tenant"] for job in jobs}
    shows_tenant = len(tenants) > 1
    only_wide = ("PRIORITY", "BY", "NODES", "LABELS")
    tenant = ("TENANT",) if shows_tenant else ()
    head = ("NAME", "ID", *tenant, "STATE", "WORKERS", "CHIPS", "AGE", "HOW IT FARES", *only_wide)
    rows = [
        (
            job["name"],
            job["id"],
            *((job["tenant"],) if shows_tenant else ()),
            *_cells(job, at),
        )
        for job in jobs
    ]
    return Table(
        head,
        rows,
        numbers=("WORKERS", "PRIORITY"),
        clipped=("HOW IT FARES",),
        spare=("WORKERS", "CHIPS", "AGE", "TENANT", "HOW IT FARES"),
        only_wide=only_wide,
    )


def _cells(item: Json, at: datetime) -> tuple[str, ...]:
    if "states" in item:
        return _array_cells(item, at)
    return _job_cells(item, at) if "spec" in item else _cells_in_short(item, at)


def _job_cells(job: Json, at: datetime) -> tuple[str, ...]:
    return (
        job["state"],
        str(wanted_workers(job["spec"])),
        chips_text(job["spec"]),
        age(job["submitted_at"], at),
        _fares(job, situation(job), at),
        str(job["spec"]["priority"]),
        one_line(job["submitted_by"]),
        one_line(", ".join(_nodes(job))),
        one_line(", ".join(f"{key}:{value}" for key, value in job["spec"]["labels"].items())),
    )


def _cells_in_short(row: Json, at: datetime) -> tuple[str, ...]:
    gangs = row["replicas"]["wanted"] if row["replicas"] else 1
    return (
        row["state"],
        str(row["workers"] // gangs),
        chips_text({"chips": row["mix"] or row["chips"]}),
        age(row["submitted_at"], at),
        _fares(row, situation_in_short(row), at),
        str(row["priority"]),
        one_line(row["submitted_by"]),
        "",
        "",
    )


def _fares(job: Json, situation: str, at: datetime) -> str:
    return "; ".join(part for part in (start_text(job.get("starts"), at), situation) if part)


def _array_cells(array: Json, at: datetime) -> tuple[str, ...]:
    fares, since = array_situation(array), age(array["submitted_at"], at)
    return (array_state(array), "", "", since, fares, "", one_line(array["submitted_by"]), "", "")


def _nodes(job: Json) -> list[str]:
    """Return the nodes of the latest attempt, each once."""
    attempt = latest_attempt(job)
    return list(dict.fromkeys(worker["node"] for worker in attempt["workers"])) if attempt else []


def history_table(jobs: Sequence[Json], at: datetime) -> Table:
    """Return one row per finished job; the tenant only where there are several."""
    shows_tenant = len({job["tenant"] for job in jobs}) > 1
    rows = [
        (
            one_line(job["name"]),
            job["id"],
            *((job["tenant"],) if shows_tenant else ()),
            one_line(job["user"]),
            job["state"],
            age(job["finished_at"], at),
            duration(job["wait_s"]),
            duration(job["run_s"]),
            f"{job['chip_hours']:,.2f}",
        )
        for job in jobs
    ]
    tenant = ("TENANT",) if shows_tenant else ()
    head = ("NAME", "ID", *tenant, "USER", "STATE", "ENDED AGO", "WAITED", "RAN", "CHIP HOURS")
    spare = ("USER", "WAITED", "ENDED AGO", "TENANT", "CHIP HOURS", "RAN")
    return Table(head, rows, "no job is over", numbers=("CHIP HOURS",), spare=spare)


def _print_waiting(job: Json, at: datetime) -> None:
    """Print when a job is expected to start, and why it waits or was refused."""
    if starts := start_text(job.get("starts"), at):
        _fact("expected", starts)
    for number, reason in enumerate(job["reasons"]):
        label = "waits for" if job["state"] == "queued" else "refused"
        _fact("" if number else label, one_line(reason["text"]))


def print_job(job: Json, at: datetime, replicas: Sequence[Json] = ()) -> None:
    """Print all that is known of one job; of a server all replicas, in place of an attempt."""
    _sentence(f"{job['name']}   {job['state']}   id {job['id']}")
    _print_origin(job, at)
    for number, line in enumerate(wanted(job["spec"])):
        _fact("" if number else "asks for", line)
    if places := wanted_places(job["spec"]):
        _fact("where", places)
    _fact("runs", program(job["spec"]))
    if job["finished_at"]:
        _fact("finished", moment(job["finished_at"], at))
    if job["not_before"] and job["state"] == "queued":
        _fact("tries again", moment(job["not_before"], at))
    _print_waiting(job, at)
    if job["stop"] and not replicas:
        _fact("stopped", stop_text(job))
    if job.get("replicas"):
        _print_server(job, replicas, at)
        return
    if resume := job.get("resume"):
        _fact("resumes", one_line(resume["text"]))
    if attempt := latest_attempt(job):
        _print_attempt(job, attempt, at)
    _print_signs_of_life(job, at)
    talk(f"\nnext: {next_commands(job)}")


def _print_origin(job: Json, at: datetime) -> None:
    _fact("submitted", f"{moment(job['submitted_at'], at)} by {one_line(job['submitted_by'])} for {job['tenant']}")
    if array := job.get("array"):
        _fact("array", f"{array['name']} ({array['id']}): number {array['index']} of 0 to {array['count'] - 1}")


def _print_server(job: Json, replicas: Sequence[Json], at: datetime) -> None:
    asked = job["spec"]["readiness_path"]
    _fact("listens", f"on port {job['spec']['port']}" + (f", ready at {one_line(asked)}" if asked else ""))
    counts = job["replicas"]
    _fact("replicas", f"{counts['ready']} of {counts['wanted']} ready")
    if replicas:
        say()
        print_table(replicas_table(replicas, at))
    talk(f"\nnext: {next_commands(job)}")


def _print_signs_of_life(job: Json, at: datetime) -> None:
    attempt = latest_attempt(job)
    heartbeat = attempt.get("heartbeat") if attempt else None
    if job["progress"] or heartbeat:
        say()
    if job["progress"]:
        _sentence(progress_line(job["progress"]))
    if heartbeat:
        _sentence(heartbeat_line(heartbeat, at))


def _fact(label: str, text: str) -> None:
    say(entry_text(f"  {label:<10} ", text, sys.stdout))


def _sentence(text: str, start: str = "") -> None:
    say(entry_text(start, text, sys.stdout))


def _generation(attempt: Json) -> str:
    """Return which size of its gang it is, of one that had another before."""
    if attempt.get("generation", 1) == 1:
        return ""
    way = ", on its way there" if attempt.get("is_resizing") else ""
    return f" as generation {attempt['generation']} with {counted(len(attempt['workers']), 'worker', 'workers')}{way}"


def _print_attempt(job: Json, attempt: Json, at: datetime) -> None:
    used = f", {counted(job['retries_used'], 'retry', 'retries')} used" if job["retries_used"] else ""
    end = attempt_end(attempt)
    ended = f", {end}" if end else ""
    say()
    _sentence(
        f"Attempt {attempt['number']}: {attempt['state']}{_generation(attempt)}{ended}, "
        f"placed {moment(attempt['placed_at'], at)}{used}"
    )
    say()
    print_table(workers_table(attempt))
    if why := why_there(attempt, sys.stdout):
        say(f"\nWhy there:\n{why}")


def print_why(why: Json, job: Json) -> None:
    """Print why a job is where it is: in a sentence, every reason that is not in it, and what would help."""
    say(f"{job['name']}   {why['state']}")
    _sentence(one_line(why["text"]))
    if stop_adds_to(job, why["text"]):
        _sentence(stop_text(job), "  - ")
    for reason in why["reasons"]:
        if reason["text"] not in why["text"]:
            _sentence(one_line(reason["text"]), "  - ")
    if why["position"] is not None:
        ahead = f", {counted(why['ahead'], 'job', 'jobs')} ahead of it" if why["ahead"] is not None else ""
        say(f"  position {why['position']} in the queue{ahead}")
    if why.get("standing"):
        _sentence(one_line(why["standing"]["text"]))
    if why["next"] and (may_have_output(job) or "medley logs" not in why["next"]):
        talk(f"next: {printable(why['next'])}")
    print_remedies(why["remedies"], job["id"], waits=why["state"] == "queued")
    print_moves(why.get("moves", ()))
    talk(f"(as of change {why['change']}, {why['age_s']:.2f} s ago)")


def print_why_before(answer: Json) -> None:
    """Print why a job was placed before another one, and what its placement rested on."""
    _sentence(one_line(answer["text"]))
    if answer["grounds"]:
        _sentence(one_line(answer["grounds"]["text"]))
