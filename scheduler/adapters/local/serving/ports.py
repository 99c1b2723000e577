"""Ports of this machine for servers that listen on it."""

import socket
import threading
from collections import deque

LOOPBACK = "127.0.0.1"
MOST_REMEMBERED = 1_000
_TRIES = 20


class Ports:
    """Gives a port that nobody listens on, and none of those that were given lately: a server takes its time to bind.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._given: deque[int] = deque(maxlen=MOST_REMEMBERED)

    def take(self, wanted: int) -> int:
        """Return the wanted port where it is free, else another one. Raises OSError: there is none."""
        with self._guard:
            for port in (wanted, *[0] * _TRIES):
                found = _free(port)
                if found is not None and found not in self._given:
                    self._given.append(found)
                    return found
        raise OSError(f"no port of {LOOPBACK} is free for a server")


def _free(port: int) -> int | None:
    """Return a port, any for 0, where nobody has it."""
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:  # taken, or not for us
            return None
        return int(probe.getsockname()[1])
