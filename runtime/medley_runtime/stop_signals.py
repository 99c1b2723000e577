"""Ending a training when it is asked to, whatever it is waiting for."""

from __future__ import annotations

import os
import signal
import sys
import threading

from medley_runtime.output import print_line

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def end_on_stop_signals(rank: int) -> None:
    """From now on, SIGTERM and SIGINT end this process at once with 128 plus the signal's number, saying so.

    A handler would have to wait until the main thread leaves the collective that it is blocked in; a thread of its
    own need not. To be called before any other thread starts, because threads inherit the mask.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    threading.Thread(target=_end, args=(rank,), name="stop-signals", daemon=True).start()


def _end(rank: int) -> None:
    number = signal.sigwait(STOP_SIGNALS)
    print_line(f"rank {rank} was asked to end ({signal.Signals(number).name}); ending now")
    sys.stderr.flush()
    os._exit(128 + number)
