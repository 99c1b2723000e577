"""What goes on: the output of workers, and the events of jobs."""

import sys
import time
from typing import Annotated, Literal

from cyclopts import Parameter

from medley.answers import Json
from medley.commands.connection import FollowOption, JobArgument, OutputOption, connected, find_job, staying_with
from medley.errors import BadUsage, Detached, MedleyError
from medley.exit_codes import ExitCode
from medley.following.log_reader import LineCutter, LogReader
from medley.screens.job_text import may_have_output, wanted_workers
from medley.screens.output import has_colour, is_terminal, print_json_line, talk
from medley.screens.safe_text import one_line, rank_prefix, safe_output

_SHORTEST_PAUSE_S = 0.3
_LONGEST_PAUSE_S = 2.0
_PAUSE_GROWTH = 1.5
_PATIENCE_S = 60.0
_MOST_EVENT = 2**62
LogOption = Annotated[
    Literal["text", "json"],
    Parameter(name=["--output", "-o"], help="As text, or as the API's JSON: one piece of output on each line."),
]


def logs(
    job: JobArgument,
    /,
    *,
    follow: FollowOption = False,
    rank: Annotated[int | None, Parameter(help="Only this rank; else all, each line with its rank.")] = None,
    attempt: Annotated[int | None, Parameter(help="This attempt, from 1; else the latest.")] = None,
    replica: Annotated[int | None, Parameter(help="Of a server: this replica, from 0; else the first.")] = None,
    output: LogOption = "text",
) -> int:
    """Print what a job's workers printed; with -f go on to the job's end, over all further attempts."""
    with connected() as client:
        found = find_job(client, job)
        if not follow and not may_have_output(found):
            talk(f"{found['name']} is {found['state']} and has not run yet\nnext: medley why {found['id']}")
            return ExitCode.OK
        reader = LogReader(client, found["id"], attempt=attempt, rank=rank, replica=replica)
        ranks = wanted_workers(found["spec"]) if rank is None else 1
        printer = _EntryPrinter() if output == "json" else _LogPrinter(ranks)
        with staying_with(found, f"medley logs -f {found['id']}"):
            if not printer.print_new(reader) and not follow:
                talk(f"{found['name']} has printed nothing so far")
            if follow:
                client.patience_s = _PATIENCE_S
                _print_more(reader, printer)
        printer.print_rests()
    return ExitCode.OK


class _EntryPrinter:
    """Prints the pieces as the API gives them, one on each line."""

    def print_new(self, reader: LogReader) -> bool:
        """Print what is new; say whether anything was."""
        printed = False
        for entry in reader.new_entries():
            printed = True
            print_json_line(entry)
        return printed

    def print_rests(self) -> None:
        """Do nothing: no piece is held back."""


class _LogPrinter:
    """Prints lines, and says where an attempt ends and another begins."""

    def __init__(self, ranks: int) -> None:
        """`ranks`: how many print; a single one's lines are as they are."""
        self._attempt: int | None = None
        self._is_read_by_a_terminal = is_terminal(sys.stdout)
        self._cutter = LineCutter(rank_prefix(ranks, is_coloured=self._is_read_by_a_terminal and has_colour()))

    def print_new(self, reader: LogReader) -> bool:
        """Print what is new; say whether anything was."""
        printed = False
        for entry in reader.new_entries():
            printed = True
            if self._attempt not in (None, entry["attempt"]):
                self.print_rests()
                talk(f"--- attempt {entry['attempt']} ---")
            self._attempt = entry["attempt"]
            for line in self._cutter.lines(entry):
                self._print(line)
        return printed

    def print_rests(self) -> None:
        """Print what never ended with a line break."""
        for line in self._cutter.rests():
            self._print(line)

    def _print(self, line: str) -> None:
        print(safe_output(line) if self._is_read_by_a_terminal else line, flush=True)


def _print_more(reader: LogReader, printer: _LogPrinter | _EntryPrinter) -> None:
    pause_s = _SHORTEST_PAUSE_S
    while not reader.is_complete:
        time.sleep(pause_s)
        printed = printer.print_new(reader)
        pause_s = _SHORTEST_PAUSE_S if printed else min(_LONGEST_PAUSE_S, pause_s * _PAUSE_GROWTH)


def events(
    job: Annotated[str | None, Parameter(help="A job's id or name; left out, everything you may see.")] = None,
    /,
    *,
    follow: FollowOption = False,
    after: Annotated[int | None, Parameter(help="Only events with a greater number.")] = None,
    output: OutputOption = "table",
) -> int:
    """Print what happened, oldest first; with -f go on: a job's to its end, those of all jobs from now until Ctrl-C."""
    if after is not None and not 0 <= after <= _MOST_EVENT:
        raise BadUsage("--after takes the number of an event, 0 or more", next_step="--after 0 begins with the first")
    with connected() as client:
        job_id = find_job(client, job)["id"] if job else None
        latest = after
        stream = (
            client.events(job_id, after=after, on_break=_say_that_it_broke)
            if follow
            else client.recorded_events(job_id, after=after or 0)
        )
        try:
            for event in stream:
                _print_event(event.data, output)
                latest = event.data["number"]
        except KeyboardInterrupt:
            where = "" if latest is None else f" --after {latest}"
            again = " ".join(("medley events", *((job_id,) if job_id else ()), f"-f{where}"))
            raise Detached("detached; nothing was ended by that", next_step=f"{again} goes on from here") from None
    return ExitCode.OK


def _say_that_it_broke(error: MedleyError) -> None:
    talk(f"medley: {error.what}; connecting again")


def _print_event(event: Json, output: str) -> None:
    if output == "json":
        print_json_line(event)
    elif output == "name":
        print(event["number"], flush=True)
    else:
        about = event["job"] or event["tenant"] or "cluster"
        text = one_line(event["text"])
        print(f"{event['number']:>7}  {event['at'][:19]}Z  {about:<16}  {event['kind']:<17}  {text}", flush=True)
