"""Keys that are pressed while a screen is shown."""

import os
import re
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LONGEST_READ = 64
_KEY = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|.", re.DOTALL)
"""One key: those without a letter send a sequence."""


@contextmanager
def keys_to(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Have every key told, in a thread of its own; Ctrl-C stays what it is. The terminal is given back after.

    Gives whether there is a keyboard: where stdin is no terminal nothing is told.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        yield False
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def listen() -> None:
        while pressed := os.read(descriptor, _LONGEST_READ):
            for key in keys_in(pressed):
                on_key(key)

    tty.setcbreak(descriptor)
    try:
        threading.Thread(target=listen, name="keys", daemon=True).start()
        yield True
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def keys_in(pressed: bytes) -> list[str]:
    r"""Return the keys that a terminal sent at once: `nq` are two, `\x1b[6~` is Page Down."""
    return _KEY.findall(pressed.decode(errors="replace"))
