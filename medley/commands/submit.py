"""Submit a job, and stay with it as long as one likes."""

import math
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from medley.answers import Json
from medley.client import Client
from medley.commands.connection import (
    JobArgument,
    OutputOption,
    connected,
    explained,
    find_job,
    find_job_or_array,
    is_array,
    staying_with,
)
from medley.commands.jobs import print_one, report_end, report_end_of_array
from medley.errors import ApiProblem, BadUsage, Unreachable
from medley.exit_codes import ExitCode
from medley.file_kinds import JOB_FILE
from medley.following.array_watch import wait_for_array
from medley.following.follower import Follower
from medley.following.job_watch import wait_for_end
from medley.screens.arrays.arrays import members_text
from medley.screens.following import screen_for
from medley.screens.job_text import latest_attempt, next_commands, stop_text
from medley.screens.output import Format, print_json, say, talk
from medley.screens.placement import print_prospect
from medley.screens.safe_text import one_line, printable
from medley.yaml_file import YamlFile, read_yaml_file

_FIRST_DECISION_S = 1
"""A job that fits is placed in milliseconds: worth waiting for before saying how it stands."""
_KEY = re.compile(r"[ -~]{1,200}")
_FILE_ENDINGS = frozenset({".yaml", ".yml", ".json"})


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOptions:
    """How to submit, and what to do then."""

    follow: Annotated[
        bool,
        Parameter(
            name=["--follow", "-f"],
            negative="",
            show_default=False,
            help="Show placement, progress and logs to the end.",
        ),
    ] = False
    wait: Annotated[bool, Parameter(negative="", show_default=False, help="Say nothing until the job's end.")] = False
    dry_run: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Submit nothing: say where it would run now, or why not."),
    ] = False
    name: Annotated[str | None, Parameter(help="Submit under this name instead of the file's.")] = None
    after: Annotated[
        tuple[str, ...],
        Parameter(
            negative="", show_default=False, help="A job or array that must succeed first, by id or name; repeatable."
        ),
    ] = ()
    array: Annotated[int | None, Parameter(help="Make it an array of so many jobs, all of them or none.")] = None
    at_once: Annotated[int | None, Parameter(help="So many jobs of the array run at one time, at most.")] = None
    key: Annotated[str | None, Parameter(help="Idempotency key: the same key and job never make a second job.")] = None


_JUST_SUBMIT = SubmitOptions()


def submit(
    file: Annotated[str, Parameter(help="A job file in YAML, or `-` for stdin.")],
    /,
    options: SubmitOptions = _JUST_SUBMIT,
    *,
    output: OutputOption = "table",
) -> int:
    """Submit a job file. Once this says so, the job is stored; what no cluster offers is refused, and says why."""
    job_file = read_yaml_file(file, JOB_FILE)
    if options.name is not None:
        job_file.fields["name"] = options.name
    _make_array(job_file, options)
    key = options.key if options.key is not None else uuid.uuid4().hex
    if not _KEY.fullmatch(key):
        raise BadUsage("--key takes 1 to 200 printable ASCII characters")
    if options.dry_run:
        return _try(job_file, options, output)
    with connected() as client:
        stays = options.follow or options.wait
        _come_after(client, job_file, options)
        job = _submit(client, job_file, key=key, wait_placed_s=0 if stays else _FIRST_DECISION_S)
        if options.follow:
            return _follow(client, job, output)
        if options.wait and (array := job.get("array")):
            return _wait_for_array(client, array, output)
        if options.wait:
            talk(f"submitted {job['name']} ({job['id']})")
            return _wait(client, job, output)
    _report(job, output)
    return ExitCode.FAILED if job["state"] == "failed" else ExitCode.OK


def _make_array(job_file: YamlFile, options: SubmitOptions) -> None:
    """Let a job file be of an array, as the options say. Raises BadUsage where they do not go together."""
    written = job_file.fields.get("array")
    array = dict(written) if isinstance(written, dict) else {}
    given = {"count": options.array, "most_at_once": options.at_once}
    array |= {name: number for name, number in given.items() if number is not None}
    if array:
        job_file.fields["array"] = array
    if array and options.follow:
        raise BadUsage(
            "--follow is about one job, and this is an array of many", next_step="follow one of them, or --wait"
        )


def _come_after(client: Client, job_file: YamlFile, options: SubmitOptions) -> None:
    """Let a job file come after the jobs and arrays that the options name. Raises NotFound."""
    if options.after:
        named = [find_job_or_array(client, name) for name in options.after]
        awaited = [{"array" if is_array(one) else "job": one["id"]} for one in named]
        job_file.fields["after"] = [*(job_file.fields.get("after") or ()), *awaited]


def follow(job: JobArgument, /, *, output: OutputOption = "table") -> int:
    """Watch a job to its end: where it is placed, how far it is, what its rank 0 prints. Ctrl-C leaves it running."""
    with connected() as client:
        return _follow(client, find_job(client, job), output)


def _submit(client: Client, job_file: YamlFile, *, key: str, wait_placed_s: int) -> Json:
    try:
        return client.submit(job_file.fields, key=key, wait_placed_s=wait_placed_s)
    except ApiProblem as problem:
        raise explained(problem, job_file) from problem
    except Unreachable as error:
        if error.was_sent:
            _say_that_it_is_not_known(key)
        raise
    except KeyboardInterrupt:
        _say_that_it_is_not_known(key)
        raise


def estimate(
    what: Annotated[str, Parameter(help="A job's id or name, or a job file; `-` is a job file on stdin.")],
    /,
    *,
    output: OutputOption = "table",
) -> int:
    """Say when a job that waits is expected to start, or a job file if it were submitted now, and why then."""
    with connected() as client:
        if what == "-" or Path(what).suffix in _FILE_ENDINGS or Path(what).is_file():
            job_file = read_yaml_file(what, JOB_FILE)
            try:
                found = client.dry_run(job_file.fields)
            except ApiProblem as problem:
                raise explained(problem, job_file) from problem
        else:
            found = client.why(find_job(client, what)["id"])
    if output in ("table", "wide"):
        expected = found["estimate"]
        said = found["text"] if expected is None else f"{expected['text'][:1].upper()}{expected['text'][1:]}."
        say(printable(one_line(said)))
    elif output == "name":
        say("" if found["estimate"] is None else str(found["estimate"]["latest"] or ""))
    else:
        print_json(found["estimate"])
    return ExitCode.OK


def _say_that_it_is_not_known(key: str) -> None:
    talk(f"medley: it is not known whether the job was accepted; submit it again with --key {key}")


def _try(job_file: YamlFile, options: SubmitOptions, output: Format) -> int:
    if options.follow or options.wait:
        raise BadUsage("--dry-run submits nothing, so there is nothing to follow or to wait for")
    with connected() as client:
        _come_after(client, job_file, options)
        try:
            found = client.dry_run(job_file.fields)
        except ApiProblem as problem:
            raise explained(problem, job_file) from problem
    if output == "table":
        print_prospect(found)
        fits = found["outcome"] == "placed"
        talk(f"next: {'medley submit ' + job_file.source if fits else printable(found['next'])}")
    elif output == "name":
        say(found["outcome"])
    else:
        print_json(found)
    return ExitCode.FAILED if found["outcome"] == "refused" else ExitCode.OK


def _report(job: Json, output: Format) -> None:
    if array := job.get("array"):
        _report_array(job, array, output)
        return
    if output != "table":
        print_one(output, job)
        return
    say(f"Submitted {job['name']} ({job['id']}): {_standing(job)}")
    talk(f"next: {next_commands(job)}")


def _report_array(first: Json, array: Json, output: Format) -> None:
    if output == "table":
        say(f"Submitted {array['name']} ({array['id']}), {members_text(array)}. The first is {_standing(first)}")
        talk(f"next: medley show {array['id']}, or medley ls --array {array['id']}")
    elif output == "name":
        say(array["id"])
    else:
        print_json(first)


def _standing(job: Json) -> str:
    if job["stop"]:
        return f"{job['state']}; {stop_text(job)}"
    attempt = latest_attempt(job)
    if attempt and job["state"] != "queued":
        nodes = sorted({worker["node"] for worker in attempt["workers"]})
        return f"{job['state']} on {one_line(', '.join(nodes))}"
    if job["reasons"]:
        return f"{job['state']}; {one_line(job['reasons'][0]['text'])}"
    return str(job["state"])


def _follow(client: Client, job: Json, output: Format) -> int:
    screen = screen_for(output)
    screen.submitted(job)
    try:
        with staying_with(job, f"medley follow {job['id']}"):
            final = Follower(client, screen, job["id"]).follow()
    finally:
        screen.stop_moving()
    if output != "table":
        print_one(output, final)
    return ExitCode.OK if final["state"] == "succeeded" else ExitCode.FAILED


def _wait_for_array(client: Client, array: Json, output: Format) -> int:
    talk(f"submitted {array['name']} ({array['id']}), {members_text(array)}")
    with staying_with(array, f"medley wait {array['id']}"):
        final = wait_for_array(client, array["id"], deadline_s=math.inf)
    return report_end_of_array(final, output)


def _wait(client: Client, job: Json, output: Format) -> int:
    with staying_with(job, f"medley wait {job['id']}"):
        final = wait_for_end(client, job["id"], deadline_s=math.inf)
    return report_end(final, output)
