"""Servers: their replicas, and how many there are to be."""

from typing import Annotated

from cyclopts import Parameter

from medley.answers import Json
from medley.commands.connection import JobArgument, OutputOption, connected, explained, find_job
from medley.commands.jobs import print_one
from medley.errors import ApiProblem, BadUsage
from medley.exit_codes import ExitCode
from medley.file_kinds import JOB_FILE
from medley.screens.amounts import counted, now
from medley.screens.output import print_json, print_listing, say, talk
from medley.screens.serving.replicas import replica_name, replicas_table
from medley.yaml_file import read_yaml_file


def replicas(job: JobArgument, /, *, output: OutputOption = "table") -> int:
    """List a server's replicas: where each is reached, whether it is ready, and how it fares."""
    with connected() as client:
        found = find_job(client, job)
        listed = client.replicas(found["id"])
    print_listing(output, listed["items"], replica_name, lambda: replicas_table(listed["items"], now()))
    if output == "table":
        talk(f"{listed['ready']} of {counted(listed['wanted'], 'replica', 'replicas')} ready")
    return ExitCode.OK


def scale(
    job: JobArgument,
    count: Annotated[int | None, Parameter(name="REPLICAS", help="Of a server: so many replicas, from 1.")] = None,
    /,
    *,
    workers: Annotated[int | None, Parameter(help="Of an elastic job: so many workers at most.")] = None,
    output: OutputOption = "table",
) -> int:
    """Give a server more or fewer replicas, or an elastic job workers. The same again is harmless.

    Replicas that failed for good are tried again. A gang that runs goes on from a checkpoint in its new size.
    """
    wanted_of = [one for one in (count, workers) if one is not None]
    if len(wanted_of) != 1:
        raise BadUsage("say how many: REPLICAS of a server, or --workers of an elastic job")
    with connected() as client:
        found = find_job(client, job)
        if workers is not None:
            return _told_of_workers(client.set_workers(found["id"], workers), output)
        listed = client.scale(found["id"], wanted_of[0])
    if output == "table":
        wanted = counted(listed["wanted"], "replica", "replicas")
        say(f"{found['name']} ({found['id']}) is to have {wanted}; {listed['ready']} ready now")
        talk(f"next: medley replicas {found['name']}")
    elif output == "json":
        print_json(listed)
    else:
        say(found["id"])
    return ExitCode.OK


def _told_of_workers(job: Json, output: str) -> int:
    if output != "table":
        print_one(output, job)
        return ExitCode.OK
    wanted = counted(job["spec"]["workers"], "worker", "workers")
    say(f"{job['name']} ({job['id']}) is to have {wanted} at most")
    talk(f"next: medley show {job['name']}")
    return ExitCode.OK


def replace(
    job: JobArgument,
    file: Annotated[str, Parameter(help="The job file of the new version, or `-` for stdin.")],
    /,
    *,
    output: OutputOption = "table",
) -> int:
    """Replace a server's replicas by those of a new version of its job file, one after the other."""
    job_file = read_yaml_file(file, JOB_FILE)
    with connected() as client:
        found = find_job(client, job)
        try:
            listed = client.replace(found["id"], job_file.fields)
        except ApiProblem as problem:
            raise explained(problem, job_file) from problem
    if output == "table":
        say(f"{found['name']} ({found['id']}) is at version {listed['version']}; its replicas follow one by one")
        talk(f"next: medley replicas {found['name']}")
    elif output == "json":
        print_json(listed)
    else:
        say(found["id"])
    return ExitCode.OK
