"""The watch over a running worker: its output, its limits, the request to end, and its end."""

import os
import select
import signal
import time

from scheduler.adapters.local.supervisor.child import Child
from scheduler.adapters.local.supervisor.output import OutputKeeper
from scheduler.adapters.local.supervisor.processes import children, descendants, memory_mib, proportional_memory_mib
from scheduler.adapters.local.supervisor.records import OUTPUT, STARTED, Ended, Limits, read_stop

EXITED = "exited"
STOPPED = "stopped"
TIME_LIMIT = "time-limit"
MEMORY_LIMIT = "memory-limit"

_LOOK_EVERY_S = 0.5
"""How often limits are checked, and a request to end is looked for beside its signal."""
_CLEAR_RETRY_S = 0.002
_LONGEST_CLEAR_RETRY_S = 0.2
_RECORD_RETRY_S = 1.0
_RECORD_TRIES = 60


class Watch:
    """Stays with one worker until nothing of it is left."""

    def __init__(self, folder: str, limits: Limits, child: Child, alarm: int) -> None:
        self._folder = folder
        self._limits = limits
        self._child = child
        self._alarm = alarm
        self._output = OutputKeeper(os.path.join(folder, OUTPUT), child.output)
        self._started_s = time.monotonic()
        self._next_look_s = self._started_s
        self._kill_at_s: float | None = None
        self._end = EXITED
        self._is_asked = False

    def run(self) -> None:
        """Return when the worker is gone, with all that it started, and its end is recorded."""
        exit_code = self._wait()
        self._clear()
        self._output.finish()
        self._record(exit_code)

    def _wait(self) -> int:
        """Carry output and keep limits until the worker's first process has ended; return its exit code."""
        poll = select.poll()
        poll.register(self._alarm, select.POLLIN)
        poll.register(self._child.output, select.POLLIN)
        while (exit_code := self._reap()) is None:
            self._look()
            for descriptor, _ in poll.poll(self._patience_ms()):
                if descriptor == self._alarm:
                    self._hear(os.read(self._alarm, 512))
                elif not self._output.carry():
                    poll.unregister(descriptor)
        return exit_code

    def _hear(self, numbers: bytes) -> None:
        if signal.SIGTERM in numbers:
            self._is_asked = True
            self._next_look_s = time.monotonic()

    def _patience_ms(self) -> int:
        due_s = self._next_look_s if self._kill_at_s is None else min(self._next_look_s, self._kill_at_s)
        return max(0, int((due_s - time.monotonic()) * 1000) + 1)

    def _look(self) -> None:
        """End the worker where there is a reason to."""
        now_s = time.monotonic()
        if self._kill_at_s is not None and now_s >= self._kill_at_s:
            self._signal(signal.SIGKILL)
            self._kill_at_s = now_s + _LOOK_EVERY_S
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + _LOOK_EVERY_S
        kill_at_s = read_stop(os.path.dirname(self._folder))
        if kill_at_s is not None:
            self._ask_to_end(STOPPED, kill_at_s)
        elif self._is_asked:
            self._ask_to_end(STOPPED, now_s + self._limits.grace_s)
        elif not os.path.exists(os.path.join(self._folder, STARTED)):
            self._ask_to_end(STOPPED, now_s)  # its folder was deleted: nobody could ever find it again
        elif self._limits.time_limit_s is not None and now_s >= self._started_s + self._limits.time_limit_s:
            self._ask_to_end(TIME_LIMIT, now_s + self._limits.grace_s)
        elif self._uses_too_much_memory():
            self._ask_to_end(MEMORY_LIMIT, now_s)

    def _ask_to_end(self, reason: str, kill_at_s: float) -> None:
        """Send one SIGTERM; of several requests the first gives the reason and the earliest the time of the kill."""
        if self._kill_at_s is None:
            self._end = reason
            self._kill_at_s = kill_at_s
            if kill_at_s > time.monotonic():
                self._signal(signal.SIGTERM)
                self._signal(signal.SIGCONT)  # a paused process hears it too
        self._kill_at_s = min(self._kill_at_s, kill_at_s)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the worker's process group; its leader is not reaped, so the number is still this worker's."""
        try:
            os.killpg(self._child.pid, number)
        except PermissionError:
            pass  # all of it runs as another user by now: it ends when it likes, and is watched until then

    def _uses_too_much_memory(self) -> bool:
        pids = descendants(os.getpid())
        most_mib = self._limits.memory_mib
        return memory_mib(pids) > most_mib and proportional_memory_mib(pids) > most_mib

    def _reap(self) -> int | None:
        """Collect every child that ended; return the exit code of the worker's first process if it is one of them."""
        exit_code = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return exit_code
            if pid == 0:
                return exit_code
            if pid == self._child.pid:
                exit_code = os.waitstatus_to_exitcode(status)

    def _clear(self) -> None:
        """Kill all that the worker left behind; returns when the kernel knows of no child.

        Only children are killed, as nobody else can reap them and their numbers stay theirs; what they leave becomes
        a child in its turn.
        """
        pause_s = _CLEAR_RETRY_S
        while self._has_children():
            for pid in children(os.getpid()):
                _kill(pid)
            self._output.carry()
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_CLEAR_RETRY_S)

    def _has_children(self) -> bool:
        self._reap()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def _record(self, exit_code: int) -> None:
        """Record the end, again and again while the disk refuses it: after that it would count as lost."""
        ended = Ended(self._end, exit_code, time.time())
        for _ in range(_RECORD_TRIES):
            try:
                ended.write(self._folder)
            except FileNotFoundError:
                return  # the folder was deleted
            except OSError:
                time.sleep(_RECORD_RETRY_S)
            else:
                return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        pass  # it runs as another user by now: the worker is not gone before that process is
