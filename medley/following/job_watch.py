"""Looks at a job whenever something may have happened to it."""

import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue

from medley.answers import Json
from medley.client import Client
from medley.screens.job_text import FINAL

_LONGEST_PAUSE_S = 1.0
_SHORTEST_PAUSE_S = 0.1
"""Many events in a row are one reason to look."""
_PATIENCE_S = 60.0
_REMARKS = "workers-noted"


def watch_job(
    client: Client, job_id: str, *, deadline_s: float, remarks: SimpleQueue[Json] | None = None
) -> Iterator[Json]:
    """Yield the job now and after each event, at least every second, until it is final or the deadline has passed.

    The event stream is only a hint: without it the job is still looked at. From the first answer on a server that
    restarts is waited for, a minute long. `deadline_s` is a reading of time.monotonic(), or infinity. What the cluster
    said of the workers goes to `remarks`.
    """
    happened, is_over = threading.Event(), threading.Event()
    try:
        while True:
            happened.clear()
            job = client.job(job_id)
            yield job
            left_s = deadline_s - time.monotonic()
            if job["state"] in FINAL or left_s <= 0:
                return
            if client.patience_s < _PATIENCE_S:
                client.patience_s = _PATIENCE_S
                _listen(client, job_id, happened, is_over, remarks=remarks)
            happened.wait(min(_LONGEST_PAUSE_S, left_s))
            time.sleep(_SHORTEST_PAUSE_S)
    finally:
        is_over.set()


def wait_for_end(client: Client, job_id: str, *, deadline_s: float) -> Json:
    """Return the job once it is final, or as it is when the deadline passes."""
    latest: Json = {}
    for look in watch_job(client, job_id, deadline_s=deadline_s):
        latest = look
    return latest


def _listen(
    client: Client,
    job_id: str,
    happened: threading.Event,
    is_over: threading.Event,
    *,
    remarks: SimpleQueue[Json] | None,
) -> None:
    def listen() -> None:
        try:
            for event in client.events(job_id):
                if remarks is not None and event.kind == _REMARKS:
                    remarks.put(event.data)
                happened.set()
                if is_over.is_set():
                    return
        except Exception:  # noqa: BLE001 - a hint less; closing the client under this thread may raise anything
            happened.set()

    threading.Thread(target=listen, name="job-events", daemon=True).start()
