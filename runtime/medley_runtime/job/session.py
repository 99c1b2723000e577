"""One program's talk with Medley."""

from __future__ import annotations

import atexit
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from medley_runtime.api_client import ApiClient
from medley_runtime.checkpoints.shelf import Name, Shelf
from medley_runtime.endings import AttemptClosed, BadLaunch, Left
from medley_runtime.heartbeats.heart import Gauges, Heart, Progress
from medley_runtime.heartbeats.memory import device_memory_mib
from medley_runtime.job.agreement import Agreement, Wishes
from medley_runtime.job.exchange import scripts_exchange
from medley_runtime.launch import LAUNCH_VARIABLE, Launch, read_launch
from medley_runtime.output import warn_line
from medley_runtime.regrouping.generation import regrouped

BEATEN_VARIABLE = "MEDLEY_HEARTBEAT"
"""Set where `medley_runtime run` beats for this program."""


def open_session(environment: Mapping[str, str]) -> Session | None:
    """Return the talk of a program that Medley started, None for any other."""
    if not environment.get(LAUNCH_VARIABLE):
        return None
    try:
        launch = regrouped(read_launch(environment), environment)
    except (BadLaunch, Left) as error:
        warn_line(f"{error}; the program goes on without Medley")
        return None
    return Session(launch, is_alone=not environment.get(BEATEN_VARIABLE))


class Session:
    """What `medley_runtime.job` keeps. Its calls come from one thread."""

    def __init__(self, launch: Launch, *, is_alone: bool) -> None:
        self._launch = launch
        self._is_alone = is_alone
        self._heart: Heart | None = None
        self._agreement: Agreement | None = None
        self._stop_asked = threading.Event()
        self._saved_s = time.monotonic()
        self._is_first = launch.in_program.rank == 0
        self._shelf = None if launch.checkpoints is None else Shelf(launch.checkpoints.folder, launch.checkpoints.keep)
        self._next_step = 0
        self.is_to_stop = False

    @property
    def folder(self) -> Path | None:
        """Where checkpoints are kept."""
        return None if self._shelf is None else self._shelf.folder

    def report(self, step: int, steps: int, loss: float, tokens_per_s: float) -> None:
        """Tell how far the training is."""
        if not self._is_first:
            return
        try:
            self._beating().report(Progress(max(step, 0), max(steps, 0), loss, max(tokens_per_s, 0.0)))
        except AttemptClosed as ending:
            warn_line(f"{ending}; the program is asked to end")
            self._stop_asked.set()

    def saved(self, step: int) -> None:
        """Tell that a checkpoint is whole."""
        self._saved_s = time.monotonic()
        if self._is_first:
            self._beating().saved(max(step, 0))

    def should_checkpoint(self) -> bool:
        """Say whether to save now."""
        if self._agreement is None:
            self._listen()
            self._agreement = Agreement(scripts_exchange(), is_first=self._is_first)
        wishes = self._agreement.ask(self._wishes)
        self.is_to_stop = self.is_to_stop or wishes.stop
        if wishes.save:
            self._saved_s = time.monotonic()
        return wishes.save or wishes.stop

    def latest(self) -> Path | None:
        """Return the folder of the newest whole checkpoint."""
        whole = [] if self._shelf is None else self._shelf.whole()
        return self._shelf.path(whole[0]) if self._shelf is not None and whole else None

    @contextmanager
    def new_checkpoint(self, step: int) -> Iterator[Path]:
        """Give a folder that becomes a checkpoint."""
        shelf = self._shelf
        if shelf is None:
            raise ValueError("this job has no storage for checkpoints")
        name = Name(self._launch.attempt_number, self._launch.generation, step)
        try:
            yield shelf.partial(name)
            if self._is_first:
                shelf.commit(name, {"world_size": self._launch.in_program.world_size})
        except BaseException:
            if self._is_first:
                shelf.abandon(name)
            raise
        self._saved_s = time.monotonic()
        if self._is_first:
            self.saved(step)
            shelf.tidy(name)

    def _wishes(self) -> Wishes:
        is_stop = self._stop_asked.is_set()
        plan = self._launch.checkpoints
        is_due = plan is not None and self._is_first and time.monotonic() - self._saved_s >= plan.interval_s
        return Wishes(stop=is_stop, save=is_due or (is_stop and plan is not None))

    def _beating(self) -> Heart:
        if self._heart is None:
            client = ApiClient(self._launch.api_url, self._launch.token, _swallow)
            device = self._launch.torch_device
            gauges = Gauges(device_memory_mib=lambda: device_memory_mib(device))
            self._heart = Heart(self._launch, client, gauges=gauges, is_alone=self._is_alone)
            atexit.register(self._heart.close)
        return self._heart

    def _listen(self) -> None:
        """From now on SIGTERM is a wish that `should_checkpoint` tells of; a handler of the program's own hears it too.

        Before anybody asked, it ends the program as always.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(signal.SIGTERM)

        def hear(number: int, frame: FrameType | None) -> None:
            self._stop_asked.set()
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGTERM, hear)


def _swallow(text: str) -> None:
    """Say nothing: the heart tells of trouble once."""
