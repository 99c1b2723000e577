"""`medley init`: a first job file that runs as it is, and shows what else one can ask for."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from medley.answers import Json
from medley.catalogue import STANDARD_INPUT
from medley.client import Client
from medley.commands.connection import connected
from medley.errors import ApiProblem, BadUsage, MedleyError
from medley.exit_codes import ExitCode
from medley.screens.output import say, talk

_MOST_TRIED = 8
"""So many pools are asked about before the roomiest is taken for good enough."""
_SOME_CHIP = "h100-sxm"
_WORKERS = 2
_SCHEMA = "# yaml-language-server: $schema={address}/v1/job-schema.json\n"
_FILE = """\
{schema}# A first job: {gang} one small model. Submit it with: medley submit {file} --follow
# Every field is explained in docs/commands.md, and by editors that know YAML.
name: first
chips: {chip}    # or several that would do, the best first: [h100-sxm, mi300x]
workers: {workers}
training: {{}}    # the built-in training; or a program of your own:

# command: [python, train.py]
# devices_per_worker: 8
# cpu_milli: 8000
# memory_mib: 65536
# environment: {{LEVEL: "1"}}
# retries: 2
# time_limit_s: 3600
# labels: {{team: vision}}
"""


def init(
    file: Annotated[str, Parameter(help="Where to write it, or `-` for stdout.")] = "job.yaml",
    /,
) -> int:
    """Write a first job file. It asks for what is free now, where you are logged in, and submits as it is."""
    is_printed = file == STANDARD_INPUT
    if not is_printed and Path(file).exists():
        raise _is_there(file)
    text = first_job_file("FILE" if is_printed else file)
    if is_printed:
        say(text.removesuffix("\n"))
        return ExitCode.OK
    try:
        with Path(file).open("x", encoding="utf-8") as writing:
            writing.write(text)
    except FileExistsError as error:
        raise _is_there(file) from error
    except OSError as error:
        raise BadUsage(f"{file} cannot be written: {error.strerror}") from error
    say(f"Wrote {file}")
    talk(f"next: medley submit {file} --follow")
    return ExitCode.OK


def _is_there(file: str) -> MedleyError:
    next_step = "medley init ANOTHER-FILE"
    return MedleyError(f"{file} is there already, and stays as it is", next_step=next_step, exit_code=ExitCode.CONFLICT)


def first_job_file(file: str) -> str:
    """Return the content of a first job file, that is to be called `file`."""
    chip, workers, schema = _SOME_CHIP, _WORKERS, ""
    try:
        with connected() as client:
            client.patience_s = 0
            job = _that_runs(client)
            chip, workers, schema = job["chips"], job["workers"], _SCHEMA.format(address=client.address)
    except MedleyError as error:
        talk(f"({error.what}; whether there is any {chip} is not known, `medley chips` lists what there is)")
    gang = "one worker trains" if workers == 1 else f"{workers} workers together train"
    return _FILE.format(schema=schema, gang=gang, file=file, chip=chip, workers=workers)


def _that_runs(client: Client) -> dict[str, Any]:
    """Return a small job that would be placed now, on the roomiest pool that takes it; else on the roomiest."""
    pools = sorted(client.pools(), key=lambda pool: (-pool["devices_free"], -pool["devices"], pool["name"]))
    jobs = [_job(pool) for pool in pools if pool["devices"]] or [{"chips": _SOME_CHIP, "workers": _WORKERS}]
    for job in jobs[:_MOST_TRIED]:
        if _is_placed(client, job):
            return job
    return jobs[0]


def _job(pool: Json) -> dict[str, Any]:
    return {"chips": pool["chip"], "workers": min(_WORKERS, max(1, pool["devices_free"]))}


def _is_placed(client: Client, job: dict[str, Any]) -> bool:
    try:
        return bool(client.dry_run({"name": "first", **job})["outcome"] == "placed")
    except ApiProblem:  # who may not submit may write a file all the same
        return False
