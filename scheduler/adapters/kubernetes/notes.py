"""What Kubernetes says about our pods in its events, for the timelines of their jobs."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler.adapters.kubernetes.decoding.fields import moment
from scheduler.adapters.kubernetes.driving.failures import detail
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import WorkerNote

MOST_WAITING = 2_000
MOST_OF_ONE_WORKER = 20
"""The first ones tell what happened, the rest repeats them."""
MOST_WORKERS = 20_000

ROUTINE = frozenset({"Scheduled", "Created", "Started", "Pulled", "Killing", "SuccessfulAttachVolume"})
"""Reasons of events that say of a healthy pod what the timeline shows anyway."""
_NORMAL = "Normal"


@dataclass(frozen=True, slots=True)
class EventView:
    """An event about a pod."""

    uid: str
    version: int
    pod_uid: str
    pod: str
    """`namespace/name`."""
    reason: str
    message: str
    at: datetime | None
    """When it last happened."""


def event_view(obj: Mapping[str, Any]) -> EventView | None:
    """Return what is kept of an event; None of routine. Raises KeyError or ValueError for what is none."""
    reason = obj.get("reason") or ""
    if reason in ROUTINE and obj.get("type", _NORMAL) == _NORMAL:
        return None
    metadata, about = obj["metadata"], obj["involvedObject"]
    series = obj.get("series") or {}
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or obj.get("eventTime")
    return EventView(
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        pod_uid=about.get("uid") or "",
        pod=f"{about.get('namespace', '')}/{about.get('name', '')}",
        reason=reason,
        message=detail("", obj.get("message") or "") or "",
        at=moment(last or metadata.get("creationTimestamp")),
    )


class Notes:
    """Collects notes until somebody fetches them; the oldest are dropped beyond a bound. For any thread."""

    def __init__(self, worker_of: Callable[[str, str], WorkerKey | None]) -> None:
        """`worker_of` returns whose pod has this key and UID, None where it is none of ours."""
        self._worker_of = worker_of
        self._lock = threading.Lock()
        self._waiting: deque[WorkerNote] = deque(maxlen=MOST_WAITING)
        self._said: OrderedDict[WorkerKey, set[str]] = OrderedDict()

    def changed(self, _: EventView | None, after: EventView | None) -> None:
        """Take in an event that the watch saw; each is noted once, however often it is repeated.

        Its time is the cluster's, and is compared with no clock here.
        """
        if after is None or after.at is None:
            return
        worker = self._worker_of(after.pod, after.pod_uid)
        text = detail(after.reason, after.message)
        if worker is None or text is None:
            return
        with self._lock:
            said = self._said.setdefault(worker, set())
            self._said.move_to_end(worker)
            if len(self._said) > MOST_WORKERS:
                self._said.popitem(last=False)
            if text in said or len(said) >= MOST_OF_ONE_WORKER:
                return
            said.add(text)
            self._waiting.append(WorkerNote(worker.attempt, worker.rank, text, after.at))

    def drain(self) -> list[WorkerNote]:
        """Return what nobody fetched yet, oldest first."""
        with self._lock:
            drained = list(self._waiting)
            self._waiting.clear()
            return drained
