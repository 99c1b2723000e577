"""What is done to jobs that exist: end them, give them another priority, submit them again."""

import re
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated

from cyclopts import Parameter

from medley.answers import Json
from medley.client import Client
from medley.commands.connection import (
    JobArgument,
    JobOrArrayArgument,
    OutputOption,
    array_id,
    connected,
    explained,
    filters_text,
    find_job,
    find_job_or_array,
    is_array,
)
from medley.commands.jobs import State, print_one
from medley.errors import ApiProblem, BadUsage
from medley.exit_codes import ExitCode
from medley.file_kinds import JOB_FILE
from medley.screens.job_text import FINAL, next_commands
from medley.screens.output import is_terminal, print_json, say, talk
from medley.yaml_file import YamlFile, parse_yaml

_OPTIONS = ("label", "name", "state", "chip", "by", "array", "tenant")
_FIELD = re.compile(r"[a-z_]+")
_TOLD = {"cancelled": "cancelled", "stopping": "will be cancelled", "unchanged": "over or stopping already"}


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which unfinished jobs to cancel, in place of naming them."""

    label: Annotated[str | None, Parameter(help="Those with this label, KEY:VALUE.")] = None
    name: Annotated[str | None, Parameter(help="Those of this name.")] = None
    state: Annotated[tuple[State, ...], Parameter(negative="", show_default=False, help="Those in this state.")] = ()
    chip: Annotated[str | None, Parameter(help="Those that accept this chip type.")] = None
    by: Annotated[str | None, Parameter(help="Those that this user or token submitted.")] = None
    array: Annotated[str | None, Parameter(help="Those of this array, by id or name.")] = None
    tenant: Annotated[str | None, Parameter(help="This tenant's (operators).")] = None
    all: Annotated[bool, Parameter(negative="", show_default=False, help="All of the tenant's.")] = False
    yes: Annotated[
        bool, Parameter(name=["--yes", "-y"], negative="", show_default=False, help="With --all: do not ask first.")
    ] = False

    def filters(self) -> dict[str, object]:
        """Return what is asked for, as the API takes it."""
        asked = {
            "label": self.label,
            "name": self.name,
            "chip": self.chip,
            "submitted_by": self.by,
            "array": self.array,
        }
        return {key: value for key, value in {**asked, "state": list(self.state) or None}.items() if value is not None}


_NAMED = Which()


def cancel(*jobs: JobOrArrayArgument, which: Which = _NAMED, output: OutputOption = "table") -> int:
    """Cancel jobs, or all of an array: their workers are asked to end, then made to. Again changes nothing."""
    filters = which.filters()
    if bool(jobs) + bool(filters) + which.all != 1:
        raise BadUsage("say which jobs: by name or id, by filters such as --label, or --all")
    if jobs and which.tenant is not None:
        raise BadUsage("--tenant goes with a filter or --all, not with names")
    with connected() as client:
        if jobs:
            return _cancel_named(client, jobs, output)
        if which.array is not None:
            filters["array"] = array_id(client, which.array)
        if which.all and not which.yes and not _is_sure(client, which.tenant):
            talk("nothing is cancelled")
            return ExitCode.OK
        done = client.cancel_where(**filters, tenant=which.tenant)
        return _report_many(done, output, filters_text({name: getattr(which, name) for name in _OPTIONS}))


def _is_sure(client: Client, tenant: str | None) -> bool:
    """Ask whoever sits at a terminal; where nobody does, what was called is meant."""
    if sys.stdin is None or not is_terminal(sys.stdin) or not is_terminal(sys.stderr):
        return True
    whose = tenant or client.whoami()["tenant"]
    print(f"Cancel all unfinished jobs of {whose}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _cancel_named(client: Client, named: Sequence[str], output: str) -> int:
    meant = [find_job_or_array(client, name) for name in named]
    jobs = [one["id"] for one in meant if not is_array(one)]
    arrays = [one for one in meant if is_array(one)]
    if len(jobs) == 1 and not arrays:
        return _report_one(client.cancel(jobs[0]), output)
    # An operator cancels for a tenant that is named.
    ended = [client.cancel_where(array=array["id"], tenant=array["tenant"]) for array in arrays]
    return _report_many(chain(client.cancel_many(jobs), *ended), output, " ".join(f"{one['name']}" for one in arrays))


def _report_one(job: Json, output: str) -> int:
    if output != "table":
        print_one(output, job)
    elif job["state"] in FINAL:
        say(f"{job['name']} ({job['id']}) is {job['state']}")
    else:
        say(f"{job['name']} ({job['id']}) is {job['state']} and will be cancelled")
        talk(f"next: medley wait {job['id']}")
    return ExitCode.OK


def _report_many(done: Iterable[Json], output: str, asked: str = "") -> int:
    told: list[Json] = []
    for one in done:
        told.append(one)
        if output == "name" and one["outcome"] in ("cancelled", "stopping"):
            say(one["id"])
    if output == "json":
        print_json({"items": told})
    elif output == "table":
        counts = Counter(one["outcome"] for one in told)
        parts = [f"{counts[outcome]:,} {text}" for outcome, text in _TOLD.items() if counts[outcome]]
        say(", ".join(parts) or f"no unfinished job is found{f' by {asked}' if asked else ''}")
    return ExitCode.NOT_FOUND if any(one["outcome"] == "not-found" for one in told) else ExitCode.OK


def priority(
    job: JobArgument,
    priority: Annotated[int, Parameter(help="-100 to 100; higher goes first.", allow_leading_hyphen=True)],
    /,
    *,
    output: OutputOption = "table",
) -> int:
    """Give a job another priority; one that waits is decided on in the new order at once."""
    with connected() as client:
        changed = client.set_priority(find_job(client, job)["id"], priority)
    if output != "table":
        print_one(output, changed)
    else:
        say(f"{changed['name']} ({changed['id']}) has the priority {changed['spec']['priority']}")
    return ExitCode.OK


def clone(
    job: JobArgument,
    /,
    *,
    name: Annotated[str | None, Parameter(help="The new job's name.")] = None,
    set_: Annotated[
        tuple[str, ...],
        Parameter(name="--set", negative="", show_default=False, help="FIELD=VALUE of a job file; may be repeated."),
    ] = (),
    key: Annotated[str | None, Parameter(help="Idempotency key: the same key never makes a second job.")] = None,
    output: OutputOption = "table",
) -> int:
    """Submit a job again as it was submitted, with some fields otherwise."""
    wanted = _fields([*set_, *([] if name is None else [f"name={name}"])])
    with connected() as client:
        meant = find_job(client, job)
        try:
            made = client.clone(meant["id"], wanted.fields, key=key or uuid.uuid4().hex)
        except ApiProblem as problem:
            raise explained(problem, wanted) from problem
    if output != "table":
        print_one(output, made)
    else:
        say(f"Submitted {made['name']} ({made['id']})")
        talk(f"next: {next_commands(made)}")
    return ExitCode.OK


def _fields(assignments: Sequence[str]) -> YamlFile:
    """Return what `FIELD=VALUE`s say, each value as a job file has it."""
    lines = []
    for assignment in assignments:
        field, equals, text = assignment.partition("=")
        if not equals or not _FIELD.fullmatch(field) or "\n" in text:
            raise BadUsage(f"`{assignment}` is not FIELD=VALUE", next_step="write it as in --set priority=10")
        lines.append(f"{field}: {text}")
    if not lines:
        return YamlFile("--set", JOB_FILE, {}, {})
    return parse_yaml("--set", JOB_FILE, "\n".join(lines).encode(errors="replace"))
