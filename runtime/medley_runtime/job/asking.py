"""The functions of `medley_runtime.job`: each finds out first whether Medley started this process."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medley_runtime.job.session import Session, open_session

STOPPED = 143
"""The exit code of a program that was asked to end and did: 0 would say that its work is done."""

_lock = threading.Lock()
_sessions: dict[int, Session | None] = {}
"""By process id: what a fork inherits is its parent's, and says nothing."""


def is_in_medley() -> bool:
    """Say whether Medley started this program."""
    return _session() is not None


def report(step: int, *, loss: float = float("nan"), steps: int = 0, tokens_per_s: float = 0.0) -> None:
    """Tell how far the training is; costs microseconds, and the latest report counts. Rank 0's is the one that is sent.

    A program that has reported once and then stands still for the job's `stall_limit_s` is ended and tried again.
    """
    session = _session()
    if session is not None:
        session.report(step, steps, float(loss), float(tokens_per_s))


def should_checkpoint() -> bool:
    """Say whether to save a checkpoint now: one is due, or this program is to end. Never blocks for long.

    In a gang with a process group of torch all ranks ask, at the same place, and get the same answer.
    """
    session = _session()
    return session is not None and session.should_checkpoint()


def should_stop() -> bool:
    """Say whether this program is to end, as the latest `should_checkpoint` found; then save and exit with STOPPED."""
    session = _session()
    return session is not None and session.is_to_stop


def saved(step: int) -> None:
    """Tell that a checkpoint of this step is whole, wherever it is; `new_checkpoint` tells by itself."""
    session = _session()
    if session is not None:
        session.saved(step)


def checkpoint_folder() -> Path | None:
    """Return where this job keeps what a later attempt is to find; None where there is no such place."""
    session = _session()
    return None if session is None else session.folder


def latest_checkpoint() -> Path | None:
    """Return the folder of the newest whole checkpoint, None where there is none."""
    session = _session()
    return None if session is None else session.latest()


@contextmanager
def new_checkpoint(step: int) -> Iterator[Path]:
    """Give a folder to save to. Left without an error, on rank 0, it is a whole checkpoint; else it is deleted.

    All ranks may write into it; rank 0 leaves the block last, as it does after a collective save of torch. Only the
    newest ones stay. Outside of Medley, and where there is no storage, what is written is thrown away.
    """
    session = _session()
    if session is None or session.folder is None:
        with tempfile.TemporaryDirectory(prefix="checkpoint-") as folder:
            yield Path(folder)
        return
    with session.new_checkpoint(step) as folder:
        yield folder


def _session() -> Session | None:
    own = os.getpid()
    with _lock:
        if own not in _sessions:
            # Of a fork: its parent speaks for the job, and threads do not survive a fork.
            _sessions[own] = None if _sessions else open_session(os.environ)
        return _sessions[own]
