"""Jobs that exist: list, show, explain, wait, cancel."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Annotated, Literal

from cyclopts import Parameter

from medley.answers import Json
from medley.client import Client
from medley.commands.connection import (
    JobArgument,
    JobOrArrayArgument,
    OutputOption,
    array_id,
    connected,
    filters_text,
    find_job,
    find_job_or_array,
    is_array,
    list_arrays,
    staying_with,
    unknown_chip,
)
from medley.errors import BadUsage, TimeIsOver
from medley.exit_codes import ExitCode
from medley.following.array_watch import is_over, wait_for_array
from medley.following.job_watch import wait_for_end
from medley.screens.amounts import now
from medley.screens.arrays.arrays import array_situation, array_state, print_array
from medley.screens.job_text import FINAL, situation
from medley.screens.jobs import jobs_table, print_job, print_why, print_why_before
from medley.screens.output import is_wide, print_json, print_json_items, print_listing, say, talk

State = Literal["queued", "placed", "starting", "running", "stopping", "succeeded", "failed", "cancelled"]
_LARGEST_PAGE = 200
_LARGEST_PAGE_IN_SHORT = 2000


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilters:
    """Which jobs to list."""

    state: Annotated[
        tuple[State, ...],
        Parameter(negative="", show_default=False, help="Only jobs in this state; may be repeated."),
    ] = ()
    name: Annotated[str | None, Parameter(help="Only jobs of this name.")] = None
    chip: Annotated[str | None, Parameter(help="Only jobs that accept this chip type.")] = None
    by: Annotated[str | None, Parameter(help="Only jobs that this user or token submitted.")] = None
    label: Annotated[str | None, Parameter(help="Only jobs with this label, KEY:VALUE.")] = None
    tenant: Annotated[str | None, Parameter(help="Only this tenant's jobs (cluster-wide roles).")] = None
    array: Annotated[str | None, Parameter(help="Only the jobs of this array, by id or name.")] = None
    members: Annotated[
        bool, Parameter(negative="", show_default=False, help="All jobs of arrays, in place of a line for each array.")
    ] = False
    limit: Annotated[int, Parameter(help="At most so many.")] = 50
    all: Annotated[bool, Parameter(negative="", show_default=False, help="All of them, however many there are.")] = (
        False
    )


_NO_FILTERS = JobFilters()


def ls(filters: JobFilters = _NO_FILTERS, *, output: OutputOption = "table") -> int:
    """List jobs, newest first; a table has one line for an array, all else its jobs."""
    if filters.limit < 1:
        raise BadUsage("--limit takes 1 or more", next_step="--all lists all jobs")
    most = None if filters.all else filters.limit
    with connected() as client:
        largest = _LARGEST_PAGE_IN_SHORT if output == "name" else _LARGEST_PAGE
        found = _found(client, filters, page=min(largest, (most or largest) + 1), output=output)
        if output == "json":
            print_json_items(islice(found, most))
            return ExitCode.OK
        jobs = list(islice(found, most))
        has_more = next(found, None) is not None
        if output == "table" and not jobs:
            talk(_none_found(client, filters))
            return ExitCode.OK
    print_listing(output, jobs, "id", lambda: jobs_table(jobs, now()))
    if output == "table":
        more = f"the newest {len(jobs)} of more; --all lists all. " if has_more else ""
        talk(f"{more}next: medley show {jobs[0]['name']}")
    return ExitCode.OK


def _found(client: Client, filters: JobFilters, *, page: int, output: str) -> Iterator[Json]:
    """Yield what is to be listed, newest first: jobs, and for a table arrays in place of theirs.

    After the first page a table shows what there is to say in short: a list of all jobs is there in a second or two.
    """
    asked: dict[str, object] = {
        "state": list(filters.state) or None,
        "name": filters.name,
        "chip": filters.chip,
        "submitted_by": filters.by,
        "label": filters.label,
        "tenant": filters.tenant,
    }
    if output == "name":
        array = filters.array and array_id(client, filters.array)
        return client.job_rows(**asked, array=array, limit=page, fields="id")
    asked["limit"] = page
    list_jobs = client.jobs if output != "table" or is_wide() else client.jobs_in_short
    if filters.array is not None:
        return list_jobs(**asked, array=array_id(client, filters.array))
    if filters.members or output != "table":
        return list_jobs(**asked)
    # A name may be that of one job of an array: whoever asks for it means that one.
    alone = list_jobs(**asked) if filters.name else list_jobs(**asked, in_array="false")
    return merge(alone, list_arrays(client, **asked), key=lambda one: str(one["id"]), reverse=True)


def _none_found(client: Client, filters: JobFilters) -> str:
    asked = {name: getattr(filters, name) for name in ("state", "name", "chip", "by", "label", "tenant", "array")}
    if not (given := filters_text(asked)):
        return "no jobs here; `medley submit FILE` makes one"
    return f"no job is found by {given}{unknown_chip(client, filters.chip)}"


def show(job: JobOrArrayArgument, /, *, output: OutputOption = "table") -> int:
    """Show one job: state, reasons, where each worker runs and why there, progress. Or an array: how its jobs stand."""
    with connected() as client:
        found = find_job_or_array(client, job)
        shown = found.get("replicas") and output == "table"
        replicas = client.replicas(found["id"])["items"] if shown else ()
    if output == "table" and is_array(found):
        print_array(found, now())
    elif output == "table":
        print_job(found, now(), replicas)
    else:
        print_one(output, found)
    return ExitCode.OK


def why(
    job: JobArgument,
    /,
    *,
    before: Annotated[str | None, Parameter(help="Why it was placed before this job.")] = None,
    output: OutputOption = "table",
) -> int:
    """Say why a job is where it is, with the numbers, and what would help; or why it was placed before another one."""
    with connected() as client:
        found = find_job(client, job)
        other = None if before is None else find_job(client, before)["id"]
        answer = client.why(found["id"], before=other)
    if output == "table" and before is not None:
        print_why_before(answer)
    elif output == "table":
        print_why(answer, found)
    elif output == "json":
        print_json(answer)
    else:
        say(found["id"])
    return ExitCode.OK


def wait(
    job: JobOrArrayArgument,
    /,
    *,
    timeout: Annotated[float | None, Parameter(help="Give up after so many seconds, with exit code 124.")] = None,
    output: OutputOption = "table",
) -> int:
    """Wait for a job's end, or that of all jobs of an array; the exit code says whether it succeeded."""
    began_s = time.monotonic()
    with connected() as client:
        deadline_s = began_s + (math.inf if timeout is None else timeout)
        meant = find_job_or_array(client, job)
        with staying_with(meant, f"medley wait {meant['id']}"):
            look = wait_for_array if is_array(meant) else wait_for_end
            found = look(client, meant["id"], deadline_s=deadline_s)
    if is_array(found):
        if not is_over(found):
            again = f"medley wait {found['id']}, or medley ls --array {found['id']}"
            raise TimeIsOver(f"{found['name']} is not over after {timeout:g} s", next_step=again)
        return report_end_of_array(found, output)
    if found["state"] not in FINAL:
        again = f"medley wait {found['id']}, or medley why {found['id']}"
        raise TimeIsOver(f"{found['name']} is still {found['state']} after {timeout:g} s", next_step=again)
    return report_end(found, output)


def report_end_of_array(array: Json, output: str) -> int:
    """Print an array that is over; return the exit status that says whether all of its jobs succeeded."""
    if output == "table":
        say(f"{array['name']} ({array['id']}) {array_state(array)}: {array_situation(array)}")
    else:
        print_one(output, array)
    return ExitCode.OK if set(array["states"]) == {"succeeded"} else ExitCode.FAILED


def report_end(job: Json, output: str) -> int:
    """Print a final job; return the exit status that says whether it succeeded."""
    if output == "table":
        fared = situation(job)
        say(f"{job['name']} ({job['id']}) {job['state']}" + (f": {fared}" if fared else ""))
    else:
        print_one(output, job)
    return ExitCode.OK if job["state"] == "succeeded" else ExitCode.FAILED


def print_one(output: str, job: Json) -> None:
    """Print a job as JSON or as its id."""
    if output == "json":
        print_json(job)
    else:
        say(job["id"])
