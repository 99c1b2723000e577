"""Follows a job to its end: where it is placed, how far it is, what its rank 0 prints."""

import math
from queue import Empty, SimpleQueue

from medley.answers import Json
from medley.client import Client
from medley.following.job_watch import watch_job
from medley.following.log_reader import LineCutter, LogReader
from medley.screens.following import FollowScreen
from medley.screens.job_text import FINAL, latest_attempt

_FOLLOWED_RANK = 0
_MOST_REPORTS = 10_000
"""Kept for the picture of the loss; of a longer training the first ones are kept and the latest."""
_TOLD = ("starting", "running", "stopping")
"""States that are told in a word; the others are told by reasons, a table or a result."""


class Follower:
    """Shows each thing about a job once, as soon as it is there."""

    def __init__(self, client: Client, screen: FollowScreen, job_id: str) -> None:
        self._client = client
        self._screen = screen
        self._job_id = job_id
        self._state = ""
        self._reasons: list[str] = []
        self._attempt: _FollowedAttempt | None = None
        self._last_seen: Json | None = None
        """The attempt that is followed, as it was seen last."""
        self._remarks: SimpleQueue[Json] = SimpleQueue()

    def follow(self) -> Json:
        """Return the job once it is final."""
        job: Json = {}
        for job in watch_job(self._client, self._job_id, deadline_s=math.inf, remarks=self._remarks):
            self._look(job)
        self._screen.finished(job, self._attempt.reports if self._attempt else ())
        return job

    def _look(self, job: Json) -> None:
        """Show what is new in the order in which it happened: attempts with what they printed, then why it waits."""
        for seen in sorted(job["attempts"], key=lambda attempt: int(attempt["number"])):
            self._look_at_attempt(seen)
        self._show_remarks()
        if job["state"] != self._state:
            self._state = job["state"]
            if self._state in _TOLD:
                self._screen.became(self._state)
        if self._attempt and self._state != "queued":
            self._attempt.look(job["progress"])
            if self._state in FINAL:
                self._attempt.finish()
        elif self._attempt and not self._attempt.is_over:
            self._end_attempt(latest_attempt(job))
        reasons = [reason["text"] for reason in job["reasons"]] if job["state"] == "queued" else []
        if reasons != self._reasons:
            self._reasons = reasons
            self._screen.waits(job)

    def _show_remarks(self) -> None:
        """Show what the cluster said of the followed attempt's workers; of earlier attempts `medley events` tells."""
        while True:
            try:
                event = self._remarks.get_nowait()
            except Empty:
                return
            if self._last_seen and event["data"].get("attempt") == self._last_seen["id"]:
                self._screen.remarked(event["text"])

    def _look_at_attempt(self, seen: Json) -> None:
        if self._attempt and seen["number"] <= self._attempt.number:
            self._last_seen = seen if seen["number"] == self._attempt.number else self._last_seen
            return
        if self._attempt and not self._attempt.is_over:
            self._end_attempt(self._last_seen)
        self._attempt = _FollowedAttempt(self._client, self._screen, self._job_id, seen["number"])
        self._last_seen = seen
        self._screen.placed(seen)

    def _end_attempt(self, seen: Json | None) -> None:
        if self._attempt and seen:
            self._attempt.finish()
            self._screen.ended(seen)


class _FollowedAttempt:
    """What was shown of one attempt so far."""

    def __init__(self, client: Client, screen: FollowScreen, job_id: str, number: int) -> None:
        self.number = number
        self._client = client
        self._screen = screen
        self._job_id = job_id
        self._logs = LogReader(client, job_id, attempt=number, rank=_FOLLOWED_RANK)
        self._cutter = LineCutter("rank {} | ".format)
        self.reports: list[Json] = []
        """What was reported so far, oldest first."""
        self.is_over = False
        """All of it was shown."""

    def look(self, latest: Json | None) -> None:
        """Show what is new; `latest` is the job's latest report, of whichever attempt."""
        self._show_output()
        if latest and latest != (self.reports[-1] if self.reports else None):
            self._show_reports()

    def finish(self) -> None:
        """Show the rest."""
        self.is_over = True
        self._show_output()
        self._show_reports()
        for line in self._cutter.rests():
            self._screen.printed(line)

    def _show_output(self) -> None:
        for entry in self._logs.new_entries():
            for line in self._cutter.lines(entry):
                self._screen.printed(line)

    def _show_reports(self) -> None:
        last_step = self.reports[-1]["step"] if self.reports else -1
        news = [
            report for report in self._client.progress(self._job_id, attempt=self.number) if report["step"] > last_step
        ]
        for report in news:
            self._screen.progress(report)
        self.reports = [*self.reports[: _MOST_REPORTS - len(news)], *news]
