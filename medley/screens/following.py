"""What one sees while following a job: lines that stay, and on a terminal one line that moves."""

import sys
from collections.abc import Sequence
from typing import TextIO

from medley.answers import Json
from medley.screens.amounts import duration, parse_time
from medley.screens.curve import curve
from medley.screens.job_text import attempt_end, latest_attempt, progress_line, stop_text, wanted
from medley.screens.output import is_terminal, table_text, window_width
from medley.screens.placement import placement_table, why_there, workers_table
from medley.screens.safe_text import one_line, safe_output

_CURVE_WIDTH = 60
_CLEAR_LINE = "\r\x1b[2K"


class FollowScreen:
    """Prints what happens to one job."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_live = is_terminal(stream)
        self._moving = ""
        self._prints_steps = False

    def line(self, text: str = "") -> None:
        """Print a line that stays."""
        if self._moving:
            self._stream.write(_CLEAR_LINE)
        self._stream.write(text + "\n" + self._clipped(self._moving))
        self._stream.flush()

    def submitted(self, job: Json) -> None:
        """Say what is being followed."""
        self._prints_steps = bool(job["spec"]["training"])
        self.line(f"{job['name']} ({job['id']}): {'; '.join(wanted(job['spec']))}")

    def waits(self, job: Json) -> None:
        """Say why the job waits."""
        for reason in job["reasons"]:
            self.line(f"waits: {one_line(reason['text'])}")

    def printed(self, line: str) -> None:
        """Show a line that a worker printed; what a terminal would obey and not show is made visible."""
        self.line(safe_output(line) if self._is_live else line)

    def placed(self, attempt: Json) -> None:
        """Show where each rank runs and why there."""
        self.line(f"\nAttempt {attempt['number']} is placed:\n\n{table_text(placement_table(attempt), self._stream)}\n")
        if why := why_there(attempt, self._stream):
            self.line(f"{why}\n")

    def remarked(self, text: str) -> None:
        """Say what the cluster said of workers."""
        self.line(one_line(text))

    def ended(self, attempt: Json) -> None:
        """Say how an attempt ended that was not the last."""
        self.stop_moving()
        self.line(f"attempt {attempt['number']} is over: {attempt_end(attempt) or attempt['state']}")

    def became(self, state: str) -> None:
        """Say that the job's state changed."""
        self.line(f"{state} ...")

    def progress(self, report: Json) -> None:
        """Show a report: on a terminal in the line that moves, else in a line of its own.

        The reference training prints its steps itself: then there are no lines of their own.
        """
        if self._is_live:
            self._moving = progress_line(report)
            self._stream.write(_CLEAR_LINE + self._clipped(self._moving))
            self._stream.flush()
        elif not self._prints_steps:
            self.line(progress_line(report))

    def stop_moving(self) -> None:
        """Leave the moving line where it is."""
        if self._moving:
            self._moving = ""
            self._stream.write("\n")
            self._stream.flush()

    def finished(self, job: Json, reports: Sequence[Json]) -> None:
        """Say how it ended, how far the loss came by the last attempt's reports, where its workers ran."""
        self.stop_moving()
        took_s = (parse_time(job["finished_at"]) - parse_time(job["submitted_at"])).total_seconds()
        stop = f": {stop_text(job)}" if job["stop"] and job["state"] != "succeeded" else ""
        self.line(f"\n{job['name']} {job['state']} after {duration(took_s)}{stop}")
        told = [report for report in reports if report["loss"] is not None]
        if len(told) > 1:
            first, last = told[0], told[-1]
            verb = "fell" if last["loss"] < first["loss"] else "went"
            steps = f"in steps {first['step']} to {last['step']} of {last['steps']}"
            self.line(f"loss {verb} from {first['loss']:.4f} to {last['loss']:.4f} {steps}")
            self.line(f"     {curve([report['loss'] for report in told], width=_CURVE_WIDTH)}")
        if attempt := latest_attempt(job):
            self.line(f"\nWhere its workers ran, and why there:\n\n{table_text(workers_table(attempt), self._stream)}")
            if why := why_there(attempt, self._stream):
                self.line(f"\n{why}")

    def _clipped(self, text: str) -> str:
        return text[: window_width() - 1]


def screen_for(output: str) -> FollowScreen:
    """Return a screen on stdout; on stderr where stdout is for JSON or names."""
    return FollowScreen(sys.stdout if output == "table" else sys.stderr)
