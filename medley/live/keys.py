"""Keys that are pressed while a screen is shown."""

import os
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

_ENDING = (b"q", b"Q")


@contextmanager
def ending_keys(happened: threading.Event) -> Iterator[threading.Event]:
    """Give an event that `q` sets, and `happened` with it; Ctrl-C stays what it is. The terminal is given back after.

    Where stdin is no terminal nobody sets it.
    """
    is_over = threading.Event()
    if sys.stdin is None or not sys.stdin.isatty():
        yield is_over
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def listen() -> None:
        while key := os.read(descriptor, 1):
            if key in _ENDING:
                is_over.set()
                happened.set()
                return

    tty.setcbreak(descriptor)
    try:
        threading.Thread(target=listen, name="keys", daemon=True).start()
        yield is_over
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
