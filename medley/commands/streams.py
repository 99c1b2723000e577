"""What goes on: the output of workers, and the events of jobs."""

import time
from typing import Annotated

from cyclopts import Parameter

from medley.client import Client, Json
from medley.commands.connection import FollowOption, JobArgument, OutputOption, connected, find_job
from medley.exit_codes import ExitCode
from medley.log_reader import LineCutter, LogReader
from medley.screens.job_text import FINAL, latest_attempt
from medley.screens.output import print_json_line, printable, say, talk

_SHORTEST_PAUSE_S = 0.3
_LONGEST_PAUSE_S = 2.0
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
        latest = latest_attempt(found)
        if latest is None and not follow:
            talk(f"{found['name']} is {found['state']} and has not run yet\nnext: medley why {found['id']}")
            return ExitCode.OK
        prefix = "{rank} | " if rank is None and found["spec"]["workers"] > 1 else ""
        reader = LogReader(client, found["id"], attempt=attempt, rank=rank)
        if not follow:
            _print_new(reader, LineCutter(prefix), is_last=True)
            return ExitCode.OK
        client.patience_s = _PATIENCE_S
        _follow_attempts(client, found, LogFollow(rank, attempt, prefix))
    return ExitCode.OK


class LogFollow:
    """What is followed: one rank or all, one attempt or every one from now."""

    def __init__(self, rank: int | None, attempt: int | None, prefix: str) -> None:
        self.rank = rank
        self.attempt = attempt
        self.prefix = prefix


def _follow_attempts(client: Client, job: Json, what: LogFollow) -> None:
    pause_s = _SHORTEST_PAUSE_S
    shown = 0
    while True:
        latest = latest_attempt(job)
        number = what.attempt or (latest["number"] if latest else 0)
        if number > shown:
            if shown:
                talk(f"--- attempt {number} ---")
            _follow_attempt(LogReader(client, job["id"], attempt=number, rank=what.rank), LineCutter(what.prefix))
            shown, pause_s = number, _SHORTEST_PAUSE_S
        elif job["state"] in FINAL or (what.attempt and shown):
            return
        else:
            time.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.5)
        job = client.job(job["id"])


def _follow_attempt(reader: LogReader, cutter: LineCutter) -> None:
    pause_s = _SHORTEST_PAUSE_S
    while not reader.is_complete:
        printed = _print_new(reader, cutter, is_last=False)
        pause_s = _SHORTEST_PAUSE_S if printed else min(_LONGEST_PAUSE_S, pause_s * 1.5)
        if not reader.is_complete:
            time.sleep(pause_s)
    _print_new(reader, cutter, is_last=True)


def _print_new(reader: LogReader, cutter: LineCutter, *, is_last: bool) -> bool:
    printed = False
    for entry in reader.new_entries():
        printed = True
        for line in cutter.lines(entry):
            print(line, flush=True)
    if is_last:
        for line in cutter.rests():
            say(line)
    return printed


def events(
    job: Annotated[str | None, Parameter(help="A job's id or name; left out, everything you may see.")] = None,
    /,
    *,
    follow: FollowOption = False,
    after: Annotated[int, Parameter(help="Only events with a greater number.")] = 0,
    output: OutputOption = "table",
) -> int:
    """Print what happened, oldest first; with -f go on: a job's events to its end, all others until Ctrl-C."""
    with connected() as client:
        job_id = find_job(client, job)["id"] if job else None
        if follow:
            client.patience_s = _PATIENCE_S
        stream = client.events(job_id, after=after) if follow else client.recorded_events(job_id, after=after)
        for event in stream:
            _print_event(event.data, output)
            if job_id and event.data.get("state") in FINAL:
                break
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
