"""What a user could change of a job so that it starts."""

import json
import shlex
from collections.abc import Sequence

from medley.answers import Json
from medley.screens.output import say
from medley.screens.safe_text import one_line


def print_remedies(remedies: Sequence[Json], job: str | None = None, *, waits: bool = False) -> None:
    """Print each change with the command that submits a job again so changed; of no job yet, with its file's field.

    One that `waits` is cancelled then: it would run as well, and keeps room that may be kept for it till then.
    """
    if not remedies:
        return
    say("What would help, each by itself:")
    for remedy in remedies:
        said = f"{remedy['field']}={json.dumps(remedy['value'])}"
        how = _in_a_file(remedy) if job is None else f"medley clone {job} --set {shlex.quote(said)}"
        how += f" && medley cancel {job}" if waits else ""
        say(f"  - {one_line(remedy['text'])}: `{one_line(how)}`")


def _in_a_file(remedy: Json) -> str:
    return f"{remedy['field']}: {json.dumps(remedy['value'])}"
