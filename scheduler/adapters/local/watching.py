"""A thread that hears at once when a supervisor ends, its own or one of an earlier server."""

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress

from scheduler.adapters.local.supervisor.processes import ProcessIdentity


class Watcher:
    """Calls back whenever a watched supervisor ends. It holds one descriptor per supervisor, and a thread.

    A supervisor for which there is no descriptor is not watched: news of it come to those who look.
    """

    def __init__(self, callback: Callable[[], None], *, below: int) -> None:
        """`callback` is called from the thread and must not block. Only descriptors `below` a number are used.

        The system gives the lowest number that is free, so the others stay for whatever else this process opens.
        """
        self._callback = callback
        self._below = below
        self._poll = select.poll()
        self._guard = threading.Lock()
        self._by_process: dict[tuple[int, str], int] = {}
        self._by_descriptor: dict[int, ProcessIdentity] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll.register(self._wake_read, select.POLLIN)
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="local-cluster-watcher", daemon=True)
        self._thread.start()

    def watch(self, supervisor: ProcessIdentity) -> None:
        """Watch a supervisor; without effect on one that is watched, and a call back at once for one that is gone."""
        with self._guard:
            if self._is_closing or (supervisor.pid, supervisor.start) in self._by_process:
                return
            try:
                descriptor = supervisor.open()
            except OSError:
                return  # none is free
            if descriptor is not None and descriptor >= self._below:
                os.close(descriptor)
                return
            if descriptor is not None:
                self._by_process[supervisor.pid, supervisor.start] = descriptor
                self._by_descriptor[descriptor] = supervisor
                self._poll.register(descriptor, select.POLLIN)
                self._wake()
                return
        self._callback()

    def close(self) -> None:
        """End the thread and close every descriptor; may be called again."""
        with self._guard:
            if self._is_closing:
                return
            self._is_closing = True
            self._wake()
        self._thread.join()
        for descriptor in (*self._by_descriptor, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # the pipe is full: the thread will wake
            os.write(self._wake_write, b"!")

    def _run(self) -> None:
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll()]
            with self._guard:
                if self._is_closing:
                    return
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
                ended = [descriptor for descriptor in ready if descriptor != self._wake_read]
                for descriptor in ended:
                    self._drop(descriptor)
            if ended:
                self._callback()

    def _drop(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        supervisor = self._by_descriptor.pop(descriptor)
        del self._by_process[supervisor.pid, supervisor.start]
        os.close(descriptor)
        with suppress(ChildProcessError):  # it is ours to reap only where this server is process 1 of a container
            os.waitpid(supervisor.pid, os.WNOHANG)
