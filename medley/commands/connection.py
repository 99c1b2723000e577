"""Opens the client that a command speaks through, and finds the job that is meant."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from typing import Annotated

from cyclopts import Parameter, Token, convert

from medley.answers import Json
from medley.client import Client
from medley.errors import ApiProblem, BadUsage, Detached, MedleyError, NotFound
from medley.login import Login, find_login, held, load, login_path, save
from medley.screens.output import Format, draw_as
from medley.yaml_file import YamlFile


def drawn(formats: type, tokens: Sequence[Token]) -> str:
    """Take in one of the formats that a command offers: what the parser calls to convert `-o`."""
    return draw_as(convert(formats, [token.value for token in tokens]))


OutputOption = Annotated[
    Format,
    Parameter(
        name=["--output", "-o"],
        converter=drawn,
        help="As a table, one with all there is, the API's JSON, the same as YAML, or names for other commands.",
    ),
]
JobOrArrayArgument = Annotated[
    str, Parameter(help="A job's or an array's id, or its name: the newest of that name, a job before an array.")
]
JobArgument = Annotated[str, Parameter(help="A job's id, or its name: the newest of that name.")]
FollowOption = Annotated[
    bool, Parameter(name=["--follow", "-f"], negative="", show_default=False, help="Go on as more comes.")
]

_JOB_ID = re.compile(r"[0-9a-z]{16}")
_NAME_SAMPLE = 200
_NOT_FOUND = 404
_ABOUT_THE_BODY = frozenset({400, 422})


@contextmanager
def connected() -> Iterator[Client]:
    """Give a client of the server one is logged in to. Raises NotLoggedIn."""
    login = _current(find_login(os.environ))
    with Client(login.address, login.token) as client:
        yield client


def _current(login: Login) -> Login:
    """Return the login, made anew and kept where it is about to end."""
    if login.renewal is None:
        return login
    from medley.signing_in.device_flow import is_ending, renewed  # noqa: PLC0415 - most logins need not load it

    if not is_ending(login):
        return login
    path = login_path(os.environ)
    with held(path):  # of commands that begin at once one renews, and the others find what it kept
        stored = load(path, login.context) or login
        current = renewed(stored)
        if current is not stored:
            save(path, replace(current, context=login.context))
    return current


def find_job(client: Client, name_or_id: str) -> Json:
    """Return the job with this id, or else the newest of this name. Raises NotFound with what might have been meant."""
    found = find_job_or_array(client, name_or_id)
    if is_array(found):
        one = f"{found['name']}-0"
        what = f"`{name_or_id}` is an array, and this is about one job"
        raise NotFound(what, next_step=f"name one of its jobs, such as {one}: medley ls --array {found['id']}")
    return found


def find_job_or_array(client: Client, name_or_id: str) -> Json:
    """Return the job with this id or the newest of this name, or else the array. Raises NotFound as `find_job` does."""
    try:
        found = _find(client, name_or_id)
    except ApiProblem as problem:
        if problem.errors:  # what cannot be a name cannot be a job's
            raise NotFound(f"there is no job `{name_or_id}`", next_step="medley ls") from problem
        raise
    if found is None:
        raise NotFound(f"there is no job `{name_or_id}`{_hint(client, name_or_id)}", next_step="medley ls")
    return found


def is_array(found: Json) -> bool:
    """Say whether it is an array rather than a job."""
    return "states" in found


def array_id(client: Client, name_or_id: str) -> str:
    """Return the id of the array with this id or of this name. Raises NotFound."""
    found = _find_array(client, name_or_id)
    if found is None:
        raise NotFound(f"there is no array `{name_or_id}`", next_step="medley ls")
    return str(found["id"])


def list_arrays(client: Client, **filters: object) -> Iterator[Json]:
    """Yield arrays newest first; none where the server is older than arrays are."""
    try:
        yield from client.arrays(**filters)
    except ApiProblem as problem:
        if problem.status != _NOT_FOUND:
            raise


def _find(client: Client, name_or_id: str) -> Json | None:
    if _JOB_ID.fullmatch(name_or_id) and (found := _there(lambda: client.job(name_or_id))):
        return found
    newest = next(client.jobs(name=name_or_id, limit=1), None)
    return _find_array(client, name_or_id) if newest is None else client.job(newest["id"])


def _find_array(client: Client, name_or_id: str) -> Json | None:
    if _JOB_ID.fullmatch(name_or_id) and (found := _there(lambda: client.array(name_or_id))):
        return found
    return next(list_arrays(client, name=name_or_id, limit=1), None)


def _there(ask: Callable[[], Json]) -> Json | None:
    """Return what the server answers, None where it knows no such thing."""
    try:
        return ask()
    except ApiProblem as problem:
        if problem.status != _NOT_FOUND:
            raise
        return None


def explained(problem: ApiProblem, written: YamlFile) -> MedleyError:
    """Return a refusal with the lines of the file that it is about, or as it is where it names no field."""
    if not problem.errors or problem.status not in _ABOUT_THE_BODY:
        return problem
    errors = sorted(problem.errors, key=written.line)
    lines = "\n".join(written.describe(error) for error in errors)
    has_hint = any(written.meant(error) for error in errors)
    return BadUsage(f"the server does not accept this\n{lines}", next_step=None if has_hint else problem.next_step)


@contextmanager
def staying_with(job: Json, again: str) -> Iterator[None]:
    """Make Ctrl-C say that the job goes on, and which command comes back to it."""
    try:
        yield
    except KeyboardInterrupt:
        what = f"detached; {job['name']} is not touched by that. Come back with: {again}"
        raise Detached(what, next_step=f"medley cancel {job['id']} would end it") from None


def unknown_chip(client: Client, chip: str | None) -> str:
    """Return a sentence about a chip type that the catalogue does not have; empty where it has it or none is given."""
    if chip is None:
        return ""
    return _unknown(chip, [row["name"] for row in client.chips()], "chip type", "medley chips")


def unknown_cluster(client: Client, cluster: str | None) -> str:
    """Return a sentence about a cluster that there is not; empty where there is or none is given."""
    if cluster is None:
        return ""
    return _unknown(cluster, [row["name"] for row in client.clusters()], "cluster", "medley clusters")


def _unknown(name: str, known: Sequence[str], noun: str, command: str) -> str:
    if name in known:
        return ""
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"`{command}` lists all"
    return f"; there is no {noun} `{name}`: {hint}"


def filters_text(filters: Mapping[str, object]) -> str:
    """Return the options that were given, as they are typed; empty where none was."""
    words = []
    for option, value in filters.items():
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{option} {one}" for one in values if one is not None]
    return " ".join(words)


def _hint(client: Client, name: str) -> str:
    names = {job["name"]: None for job in islice(client.jobs(limit=_NAME_SAMPLE), _NAME_SAMPLE)}
    close = get_close_matches(name, names, n=1)
    return f"; did you mean `{close[0]}`?" if close else ""
