"""The list of jobs, one job, and why it waits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from medley.screens.amounts import age, counted, moment
from medley.screens.job_text import latest_attempt, next_commands, program, progress_line, situation, wanted
from medley.screens.job_text import wanted_chips as chips_text
from medley.screens.output import print_table, printable, say, talk
from medley.screens.placement import workers_table
from medley.screens.tables import Table

Json = dict[str, Any]

_NO_JOBS = "no jobs here; `medley submit FILE` makes one"


def jobs_table(jobs: Sequence[Json], at: datetime) -> Table:
    """Return one row per job; the tenant only where there are several."""
    tenants = {job["tenant"] for job in jobs}
    shows_tenant = len(tenants) > 1
    head = ("NAME", "ID", *(("TENANT",) if shows_tenant else ()), "STATE", "WORKERS", "CHIPS", "AGE", "HOW IT FARES")
    rows = [
        (
            job["name"],
            job["id"],
            *((job["tenant"],) if shows_tenant else ()),
            job["state"],
            str(job["spec"]["workers"]),
            chips_text(job["spec"]),
            age(job["submitted_at"], at),
            situation(job),
        )
        for job in jobs
    ]
    return Table(head, rows, _NO_JOBS, numbers=("WORKERS",), clipped=("HOW IT FARES",))


def print_job(job: Json, at: datetime) -> None:
    """Print all that is known of one job."""
    say(f"{job['name']}   {job['state']}   id {job['id']}")
    say(f"  submitted  {moment(job['submitted_at'], at)} by {printable(job['submitted_by'])} for {job['tenant']}")
    say(f"  asks for   {wanted(job['spec'])}")
    say(f"  runs       {program(job['spec'])}")
    if job["finished_at"]:
        say(f"  finished   {moment(job['finished_at'], at)}")
    if job["not_before"] and job["state"] == "queued":
        say(f"  tries again {moment(job['not_before'], at)}")
    _print_reasons(job)
    if job["stop"]:
        detail = job["stop"]["detail"]
        say(f"  stopped    {printable(job['stop']['text'])}" + (f": {printable(detail)}" if detail else ""))
    if attempt := latest_attempt(job):
        _print_attempt(job, attempt, at)
    if job["progress"]:
        say(f"\n{progress_line(job['progress'])}")
    talk(f"\nnext: {next_commands(job)}")


def _print_reasons(job: Json) -> None:
    if job["reasons"]:
        label = "waits for" if job["state"] == "queued" else "refused"
        say(f"  {label:<10} {printable(job['reasons'][0]['text'])}")
        for reason in job["reasons"][1:]:
            say(f"  {'':<10} {printable(reason['text'])}")


def _print_attempt(job: Json, attempt: Json, at: datetime) -> None:
    used = f", {counted(job['retries_used'], 'retry').replace('retrys', 'retries')} used" if job["retries_used"] else ""
    stopped = f", {attempt['stop_reason']}" if attempt["stop_reason"] else ""
    placed = moment(attempt["placed_at"], at)
    say(f"\nAttempt {attempt['number']}: {attempt['state']}{stopped}, placed {placed}{used}\n")
    print_table(workers_table(attempt))


def print_why(why: Json, name: str) -> None:
    """Print why a job is where it is: in a sentence, every reason that is not in it, and what would help."""
    say(f"{name}   {why['state']}\n{printable(why['text'])}")
    for reason in why["reasons"]:
        if reason["text"] not in why["text"]:
            say(f"  - {printable(reason['text'])}")
    if why["position"] is not None:
        ahead = f", {counted(why['ahead'], 'job')} ahead of it" if why["ahead"] is not None else ""
        say(f"  position {why['position']} in the queue{ahead}")
    if why["next"]:
        talk(f"next: {printable(why['next'])}")
    talk(f"(as of change {why['change']}, {why['age_s']:.2f} s ago)")
