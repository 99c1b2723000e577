"""A cluster that another process drives."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from scheduler.core.model.identifiers import ClusterName, WorkerKey
from scheduler.core.model.job import Job
from scheduler.ports.cluster import ClusterUnavailable, Finding, LogChunk

SPARE_S = 3.0
"""So much longer than the scheduler may wait for output is waited for the scheduler."""
CHECK_WITHIN_S = 45.0
MOST_ANSWER_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SchedulerAddress:
    """Where the scheduler answers other processes, and what they show."""

    url: str
    token: str


class RelayedCluster:
    """Fulfils ports.cluster.ClusterReader by asking the scheduler. Objections need nobody."""

    def __init__(
        self,
        name: ClusterName,
        scheduler: SchedulerAddress,
        objection: Callable[[Job], str | None],
        keeps_checkpoints: Callable[[Job], bool | None] = lambda _: None,
    ) -> None:
        """`keeps_checkpoints` says nothing where this process does not know the cluster's configuration."""
        self._keeps_checkpoints = keeps_checkpoints
        self._name = name
        self._scheduler = scheduler
        self._objection = objection

    @property
    def name(self) -> ClusterName:
        """The cluster's name."""
        return self._name

    def objection(self, job: Job) -> str | None:
        """Return why this cluster would never run the job; None where it would."""
        return self._objection(job)

    def keeps_checkpoints(self, job: Job) -> bool | None:
        """Say whether what the job's workers save is there for a later attempt; None where nobody here knows."""
        return self._keeps_checkpoints(job)

    def logs(self, worker: WorkerKey, *, offset: int, limit: int, within_s: float = 5.0) -> LogChunk:
        """Return a piece of a worker's output. Raises ClusterUnavailable where the scheduler does not answer."""
        asked = {"attempt": worker.attempt, "rank": int(worker.rank), "offset": offset, "limit": limit}
        path = f"logs?{urlencode(asked | {'within_s': within_s})}"
        return LogChunk(**self._ask(path, within_s=within_s + SPARE_S))

    def check(self) -> tuple[Finding, ...]:
        """Return what the scheduler finds; that it does not answer where it does not."""
        try:
            return tuple(Finding(**finding) for finding in self._ask("check", within_s=CHECK_WITHIN_S))
        except ClusterUnavailable as error:
            next_step = "see that the scheduler runs, and that this process's --scheduler-url names it"
            return (Finding("the scheduler", is_ok=False, detail=str(error), next_step=next_step),)

    def _ask(self, path: str, *, within_s: float) -> Any:
        address = urlsplit(self._scheduler.url)
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.netloc, timeout=within_s)
        try:
            headers = {"Authorization": f"Bearer {self._scheduler.token}"}
            connection.request("GET", f"/internal/v1/clusters/{quote(self._name)}/{path}", headers=headers)
            answer = connection.getresponse()
            body = answer.read(MOST_ANSWER_BYTES)
            if answer.status != HTTPStatus.OK:
                raise ClusterUnavailable(f"the scheduler at {self._scheduler.url} answers {answer.status}")
            return json.loads(body)
        except (OSError, HTTPException, ValueError) as error:
            raise ClusterUnavailable(f"the scheduler at {self._scheduler.url} does not answer: {error}") from error
        finally:
            connection.close()
