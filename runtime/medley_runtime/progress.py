"""Reports of progress to the API: best effort. The training neither waits for them nor ends because of them."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from urllib.parse import quote

from medley_runtime.api_client import ApiClient, ApiRefused, ApiUnreachable, Patience, Request
from medley_runtime.endings import AttemptClosed
from medley_runtime.launch import Launch
from medley_runtime.output import warn_line

WAITING_LIMIT = 8
"""Reports that wait to be sent; a new one pushes the oldest out."""
FLUSH_LIMIT_S = 10.0
ANSWER_LIMIT_S = 5.0


@dataclass(frozen=True)
class Progress:
    """How far the gang is."""

    step: int
    steps: int
    loss: float
    """Mean over the ranks."""
    tokens_per_s: float
    """Of the whole gang."""


class ProgressReporter:
    """Sends reports from a thread of its own. Whoever makes one must close it."""

    def __init__(self, launch: Launch, client: ApiClient) -> None:
        self._path = f"/v1/attempts/{quote(launch.attempt, safe='')}/progress"
        self._generation = launch.generation
        self._client = client
        self._changed = threading.Condition()
        self._waiting: deque[Progress] = deque(maxlen=WAITING_LIMIT)
        self._is_closing = False
        self._ending: AttemptClosed | None = None
        self._is_in_trouble = False
        self._thread = threading.Thread(target=self._send_all, name="progress", daemon=True)
        self._thread.start()

    def report(self, progress: Progress) -> None:
        """Send this soon; return at once. Raises AttemptClosed if the API said so to an earlier report."""
        if self._ending is not None:
            raise self._ending
        with self._changed:
            self._waiting.append(progress)
            self._changed.notify()

    def close(self) -> None:
        """Send the last report, in bounded time, and stop."""
        with self._changed:
            while len(self._waiting) > 1:
                self._waiting.popleft()
            self._is_closing = True
            self._changed.notify()
        self._thread.join(FLUSH_LIMIT_S)

    def _send_all(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                progress = self._waiting.popleft()
            self._send(progress)

    def _send(self, progress: Progress) -> None:
        body = {
            "generation": self._generation,
            "step": progress.step,
            "steps": progress.steps,
            "loss": progress.loss,
            "tokens_per_s": progress.tokens_per_s,
        }
        try:
            self._client.call(Request("POST", self._path, body), Patience(FLUSH_LIMIT_S, ANSWER_LIMIT_S))
            self._is_in_trouble = False
        except AttemptClosed as ending:
            self._ending = ending
        except (ApiUnreachable, ApiRefused) as error:
            if not self._is_in_trouble:
                warn_line(f"progress is not reported: {error}; the training goes on")
            self._is_in_trouble = True
