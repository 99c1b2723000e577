"""A replica of the reference server, from its start to its end."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from medley_runtime.endings import CannotListen, Ending
from medley_runtime.launch import Launch, ReferenceServing
from medley_runtime.output import print_line
from medley_runtime.reference_serving.answering import Answering
from medley_runtime.stop_signals import STOP_SIGNALS

HEARD = (*STOP_SIGNALS, signal.SIGUSR1)
"""The last one is how loading says that it failed."""
KEPT_S = 0.5
"""Of the grace: the end comes before the kill."""
LEAVE_S = 1.0
"""Before it stops to listen: whoever routes requests has so long to hear that it is going, within its grace."""


def serve(launch: Launch, plan: ReferenceServing) -> None:
    """Serve until the process is asked to end, then finish what was begun. Raises NoWeights, CannotListen."""
    # Before any thread: they inherit what is blocked, and only sigwait hears of it.
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    if launch.serving is None:
        print_line(f"rank {launch.rank} of {launch.world_size} has nothing to do: rank 0 serves")
        signal.sigwait(STOP_SIGNALS)
        return
    facts: dict[str, Any] = {"job": launch.job_name, "attempt": launch.attempt}
    host, port = launch.serving.host, launch.serving.port
    try:
        server = Answering(host, port, facts=facts, readiness_path=launch.serving.readiness_path)
    except OSError as error:
        raise CannotListen(f"nothing can listen on {host}:{port}: {error.strerror}") from error
    threading.Thread(target=server.serve_forever, name="listening", daemon=True).start()
    print_line(f"listening on {host}:{port}; loading the model")
    loading = _Loading(launch, plan, server)
    number = signal.sigwait(HEARD)
    if loading.ending is not None:
        raise loading.ending
    print_line(f"asked to end ({signal.Signals(number).name}); finishing what was begun")
    _leave(server, launch.grace_s)


def _leave(server: Answering, grace_s: float) -> None:
    until_s = time.monotonic() + max(grace_s - KEPT_S, 0.0)
    server.served, leaving = None, server.served  # not ready any more: no more requests are to come
    if leaving is not None:
        signal.sigtimedwait(STOP_SIGNALS, min(LEAVE_S, max(grace_s / 4, 0.0)))
    is_done = server.finish(max(until_s - time.monotonic(), 0.0))
    print_line("all requests were answered" if is_done else f"some requests took longer than the grace of {grace_s} s")


class _Loading:
    """Loads the model in a thread, so that a request to end is heard meanwhile."""

    def __init__(self, launch: Launch, plan: ReferenceServing, server: Answering) -> None:
        self.ending: Ending | None = None
        threading.Thread(target=self._load, args=(launch, plan, server), name="loading", daemon=True).start()

    def _load(self, launch: Launch, plan: ReferenceServing, server: Answering) -> None:
        try:
            from medley_runtime.torch_loading import load_torch  # noqa: PLC0415 - takes a second

            load_torch()
            from medley_runtime.devices import open_device  # noqa: PLC0415 - imports torch
            from medley_runtime.reference_serving.continuing import load_served  # noqa: PLC0415

            device = open_device(launch)
            served = load_served(plan, device)
        except Ending as ending:
            self._give_up(ending)
        except Exception as error:  # noqa: BLE001 - whatever it is, the main thread is to end with it
            self._give_up(Ending(f"the model cannot be loaded: {error!r}"))
        else:
            server.served = served
            print_line(f"ready, with weights of {served.weights}, on {device.description}")

    def _give_up(self, ending: Ending) -> None:
        self.ending = ending
        os.kill(os.getpid(), signal.SIGUSR1)  # of the whole process: one that a thread raises is its own
