"""The heartbeats of an attempt, sent by its rank 0: best effort. The program neither waits for them nor ends for them.

The first heartbeat is a promise: from then on Medley takes silence for trouble, and ends the attempt. The server says
in each answer when it wants the next one, so that it is never told more than it can take.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import quote

from medley_runtime.api_client import ApiClient, ApiRefused, ApiUnreachable, Patience, Request
from medley_runtime.endings import AttemptClosed
from medley_runtime.heartbeats.memory import own_memory_mib
from medley_runtime.launch import Launch
from medley_runtime.output import warn_line

FIRST_PAUSE_S = 0.5
"""Until the server has said when it wants to hear again."""
LONGEST_PAUSE_S = 600.0
SOONEST_S = 0.25
"""Not even urgent news come closer together."""
BEATS_PER_AGE = 60
UNHURRIED_S = 15.0
"""What has run for an hour is not watched for every half second: the pause grows with the age, up to this."""
FLUSH_LIMIT_S = 10.0
ANSWER_LIMIT_S = 5.0


@dataclass(frozen=True)
class Progress:
    """How far the gang is."""

    step: int
    steps: int
    """0 where nobody knows how many there are."""
    loss: float
    """Mean over the ranks; not finite where the training has come to grief, or nobody said."""
    tokens_per_s: float
    """Of the whole gang."""


@dataclass(frozen=True)
class Gauges:
    """What is measured for each heartbeat."""

    memory_mib: Callable[[], int] = own_memory_mib
    device_memory_mib: Callable[[], int | None] = lambda: None


def _ignore(generation: int) -> None:
    """Nobody listens."""


class Heart:
    """Beats from a thread of its own. Whoever makes one must close it."""

    def __init__(
        self,
        launch: Launch,
        client: ApiClient,
        *,
        gauges: Gauges = Gauges(),
        reports: int = 0,
        is_alone: bool = True,
        least_pause_s: float = 0.0,
        on_called: Callable[[int], None] = _ignore,
    ) -> None:
        """`reports` above 0 promises progress: from now on Medley takes a standstill for trouble as well.

        `on_called` hears once, from the heart's thread, that the gang is called to another generation.

        Where it is not `is_alone`, somebody else beats for the same attempt, and this tells only what is new.
        """
        self.called = launch.generation
        """The generation that the gang is to be of, as far as was heard."""
        self._on_called = on_called
        self._path = f"/v1/attempts/{quote(launch.attempt, safe='')}/heartbeat"
        self._generation = launch.generation
        self._client = client
        self._gauges = gauges
        self._is_alone = is_alone
        self._least_pause_s = least_pause_s
        self._changed = threading.Condition()
        self._reports = reports
        self._progress: Progress | None = None
        self._checkpoint_step: int | None = None
        self._is_news = self._is_urgent = is_alone
        self._is_closing = False
        self._ending: AttemptClosed | None = None
        self._is_in_trouble = False
        self._thread = threading.Thread(target=self._beat_on, name="heartbeats", daemon=True)
        self._thread.start()

    def report(self, progress: Progress) -> None:
        """Tell this with the next heartbeat, the last step at once. Raises AttemptClosed if the API said so."""
        if self._ending is not None:
            raise self._ending
        with self._changed:
            self._progress = progress
            self._reports += 1
            self._note(is_urgent=progress.step == progress.steps)

    def saved(self, step: int) -> None:
        """Tell at once that a checkpoint of this step is whole."""
        with self._changed:
            self._checkpoint_step = step
            self._note(is_urgent=True)

    def close(self) -> None:
        """Tell what is new, in bounded time, and stop."""
        with self._changed:
            self._is_closing = self._is_urgent = True
            self._changed.notify()
        self._thread.join(FLUSH_LIMIT_S)

    def _note(self, *, is_urgent: bool) -> None:
        self._is_news = True
        self._is_urgent = self._is_urgent or is_urgent
        self._changed.notify()

    def _beat_on(self) -> None:
        began_s = time.monotonic()
        beat_s, pause_s = began_s - LONGEST_PAUSE_S, FIRST_PAUSE_S
        while True:
            with self._changed:
                while not self._is_due(beat_s, pause_s):
                    if self._is_closing and not self._is_news:
                        return
                    self._changed.wait(self._patience_s(beat_s, pause_s))
                if self._is_closing and not self._is_news:
                    return
                body = self._compose()
                self._is_news = self._is_urgent = False
            beat_s = time.monotonic()
            unhurried_s = min((beat_s - began_s) / BEATS_PER_AGE, UNHURRIED_S)
            pause_s = max(self._send(body, pause_s), self._least_pause_s, unhurried_s)

    def _is_due(self, beat_s: float, pause_s: float) -> bool:
        wanted = self._is_alone or self._is_news
        return wanted and time.monotonic() >= beat_s + (SOONEST_S if self._is_urgent else pause_s)

    def _patience_s(self, beat_s: float, pause_s: float) -> float:
        due_s = beat_s + (SOONEST_S if self._is_urgent else pause_s)
        return max(due_s - time.monotonic(), 0.001) if self._is_alone or self._is_news else LONGEST_PAUSE_S

    def _compose(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "generation": self._generation,
            "reports": self._reports,
            "memory_mib": self._gauges.memory_mib(),
            "device_memory_mib": self._gauges.device_memory_mib(),
            "checkpoint_step": self._checkpoint_step,
            "progress": None,
        }
        if self._progress is not None:
            loss, rate = self._progress.loss, self._progress.tokens_per_s
            body["progress"] = {
                "step": self._progress.step,
                "steps": self._progress.steps,
                # JSON has no word for what is not finite, and a training that diverged is to be seen as one.
                "loss": loss if math.isfinite(loss) else None,
                "tokens_per_s": rate if math.isfinite(rate) else 0.0,
            }
        return body

    def _hear_call(self, generation: object) -> None:
        if isinstance(generation, int) and generation > self.called:
            self.called = generation
            self._on_called(generation)

    def _send(self, body: dict[str, Any], pause_s: float) -> float:
        """Send one heartbeat; return how long to wait for the next one."""
        try:
            answer = self._client.call(Request("POST", self._path, body), Patience(FLUSH_LIMIT_S, ANSWER_LIMIT_S))
            self._is_in_trouble = False
        except AttemptClosed as ending:
            self._ending = ending
        except (ApiUnreachable, ApiRefused) as error:
            if not self._is_in_trouble:
                warn_line(f"progress is not reported: {error}; the training goes on")
            self._is_in_trouble = True
        else:
            if answer.get("is_kept") is False:
                with self._changed:
                    self._is_news = True  # it came too soon: what is new is told again
            self._hear_call(answer.get("generation"))
            return _pause_of(answer.get("next_s"), pause_s)
        return pause_s


def _pause_of(wanted: object, before_s: float) -> float:
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)) or not 0 < wanted <= LONGEST_PAUSE_S:
        return before_s
    return float(wanted)
