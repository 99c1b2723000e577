"""One request for a pod's log, taken into its spool."""

import enum
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from scheduler.adapters.kubernetes.identity import WORKER_CONTAINER
from scheduler.adapters.kubernetes.logs.lines import Lines
from scheduler.adapters.kubernetes.logs.spool import Spool
from scheduler.adapters.kubernetes.transport import ApiFault, Unreachable

SILENCE_S = 75.0
"""A followed log that says nothing for so long is asked for anew: it may be a connection that nobody serves."""
LONGEST_FETCH_S = 60.0
"""One that is not followed ends after so long: a node may send a byte now and then. The next one goes on there."""
PROGRESS_BYTES = 64 * 1024
"""A request that failed and brought less than this was in vain."""

_SAVE_S = 0.5
_ANSWER_S = 15.0

logger = logging.getLogger(__name__)


class Answer(Protocol):
    """A log on its way."""

    def pieces(self) -> Iterator[bytes]:
        """Yield bytes as they come. Raises Unreachable."""
        ...

    def close(self) -> None:
        """End it, from any thread."""
        ...


class LogSource(Protocol):
    """What of the transport is needed here."""

    def stream(self, path: str, *, query: Mapping[str, str] | None, silence_s: float, accept: str) -> Answer:
        """Ask for a log. Raises ApiFault, Unreachable."""
        ...


class Outcome(enum.Enum):
    """How a request for a log ended."""

    DONE = enum.auto()
    """All that was there was taken."""
    STOPPED = enum.auto()
    """We ended it."""
    GONE = enum.auto()
    """There is no such pod."""
    NOTHING_YET = enum.auto()
    """Its container did not start."""
    REFUSED = enum.auto()
    """It will not be given, however often it is asked for."""
    FAILED = enum.auto()
    """Something between the API server and the container did not work."""
    NO_ANSWER = enum.auto()
    """The API server could not be asked, or wants fewer requests."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a request."""

    outcome: Outcome
    detail: str = ""
    """For people."""
    took_bytes: int = 0

    @property
    def is_in_vain(self) -> bool:
        """Say whether asking again and again would not come to an end."""
        return self.outcome is Outcome.FAILED and self.took_bytes < PROGRESS_BYTES


class Fetch:
    """One request, which another thread can end."""

    def __init__(
        self, source: LogSource, namespace: str, name: str, *, is_followed: bool, has_ended: bool = False
    ) -> None:
        """`has_ended` says of the container that it prints no more, so that the end of what is there is the log's."""
        self._source = source
        self._path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
        self._is_followed = is_followed
        self._sees_end = is_followed or has_ended
        self._guard = threading.Lock()
        self._answer: Answer | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """End it; may be called again, and before it runs."""
        with self._guard:
            self._is_stopped = True
            answer = self._answer
        if answer is not None:
            answer.close()

    def run(self, spool: Spool, *, goes_on: Callable[[], bool] = lambda: True) -> Result:
        """Take what is new into a spool until the log ends, is stopped or `goes_on` says no. Raises OSError (disk)."""
        lines = Lines(spool.record.position)
        begin = spool.record.end
        try:
            answer = self._open(spool.record.position.since)
            if answer is not None:
                self._take(answer, lines, spool, goes_on)
            outcome, detail = (Outcome.STOPPED if self._is_stopped else Outcome.DONE), lines.complaint
        except ApiFault as fault:
            outcome, detail = _meaning(fault), str(fault)
        except Unreachable as error:
            outcome, detail = Outcome.NO_ANSWER if self._answer is None else Outcome.FAILED, str(error)
        finally:
            self.stop()
        if detail:
            logger.debug("the log at %s ended: %s", self._path, detail)
        if outcome is Outcome.DONE and lines.complaint and spool.record.end == begin:
            outcome = Outcome.FAILED
        return Result(outcome, detail, spool.record.end - begin)

    def _open(self, since: str | None) -> Answer | None:
        query = {"container": WORKER_CONTAINER, "timestamps": "true"}
        if self._is_followed:
            query["follow"] = "true"
        if since is not None:
            query["sinceTime"] = since
        silence_s = SILENCE_S if self._is_followed else _ANSWER_S
        answer = self._source.stream(self._path, query=query, silence_s=silence_s, accept="*/*")
        with self._guard:
            self._answer = answer
            return None if self._is_stopped else answer

    def _take(self, answer: Answer, lines: Lines, spool: Spool, goes_on: Callable[[], bool]) -> None:
        begun_s = saved_s = time.monotonic()
        spool.record.saw_end = False
        try:
            for piece in answer.pieces():
                new = lines.take(piece)
                if new:
                    spool.add(new)
                now_s = time.monotonic()
                if now_s - saved_s > _SAVE_S:
                    spool.save()
                    saved_s = now_s
                if now_s - begun_s > LONGEST_FETCH_S and not self._is_followed:
                    raise Unreachable(f"the output did not come to its end within {LONGEST_FETCH_S:g} s")
                if not goes_on():
                    self.stop()
            spool.record.saw_end = self._sees_end and not self._is_stopped
        finally:
            spool.save()


def _meaning(fault: ApiFault) -> Outcome:
    if fault.status == HTTPStatus.NOT_FOUND:
        return Outcome.GONE
    if fault.status == HTTPStatus.BAD_REQUEST:
        return Outcome.NOTHING_YET
    if fault.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS):
        return Outcome.NO_ANSWER
    if fault.status == HTTPStatus.FORBIDDEN:
        return Outcome.REFUSED
    return Outcome.FAILED
