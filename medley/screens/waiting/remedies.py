"""What a user could change of a job so that it starts."""

import json
import shlex
from collections.abc import Sequence

from medley.answers import Json
from medley.screens.output import say
from medley.screens.safe_text import one_line


def print_remedies(remedies: Sequence[Json], job: str | None = None) -> None:
    """Print each change with the command that submits a job again so changed; of no job yet, with its file's field."""
    if not remedies:
        return
    say("What would help, each by itself:")
    for remedy in remedies:
        said = f"{remedy['field']}={json.dumps(remedy['value'])}"
        how = f"medley clone {job} --set {shlex.quote(said)}" if job is not None else _in_a_file(remedy)
        say(f"  - {one_line(remedy['text'])}: `{one_line(how)}`")


def _in_a_file(remedy: Json) -> str:
    return f"{remedy['field']}: {json.dumps(remedy['value'])}"
