"""An array of jobs: in one line, and by itself."""

import sys
from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import counted, moment
from medley.screens.output import entry_text, say, talk
from medley.screens.safe_text import one_line

_UNFINISHED = ("running", "starting", "placed", "stopping", "queued")
"""The first of these that one of its jobs is in is an array's state, while one of them is in any."""
_FINISHED = ("failed", "cancelled", "succeeded")


def array_state(array: Json) -> str:
    """Return what an array is as a whole: that of its jobs which says most."""
    return next((state for state in (*_UNFINISHED, *_FINISHED) if array["states"].get(state)), "queued")


def array_situation(array: Json) -> str:
    """Return how its jobs stand: `100 jobs, 8 at once: 90 queued, 8 running, 2 succeeded`."""
    states = ", ".join(f"{number:,} {state}" for state, number in array["states"].items())
    return f"{_size(array)}: {states}"


def print_array(array: Json, at: datetime) -> None:
    """Print all that is known of an array."""
    heading = f"{array['name']}   {array_state(array)}   array {array['id']}"
    say(entry_text("", heading, sys.stdout))
    by = f"{moment(array['submitted_at'], at)} by {one_line(array['submitted_by'])} for {array['tenant']}"
    _fact("submitted", by)
    _fact("jobs", f"{_size(array)}, {members_text(array)}")
    for number, (state, jobs) in enumerate(array["states"].items()):
        _fact("" if number else "of these", f"{jobs:,} {state}")
    ends = any(array["states"].get(state) for state in _UNFINISHED)
    talk(f"\nnext: medley ls --array {array['id']}" + (f", or medley cancel {array['id']}" if ends else ""))


def members_text(array: Json) -> str:
    """Return what the jobs of an array are called."""
    return f"{array['name']}-0" + (f" to {array['name']}-{array['count'] - 1}" if array["count"] > 1 else "")


def _size(array: Json) -> str:
    most = array["most_at_once"]
    return counted(array["count"], "job", "jobs") + (f", {most:,} at once" if most else "")


def _fact(label: str, text: str) -> None:
    say(entry_text(f"  {label:<10} ", text, sys.stdout))
