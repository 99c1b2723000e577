"""Ending a training when it is asked to, whatever it is waiting for."""

from __future__ import annotations

import os
import signal
import sys
import threading

from medley_runtime.output import print_line

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
KEPT_SHARE = 0.1
"""Of the grace: kept back, so that a worker that saves for too long ends by itself, with a word in its log."""
LEAST_KEPT_S = 0.2


class StopRequest:
    """Whether this process was asked to end.

    It ends at once, unless the training has said that it sees to it: then it has most of the grace to save and leave.
    A second request, or the end of that time, ends it at once nevertheless.
    """

    def __init__(self, rank: int, grace_s: float) -> None:
        """To be made before any other thread starts, because threads inherit the mask of signals.

        A handler would have to wait until the main thread leaves the collective that it is blocked in; a thread of its
        own need not.
        """
        self._rank = rank
        self._grace_s = grace_s
        self._asked = threading.Event()
        self._is_awaited = False
        self.number = 0
        """Of the signal, once there was one."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        threading.Thread(target=self._hear, name="stop-signals", daemon=True).start()

    @property
    def is_made(self) -> bool:
        """Whether somebody asked."""
        return self._asked.is_set()

    def await_training(self, *, is_awaited: bool) -> None:
        """Say whether the training looks for requests by itself from now on."""
        self._is_awaited = is_awaited

    def _hear(self) -> None:
        self.number = signal.sigwait(STOP_SIGNALS)
        name = signal.Signals(self.number).name
        if not self._is_awaited:
            print_line(f"rank {self._rank} was asked to end ({name}); ending now")
            _leave(self.number)
        self._asked.set()
        print_line(f"rank {self._rank} was asked to end ({name}); saving first")
        patience_s = self._grace_s - max(self._grace_s * KEPT_SHARE, LEAST_KEPT_S)
        timer = threading.Timer(max(patience_s, 0.0), self._give_up)
        timer.daemon = True
        timer.start()
        _leave(signal.sigwait(STOP_SIGNALS))

    def _give_up(self) -> None:
        print_line(f"rank {self._rank} could not save within its grace of {self._grace_s:g} s; ending now")
        _leave(self.number)


def _leave(number: int) -> None:
    sys.stderr.flush()
    os._exit(128 + number)
