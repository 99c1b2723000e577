"""Start the worker of a folder at most once, and stay with it.

Nothing here needs the server: it may be killed and started again at any moment.
"""

import os
import signal
import time

from scheduler.adapters.local.supervisor.child import Child, CouldNotRun
from scheduler.adapters.local.supervisor.processes import adopt_orphans, identify
from scheduler.adapters.local.supervisor.records import (
    CRASH,
    SCRATCH,
    STARTED,
    Plan,
    Started,
    read_stop,
    try_lock,
    write_whole,
)
from scheduler.adapters.local.supervisor.watch import Watch

_LOCK_WAIT_S = 5.0
_LOCK_RETRY_S = 0.003


def main(folder: str, report: int) -> None:
    """Supervise the worker of a folder unless somebody does or did; say on `report` what became of its start."""
    try:
        _supervise(folder, report)
    except BaseException:
        import traceback  # noqa: PLC0415 - dear to import, and only needed now

        write_whole(folder, CRASH, traceback.format_exc().encode(errors="replace"))
        raise


def _supervise(folder: str, report: int) -> None:
    os.set_inheritable(report, False)
    lock = _wait_for_lock(folder)
    if lock is None or os.path.exists(os.path.join(folder, STARTED)) or read_stop(os.path.dirname(folder)) is not None:
        _answer(report, folder, "")
        return
    alarm = _listen_to_signals()
    adopt_orphans()
    plan = Plan.read(folder)
    child = Child(plan, os.path.join(folder, SCRATCH))
    started = Started(identify(os.getpid()), identify(child.pid), generation=plan.generation, at_s=time.time())
    started.write(folder)
    try:
        child.release()
    except CouldNotRun as error:
        os.unlink(os.path.join(folder, STARTED))
        _answer(report, folder, str(error))
        return
    _answer(report, folder, "")
    Watch(folder, plan.limits, child, alarm).run()


def _wait_for_lock(folder: str) -> int | None:
    """Take the lock; None where another supervisor has it and its worker runs. Raises TimeoutError."""
    give_up_s = time.monotonic() + _LOCK_WAIT_S
    while (lock := try_lock(folder)) is None:
        if os.path.exists(os.path.join(folder, STARTED)):
            return None
        if time.monotonic() > give_up_s:
            raise TimeoutError("another process held the worker's lock and did not start the worker")
        time.sleep(_LOCK_RETRY_S)
    return lock


def _answer(report: int, folder: str, error: str) -> None:
    """Tell the server: the rank, and what went wrong if anything did."""
    try:
        os.write(report, f"{os.path.basename(folder)} {' '.join(error.split())}\n".encode())
    except BrokenPipeError:
        pass  # the server is gone; the next one looks at the folder
    finally:
        os.close(report)


def _listen_to_signals() -> int:
    """Return a descriptor from which the numbers of signals can be read as they come."""
    alarm, bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, _heard)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return alarm


def _heard(_number: int, _frame: object) -> None:
    """Leave it to the watch: the number is in its descriptor."""
