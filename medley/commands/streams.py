"""What goes on: the output of workers, and the events of jobs."""

import time
from typing import Annotated

from cyclopts import Parameter

from medley.client import Json
from medley.commands.connection import FollowOption, JobArgument, OutputOption, connected, find_job
from medley.exit_codes import ExitCode
from medley.following.log_reader import LineCutter, LogReader
from medley.screens.output import print_json_line, printable, talk

_SHORTEST_PAUSE_S = 0.3
_LONGEST_PAUSE_S = 2.0
_PAUSE_GROWTH = 1.5
_PATIENCE_S = 60.0


def logs(
    job: JobArgument,
    /,
    *,
    follow: FollowOption = False,
    rank: Annotated[int | None, Parameter(help="Only this rank; else all, each line with its rank.")] = None,
    attempt: Annotated[int | None, Parameter(help="This attempt, from 1; else the latest.")] = None,
) -> int:
    """Print what a job's workers printed; with -f go on to the job's end, over all further attempts."""
    with connected() as client:
        found = find_job(client, job)
        if not follow and not found["attempts"]:
            talk(f"{found['name']} is {found['state']} and has not run yet\nnext: medley why {found['id']}")
            return ExitCode.OK
        reader = LogReader(client, found["id"], attempt=attempt, rank=rank)
        printer = _LogPrinter("{rank} | " if rank is None and found["spec"]["workers"] > 1 else "")
        printer.print_new(reader)
        if follow:
            client.patience_s = _PATIENCE_S
            _print_more(reader, printer)
        printer.print_rests()
    return ExitCode.OK


class _LogPrinter:
    """Prints lines, and says where an attempt ends and another begins."""

    def __init__(self, prefix: str) -> None:
        self._cutter = LineCutter(prefix)
        self._attempt: int | None = None

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
                print(line, flush=True)
        return printed

    def print_rests(self) -> None:
        """Print what never ended with a line break."""
        for line in self._cutter.rests():
            print(line, flush=True)


def _print_more(reader: LogReader, printer: _LogPrinter) -> None:
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
    with connected() as client:
        job_id = find_job(client, job)["id"] if job else None
        if follow:
            client.patience_s = _PATIENCE_S
        stream = client.events(job_id, after=after) if follow else client.recorded_events(job_id, after=after or 0)
        for event in stream:
            _print_event(event.data, output)
    return ExitCode.OK


def _print_event(event: Json, output: str) -> None:
    if output == "json":
        print_json_line(event)
    elif output == "name":
        print(event["number"], flush=True)
    else:
        about = event["job"] or event["tenant"] or "cluster"
        text = printable(event["text"])
        print(f"{event['number']:>7}  {event['at'][:19]}Z  {about:<16}  {event['kind']:<17}  {text}", flush=True)
