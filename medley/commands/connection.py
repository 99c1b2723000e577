"""Opens the client that a command speaks through, and finds the job that is meant."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import islice
from typing import Annotated

from cyclopts import Parameter

from medley.client import Client, Json
from medley.errors import ApiProblem, BadUsage, MedleyError, NotFound
from medley.exit_codes import ExitCode
from medley.job_file import JobFile
from medley.login import find_login
from medley.screens.output import Format, printable

OutputOption = Annotated[
    Format, Parameter(name=["--output", "-o"], help="As a table, as the API's JSON, or as names for other commands.")
]
JobArgument = Annotated[str, Parameter(help="A job's id, or its name: the newest of that name.")]
FollowOption = Annotated[bool, Parameter(name=["--follow", "-f"], negative="", help="Go on as more comes.")]

_JOB_ID = re.compile(r"[0-9a-z]{16}")
_NAME_SAMPLE = 200
_NOT_FOUND = 404


@contextmanager
def connected() -> Iterator[Client]:
    """Give a client of the server one is logged in to. Raises NotLoggedIn."""
    login = find_login(os.environ)
    with Client(login.address, login.token) as client:
        yield client


def find_job(client: Client, name_or_id: str) -> Json:
    """Return the job with this id, or else the newest of this name. Raises NotFound with what might have been meant."""
    if _JOB_ID.fullmatch(name_or_id):
        try:
            return client.job(name_or_id)
        except ApiProblem as problem:
            if problem.status != _NOT_FOUND:
                raise
    try:
        newest = next(client.jobs(name=name_or_id, limit=1), None)
    except ApiProblem as problem:
        if problem.errors:  # what cannot be a name cannot be a job's
            raise NotFound(f"there is no job `{name_or_id}`", next_step="medley ls") from problem
        raise
    if newest is None:
        raise NotFound(f"there is no job `{name_or_id}`{_hint(client, name_or_id)}", next_step="medley ls")
    return client.job(newest["id"])


def explained(problem: ApiProblem, written: JobFile) -> MedleyError:
    """Return a refusal with the lines of the file that it is about, or as it is where it names no field."""
    if not problem.errors or problem.exit_code != ExitCode.USAGE:
        return problem
    errors = sorted(problem.errors, key=written.line)
    lines = "\n".join(printable(written.describe(error)) for error in errors)
    return BadUsage(f"the server does not accept this\n{lines}", next_step=problem.next_step)


def _hint(client: Client, name: str) -> str:
    names = {job["name"]: None for job in islice(client.jobs(limit=_NAME_SAMPLE), _NAME_SAMPLE)}
    close = get_close_matches(name, names, n=1)
    return f"; did you mean `{close[0]}`?" if close else ""
